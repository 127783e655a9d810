/// Where images go: tars in every compression, directories, standard output, several at once.

#include <fmt/format.h>
#include <pty.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/digest.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Outputs : World {
  const std::vector<std::string> kSmall = {"--variant", "essential", "--include", "hello"};
  std::vector<std::string> small(std::vector<std::string> first) {
    first.insert(first.end(), kSmall.begin(), kSmall.end());
    return first;
  }
};

TEST_F(Outputs, EveryCompressionHoldsTheSameTar) {
  const std::vector<std::string> names = {"x.tar.gz", "x.tgz",      "x.taz",     "x.tar.Z",   "x.taZ",    "x.tar.bz2",
                                          "x.tbz",    "x.tbz2",     "x.tz2",     "x.tar.lz",  "x.tlz",    "x.tar.lz4",
                                          "x.tar.xz", "x.tar.lzma", "x.tar.zst", "x.tar.lzo", "y.tar.lzo"};
  std::vector<std::string> arguments = {"-o", "x.tar"};
  for (const std::string &name : names) arguments.insert(arguments.end(), {"-o", name});
  Finished finished = build(small(arguments));
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err, "");
  std::string tar = bytes_of(here().out("x.tar"));
  EXPECT_GT(tar.size(), 10'000U);
  for (const std::string &name : names) {
    std::string bytes = bytes_of(here().out(name));
    EXPECT_LT(bytes.size(), tar.size()) << name;
    EXPECT_TRUE(decompressed(bytes) == tar) << name;
  }
  // what one build makes at once is what several builds make one by one
  EXPECT_TRUE(image(kSmall) == tar);
}

/// A file system in a file, mounted for a while.
class Mounted {
 public:
  Mounted(const std::string &file, const std::string &type, std::string directory) : directory_(std::move(directory)) {
    std::filesystem::create_directory(directory_);
    std::string options = type == "ext4" ? "loop,ro,noload" : "loop,ro";
    is_there_ =
        std::system(fmt::format("mount -t {} -o {} '{}' '{}' 2>/dev/null", type, options, file, directory_).c_str()) ==
        0;
  }
  Mounted(const Mounted &) = delete;
  Mounted &operator=(const Mounted &) = delete;
  ~Mounted() {
    if (is_there_) ::umount2(directory_.c_str(), 0);
  }
  [[nodiscard]] bool is_there() const { return is_there_; }
  [[nodiscard]] Image tree() const {
    Image tree = read_directory(directory_);
    tree.erase("/lost+found");
    return tree;
  }

 private:
  std::string directory_;
  bool is_there_ = false;
};

struct FileSystems : Outputs {
  void SetUp() override {
    Outputs::SetUp();
    if (IsSkipped()) return;
    add(package("odd")
            .file("usr/bin/suid", "#!/bin/sh\n", {.mode = 04755, .gid = 42})
            .file("usr/lib/odd/large", std::string(3'000'000, 'l'))
            .hard_link("usr/lib/odd/hard", "usr/lib/odd/large")
            .symlink("usr/lib/odd/link", std::string(200, 't'))
            .fifo("usr/lib/odd/pipe"));
  }
  const std::vector<std::string> kOdd = {"--variant", "essential", "--include", "odd"};
  std::vector<std::string> odd(std::vector<std::string> first) {
    first.insert(first.end(), kOdd.begin(), kOdd.end());
    return first;
  }
};

TEST_F(FileSystems, HoldTheTreeOfTheTar) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount";
  Finished finished = build(odd({"-o", "x.tar", "-o", "x.squashfs", "-o", "x.ext2", "-o", "x.ext4", "-o", "tree"}));
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
  std::string expected = listing(read_tar(bytes_of(here().out("x.tar"))));
  EXPECT_EQ(difference(expected, listing(read_directory(here().out("tree")))), "");
  for (const char *type : {"squashfs", "ext2", "ext4"}) {
    Mounted mounted(here().out(std::string("x.") + type), type, scratch(type));
    if (!mounted.is_there()) GTEST_SKIP() << "cannot mount " << type;
    EXPECT_EQ(difference(expected, listing(mounted.tree())), "") << type;
  }
}

