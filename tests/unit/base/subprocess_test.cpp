#include "base/subprocess.hpp"

#include <gtest/gtest.h>

#include "debroot/error.hpp"

namespace debroot::base {
namespace {

TEST(Subprocess, GivesOutputAndStatus) {
  SubprocessResult result =
      run_subprocess({"/bin/sh", "-c", "echo out; echo err >&2; read line || echo no input; exit 3"});
  EXPECT_EQ(result.output, "out\nerr\nno input\n");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_FALSE(result.is_success());
}

TEST(Subprocess, CountsSignalsAsAShellDoes) {
  EXPECT_EQ(run_subprocess({"/bin/sh", "-c", "kill -9 $$"}).exit_status, 137);
}

TEST(Subprocess, NamesTheProgramThatCannotRun) {
  try {
    static_cast<void>(run_subprocess({"/no/such/program"}));
    FAIL() << "ran";
  } catch (const Error &error) {
    EXPECT_EQ(error.message(), "cannot run '/no/such/program': no such file or directory");
  }
}

TEST(FindProgram, LooksInThePathAndThenInTheUsualPlaces) {
  EXPECT_EQ(find_program("sh", "/bin"), "/bin/sh");
  EXPECT_TRUE(find_program("sh", "/nowhere"));
  EXPECT_FALSE(find_program("no-such-program", "/bin"));
}

TEST(FindProgram, NeverTakesDirectoriesOrRelativeElements) {
  EXPECT_FALSE(find_program("share", "/usr"));
  EXPECT_FALSE(find_program("no-such-program", ".:"));
}

}  // namespace
}  // namespace debroot::base
