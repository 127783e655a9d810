/// Hooks that change what packages are chosen by: setup hooks, and those between the essential set and the rest.

#include "e2e/hooks_fixture.hpp"

namespace debroot::e2e {
namespace {

/// A second suite of packages, which only a hook's sources name.
struct SetupHooks : Hooks {
  std::string added_source() {
    archive().suite("extra").architectures = {architecture()};
    archive().suite("extra").packings = {test::Packing::gzip};
    archive().suite("extra").key = &key();
    archive().add("extra", "main", package("hello", "2.0").file("usr/share/hello/greeting", "newer\n"));
    archive().add("extra", "main", package("more").file("usr/share/more", "more\n"));
    return "echo 'deb " + server().url() + " extra main' >\"$1\"/etc/apt/sources.list.d/extra.list";
  }
  std::string greeting() { return read_tar(bytes_of(place().out("image.tar")))["/usr/share/hello/greeting"].content; }
};
DEBROOT_AS_BOTH(SetupHooks);

TEST_P(SetupHooks, SourcesCount) {
  std::string hook = added_source();
  noted({"--setup-hook", hook, "--include", "more"});
  EXPECT_EQ(greeting(), "newer\n");
  EXPECT_TRUE(read_tar(bytes_of(place().out("image.tar"))).contains("/usr/share/more"));
}

TEST_P(SetupHooks, PreferencesCount) {
  std::string hook = added_source();
  noted({"--setup-hook", hook, "--setup-hook",
         "printf 'Package: *\\nPin: release n=extra\\nPin-Priority: 100\\n' >\"$1\"/etc/apt/preferences.d/low"});
  EXPECT_EQ(greeting(), "hello\n");
}

TEST_P(SetupHooks, InstalledPackagesCount) {
  add(package("needy").field("Depends", "ghost"));
  noted({"--include", "needy", "--setup-hook",
         "printf 'Package: ghost\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: all\\n"
         "Version: 1\\nDescription: x\\n\\n' >>\"$1\"/var/lib/dpkg/status; touch \"$1\"/var/lib/dpkg/info/ghost.list"});
  std::string status = read_tar(bytes_of(place().out("image.tar")))["/var/lib/dpkg/status"].content;
  EXPECT_THAT(status, testing::HasSubstr("Package: ghost\nStatus: install ok installed\n"));
  EXPECT_THAT(status, testing::HasSubstr("Package: needy\nStatus: install ok installed\n"));
}

TEST_P(SetupHooks, MayBringTheOnlySources) {
  Command line = build_command(place(), {});
  std::string write = "echo 'deb " + server().url() + " tiny main' >\"$1\"/etc/apt/sources.list";
  line.argv = {line.argv[0],
               "mmdebstrap",
               "--quiet",
               "--keyring=" + scratch("key.asc"),
               "--variant=essential",
               "--setup-hook=" + write,
               "tiny",
               "image.tar",
               ""};
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(read_tar(bytes_of(place().out("image.tar"))).contains("/bin/busybox"));
}

TEST_P(SetupHooks, MayMakeTheWholeSystem) {
  Command line = build_command(place(), {});
  line.argv = {line.argv[0],
               "mmdebstrap",
               "--quiet",
               "--variant=custom",
               "--setup-hook=mkdir -p \"$1\"/var/cache/apt/archives",
               "tiny",
               "image.tar",
               "deb [trusted=yes] " + server().url() + " tiny main"};
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0) << finished.err;
  Image tree = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_TRUE(tree.contains("/var/cache/apt/archives/lock")) << "which apt-get clean makes";
  EXPECT_EQ(tree["/var/cache/apt/archives/partial"].mode, 0700U);
}

TEST_P(SetupHooks, MayUpdateInsteadOfTheBuild) {
  std::vector<std::string> arguments = {"-o",        "image.tar", "--variant", "custom",
                                        "--include", "hello",     "--skip",    "update"};
  EXPECT_EQ(failure(place(), arguments, 2), "debroot: error: cannot find package 'hello'\n");
  arguments.insert(arguments.end(),
                   {"--setup-hook", "touch \"$1\"/var/lib/apt/lists/mirror_dists_tiny_main_binary-x_Packages"});
  Finished finished = finish(place(), build_command(place(), arguments));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(greeting(), "hello\n");
}

TEST_P(SetupHooks, BrokenSourcesAreNamed) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), {"-o", "x.tar", "--setup-hook", "echo bed >\"$1\"/etc/apt/sources.list.d/x.list"});
  EXPECT_THAT(failure(place(), arguments, 2), testing::HasSubstr("/etc/apt/sources.list.d/x.list"));
}

/// Extract and essential hooks, which run before apt chooses what is installed behind the essential set.
struct HooksBetween : SetupHooks {
  /// What `apt-get update` leaves of a source of a hook's.
  std::string update() {
    std::string host = server().url().substr(std::string("http://").size());
    return "for name in InRelease main_binary-x_Packages; do echo >\"$1\"/var/lib/apt/lists/" + host +
           "_dists_extra_$name; done";
  }
  std::string content(const std::string &path) {
    Image tree = read_tar(bytes_of(place().out("image.tar")));
    return tree.contains(path) ? tree[path].content : "none";
  }
};
DEBROOT_AS_BOTH(HooksBetween);

TEST_P(HooksBetween, SourcesCountOnceTheyAreUpdated) {
  std::string add = added_source();
  for (const char *option : {"--extract-hook", "--essential-hook"}) {
    SCOPED_TRACE(option);
    noted({option, add, option, update(), "--include", "more"});
    EXPECT_EQ(greeting(), "newer\n");
    EXPECT_EQ(content("/usr/share/more"), "more\n");
    EXPECT_THAT(content("/var/lib/apt/extended_states"), testing::Not(testing::HasSubstr("Package: more\n")));
  }
}

