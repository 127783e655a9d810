#include "cli/option_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "cli/cache_text.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

using Apply = std::function<void(CommandLine &, const std::string &)>;
using plan::HookSource;
using plan::Options;

Apply append(std::vector<std::string> Options::*list) {
  return [list](CommandLine &line, const std::string &value) { (line.options.*list).push_back(value); };
}
Apply set(std::optional<std::string> Options::*field) {
  return [field](CommandLine &line, const std::string &value) { line.options.*field = value; };
}
Apply turn_on(bool Options::*field) {
  return [field](CommandLine &line, const std::string &) { line.options.*field = true; };
}
Apply turn_on(bool CommandLine::*field) {
  return [field](CommandLine &line, const std::string &) { line.*field = true; };
}
Apply leave_out(bool diff::CompareOptions::*field) {
  return [field](CommandLine &line, const std::string &) { line.compare.*field = true; };
}
Apply add_hook(HookSource source, bool is_chrooted = false) {
  return [source, is_chrooted](CommandLine &line, const std::string &value) {
    line.options.hooks.push_back({source, value, is_chrooted});
  };
}
Apply set_verbosity(Verbosity verbosity) {
  return [verbosity](CommandLine &line, const std::string &) { line.verbosity = verbosity; };
}

void set_progress(CommandLine &line, const std::string &value) {
  constexpr std::array<std::pair<std::string_view, ProgressStyle>, 5> kStyles = {{{"auto", ProgressStyle::automatic},
                                                                                  {"tty", ProgressStyle::tty},
                                                                                  {"plain", ProgressStyle::plain},
                                                                                  {"json", ProgressStyle::json},
                                                                                  {"none", ProgressStyle::none}}};
  for (const auto &[word, style] : kStyles) {
    if (word != value) continue;
    line.progress = style;
    return;
  }
  throw plan::usage_error(fmt::format("unknown progress style '{}'", value))
      .detail("expected", "auto, tty, plain, json, none");
}

std::int64_t parse_days(const std::string &value) {
  constexpr std::uint64_t kMostDays = 100'000;
  std::optional<std::uint64_t> days = base::parse_number(value);
  if (days && *days <= kMostDays) return static_cast<std::int64_t>(*days);
  throw plan::usage_error(fmt::format("'--max-age' is no number of days: '{}'", value));
}

void add(std::vector<OptionRow> &table, std::vector<OptionRow> rows) {
  for (OptionRow &row : rows) table.push_back(std::move(row));
}

std::vector<OptionRow> image_rows() {
  constexpr std::string_view kGroup = "Image";
  return {
      {kGroup, "-a,--arch,--architectures", "ARCH[,FOREIGN...]",
       "architecture of the image, then those that dpkg shall also accept; default: this host's",
       append(&Options::architectures)},
      {kGroup, "-o,--output", "PATH",
       "where the image goes, in the format that the suffix says: .tar, .tar.gz, .tar.xz, .tar.zst (or .bz2, .lz, "
       ".lz4, .lzma, .Z), .squashfs, .ext2, .ext4, .oci, else a directory; /dev/null, or - for standard output; "
       "default ./SUITE-ARCH.tar. Repeat it for several outputs of one build",
       append(&Options::outputs)},
      {kGroup, "--format", "FORMAT",
       "tar, directory, squashfs, ext2, ext4, oci or null, whatever the suffix of the outputs; default: auto",
       set(&Options::format)},
      {kGroup, "--variant", "NAME",
       "package set: extract, custom, essential, apt, required (or minbase), buildd, important (the default) or "
       "standard",
       set(&Options::variant)},
      {kGroup, "--include", "LIST",
       "more packages: names, name=version, name/suite, name:arch, patterns, or a .deb file given as a path",
       append(&Options::includes)},
      {kGroup, "--exclude", "LIST", "packages that must not be installed; an error names who needs them",
       append(&Options::excludes)},
      {kGroup, "--hostname", "NAME", "write a host name; default: a machine takes the name that it is imported under",
       set(&Options::hostname)},
      {kGroup, "--network", "WORD", "networkd (the default), ifupdown (DHCP on host0) or none", set(&Options::network)},
      {kGroup, "--plain", "", "no dbus, no network set-up: just the variant and what --include names",
       turn_on(&Options::is_plain)},
  };
}

std::vector<OptionRow> source_rows() {
  constexpr std::string_view kGroup = "Sources";
  return {
      {kGroup, "-m,--mirror", "SOURCE",
       "a URI, a 'deb ...' line, a sources file, or - for standard input; repeatable; default: the suite's own archive "
       "with -updates and -security",
       append(&Options::mirrors)},
      {kGroup, "--components", "LIST", "components of URIs and of the default archive; default: main",
       append(&Options::components)},
      {kGroup, "--keyring", "PATH", "public keys, a file or a directory of files, that sign the archives; repeatable",
       append(&Options::keyrings)},
      {kGroup, "--cache", "DIR", "where downloads and base states are kept; default $XDG_CACHE_HOME/debroot",
       set(&Options::cache)},
      {kGroup, "--no-cache", "", "keep nothing, and use nothing that is kept", turn_on(&Options::has_no_cache)},
      {kGroup, "--offline", "", "never use the network, only the cache", turn_on(&Options::is_offline)},
  };
}