TEST_F(FileSystems, AreTheSameWhoeverMakesThemAndWithWhatNumberOfJobs) {
  auto user = ordinary_account();
  if (::geteuid() != 0 || !user) GTEST_SKIP() << "needs root and an ordinary account with subordinate ids";
  const std::vector<std::string> names = {"x.squashfs", "x.ext2", "x.ext4", "x.oci/index.json"};
  std::vector<std::string> arguments = {"-o", "x.squashfs", "-o", "x.ext2", "-o", "x.ext4", "-o", "x.oci", "--jobs"};
  std::vector<std::string> more = arguments;
  arguments.emplace_back("1");
  more.emplace_back("3");
  EXPECT_EQ(build(odd(arguments)).status, 0);
  EXPECT_EQ(build(place_of(*user), odd(more)).status, 0);
  for (const std::string &name : names) {
    EXPECT_TRUE(bytes_of(here().out(name)) == bytes_of(place_of(*user).out(name))) << name;
    EXPECT_NE(bytes_of(here().out(name)), "") << name;
  }
}

TEST_F(FileSystems, OciLayerIsTheTar) {
  EXPECT_EQ(build(odd({"-o", "x.oci", "-o", "x.tar"})).status, 0);
  auto parsed = [&](const std::string &name) { return nlohmann::json::parse(bytes_of(here().out("x.oci/" + name))); };
  auto blob = [](const nlohmann::json &digest) { return "blobs/sha256/" + digest.get<std::string>().substr(7); };
  auto manifest = parsed(blob(parsed("index.json")["manifests"][0]["digest"]));
  auto config = parsed(blob(manifest["config"]["digest"]));
  std::string tar = bytes_of(here().out("x.tar"));
  EXPECT_TRUE(decompressed(bytes_of(here().out("x.oci/" + blob(manifest["layers"][0]["digest"])))) == tar);
  EXPECT_EQ(config["rootfs"]["diff_ids"][0], "sha256:" + base::hash_of(base::HashKind::sha256, tar));
  EXPECT_EQ(config["os"], "linux");
}

TEST_F(FileSystems, OciImageIsTakenByContainerTools) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to unpack";
  if (std::system("command -v skopeo umoci >/dev/null") != 0) GTEST_SKIP() << "no skopeo and umoci";
  EXPECT_EQ(build(odd({"-o", "x.oci", "-o", "x.tar"})).status, 0);
  std::string layout = here().out("x.oci");
  EXPECT_EQ(std::system(fmt::format("skopeo inspect oci:{} >/dev/null", layout).c_str()), 0);
  std::string bundle = scratch("bundle");
  EXPECT_EQ(std::system(fmt::format("umoci unpack --image {}:latest {} >/dev/null 2>&1", layout, bundle).c_str()), 0);
  EXPECT_EQ(difference(listing(read_tar(bytes_of(here().out("x.tar")))), listing(read_directory(bundle + "/rootfs"))),
            "");
}

TEST_F(Outputs, DirectoryEqualsTheTar) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: another user's directory has shifted owners";
  EXPECT_EQ(build(small({"-o", "tree"})).status, 0);
  EXPECT_EQ(difference(listing(read_tar(image(kSmall))), listing(read_directory(here().out("tree")))), "");
}

TEST_F(Outputs, DevIsLeftOutWhereItIsSkipped) {
  EXPECT_FALSE(read_tar(image(small({"--skip=output/dev"}))).contains("/dev/null"));
  Image without_nodes = read_tar(image(small({"--skip=output/mknod"})));
  EXPECT_FALSE(without_nodes.contains("/dev/null"));
  EXPECT_TRUE(without_nodes.contains("/dev/fd"));
  // kept in the tree instead, as far as this user may make it
  Image kept = read_tar(image(small({"--skip=output/dev,cleanup/dev"})));
  EXPECT_TRUE(kept.contains("/dev/fd"));
  EXPECT_EQ(kept.contains("/dev/null"), ::geteuid() == 0);
}

TEST_F(Outputs, FilledDirectoryIsBuiltIntoOnRequest) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: another user's directory has shifted owners";
  std::filesystem::create_directory(here().out("tree"));
  put_file(here().out("tree/mine"), "mine");
  EXPECT_EQ(build(small({"-o", "tree", "--skip=check/empty"})).status, 0);
  EXPECT_EQ(bytes_of(here().out("tree/mine")), "mine");
  EXPECT_TRUE(std::filesystem::exists(here().out("tree/bin/busybox")));
}

