#include "pack/image_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "image_fixture.hpp"
#include "pack/output_file.hpp"
#include "support/thrown_error.hpp"

namespace debroot::pack {
namespace {

constexpr std::size_t kDeviceBytes = std::size_t{64} << 10;

/// A block device that is full of 'x'.
class BlockDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    base::Fd file(::mkstemp(backing_.data()));
    std::ofstream(backing_) << std::string(kDeviceBytes, 'x');
    // others may take the one that was free a moment ago
    std::string loop = "for i in 1 2 3 4 5; do losetup --find --show " + backing_ + " 2>/dev/null && exit; done";
    std::string said = output_of("sh -c '" + loop + "; true'");
    if (said.empty()) GTEST_SKIP() << "no loop devices here";
    path_ = said.substr(0, said.find('\n'));
  }
  void TearDown() override {
    if (!path_.empty()) output_of("losetup --detach " + path_);
    std::filesystem::remove(backing_);
  }

  [[nodiscard]] std::string content() const { return base::read_file(path_); }

  std::string backing_ = (std::filesystem::temp_directory_path() / "debroot-test-device.XXXXXX").string();
  std::string path_;
};

TEST_F(BlockDevice, IsWrittenOutOfOrderAndReadAgain) {
  OutputFile output = OutputFile::open(path_);
  ImageFile image({output.fd(), Compression::none, path_, Format::ext4});
  ASSERT_TRUE(image.write(5000, "later", 5));
  ASSERT_TRUE(image.write(0, "first", 5));
  std::string read(5, '?');
  ASSERT_TRUE(image.read(5000, read.data(), read.size()));
  EXPECT_EQ(read, "later");
  EXPECT_EQ(image.size(), 5005U);
}

TEST_F(BlockDevice, IsZerosWhereTheImageGrows) {
  OutputFile output = OutputFile::open(path_);
  ImageFile image({output.fd(), Compression::none, path_, Format::ext4});
  ASSERT_TRUE(image.write(0, "abc", 3));
  ASSERT_TRUE(image.resize(9000));  // in the middle of a block
  ASSERT_TRUE(image.resize(16384));
  output.finish();
  std::string held = content();
  EXPECT_EQ(held.substr(0, 3), "abc");
  EXPECT_EQ(std::count(held.begin() + 3, held.begin() + 16384, '\0'), 16384 - 3);
  EXPECT_EQ(std::count(held.begin() + 16384, held.end(), 'x'), static_cast<long>(kDeviceBytes) - 16384);
}

TEST_F(BlockDevice, ForgetsWhatAnotherAttemptWrote) {
  OutputFile output = OutputFile::open(path_);
  ImageFile image({output.fd(), Compression::none, path_, Format::ext4});
  ASSERT_TRUE(image.write(0, "of another size", 15));
  ASSERT_TRUE(image.resize(0));
  ASSERT_TRUE(image.resize(kDeviceBytes));
  output.finish();
  EXPECT_EQ(content(), std::string(kDeviceBytes, '\0'));
}

TEST_F(BlockDevice, ThatIsTooSmallIsAFullOne) {
  OutputFile output = OutputFile::open(path_);
  ImageFile image({output.fd(), Compression::none, path_, Format::ext4});
  EXPECT_FALSE(image.resize(kDeviceBytes + 4096));
  EXPECT_EQ(test::thrown_by([&] {
              image.throw_failure({});
              return 0;
            }),
            "cannot write '" + path_ + "': no space left on device");
}

TEST_F(BlockDevice, InUseIsRefused) {
  base::Fd user(::open(path_.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));  // as mount(2) opens it
  EXPECT_EQ(test::thrown_by([&] { return OutputFile::open(path_); }),
            "cannot write '" + path_ + "': device or resource busy");
}

}  // namespace
}  // namespace debroot::pack