std::vector<OptionRow> customisation_rows() {
  constexpr std::string_view kGroup = "Customisation";
  return {
      {kGroup, "--setup-hook", "COMMAND", "run COMMAND while the root is empty", add_hook(HookSource::setup)},
      {kGroup, "--extract-hook", "COMMAND", "run COMMAND when the essential packages are unpacked",
       add_hook(HookSource::extract)},
      {kGroup, "--essential-hook", "COMMAND", "run COMMAND when the essential packages are configured",
       add_hook(HookSource::essential)},
      {kGroup, "--customize-hook", "COMMAND",
       "run COMMAND when everything is installed. Hooks run on the host, with the root's path as $1",
       add_hook(HookSource::customize)},
      // mmdebstrap's manual does not have these either
      {"", "--chrooted-extract-hook", "COMMAND", "", add_hook(HookSource::extract, true)},
      {"", "--chrooted-essential-hook", "COMMAND", "", add_hook(HookSource::essential, true)},
      {"", "--chrooted-customize-hook", "COMMAND", "", add_hook(HookSource::customize, true)},
      {kGroup, "--hook-directory,--hook-dir", "DIR",
       "every executable in DIR whose name begins with a stage, as a hook of that stage",
       add_hook(HookSource::directory)},
      {kGroup, "--aptopt", "OPTION|FILE", "a line, or a file of lines, for apt's configuration in the image",
       append(&Options::apt_options)},
      {kGroup, "--dpkgopt", "OPTION|FILE", "the same for dpkg's, path-exclude= included",
       append(&Options::dpkg_options)},
      {kGroup, "--skip", "STAGE[,STAGE...]", "leave out steps, named as mmdebstrap names them",
       append(&Options::skips)},
  };
}

std::vector<OptionRow> run_rows() {
  constexpr std::string_view kGroup = "Running";
  return {
      {kGroup, "--mode", "WORD",
       "auto (the default), root, unshare (a user namespace), or chrootless (maintainer scripts "
       "run outside of the image)",
       set(&Options::mode)},
      {kGroup, "--script-network", "", "let maintainer scripts use the network",
       turn_on(&Options::shares_network_with_scripts)},
      {kGroup, "--foreign-exec", "WORD",
       "for another architecture: native (the default), with this host's own builds of the tools that maintainer "
       "scripts call, or emulate",
       set(&Options::foreign_exec)},
      {kGroup, "--stand-ins", "WORD",
       "yes (the default): small programs of debroot's do what known tools would do that maintainer scripts call; or "
       "no",
       set(&Options::stand_ins)},
      {kGroup, "--jobs", "N", "worker threads; default: the CPUs that this process may use", set(&Options::jobs)},
      {kGroup, "--simulate,--dry-run", "", "fetch indexes and show what would be installed, make nothing",
       turn_on(&Options::is_simulation)},
  };
}

std::vector<OptionRow> message_rows() {
  constexpr std::string_view kGroup = "Messages";
  return {
      {kGroup, "--progress", "STYLE", "auto (the default), tty, plain, json (one object a line) or none", set_progress},
      {kGroup, "--timings", "FILE",
       "print where the time went, and write it to FILE as a trace that the viewers of Chrome and Perfetto open",
       [](CommandLine &line, const std::string &value) { line.timings_file = value; }},
      {kGroup, "--logfile", "FILE", "write messages to FILE instead of standard error",
       [](CommandLine &line, const std::string &value) { line.log_file = value; }},
      {kGroup, "-q,--quiet", "", "say nothing but errors", set_verbosity(Verbosity::quiet)},
      {"", "-s,--silent", "", "", set_verbosity(Verbosity::quiet)},
      {kGroup, "-v,--verbose", "", "show what maintainer scripts write", set_verbosity(Verbosity::verbose)},
      {kGroup, "-d,--debug", "", "show also every package as it is worked on", set_verbosity(Verbosity::debug)},
  };
}

/// The spellings that mmdebstrap(1) has.
constexpr std::array<std::string_view, 27> kMmdebstrapNames = {"--architectures",
                                                               "--format",
                                                               "--variant",
                                                               "--include",
                                                               "--components",
                                                               "--keyring",
                                                               "--setup-hook",
                                                               "--extract-hook",
                                                               "--essential-hook",
                                                               "--customize-hook",
                                                               "--hook-directory",
                                                               "--chrooted-extract-hook",
                                                               "--chrooted-essential-hook",
                                                               "--chrooted-customize-hook",
                                                               "--aptopt",
                                                               "--dpkgopt",
                                                               "--skip",
                                                               "--mode",
                                                               "--simulate,--dry-run",
                                                               "--logfile",
                                                               "-q,--quiet",
                                                               "-s,--silent",
                                                               "-v,--verbose",
                                                               "-d,--debug",
                                                               "-h,--help",
                                                               "--version",
                                                               "--man"};

