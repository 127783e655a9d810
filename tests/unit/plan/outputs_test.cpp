#include "plan/outputs.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

class Outputs : public ::testing::Test {
 protected:
  std::vector<Output> make(std::vector<std::string> paths, std::optional<std::string> format = {}) {
    request_.paths = std::move(paths);
    request_.format = std::move(format);
    return make_outputs(request_, host_);
  }
  Output one(const std::string &path, std::optional<std::string> format = {}) {
    return make({path}, std::move(format)).at(0);
  }
  std::string refused(std::vector<std::string> paths, std::optional<std::string> format = {}) {
    return refusal([&] { make(paths, format); });
  }

  ScratchDirectory directory_;
  HostFacts host_ = make_host(directory_.path());
  OutputRequest request_{"bookworm", "amd64", {}, {}, false, false};
};

TEST_F(Outputs, DefaultToATarNamedForTheImage) {
  Output output = make({}).at(0);
  EXPECT_EQ(output.path, "./bookworm-amd64.tar");
  EXPECT_EQ(output.format, Format::tar);
  EXPECT_EQ(output.compression, Compression::none);
  request_.suite = "corp/stable";
  EXPECT_EQ(make({}).at(0).path, "./corp-stable-amd64.tar");
}

TEST_F(Outputs, FollowTheSuffix) {
  const std::vector<std::pair<std::string, Compression>> tars = {
      {"a.tar", Compression::none},  {"a.tar.gz", Compression::gzip}, {"a.tgz", Compression::gzip},
      {"a.tar.xz", Compression::xz}, {"a.txz", Compression::xz},      {"a.tar.zst", Compression::zstd}};
  for (const auto &[path, compression] : tars) {
    EXPECT_EQ(one(path).format, Format::tar) << path;
    EXPECT_EQ(one(path).compression, compression) << path;
  }
  EXPECT_EQ(one("rootfs").format, Format::directory);
  EXPECT_EQ(one("rootfs/").format, Format::directory);
  EXPECT_EQ(one("/dev/null").format, Format::null);
  EXPECT_EQ(one("a.tar.d", "tar").format, Format::tar);
  EXPECT_EQ(one("a.tar", "directory").format, Format::directory);
  EXPECT_EQ(one("a.tar", "null").format, Format::null);
  EXPECT_EQ(one("a.tar", "auto").format, Format::tar);
}

TEST_F(Outputs, FollowWhatIsThere) {
  directory_.make("x.tar");
  EXPECT_EQ(one("x.tar").format, Format::directory);
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(one("pipe").format, Format::tar);
}

TEST_F(Outputs, GoToStandardOutputButNotToATerminal) {
  EXPECT_EQ(one("-").format, Format::tar);
  host_.is_stdout_null = true;
  EXPECT_EQ(one("-").format, Format::null);
  host_.is_stdout_null = false;
  host_.is_stdout_terminal = true;
  EXPECT_EQ(refused({"-"}), "the image is not written to a terminal\ntry: -o FILE, or pipe it into another program");
  EXPECT_EQ(refused({"-"}, "dir"), "a directory cannot be written to standard output");
  request_.is_simulation = true;
  EXPECT_EQ(one("-").format, Format::tar);
}

TEST_F(Outputs, TakeOnlyAnEmptyDirectory) {
  directory_.make("empty/lost+found");
  EXPECT_EQ(one("empty").format, Format::directory);
  directory_.make("full/etc");
  EXPECT_EQ(refused({"full"}), "cannot build into 'full': the directory is not empty\ngot: 'etc' is in it");
  request_.allows_filled_directory = true;
  EXPECT_EQ(one("full").format, Format::directory);
}

TEST_F(Outputs, RefuseWhatCannotBeWritten) {
  directory_.make("tree");
  directory_.write("file", "");
  EXPECT_EQ(refused({""}), "an output path is empty");
  EXPECT_EQ(refused({"/"}), "'/' is the root of this system, not an output");
  EXPECT_EQ(refused({"/tmp/.."}), "'/tmp/..' is the root of this system, not an output");
  EXPECT_EQ(refused({"no/where.tar"}),
            "cannot write 'no/where.tar': there is no directory '" + (directory_ / "no") + "'");
  EXPECT_EQ(refused({"tree"}, "tar"), "cannot write a tar to 'tree': it is a directory");
  EXPECT_EQ(refused({"file"}), "cannot build into 'file': it is not a directory");
}

TEST_F(Outputs, RefuseTheSamePathTwice) {
  EXPECT_EQ(make({"a.tar", "b.tar.xz", "-"}).size(), 3U);
  EXPECT_EQ(refused({"a.tar", "./a.tar"}), "output './a.tar' is given twice");
  EXPECT_EQ(refused({"-", "-"}), "output '-' is given twice");
  EXPECT_EQ(refused({"one", "two"}), "only one output can be a directory: the tree is built in it");
}

TEST_F(Outputs, RefuseFormatsOfLater) {
  EXPECT_EQ(refused({"a.squashfs"}),
            "cannot write 'a.squashfs': the format of '.squashfs' files is not supported yet\n"
            "try: a .tar, .tar.gz, .tar.xz or .tar.zst file, or a directory");
  EXPECT_EQ(refused({"a.tar.bz2"}),
            "cannot write 'a.tar.bz2': compression '.bz2' is not supported\n"
            "try: a .tar, .tar.gz, .tar.xz or .tar.zst file");
  EXPECT_EQ(refused({"a"}, "ext4"), "format 'ext4' is not supported yet\nexpected: auto, tar, directory or null");
  EXPECT_EQ(refused({"a"}, "rar"), "unknown format 'rar'\nexpected: auto, tar, directory or null");
}

}  // namespace
}  // namespace debroot::plan
