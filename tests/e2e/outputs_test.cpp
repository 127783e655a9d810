/// Where images go: tars in every compression, directories, standard output, several at once.

#include <pty.h>
#include <unistd.h>

#include <filesystem>

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
  std::vector<std::string> arguments;
  for (const char *name : {"x.tar", "x.tar.gz", "x.tar.xz", "x.tar.zst", "tree"}) {
    arguments.insert(arguments.end(), {"-o", name});
  }
  Finished finished = build(small(arguments));
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err, "");
  std::string tar = bytes_of(here().out("x.tar"));
  EXPECT_GT(tar.size(), 10'000U);
  for (const char *name : {"x.tar.gz", "x.tar.xz", "x.tar.zst"}) {
    std::string bytes = bytes_of(here().out(name));
    EXPECT_LT(bytes.size(), tar.size()) << name;
    EXPECT_TRUE(decompressed(bytes) == tar) << name;
  }
  // what one build makes at once is what several builds make one by one
  EXPECT_TRUE(image(kSmall) == tar);
}

TEST_F(Outputs, DirectoryEqualsTheTar) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: another user's directory has shifted owners";
  EXPECT_EQ(build(small({"-o", "tree"})).status, 0);
  Image tar = read_tar(image(kSmall));
  // what stands in /dev is written by the packer of tars
  std::erase_if(tar, [](const auto &item) { return item.first.starts_with("/dev/"); });
  EXPECT_EQ(difference(listing(tar), listing(read_directory(here().out("tree")))), "");
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