/// `rows` but for the ones that mmdebstrap does not have, under its names.
std::vector<OptionRow> as_mmdebstrap(const std::vector<OptionRow> &rows) {
  std::vector<OptionRow> out;
  for (const OptionRow &row : rows) {
    std::vector<std::string_view> own = base::split(row.names, ',');
    auto shares_name = [&](std::string_view names) {
      std::vector<std::string_view> theirs = base::split(names, ',');
      return std::find_first_of(own.begin(), own.end(), theirs.begin(), theirs.end()) != own.end();
    };
    const auto *found = std::find_if(kMmdebstrapNames.begin(), kMmdebstrapNames.end(), shares_name);
    if (found == kMmdebstrapNames.end()) continue;
    out.push_back(row);
    out.back().names = *found;
  }
  return out;
}

/// An option that changes nothing, which is said.
OptionRow no_operation(std::string_view name) {
  return {"", name, "", "", [name](CommandLine &line, const std::string &) { line.no_operations.emplace_back(name); }};
}

/// Options that only mmdebstrap's command line has; the last four change nothing there either.
std::vector<OptionRow> mmdebstrap_rows() {
  return {{"Messages", "--version", "", "show the version", turn_on(&CommandLine::wants_version)},
          {"", "--man", "", "", turn_on(&CommandLine::wants_help)},
          no_operation("--resolve-deps"),
          no_operation("--merged-usr"),
          no_operation("--no-merged-usr"),
          no_operation("--force-check-gpg")};
}

std::vector<OptionRow> diff_rows() {
  constexpr std::string_view kGroup = "Options";
  using diff::CompareOptions;
  return {
      {kGroup, "--ignore", "PATTERN", "leave out paths such as /dev or '*.pyc', with all below them; repeatable",
       [](CommandLine &line, const std::string &value) { line.compare.ignore.push_back(value); }},
      {kGroup, "--ignore-mtime", "", "do not compare modification times", leave_out(&CompareOptions::ignores_mtime)},
      {kGroup, "--ignore-owner", "", "do not compare owners", leave_out(&CompareOptions::ignores_owner)},
      {kGroup, "--ignore-xattrs", "", "do not compare extended attributes", leave_out(&CompareOptions::ignores_xattrs)},
      {kGroup, "--ignore-order", "", "do not compare the order of a tar's entries",
       leave_out(&CompareOptions::ignores_order)},
  };
}

std::vector<OptionRow> cache_rows() {
  constexpr std::string_view kGroup = "Options";
  return {
      {kGroup, "--cache", "DIR", "the cache; default $XDG_CACHE_HOME/debroot", set(&Options::cache)},
      {kGroup, "--max-size", "SIZE",
       "prune: remove what was used least recently until so much is left, such as 500M or 4G",
       [](CommandLine &line, const std::string &value) { line.prune.bytes = parse_size(value, "--max-size"); }},
      {kGroup, "--max-age", "DAYS", "prune: remove what was not used for so many days",
       [](CommandLine &line, const std::string &value) { line.prune.unused_days = parse_days(value); }},
      {kGroup, "--all", "", "prune: remove everything",
       [](CommandLine &line, const std::string &) { line.prune.removes_all = true; }},
  };
}

}  // namespace

std::vector<OptionRow> option_table(Command command) {
  std::vector<OptionRow> table;
  if (command == Command::plan) {
    table.push_back(
        {"Result", "--json", "", "print one JSON object instead of a table", turn_on(&CommandLine::is_json)});
  }
  if (command == Command::diff) add(table, diff_rows());
  if (command == Command::cache) add(table, cache_rows());
  if (command == Command::build || command == Command::plan) {
    add(table, image_rows());
    add(table, source_rows());
    add(table, customisation_rows());
    add(table, run_rows());
    add(table, message_rows());
  }
  if (command == Command::mmdebstrap) {
    for (const auto &rows : {image_rows(), source_rows(), customisation_rows(), run_rows(), message_rows()}) {
      add(table, as_mmdebstrap(rows));
    }
    add(table, mmdebstrap_rows());
  }
  bool has_messages = command != Command::diff && command != Command::doctor && command != Command::cache;
  std::string_view group = has_messages ? "Messages" : "Options";
  table.push_back({group, "-h,--help", "", "show this help", turn_on(&CommandLine::wants_help)});
  return table;
}

std::vector<std::string_view> long_names(const std::vector<OptionRow> &table) {
  std::vector<std::string_view> names;
  for (const OptionRow &row : table) {
    for (std::string_view name : base::split(row.names, ',')) {
      if (name.starts_with("--")) names.push_back(name);
    }
  }
  return names;
}

}  // namespace debroot::cli
