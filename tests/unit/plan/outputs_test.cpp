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
  OutputRequest request_{"bookworm", "amd64", {}, {}, false, false, false};
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
      {"a.tar", Compression::none},      {"a.tar.gz", Compression::gzip},    {"a.tgz", Compression::gzip},
      {"a.taz", Compression::gzip},      {"a.tar.Z", Compression::compress}, {"a.taZ", Compression::compress},
      {"a.tar.bz2", Compression::bzip2}, {"a.tbz", Compression::bzip2},      {"a.tbz2", Compression::bzip2},
      {"a.tz2", Compression::bzip2},     {"a.tar.lz", Compression::lzip},    {"a.tar.lzma", Compression::lzma},
      {"a.tlz", Compression::lzma},      {"a.tar.lz4", Compression::lz4},    {"a.tar.xz", Compression::xz},
      {"a.txz", Compression::xz},        {"a.tar.zst", Compression::zstd},   {"a.tzst", Compression::zstd}};
  for (const auto &[path, compression] : tars) {
    EXPECT_EQ(one(path).format, Format::tar) << path;
    EXPECT_EQ(one(path).compression, compression) << path;
  }
  const std::vector<std::pair<std::string, Format>> others = {{"a.squashfs", Format::squashfs},
                                                              {"a.sqfs", Format::squashfs},
                                                              {"a.ext2", Format::ext2},
                                                              {"a.ext4", Format::ext4},
                                                              {"a.oci", Format::oci}};
  for (const auto &[path, format] : others) EXPECT_EQ(one(path).format, format) << path;
  for (const char *word : {"squashfs", "sqfs"}) EXPECT_EQ(one("a.tar", word).format, Format::squashfs);
  EXPECT_EQ(one("a.img", "ext2").format, Format::ext2);
  EXPECT_EQ(one("a.tar", "ext4").format, Format::ext4);
  EXPECT_EQ(one("image", "oci").format, Format::oci);
  EXPECT_EQ(one("a.squashfs", "tar").format, Format::tar);
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
  directory_.make("x.oci");
  EXPECT_EQ(one("x.oci").format, Format::oci);
}

TEST_F(Outputs, MeanToMmdebstrapWhatItKnows) {
  request_.is_mmdebstraps = true;
  for (const char *path : {"a.oci", "a.img", "a.erofs"}) EXPECT_EQ(one(path).format, Format::directory) << path;
  EXPECT_EQ(one("a.sqfs").format, Format::squashfs);
  EXPECT_EQ(refused({"a"}, "oci"),
            "unknown format 'oci'\nexpected: auto, tar, directory, squashfs, ext2, ext4 or null");
}

TEST_F(Outputs, GoToStandardOutputButNotToATerminal) {
  EXPECT_EQ(one("-").format, Format::tar);
  host_.is_stdout_null = true;
  EXPECT_EQ(one("-").format, Format::null);
  host_.is_stdout_null = false;
  host_.is_stdout_terminal = true;
  EXPECT_EQ(refused({"-"}), "the image is not written to a terminal\ntry: -o FILE, or pipe it into another program");
  EXPECT_EQ(refused({"-"}, "dir"), "a directory cannot be written to standard output\ntry: -o DIRECTORY");
  EXPECT_EQ(refused({"-"}, "squashfs"), "a squashfs cannot be written to standard output\ntry: -o FILE");
  EXPECT_EQ(refused({"-"}, "ext4"), "an ext4 file system cannot be written to standard output\ntry: -o FILE");
  EXPECT_EQ(refused({"-"}, "oci"), "an OCI image cannot be written to standard output\ntry: -o DIRECTORY");
  request_.is_simulation = true;
  EXPECT_EQ(one("-").format, Format::tar);
}

TEST_F(Outputs, TakeOnlyAnEmptyDirectory) {
  directory_.make("empty/lost+found");
  EXPECT_EQ(one("empty").format, Format::directory);
  directory_.make("full/etc");
  EXPECT_EQ(refused({"full"}), "cannot build into 'full': the directory is not empty\ngot: 'etc' is in it");
  EXPECT_EQ(refused({"full"}, "oci"), "cannot build into 'full': the directory is not empty\ngot: 'etc' is in it");
  request_.allows_filled_directory = true;
  EXPECT_EQ(one("full").format, Format::directory);
  EXPECT_EQ(refused({"full"}, "oci"), "cannot build into 'full': the directory is not empty\ngot: 'etc' is in it");
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
  EXPECT_EQ(refused({"tree"}, "ext2"), "cannot write an ext2 file system to 'tree': it is a directory");
  EXPECT_EQ(refused({"file"}), "cannot build into 'file': it is not a directory");
  EXPECT_EQ(refused({"file"}, "oci"), "cannot build into 'file': it is not a directory");
  EXPECT_EQ(refused({"a\"b"}), "cannot build into 'a\"b': apt takes no root with a '\"' in its path");
  EXPECT_EQ(one("a\"b.tar").format, Format::tar);
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refused({"pipe"}, "squashfs"),
            "cannot write a squashfs to 'pipe': it is no plain file and no block device");
}

