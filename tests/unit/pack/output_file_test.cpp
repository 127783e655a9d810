#include "pack/output_file.hpp"

#include <sys/time.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

namespace debroot::pack {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OutputFile, HasNoNameUntilItIsFinished) {
  ScratchTree scratch;
  mode_t mask = ::umask(027);
  OutputFile file = OutputFile::open(scratch.at("a.tar"));
  base::write_all(file.fd(), "image");
  EXPECT_FALSE(std::filesystem::exists(scratch.at("a.tar")));
  file.finish();
  ::umask(mask);
  EXPECT_THAT(scratch.names(), ElementsAre("a.tar"));
  EXPECT_EQ(scratch.content("a.tar"), "image");
  EXPECT_EQ(scratch.status("a.tar").st_mode & 07777, 0640U);
}

TEST(OutputFile, LeavesNothingWithoutFinish) {
  ScratchTree scratch;
  {
    OutputFile file = OutputFile::open(scratch.at("a.tar"));
    base::write_all(file.fd(), "half");
    OutputFile moved = std::move(file);
  }
  EXPECT_THAT(scratch.names(), IsEmpty());
}

TEST(OutputFile, ReplacesWhatIsThereWholeOrNotAtAll) {
  ScratchTree scratch;
  scratch.file("a.tar", "old", 0600);
  { OutputFile abandoned = OutputFile::open(scratch.at("a.tar")); }
  EXPECT_EQ(scratch.content("a.tar"), "old");
  base::Fd reader = base::open_file(scratch.at("a.tar"), O_RDONLY);
  OutputFile file = OutputFile::open(scratch.at("a.tar"));
  base::write_all(file.fd(), "new");
  EXPECT_EQ(scratch.content("a.tar"), "old");
  file.finish();
  EXPECT_EQ(scratch.content("a.tar"), "new");
  EXPECT_EQ(base::read_all(reader.get()), "old") << "who reads the old file goes on reading it";
  EXPECT_THAT(scratch.names(), ElementsAre("a.tar"));
}

TEST(OutputFile, FollowsLinks) {
  ScratchTree scratch;
  scratch.directory("d");
  scratch.link("latest.tar", "d/one.tar");
  OutputFile::open(scratch.at("latest.tar")).finish();
  EXPECT_TRUE(std::filesystem::is_symlink(scratch.at("latest.tar")));
  EXPECT_TRUE(std::filesystem::is_regular_file(scratch.at("d/one.tar")));
  scratch.link("circle", "circle");
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open(scratch.at("circle")); }),
            "cannot write '" + scratch.at("circle") + "': too many levels of symbolic links");
}

TEST(OutputFile, RelativePathStaysWhereItWasMeant) {
  ScratchTree scratch;
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  OutputFile file = OutputFile::open("a.tar");
  std::filesystem::current_path("/");
  file.finish();
  std::filesystem::current_path(before);
  EXPECT_THAT(scratch.names(), ElementsAre("a.tar"));
}

TEST(OutputFile, NameOfFullLengthWorks) {
  ScratchTree scratch;
  std::string name(255, 'n');
  OutputFile::open(scratch.at(name)).finish();
  EXPECT_THAT(scratch.names(), ElementsAre(name));
}

TEST(OutputFile, PlaceThatCannotBeFailsAtOnce) {
  ScratchTree scratch;
  scratch.file("file", "");
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open("no/such/x.tar"); }, &kind),
            "cannot write 'no/such/x.tar': the directory 'no/such' does not exist");
  EXPECT_EQ(kind, ErrorKind::usage);
  std::string file = scratch.at("file");
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open(file + "/x.tar"); }, &kind),
            "cannot write '" + file + "/x.tar': '" + file + "' is not a directory");
  EXPECT_EQ(kind, ErrorKind::usage);
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open(scratch.path()); }, &kind),
            "cannot write '" + scratch.path() + "': it is a directory");
  EXPECT_EQ(kind, ErrorKind::usage);
}

TEST(OutputFile, PlaceWithoutPermissionFailsAtOnce) {
  ScratchTree scratch;
  scratch.directory("closed", 0555);
  ErrorKind kind = ErrorKind::internal;
  AsNobody nobody;
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open(scratch.at("closed/x.tar")); }, &kind),
            "cannot write '" + scratch.at("closed/x.tar") + "': permission denied");
  EXPECT_EQ(kind, ErrorKind::output);
}