TEST_F(Outputs, FilledDirectoryKeepsWhatWasThereWhenABuildFails) {
  std::filesystem::create_directory(here().out("tree"));
  put_file(here().out("tree/mine"), "mine");
  Finished finished = build(small({"-o", "tree", "--skip=check/empty", "--customize-hook=false"}));
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(bytes_of(here().out("tree/mine")), "mine");
  EXPECT_FALSE(std::filesystem::exists(here().out("tree/.debroot-stage")));
}

TEST_F(Outputs, FailedBuildLeavesNoImageOfAnyKind) {
  put_file(here().out("x.squashfs"), "the former image");
  Finished finished =
      build(small({"-o", "x.squashfs", "-o", "x.ext4", "-o", "x.oci", "-o", "tree", "--customize-hook=false"}));
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(names_in(here().out()), testing::ElementsAre("x.squashfs"));
  EXPECT_EQ(bytes_of(here().out("x.squashfs")), "the former image");
}

TEST_F(Outputs, FifoGetsTheTar) {
  std::string path = here().out("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = bytes_of(path); });
  EXPECT_EQ(build(small({"-o", "pipe"})).status, 0);
  reader.join();
  std::filesystem::remove(path);
  EXPECT_TRUE(got == image(kSmall));
}

TEST_F(Outputs, StandardOutputHoldsTheTarOnly) {
  Command line = build_command(here(), small({"-o", "-"}));
  std::erase(line.argv, "--quiet");
  Finished finished = finish(here(), line);
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.err, testing::HasSubstr("debroot: made standard output"));
  EXPECT_TRUE(finished.out == image(kSmall));
}

TEST_F(Outputs, DefaultNameIsMadeOfSuiteAndArchitecture) {
  EXPECT_EQ(build(kSmall).status, 0);
  EXPECT_THAT(names_in(here().out()), testing::ElementsAre("tiny-" + architecture() + ".tar"));
}

TEST_F(Outputs, TimingsNameEveryScript) {
  add(package("probe").script("postinst", "#!/bin/sh\n"));
  Finished finished =
      build(small({"-o", "x.tar", "--timings", "trace.json", "--progress", "plain", "--include", "probe"}));
  EXPECT_EQ(finished.status, 0);
  EXPECT_NE(finished.err.find("where the time went, in seconds"), std::string::npos) << finished.err;
  auto events = nlohmann::json::parse(bytes_of(here().out("trace.json")))["traceEvents"];
  auto has = [&](const std::string &category, const std::string &name) {
    return std::any_of(events.begin(), events.end(), [&](const nlohmann::json &event) {
      return event.value("cat", "") == category && event.value("name", "").starts_with(name);
    });
  };
  for (const char *stage : {"indexes", "resolve", "first packages", "install", "customize", "pack"}) {
    EXPECT_TRUE(has("stage", stage)) << stage;
  }
  EXPECT_TRUE(has("unpacking", "hello_"));
  EXPECT_TRUE(has("script", "postinst of probe_"));
}

TEST_F(Outputs, ExistingFileIsReplaced) {
  put_file(here().out("image.tar"), "the former image");
  EXPECT_TRUE(read_tar(image(kSmall)).contains("/bin/busybox"));
  EXPECT_THAT(names_in(here().out()), testing::ElementsAre("image.tar"));
}

TEST_F(Outputs, NullBuildsAndThrowsAway) {
  Finished finished = build(small({"-o", "/dev/null"}));
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err + finished.out, "");
  EXPECT_THAT(names_in(here().out()), testing::IsEmpty());
}

TEST_F(Outputs, TerminalIsRefused) {
  int controller = -1;
  int terminal = -1;
  ASSERT_EQ(::openpty(&controller, &terminal, nullptr, nullptr, nullptr), 0);
  base::Fd closing_controller(controller);
  base::Fd closing_terminal(terminal);
  Command line = build_command(here(), small({"-o", "-"}));
  line.output_fd = terminal;
  EXPECT_EQ(failure_of(here(), line, 2),
            "debroot: error: the image is not written to a terminal\n"
            "  try: -o FILE, or pipe it into another program\n");
}

}  // namespace
}  // namespace debroot::e2e
