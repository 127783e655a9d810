/// A suite past its end: the default mirror has dropped it, so it comes from archive.debian.org, and the image says so.

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

constexpr const char *kOldSuite = "buster";

/// Two hosts behind one server, which is asked as a proxy: deb.debian.org without the suite, archive.debian.org with
/// it.
struct ArchivedSuite : World {
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    serve("/debian", kOldSuite, {package("hello").file("usr/share/hello/greeting", "hello\n")});
    serve("/debian-security", "buster/updates", {});
  }

  void serve(const std::string &root, const std::string &suite_name, const std::vector<test::DebBuilder> &packages) {
    test::ArchiveBuilder old;
    test::SuiteSettings &settings = old.suite(suite_name);
    settings.suite = "oldoldoldstable";
    settings.codename = kOldSuite;
    settings.architectures = {architecture()};
    settings.valid_until = "Wed, 08 Jan 2020 00:00:00 UTC";
    settings.key = &key();
    for (const test::DebBuilder &package : packages) old.add(suite_name, "main", package);
    for (const auto &[path, bytes] : old.files()) {
      server().handle(root + "/" + path, [bytes](const test::ServedRequest &request) {
        bool is_archive = request.target.starts_with("http://archive.debian.org/");
        return is_archive ? test::ServedResponse{200, bytes} : test::ServedResponse{404};
      });
    }
  }

  Finished build_old(const std::vector<std::string> &more) {
    std::vector<std::string> arguments = {"build",     kOldSuite, "--variant", "extract",
                                          "--include", "hello",   "--keyring", scratch("key.asc")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Command line = command(here(), arguments);
    line.environment["http_proxy"] = server().url();
    return finish(here(), line);
  }
};

TEST_F(ArchivedSuite, ImageNamesTheArchiveItCameFrom) {
  Finished finished = build_old({"--progress", "plain", "-o", "old.tar"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.err, testing::HasSubstr("suite 'buster' is past its end: taking it from "
                                               "http://archive.debian.org/debian\n"));
  Image tree = read_tar(bytes_of(here().out("old.tar")));
  EXPECT_TRUE(tree.contains("/usr/share/hello/greeting"));
  EXPECT_EQ(tree["/etc/apt/sources.list"].content,
            "deb [check-valid-until=no] http://archive.debian.org/debian buster main\n"
            "deb [check-valid-until=no] http://archive.debian.org/debian-security buster/updates main\n");
}

TEST_F(ArchivedSuite, MirrorThatIsNamedIsTheOnlyOneAsked) {
  Finished finished = build_old({"--quiet", "-m", "http://deb.debian.org/debian", "-o", "old.tar"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err,
            "debroot: error: cannot find suite 'buster' at 'http://deb.debian.org/debian': it has neither InRelease "
            "nor Release\n"
            "  from: http://deb.debian.org/debian/dists/buster/InRelease\n"
            "  try: --mirror with an archive that has the suite\n");
}

}  // namespace
}  // namespace debroot::e2e
