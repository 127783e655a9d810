#include "build/directory_output.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "support/thrown_error.hpp"

namespace debroot::build {
namespace {

namespace fs = std::filesystem;

class DirectoryOutputTest : public ::testing::Test {
 protected:
  DirectoryOutputTest() : top_(fs::canonical(fs::temp_directory_path()).string() + "/directory-output.XXXXXX") {
    if (::mkdtemp(top_.data()) == nullptr) ADD_FAILURE() << "cannot make a directory";
  }
  ~DirectoryOutputTest() override { fs::remove_all(top_); }

  std::string top_;
};

TEST_F(DirectoryOutputTest, MakesAMissingDirectoryAndKeepsItOnceFinished) {
  std::string path = top_ + "/image";
  {
    DirectoryOutput output = DirectoryOutput::open(path + "/");
    EXPECT_EQ(output.path(), path);
    EXPECT_TRUE(fs::is_directory(path));
    output.finish();
  }
  EXPECT_TRUE(fs::is_directory(path));
}

TEST_F(DirectoryOutputTest, TakesAwayWhatItMadeWhenTheBuildFails) {
  { DirectoryOutput output = DirectoryOutput::open(top_ + "/image"); }
  EXPECT_FALSE(fs::exists(top_ + "/image"));
}

TEST_F(DirectoryOutputTest, LeavesADirectoryThatWasThere) {
  { DirectoryOutput output = DirectoryOutput::open(top_); }
  EXPECT_TRUE(fs::is_directory(top_));
}

TEST_F(DirectoryOutputTest, RefusesADirectoryThatIsNotEmpty) {
  fs::create_directory(top_ + "/etc");
  EXPECT_EQ(test::thrown_by([&] { return DirectoryOutput::open(top_); }),
            "cannot make an image in '" + top_ + "': the directory is not empty\n  got: etc");
}

TEST_F(DirectoryOutputTest, SaysWhyADirectoryCannotBeMade) {
  if (::geteuid() == 0) {
    // root may write anywhere but here
    EXPECT_EQ(test::thrown_by([] { return DirectoryOutput::open("/proc/image"); }),
              "cannot make the directory '/proc/image': no such file or directory");
    return;
  }
  fs::permissions(top_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(test::thrown_by([&] { return DirectoryOutput::open(top_ + "/image"); }),
            "cannot make the directory '" + top_ + "/image': permission denied");
  fs::permissions(top_, fs::perms::owner_all);
}

}  // namespace
}  // namespace debroot::build
