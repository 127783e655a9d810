#include "cli/command_line.hpp"

#include <gmock/gmock.h>

#include "debroot/error.hpp"

namespace debroot::cli {
namespace {

using plan::HookSource;
using ::testing::ElementsAre;

std::string refused(const std::vector<std::string> &arguments) {
  try {
    (void)parse_command_line(arguments);
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    std::string text = error.message();
    for (const ErrorDetail &detail : error.details()) text += "\n" + detail.label + ": " + detail.value;
    return error.hint().empty() ? text : text + "\ntry: " + error.hint();
  }
  return "nothing was refused";
}

TEST(CommandLine, TakesOptionsAnywhere) {
  CommandLine line = parse_command_line({"build", "-a", "arm64", "bookworm", "--output=a.tar", "-o", "-", "--include",
                                         "vim,curl", "--include=less", "--plain", "-m", "deb http://a.org/d sid main"});
  EXPECT_EQ(line.command, Command::build);
  EXPECT_EQ(line.options.suite, "bookworm");
  EXPECT_THAT(line.options.architectures, ElementsAre("arm64"));
  EXPECT_THAT(line.options.outputs, ElementsAre("a.tar", "-"));
  EXPECT_THAT(line.options.includes, ElementsAre("vim,curl", "less"));
  EXPECT_THAT(line.options.mirrors, ElementsAre("deb http://a.org/d sid main"));
  EXPECT_TRUE(line.options.is_plain);
}

TEST(CommandLine, FillsEveryOption) {
  CommandLine line = parse_command_line(
      {"plan",    "sid",         "--json",    "--architectures", "i386",  "--format",   "tar",       "--variant",
       "apt",     "--exclude",   "x",         "--hostname",      "h",     "--network",  "none",      "--components",
       "c",       "--keyring",   "k",         "--cache",         "d",     "--no-cache", "--offline", "--aptopt",
       "A",       "--dpkgopt",   "D",         "--skip",          "s",     "--mode",     "root",      "--script-network",
       "--jobs",  "3",           "--dry-run", "--progress",      "json",  "--logfile",  "l",         "--foreign-exec",
       "emulate", "--stand-ins", "no",        "--timings",       "t.json"});
  const plan::Options &options = line.options;
  EXPECT_TRUE(line.is_json);
  EXPECT_EQ(line.timings_file, "t.json");
  EXPECT_THAT(options.architectures, ElementsAre("i386"));
  EXPECT_EQ(options.format, "tar");
  EXPECT_EQ(options.variant, "apt");
  EXPECT_THAT(options.excludes, ElementsAre("x"));
  EXPECT_EQ(options.hostname, "h");
  EXPECT_EQ(options.network, "none");
  EXPECT_THAT(options.components, ElementsAre("c"));
  EXPECT_THAT(options.keyrings, ElementsAre("k"));
  EXPECT_EQ(options.cache, "d");
  EXPECT_TRUE(options.has_no_cache);
  EXPECT_TRUE(options.is_offline);
  EXPECT_THAT(options.apt_options, ElementsAre("A"));
  EXPECT_THAT(options.dpkg_options, ElementsAre("D"));
  EXPECT_THAT(options.skips, ElementsAre("s"));
  EXPECT_EQ(options.mode, "root");
  EXPECT_TRUE(options.shares_network_with_scripts);
  EXPECT_EQ(options.foreign_exec, "emulate");
  EXPECT_EQ(options.stand_ins, "no");
  EXPECT_EQ(options.jobs, "3");
  EXPECT_TRUE(options.is_simulation);
  EXPECT_EQ(line.progress, ProgressStyle::json);
  EXPECT_EQ(line.log_file, "l");
}

TEST(CommandLine, TakesChrootedHooks) {
  for (const char *command : {"build", "mmdebstrap"}) {
    auto line = parse_command_line({command, "sid", "--chrooted-extract-hook=a", "--customize-hook=b",
                                    "--chrooted-essential-hook", "c", "--chrooted-customize-hook=d"});
    std::string seen;
    for (const auto &hook : line.options.hooks) seen += (hook.is_chrooted ? "chrooted " : "") + hook.value + "\n";
    EXPECT_EQ(seen, "chrooted a\nb\nchrooted c\nchrooted d\n");
  }
}

TEST(CommandLine, KeepsHooksInOrder) {
  CommandLine line =
      parse_command_line({"build", "sid", "--customize-hook=a", "--setup-hook", "b", "--hook-dir=c", "--customize-hook",
                          "chroot \"$1\" sh -c '[ -e /x ]'", "--extract-hook=e", "--essential-hook=f"});
  std::vector<std::pair<HookSource, std::string>> seen;
  for (const auto &hook : line.options.hooks) seen.emplace_back(hook.source, hook.value);
  EXPECT_THAT(seen, ElementsAre(std::pair(HookSource::customize, "a"), std::pair(HookSource::setup, "b"),
                                std::pair(HookSource::directory, "c"),
                                std::pair(HookSource::customize, "chroot \"$1\" sh -c '[ -e /x ]'"),
                                std::pair(HookSource::extract, "e"), std::pair(HookSource::essential, "f")));
}

TEST(CommandLine, LetsTheLastOneCount) {
  CommandLine line = parse_command_line({"build", "sid", "-q", "--variant=apt", "-d", "--variant=custom", "-v"});
  EXPECT_EQ(line.verbosity, Verbosity::verbose);
  EXPECT_EQ(line.options.variant, "custom");
  EXPECT_EQ(parse_command_line({"build", "sid", "-vd"}).verbosity, Verbosity::debug);
  EXPECT_EQ(parse_command_line({"build", "sid", "--silent"}).verbosity, Verbosity::quiet);
}

TEST(CommandLine, TakesEmptyAndStrangeValues) {
  CommandLine line = parse_command_line({"build", "--include=", "sid", "--aptopt", "--odd", "--mirror=[a,b]"});
  EXPECT_EQ(line.options.suite, "sid");
  EXPECT_THAT(line.options.includes, ElementsAre(""));
  EXPECT_THAT(line.options.apt_options, ElementsAre("--odd"));
  EXPECT_THAT(line.options.mirrors, ElementsAre("[a,b]"));
  EXPECT_EQ(parse_command_line({"build", "--", "-odd"}).options.suite, "-odd");
}

TEST(CommandLine, KnowsHelpAndVersion) {
  EXPECT_TRUE(parse_command_line({"--help"}).wants_help);
  EXPECT_TRUE(parse_command_line({"-h"}).wants_help);
  EXPECT_TRUE(parse_command_line({"--version"}).wants_version);
  CommandLine line = parse_command_line({"diff", "--help"});
  EXPECT_TRUE(line.wants_help);
  EXPECT_EQ(line.command, Command::diff);
}

TEST(CommandLine, TakesTwoImagesToCompare) {
  CommandLine line = parse_command_line({"diff", "plan", "--ignore=/dev", "--ignore", "*.pyc", "build",
                                         "--ignore-mtime", "--ignore-owner", "--ignore-xattrs", "--ignore-order"});
  EXPECT_THAT(line.operands, ElementsAre("plan", "build"));
  EXPECT_THAT(line.compare.ignore, ElementsAre("/dev", "*.pyc"));
  EXPECT_TRUE(line.compare.ignores_mtime && line.compare.ignores_owner && line.compare.ignores_xattrs &&
              line.compare.ignores_order);
  EXPECT_EQ(refused({"diff", "a"}), "diff needs two images\ntry: debroot diff A.tar B.tar");
  EXPECT_EQ(refused({"diff", "a", "b", "c"}), "unexpected argument 'c'\ntry: debroot diff --help");
}

TEST(CommandLine, PlacesTheOperandsOfMmdebstrap) {
  CommandLine line = parse_command_line({"mmdebstrap", "sid", "out.tar", "http://a.org/d", "deb http://b.org/d x y"});
  EXPECT_EQ(line.command, Command::mmdebstrap);
  EXPECT_EQ(line.options.suite, "sid");
  EXPECT_THAT(line.options.outputs, ElementsAre("out.tar"));
  EXPECT_THAT(line.options.mirrors, ElementsAre("http://a.org/d", "deb http://b.org/d x y"));
  line = parse_command_line({"mmdebstrap", "sid"});
  EXPECT_THAT(line.options.outputs, ElementsAre("-"));
  EXPECT_THAT(line.options.mirrors, ElementsAre());
  line = parse_command_line({"mmdebstrap"});
  EXPECT_EQ(line.options.suite, "");
  EXPECT_THAT(line.options.outputs, ElementsAre("-"));
  EXPECT_THAT(line.options.mirrors, ElementsAre("-"));
}

TEST(CommandLine, TakesShortenedNamesOfMmdebstrapInAnyCase) {
  CommandLine line =
      parse_command_line({"mmdebstrap", "--VAR=apt", "sid", "--incl", "--vim", "-QV", "-", "--comp=a", "--arch", "i386",
                          "--hook-dir=h", "--customize=c", "--no-merged", "--", "--odd"});
  EXPECT_EQ(line.options.variant, "apt");
  EXPECT_THAT(line.options.includes, ElementsAre("--vim"));
  EXPECT_EQ(line.verbosity, Verbosity::verbose);
  EXPECT_THAT(line.options.components, ElementsAre("a"));
  EXPECT_THAT(line.options.architectures, ElementsAre("i386"));
  EXPECT_EQ(line.options.hooks.at(0).value, "h");
  EXPECT_EQ(line.options.hooks.at(1).value, "c");
  EXPECT_THAT(line.options.outputs, ElementsAre("-"));
  EXPECT_THAT(line.options.mirrors, ElementsAre("--odd"));
  EXPECT_TRUE(parse_command_line({"mmdebstrap", "--vers"}).wants_version);
  EXPECT_TRUE(parse_command_line({"mmdebstrap", "--man"}).wants_help);
  EXPECT_EQ(refused({"mmdebstrap", "--s", "sid"}),
            "option '--s' is ambiguous\nexpected: one of --setup-hook, --skip, --simulate, --silent");
  EXPECT_TRUE(parse_command_line({"mmdebstrap"}).has_no_suite);
  EXPECT_FALSE(parse_command_line({"mmdebstrap", ""}).has_no_suite);
  EXPECT_THAT(parse_command_line({"mmdebstrap", "--merged-usr", "sid", "--resolve"}).no_operations,
              ElementsAre("--merged-usr", "--resolve-deps"));
  EXPECT_EQ(refused({"mmdebstrap", "--inc=", "sid"}), "option '--include' needs a value");
  EXPECT_THAT(parse_command_line({"mmdebstrap", "--inc", "", "--", "--x="}).options.includes, ElementsAre(""));
  EXPECT_EQ(refused({"mmdebstrap", "--quiet=1", "sid"}), "option '--quiet' takes no value");
  EXPECT_EQ(refused({"mmdebstrap", "--plain", "sid"}),
            "unknown option '--plain'\ntry: debroot mmdebstrap --help lists the options");
  EXPECT_EQ(refused({"mmdebstrap", "--jobs=2", "sid"}),
            "unknown option '--jobs'\ntry: debroot mmdebstrap --help lists the options");
}

TEST(CommandLine, SaysWhichCommandWasMeant) {
  EXPECT_EQ(refused({}), "no command is given\ntry: debroot --help");
  EXPECT_EQ(refused({"biuld"}), "unknown command 'biuld'\ntry: did you mean 'build'?");
  EXPECT_EQ(refused({"bookworm"}), "unknown command 'bookworm'\ntry: debroot build bookworm");
  EXPECT_EQ(refused({"frobnicate"}),
            "unknown command 'frobnicate'\nexpected: build, plan, diff, doctor, cache or mmdebstrap");
  EXPECT_EQ(refused({"--quiet", "build"}),
            "unknown option '--quiet' before the command\n"
            "try: options follow the command, as in: debroot build bookworm -o out.tar");
}

TEST(CommandLine, SaysWhichOptionWasMeant) {
  EXPECT_EQ(refused({"build", "sid", "--varient=x"}), "unknown option '--varient'\ntry: did you mean '--variant'?");
  EXPECT_EQ(refused({"build", "sid", "--customize", "x"}),
            "unknown option '--customize'\ntry: did you mean '--customize-hook'?");
  EXPECT_EQ(refused({"build", "sid", "--second-stage"}),
            "unknown option '--second-stage'\ntry: debroot build --help lists the options");
  EXPECT_EQ(refused({"build", "sid", "-x"}), "unknown option '-x'\ntry: debroot build --help lists the options");
  EXPECT_EQ(refused({"cache"}), "cache needs to know what to do\ntry: debroot cache list");
  EXPECT_EQ(refused({"cache", "clean"}), "cache cannot 'clean'\nexpected: list or prune");
  EXPECT_EQ(refused({"cache", "list", "x"}), "unexpected argument 'x'\ntry: debroot cache --help");
  EXPECT_EQ(refused({"cache", "prune", "--max-age", "soon"}), "'--max-age' is no number of days: 'soon'");
  EXPECT_EQ(refused({"doctor", "--json"}), "unknown option '--json'\ntry: debroot doctor --help lists the options");
}

TEST(CommandLine, RefusesWhatItCannotPlace) {
  EXPECT_EQ(refused({"build", "sid", "out.tar"}), "unexpected argument 'out.tar'\ntry: --output 'out.tar'");
  EXPECT_EQ(refused({"build", "sid", "http://a.org/d"}),
            "unexpected argument 'http://a.org/d'\ntry: --mirror 'http://a.org/d'");
  EXPECT_EQ(refused({"doctor", "x"}), "unexpected argument 'x'\ntry: debroot doctor --help");
  EXPECT_EQ(refused({"build", "sid", "--output"}), "option '--output' needs a value");
  EXPECT_EQ(refused({"build", "sid", "-o"}), "option '--output' needs a value");
  EXPECT_EQ(refused({"build", "sid", "--plain=yes"}), "option '--plain' takes no value");
  EXPECT_EQ(refused({"build", "sid", "--progress=loud"}),
            "unknown progress style 'loud'\nexpected: auto, tty, plain, json, none");
}

}  // namespace
}  // namespace debroot::cli