TEST(OutputFile, TargetThatBecameADirectoryIsReportedAndNothingStays) {
  ScratchTree scratch;
  {
    OutputFile file = OutputFile::open(scratch.at("a.tar"));
    scratch.directory("a.tar");
    EXPECT_EQ(test::thrown_by([&] { file.finish(); }), "cannot write '" + scratch.at("a.tar") + "': is a directory");
  }
  EXPECT_THAT(scratch.names(), ElementsAre("a.tar"));
}

TEST(OutputFile, PipesAreWrittenDirectly) {
  ScratchTree scratch;
  ASSERT_EQ(::mkfifo(scratch.at("pipe.tar").c_str(), 0600), 0);
  std::string got;
  std::jthread reader([&] { got = base::read_file(scratch.at("pipe.tar")); });
  OutputFile file = OutputFile::open(scratch.at("pipe.tar"));
  base::write_all(file.fd(), "image");
  file.finish();
  reader.join();
  EXPECT_EQ(got, "image");
  EXPECT_TRUE(std::filesystem::is_fifo(scratch.at("pipe.tar")));
  OutputFile::open("/dev/null").finish();
}

/// Lets `fd` be standard output while it lives.
class Redirected {
 public:
  explicit Redirected(int fd) : saved_((std::fflush(stdout), ::dup(STDOUT_FILENO))) { ::dup2(fd, STDOUT_FILENO); }
  Redirected(const Redirected &) = delete;
  Redirected &operator=(const Redirected &) = delete;
  ~Redirected() { ::dup2(saved_.get(), STDOUT_FILENO); }

 private:
  base::Fd saved_;
};

TEST(OutputFile, DashIsStandardOutput) {
  auto [reader, writer] = base::make_pipe();
  {
    Redirected redirected(writer.get());
    OutputFile file = OutputFile::open("-");
    base::write_all(file.fd(), "image");
    file.finish();
  }
  writer.reset();
  EXPECT_EQ(base::read_all(reader.get()), "image");
}

TEST(OutputFile, ClosedStandardOutputIsReported) {
  std::fflush(stdout);
  base::Fd saved(::dup(STDOUT_FILENO));
  ::close(STDOUT_FILENO);
  std::string got = test::thrown_by([] { return OutputFile::open("-"); });
  ::dup2(saved.get(), STDOUT_FILENO);
  EXPECT_EQ(got, "cannot write standard output: bad file descriptor");
}

TEST(OutputFile, SignalEndsTheWaitForAReader) {
  ScratchTree scratch;
  ASSERT_EQ(::mkfifo(scratch.at("pipe").c_str(), 0600), 0);
  struct sigaction wake {};
  struct sigaction before {};
  wake.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGALRM, &wake, &before), 0);
  itimerval often{{0, 20'000}, {0, 20'000}};  // again and again: the first may come before the wait begins
  ::setitimer(ITIMER_REAL, &often, nullptr);
  ErrorKind kind = ErrorKind::internal;
  std::string got = test::thrown_by([&] { return OutputFile::open(scratch.at("pipe")); }, &kind);
  itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_EQ(got, "interrupted while waiting for a reader of '" + scratch.at("pipe") + "'");
  EXPECT_EQ(kind, ErrorKind::interrupted);
}

TEST(OutputFile, TerminalIsRefused) {
  base::Fd controller(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!controller || ::grantpt(controller.get()) != 0 || ::unlockpt(controller.get()) != 0) {
    GTEST_SKIP() << "no pseudo terminals here";
  }
  std::string name = ::ptsname(controller.get());
  const char *expected = "refusing to write an image to a terminal\n  try: -o FILE or a pipe";
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open(name); }, &kind), expected);
  EXPECT_EQ(kind, ErrorKind::usage);
  base::Fd terminal = base::open_file(name, O_RDWR | O_NOCTTY);
  std::string got;
  {
    Redirected redirected(terminal.get());
    got = test::thrown_by([] { return OutputFile::open("-"); });
  }
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace debroot::pack