TEST_P(HooksBetween, SourcesAreOnlyWrittenWhereNothingUpdates) {
  noted({"--essential-hook", "echo 'deb http://127.0.0.1:9 extra main' >\"$1\"/etc/apt/sources.list.d/extra.list"});
  EXPECT_EQ(greeting(), "hello\n");
  EXPECT_EQ(content("/etc/apt/sources.list.d/extra.list"), "deb http://127.0.0.1:9 extra main\n");
}

TEST_P(HooksBetween, SourcesThatAreNotUpdatedDoNotCountBesideOthers) {
  noted({"--extract-hook", added_source(), "--extract-hook", update(), "--essential-hook",
         "echo 'deb http://127.0.0.1:9 final main' >\"$1\"/etc/apt/sources.list.d/final.list"});
  EXPECT_EQ(greeting(), "newer\n");
}

TEST_P(HooksBetween, SourcesThatAreTakenAwayCountNoMore) {
  noted({"--setup-hook", added_source(), "--essential-hook", "rm \"$1\"/etc/apt/sources.list.d/extra.list"});
  EXPECT_EQ(greeting(), "hello\n");
}

TEST_P(HooksBetween, NothingIsReadAgainWithoutThem) {
  noted({"--essential-hook", "echo tiny >\"$1\"/etc/hostname"});
  EXPECT_EQ(server().requests("/dists/tiny/InRelease"), 1U);
}

TEST_P(HooksBetween, PreferencesCount) {
  noted({"--setup-hook", added_source(), "--essential-hook",
         "printf 'Package: *\\nPin: release n=extra\\nPin-Priority: 100\\n' >\"$1\"/etc/apt/preferences.d/low"});
  EXPECT_EQ(greeting(), "hello\n");
}

TEST_P(HooksBetween, SettingsOfAptCount) {
  add(package("advisor").field("Recommends", "advised"));
  add(package("advised").file("usr/share/advised", "yes\n"));
  noted({"--include", "advisor"});
  EXPECT_EQ(content("/usr/share/advised"), "none");
  noted({"--include", "advisor", "--essential-hook",
         "echo 'APT::Install-Recommends \"true\";' >\"$1\"/etc/apt/apt.conf.d/99advice"});
  EXPECT_EQ(content("/usr/share/advised"), "yes\n");
}

TEST_P(HooksBetween, InstalledPackagesCount) {
  add(package("needy").field("Depends", "ghost"));
  add(package("ghost", "2").file("usr/share/ghost", "a package\n"));
  noted({"--include", "needy", "--essential-hook",
         "printf 'Package: ghost\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: all\\n"
         "Version: 1\\nDescription: x\\n\\n' >>\"$1\"/var/lib/dpkg/status; touch \"$1\"/var/lib/dpkg/info/ghost.list"});
  EXPECT_EQ(content("/usr/share/ghost"), "none");
  EXPECT_THAT(content("/var/lib/dpkg/status"), testing::HasSubstr("Package: needy\nStatus: install ok installed\n"));
}

TEST_P(HooksBetween, WhatTheyInstalledIsMarkedByHandWhenAskedFor) {
  std::string mark = "printf 'Package: hello\\nArchitecture: " + architecture() +
                     "\\nAuto-Installed: 1\\n\\n' >\"$1\"/var/lib/apt/extended_states";
  std::string install =
      "printf 'Package: hello\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: " + architecture() +
      "\\nVersion: 9\\nDescription: x\\n\\n' >>\"$1\"/var/lib/dpkg/status; "
      "touch \"$1\"/var/lib/dpkg/info/hello.list";
  noted({"--essential-hook", install, "--essential-hook", mark});
  EXPECT_EQ(content("/usr/share/hello/greeting"), "none") << "a higher version is there";
  EXPECT_EQ(content("/var/lib/apt/extended_states"), "");
}

TEST_P(HooksBetween, DownloadsOfTheRestAreThoseChosenLast) {
  noted({"--essential-hook", added_source(), "--essential-hook", update(), "--skip", "cleanup/apt/cache"});
  Image tree = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_TRUE(tree.contains("/var/cache/apt/archives/hello_2.0_" + architecture() + ".deb"));
  EXPECT_FALSE(tree.contains("/var/cache/apt/archives/hello_1.0_" + architecture() + ".deb"));
}

TEST_P(HooksBetween, DoNotMatterToVariantsThatAreInstalledAtOnce) {
  std::vector<std::string> arguments = {"-o",        "image.tar",        "--variant",     "custom",
                                        "--include", "base-files,shell", "--extract-hook"};
  arguments.insert(arguments.end(),
                   {"echo 'deb http://127.0.0.1:9 extra main' >\"$1\"/etc/apt/sources.list.d/x.list;" + update()});
  Finished finished = finish(place(), build_command(place(), arguments));
  EXPECT_EQ(finished.status, 0) << finished.err;
}

TEST_P(HooksBetween, PackageThatNoneOfThemBrings) {
  std::vector<std::string> arguments = {"-o", "x.tar", "--variant", "essential", "--include", "more"};
  arguments.insert(arguments.end(), {"--essential-hook", added_source()});
  EXPECT_EQ(failure(place(), arguments, 2),
            "debroot: error: cannot find package 'more'\n"
            "  try: `apt-get update` in the hook that adds its source, if one does\n");
}

}  // namespace
}  // namespace debroot::e2e