TEST_F(Outputs, OfMmdebstrapsTakeTheLevelsThatItsProgramsRead) {
  using Level = CompressionLevel;
  auto level = [&](const std::string &path, const std::string &name, const std::string &value) {
    host_.environment = {{name, value}};
    return one(path).level;
  };
  EXPECT_EQ(level("a.tar.xz", "XZ_OPT", "-9"), Level{}) << "an image of debroot's own depends on no variable";
  request_.is_mmdebstraps = true;
  EXPECT_EQ(level("a.tar.xz", "XZ_OPT", "-9"), (Level{9, false}));
  EXPECT_EQ(level("a.tar.lzma", "XZ_OPT", "-T0 -2e"), (Level{2, true}));
  EXPECT_EQ(level("a.tar.xz", "XZ_OPT", "--threads=3 -T 4 -M5 --extreme"), (Level{-1, true}));
  EXPECT_EQ(level("a.tar.xz", "XZ_DEFAULTS", "-1 -v --best"), (Level{9, false}));
  EXPECT_EQ(level("a.tar.xz", "ZSTD_CLEVEL", "9"), Level{});
  EXPECT_EQ(level("a.tar.zst", "ZSTD_CLEVEL", "9"), (Level{9, false}));
  EXPECT_EQ(level("a.tar.zst", "ZSTD_CLEVEL", "22"), (Level{19, false})) << "higher ones need --ultra";
  EXPECT_EQ(level("a.tar.zst", "ZSTD_CLEVEL", "9x"), Level{});
  EXPECT_EQ(level("a.tar.gz", "GZIP", "-1"), (Level{1, false}));
  EXPECT_EQ(level("a.tar.gz", "GZIP", "--fast"), (Level{1, false}));
  EXPECT_EQ(level("a.tar.xz", "XZ_OPT", "--fast"), (Level{0, false}));
  host_.has_program = [](const std::string &name) { return name == "lzop"; };
  EXPECT_EQ(level("a.tar.lzo", "LZOP", "-v -9"), (Level{9, false}));
  EXPECT_EQ(level("a.tar.bz2", "BZIP2", "-3"), (Level{3, false}));
  EXPECT_EQ(level("a.tar", "XZ_OPT", "-9"), Level{});
}

TEST_F(Outputs, RefuseFilesInTheTree) {
  EXPECT_EQ(make({"tree", "tree.tar"}).size(), 2U);
  directory_.make("tree");
  EXPECT_EQ(refused({"tree/image.tar", "tree"}), "output 'tree/image.tar' lies in the directory that is built");
}

TEST_F(Outputs, RefuseTheSamePathTwice) {
  EXPECT_EQ(make({"a.tar", "b.tar.xz", "-"}).size(), 3U);
  EXPECT_EQ(refused({"a.tar", "./a.tar"}), "output './a.tar' is given twice");
  EXPECT_EQ(refused({"-", "-"}), "output '-' is given twice");
  EXPECT_EQ(refused({"one", "two"}), "only one output can be a directory: the tree is built in it");
}

TEST_F(Outputs, RefuseFormatsThatThereAreNot) {
  EXPECT_EQ(refused({"a.cpio"}),
            "cannot write 'a.cpio': there is no format for '.cpio' files\n"
            "try: a .tar, .tar.xz, .squashfs, .ext4 or .oci file, or a directory");
  EXPECT_EQ(refusal([&] { one("a.tar.lzo"); }, ErrorKind::output),
            "cannot write 'a.tar.lzo': there is no program 'lzop' here\n"
            "try: the faster and smaller .lz4 or .zst; or, on Debian: apt install lzop");
  host_.has_program = [](const std::string &name) { return name == "lzop"; };
  EXPECT_EQ(one("a.tar.lzo").compression, Compression::lzop);
  EXPECT_EQ(refused({"a"}, "rar"),
            "unknown format 'rar'\nexpected: auto, tar, directory, squashfs, ext2, ext4, oci or null");
}

}  // namespace
}  // namespace debroot::plan
