#include "build/installer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <random>

#include "dpkg_twin.hpp"
#include "support/thrown_error.hpp"

namespace debroot::build {
namespace {

using test::DebBuilder;

std::string traced(const std::string &more = "") { return kTrace + more; }

/// A package with traced scripts and a file of its own below /opt.
DebBuilder traced_package(const std::string &name, const std::string &depends = "") {
  DebBuilder builder(name, "1.0", "all");
  if (!depends.empty()) builder.depends(depends);
  builder.script("preinst", traced()).script("postinst", traced()).file("/opt/" + name + ".txt", name);
  return builder;
}

TEST_F(DpkgTwin, EveryKindOfEntry) {
  DebBuilder all("kinds", "1:2.0-1", "all");
  all.file("/opt/file", "text", {.mode = 0640, .uid = 5, .gid = 6, .user = "daemon", .group = "bin"})
      .file("/opt/setuid", "s", {.mode = 04755})
      .file("/opt/stranger", "s", {.uid = 500, .gid = 600, .user = "nobody-knows", .group = "nobody-knows"})
      .hard_link("/opt/second", "/opt/file")
      .symlink("/opt/link", "file")
      .symlink("/opt/dangling", "../nowhere")
      .directory("/opt/deep/er", {.mode = 02775})
      .fifo("/opt/fifo", {.mode = 0600})
      .conffile("/etc/opt/kinds.conf", "setting\n", {.mode = 0600, .user = "daemon"})
      .file("/opt/deep/er/file with blanks", "x");
  add(all);
  DebBuilder bare("bare", "0~rc1", "all");
  bare.without_md5sums().file("/opt/b/z", "z").file("/opt/b/a", "a").hard_link("/opt/b/y", "/opt/b/z");
  bare.conffile("/etc/opt/bare.conf", "x").symlink("/opt/b/l", "z");
  add(bare);
  add(DebBuilder("empty", "1", "all"));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, DeviceNodes) {
  std::string probe = ::testing::TempDir() + "debroot-device-probe";
  if (::mknod(probe.c_str(), S_IFCHR | 0600, ::makedev(1, 3)) != 0) GTEST_SKIP() << "devices cannot be made here";
  ::unlink(probe.c_str());
  DebBuilder nodes("nodes", "1", "all");
  nodes.device("/opt/null", test::DebEntry::Type::character_device, 1, 3, {.mode = 0666});
  nodes.device("/opt/loop", test::DebEntry::Type::block_device, 7, 0, {.mode = 0660});
  add(nodes);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, EveryControlField) {
  DebBuilder package("fields", "2:1.0+b1-1", native());
  package.field("Essential", "yes").field("Protected", "no").field("Multi-Arch", "same").field("Source", "src (1.0)");
  package.field("Origin", "Here").field("Bugs", "mailto:x@example.org").field("Priority", "Important");
  package.field("Section", "admin").field("Homepage", "https://example.org/").field("Installed-Size", "12");
  package.field("Pre-Depends", "base(>=1)").field("Depends", "base|other , base (<< 9),base:any");
  package.field("Recommends", "a").field("Suggests", "b , c(= 1:2)").field("Enhances", "base");
  package.field("Provides", "virtual (= 3),plain").field("Conflicts", "never(<<1)").field("Breaks", "nobody (<= 2)");
  package.field("Replaces", "never").field("Tag", "role::program, \n interface::x").field("XB-Odd", "kept");
  package.field("Description", "short\n long line\n .\n more  spaces");
  package.conffile("/etc/opt/one", "1").conffile("/etc/opt/two", "2").control_file("shlibs", "libx 1 fields\n");
  package.control_file("conffiles", "/etc/opt/one\n/etc/opt/two\nremove-on-upgrade /etc/opt/gone\n");
  package.control_file("templates", "Template: x\n").script("config", "#!/bin/sh\n").script("postrm", "#!/bin/sh\n");
  dpkg_options_ = "--force-depends";
  DebBuilder base_package("base", "1.5", native());
  base_package.field("Multi-Arch", "allowed");
  add(base_package);
  add(package);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, ScriptsSeeTheSameWorld) {
  DebBuilder first = traced_package("first", "second");
  first.conffile("/etc/opt/first", "conf").field("Section", "odd");
  first.script("postinst", traced("env | grep -v -e ^SHLVL -e ^DPKG_FORCE | sort >>/trace\n"));
  add(first);
  add(traced_package("second"));
  install_all();
  EXPECT_EQ(differences(), "");
  EXPECT_NE(ours("/trace").find("== second postinst configure"), std::string::npos);
}

TEST_F(DpkgTwin, ScriptsWithoutExecuteBitsRunNevertheless) {
  DebBuilder package("plain", "1", "all");
  package.control_file("postinst", traced(), 0644).control_file("preinst", traced(), 0640);
  add(package);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, CyclesAreBrokenAtTheSamePlace) {
  add(traced_package("a", "b"));
  add(traced_package("b", "c"));
  add(traced_package("c", "a | z"));
  add(traced_package("user", "a, virtual"));
  add(DebBuilder("mute", "1", "all").depends("tail").field("Provides", "virtual"));
  add(traced_package("tail", "mute, head"));
  add(traced_package("head", "virtual"));
  add(traced_package("self", "self-provided").field("Provides", "self-provided"));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, TriggersOfOneRun) {
  add(traced_package("cache").triggers("interest /opt\ninterest-noawait /opt/fonts\ninterest rebuild\n"));
  add(traced_package("other").triggers("interest /opt\ninterest-noawait rebuild\ninterest own\n"));
  add(traced_package("fonts").triggers("activate rebuild\n").file("/opt/fonts/x", "x").file("/opt/fonts/y", "y"));
  add(traced_package("quiet").triggers("activate-noawait rebuild\n"));
  DebBuilder caller = traced_package("caller", "fonts");
  caller.script("postinst", traced("dpkg-trigger rebuild; dpkg-trigger --no-await /opt/fonts/z; dpkg-trigger own\n"));
  add(caller);
  add(traced_package("last", "caller, quiet"));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, PackageThatTriggersItself) {
  DebBuilder selfish = traced_package("selfish");
  selfish.triggers("interest mine\n").script("postinst", traced("[ $1 = triggered ] || dpkg-trigger mine\n"));
  add(selfish);
  add(traced_package("user", "selfish"));
  add(traced_package("bystander"));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, TriggersOverSeveralRuns) {
  std::uint32_t cache = add(traced_package("cache").triggers("interest /opt\ninterest /etc/opt\ninterest rebuild\n"));
  std::uint32_t zebra = add(traced_package("zebra").triggers("interest /opt\ninterest-noawait rebuild\n"));
  std::uint32_t fonts = add(traced_package("fonts").triggers("activate rebuild\n").conffile("/etc/opt/fonts", "x"));
  std::uint32_t late = add(traced_package("late", "fonts").triggers("activate rebuild\ninterest /opt/late\n"));
  std::uint32_t mice = add(traced_package("mice"));
  std::uint32_t bees = add(traced_package("bees", "mice"));
  run({RunKind::unpack, {cache, zebra}});
  run({RunKind::configure, {cache, zebra}});
  run({RunKind::unpack, {fonts, late}});
  run({RunKind::configure, {fonts}});
  run({RunKind::unpack, {mice, bees}});
  run({RunKind::configure_pending, {}});
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, DiversionsAndStatoverrides) {
  DebBuilder divert("divert", "1", "all");
  divert.script("preinst",
                traced("dpkg-divert --package divert --add --rename --divert /opt/tool.real /opt/tool\n"
                       "dpkg-divert --local --add --no-rename --divert /opt/moved /opt/local\n"
                       "dpkg-divert --package divert --add --no-rename --divert /etc/opt/real /etc/opt/conf\n"
                       "dpkg-statoverride --add daemon bin 04750 /opt/suid\n"
                       "dpkg-statoverride --add '#12' root 01777 /opt/dir\n"));
  divert.file("/opt/tool", "diverter's");
  add(divert);
  DebBuilder owner = traced_package("owner");
  owner.file("/opt/tool", "owner's")
      .file("/opt/local", "l")
      .hard_link("/opt/tool2", "/opt/tool")
      .file("/opt/suid", "s");
  owner.directory("/opt/dir").conffile("/etc/opt/conf", "conf").triggers("interest /opt/tool.real\n");
  add(owner);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, FilesOfOtherPackages) {
  add(traced_package("old").file("/opt/taken", "old").file("/opt/kept", "old").symlink("/opt/dirlink", "shared"));
  DebBuilder taker = traced_package("taker");
  taker.field("Replaces", "old (<< 2)").file("/opt/taken", "new").file("/opt/shared/x", "x");
  add(taker);
  DebBuilder loser = traced_package("loser");
  loser.file("/opt/lost", "loser");
  DebBuilder keeper("keeper", "1", "all");
  keeper.field("Replaces", "loser").file("/opt/lost", "keeper");
  add(keeper);
  add(loser);
  add(traced_package("same-link").symlink("/opt/dirlink", "shared"));
  add(traced_package("link-over-directory").symlink("/opt/shared", "elsewhere"));
  add(traced_package("through-link").file("/opt/dirlink/y", "y"));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, WhatIsAlreadyThere) {
  in_both([](const base::RootDirectory &root) {
    root.write("/opt/file", "before");
    root.write("/opt/becomes-directory", "a file");
    root.make_link("/opt/broken", "nowhere");
    root.make_directories("/opt/becomes-file/below");
    root.make_directories("/opt/directory", 0700);
    root.write("/etc/opt/same", "same", 0600);
    root.write("/etc/opt/differs", "mine", 0640);
  });
  dpkg_options_ = "--force-confold";
  choice_ = configure::ConffileChoice::keep;
  DebBuilder package = traced_package("new");
  package.file("/opt/file", "after").file("/opt/becomes-directory/x", "x").directory("/opt/broken");
  package.file("/opt/becomes-file", "f").directory("/opt/directory").triggers("interest /etc/opt\n");
  package.conffile("/etc/opt/same", "same").conffile("/etc/opt/differs", "theirs").conffile("/etc/opt/new", "new");
  add(traced_package("watch").triggers("interest /etc/opt\ninterest /etc/opt/same\ninterest /etc/opt/differs\n"));
  add(package);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, ConffilesReplaced) {
  in_both([](const base::RootDirectory &root) { root.write("/etc/opt/differs", "mine", 0600); });
  dpkg_options_ = "--force-confnew";
  choice_ = configure::ConffileChoice::replace;
  add(DebBuilder("new", "1", "all").conffile("/etc/opt/differs", "theirs", {.user = "daemon", .group = "bin"}));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, PathsLeftOut) {
  dpkg_options_ = "--path-exclude=/opt/doc/* --path-include=/opt/doc/*/copyright --path-exclude=*.gone";
  filter_.exclude("/opt/doc/*");
  filter_.include("/opt/doc/*/copyright");
  filter_.exclude("*.gone");
  add(traced_package("watch").triggers("interest /opt/doc\ninterest /opt/doc/p/changelog\n"));
  DebBuilder package("docs", "1", "all");
  package.file("/opt/doc/p/changelog", "c").file("/opt/doc/p/copyright", "c").directory("/opt/doc/p/empty");
  package.symlink("/opt/doc/q", "p").file("/opt/x.gone", "x").without_md5sums();
  add(package);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, ExtractedFirst) {
  DebBuilder base_files("base-files", "1", "all");
  base_files.directory("/opt/a", {.mode = 0700}).directory("/opt/untouched").directory("/opt/links");
  base_files.file("/opt/a/file", "x").conffile("/etc/opt/conf", "c").hard_link("/opt/a/second", "/opt/a/file");
  base_files.file("/opt/a/gone", "g").file("/opt/a/diverted", "d").symlink("/opt/links/to-directory", "../a");
  DebBuilder breaker("breaker", "1", "all");
  breaker.script("preinst",
                 "#!/bin/sh\nset -e\n[ -e /opt/a/diverted ]\nrm /opt/a/gone\n"
                 "dpkg-divert --package breaker --rename --divert /opt/a/d2 --add /opt/a/diverted\n");
  breaker.directory("/opt/a", {.mode = 0750}).file("/opt/a/diverted", "mine").conffile("/etc/opt/breaker", "b");
  add(breaker);
  add(base_files);
  add(DebBuilder("tail", "1.0", "all").depends("base-files"));
  extract_and_install_all();
  EXPECT_EQ(differences(), "");
}

/// Packages with relations and triggers drawn from `seed`, cycles among them.
std::vector<DebBuilder> random_packages(unsigned seed, int count) {
  std::mt19937 random(seed);
  auto draw = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  auto name = [](int number) { return fmt::format("p{:02}", number); };
  std::vector<DebBuilder> out;
  for (int i = 0; i < count; ++i) {
    DebBuilder builder(name(i), "1.0", "all");
    std::string depends;
    for (int left = draw(4); left > 0; --left) {
      depends += (depends.empty() ? "" : ", ") + name(draw(count));
      if (draw(6) == 0) depends += " (>= 1.0)";
      if (draw(4) == 0) depends += " | " + name(draw(count));
      if (draw(8) == 0) depends += " | " + name(draw(count)) + " (>= 2.0)";
      if (draw(5) == 0) depends += fmt::format(", virtual{}", draw(3));
    }
    builder.depends(depends);
    if (i < 3) {
      builder.field("Provides", fmt::format("virtual{}", i));
    } else if (draw(3) == 0) {
      builder.field("Provides", fmt::format("virtual{}", draw(3)));
    }
    std::string triggers;
    const char *waits[] = {"", "-await", "-noawait"};
    if (draw(3) == 0) triggers += fmt::format("interest{} t{}\n", waits[draw(3)], draw(4));
    if (draw(4) == 0) triggers += fmt::format("interest{} /opt/d{}\n", waits[draw(3)], draw(4));
    if (draw(3) == 0) triggers += fmt::format("activate{} t{}\n", waits[draw(3)], draw(4));
    if (!triggers.empty()) builder.triggers(triggers);
    std::string script = "#!/bin/sh\necho \"$DPKG_MAINTSCRIPT_PACKAGE $*\" >>/trace\n[ $1 = configure ] || exit 0\n";
    if (draw(4) == 0) script += fmt::format("dpkg-trigger{} t{}\n", draw(2) == 0 ? "" : " --no-await", draw(4));
    if (draw(3) > 0) builder.script("postinst", script);
    builder.file(fmt::format("/opt/d{}/{}", draw(4), name(i)), "x");
    out.push_back(std::move(builder));
  }
  return out;
}

class RandomTwin : public DpkgTwin, public ::testing::WithParamInterface<unsigned> {};

TEST_P(RandomTwin, AtOnce) {
  for (const DebBuilder &builder : random_packages(GetParam(), 24)) add(builder);
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_P(RandomTwin, AsAptCallsDpkg) {
  std::vector<std::uint32_t> numbers;
  for (const DebBuilder &builder : random_packages(GetParam() + 1000, 24)) numbers.push_back(add(builder));
  run({RunKind::unpack, {numbers.begin(), numbers.begin() + 12}});
  run({RunKind::unpack, {numbers.begin() + 12, numbers.end()}});
  run({RunKind::configure_pending, {}});
  EXPECT_EQ(differences(), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTwin, ::testing::Range(1U, 7U));

/// Two architectures of a package may share files as long as these are equal.
TEST_F(DpkgTwin, InstancesOfTwoArchitectures) {
  std::string foreign = native() == "amd64" ? "arm64" : "amd64";
  in_both([&](const base::RootDirectory &root) { root.append("/var/lib/dpkg/arch", foreign + "\n"); });
  for (const std::string &architecture : {native(), foreign}) {
    DebBuilder library("library", "1.0", architecture);
    library.field("Multi-Arch", "same")
        .script("postinst", traced("echo $DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT >>/trace\n"));
    library.file("/opt/shared", "same").file("/opt/" + architecture, "own").conffile("/etc/opt/library", "conf");
    library.triggers("interest /opt/plugins\n").symlink("/opt/link", "shared");
    add(library);
  }
  add(traced_package("plugin").file("/opt/plugins/x", "x"));
  install_all();
  EXPECT_EQ(differences(), "");
}

TEST_F(DpkgTwin, TriggersThatNeverEndAreAnError) {
  for (const char *name : {"ping", "pong"}) {
    std::string other = name == std::string("ping") ? "pong" : "ping";
    DebBuilder player(name, "1", "all");
    player.triggers(std::string("interest-noawait ") + name + "\n");
    player.script("postinst",
                  "#!/bin/sh\n[ $1 = configure ] && [ $DPKG_MAINTSCRIPT_PACKAGE = ping ] ||"
                  " dpkg-trigger --no-await " +
                      other + "\n");
    add(player);
  }
  plan_all_first();
  EXPECT_EQ(test::thrown_by([&] {
              installer().install_first();
              return 0;
            }),
            "triggers of 'pong_1_all' never come to an end\n"
            "  got: triggers ran for pong_1_all, then ping_1_all, then pong_1_all");
}

TEST_F(DpkgTwin, FileOfAnotherPackageIsAnError) {
  add(DebBuilder("first", "1", "all").file("/opt/file", "1"));
  add(DebBuilder("second", "1", "all").file("/opt/file", "2"));
  plan_all_first();
  EXPECT_EQ(test::thrown_by([&] {
              installer().install_first();
              return 0;
            }),
            "cannot unpack '/opt/file' of package 'second_1_all': package 'first_1_all' has it too");
}

}  // namespace
}  // namespace debroot::build
