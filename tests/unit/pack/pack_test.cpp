#include "pack/pack.hpp"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <csignal>

#include "pack/tar_header.hpp"
#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

namespace debroot::pack {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

PackOptions options_without_devices() {
  PackOptions options;
  options.epoch_seconds = kEpoch;
  options.with_devices = false;
  return options;
}

/// A file without a name, and what is in it.
class Target {
 public:
  Target() : fd_(::open(std::filesystem::temp_directory_path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (!fd_) {  // the file system of the temporary directory has none
      std::string pattern = (std::filesystem::temp_directory_path() / "debroot-pack-XXXXXX").string();
      fd_.reset(::mkostemp(pattern.data(), O_CLOEXEC));
      ::unlink(pattern.c_str());
    }
  }
  [[nodiscard]] ImageSink sink(Compression compression = Compression::none) const {
    return {fd_.get(), compression, "out.tar"};
  }
  [[nodiscard]] std::string bytes() const {
    ::lseek(fd_.get(), 0, SEEK_SET);
    return base::read_all(fd_.get());
  }

 private:
  base::Fd fd_;
};

std::string packed(const ScratchTree &tree, const PackOptions &options, PackResult *result = nullptr) {
  Target target;
  std::vector<ImageSink> sinks{target.sink()};
  PackResult got = pack_tree(base::RootDirectory::open(tree.path()), sinks, options);
  if (result != nullptr) *result = got;
  return target.bytes();
}

std::string owner_of(const ScratchTree &tree) {
  return fmt::format("{}/{}", tree.status("").st_uid, tree.status("").st_gid);
}

TEST(PackTar, BeginsWithTheDevicesThenTheRoot) {
  ScratchTree tree;
  PackOptions options;
  options.epoch_seconds = kEpoch;
  std::vector<std::string> lines = lines_of(members_of(packed(tree, options)));
  EXPECT_THAT(
      lines,
      ElementsAre("d 0755 0/0 0 1600000000 ./dev/", "c 0666 0/0 0 1600000000 ./dev/console 5:1",
                  "l 0777 0/0 0 1600000000 ./dev/fd -> /proc/self/fd", "c 0666 0/0 0 1600000000 ./dev/full 1:7",
                  "c 0666 0/0 0 1600000000 ./dev/null 1:3", "c 0666 0/0 0 1600000000 ./dev/ptmx 5:2",
                  "d 0755 0/0 0 1600000000 ./dev/pts/", "c 0666 0/0 0 1600000000 ./dev/random 1:8",
                  "d 0755 0/0 0 1600000000 ./dev/shm/", "l 0777 0/0 0 1600000000 ./dev/stderr -> /proc/self/fd/2",
                  "l 0777 0/0 0 1600000000 ./dev/stdin -> /proc/self/fd/0",
                  "l 0777 0/0 0 1600000000 ./dev/stdout -> /proc/self/fd/1", "c 0666 0/0 0 1600000000 ./dev/tty 5:0",
                  "c 0666 0/0 0 1600000000 ./dev/urandom 1:9", "c 0666 0/0 0 1600000000 ./dev/zero 1:5",
                  "d 0755 " + owner_of(tree) + " 0 1600000000 ./"));
}

TEST(PackTar, ConsumesTheTreeWhenTold) {
  ScratchTree tree;
  tree.directory("d");
  tree.file("d/one", std::string(3'000'000, 'x'));
  tree.file("d/two", "two");
  ASSERT_EQ(::link(tree.at("d/two").c_str(), tree.at("d/zwei").c_str()), 0);
  PackOptions options = options_without_devices();
  std::string kept = packed(tree, options);
  options.consumes_tree = true;
  EXPECT_TRUE(packed(tree, options) == kept);
  EXPECT_FALSE(std::filesystem::exists(tree.at("d/one")));
  EXPECT_TRUE(std::filesystem::exists(tree.at("d/zwei"))) << "the second name is told by the inode";
}

TEST(PackTar, WithoutNodesDirectoriesAndLinksOfDevStay) {
  ScratchTree tree;
  PackOptions options;
  options.with_device_nodes = false;
  EXPECT_THAT(paths_of(members_of(packed(tree, options))),
              ElementsAre("./dev/", "./dev/fd", "./dev/pts/", "./dev/shm/", "./dev/stderr", "./dev/stdin",
                          "./dev/stdout", "./"));
}

TEST(PackTar, TreesOwnDevIsLeftOutOnlyWhenTheDevicesAreWritten) {
  ScratchTree tree;
  tree.directory("dev");
  tree.file("dev/mine", "x");
  tree.directory("etc");
  tree.directory("etc/dev");
  tree.file("etc/dev/kept", "x");
  PackOptions options;
  std::vector<std::string> paths = paths_of(members_of(packed(tree, options)));
  EXPECT_THAT(paths, Contains("./etc/dev/kept"));
  EXPECT_THAT(paths, Not(Contains("./dev/mine")));
  EXPECT_THAT(paths_of(members_of(packed(tree, options_without_devices()))),
              ElementsAre("./", "./dev/", "./dev/mine", "./etc/", "./etc/dev/", "./etc/dev/kept"));
}

TEST(PackTar, EachDirectoryIsFollowedByItsSortedContent) {
  ScratchTree tree;
  for (const char *name : {"foo", "foo/z", "foo/b", "B", "a"}) tree.directory(name);
  for (const char *name : {"foo.txt", "foo-bar", "foo/b/x", "foo/\xc3\xa4", "foo/c", "foo0"}) tree.file(name, "");
  EXPECT_THAT(paths_of(members_of(packed(tree, options_without_devices()))),
              ElementsAre("./", "./B/", "./a/", "./foo/", "./foo/b/", "./foo/b/x", "./foo/c", "./foo/z/",
                          "./foo/\xc3\xa4", "./foo-bar", "./foo.txt", "./foo0"));
}

TEST(PackTar, LostAndFoundOfTheFileSystemIsLeftOut) {
  ScratchTree tree;
  tree.directory("lost+found");
  tree.directory("srv");
  tree.directory("srv/lost+found");
  EXPECT_THAT(paths_of(members_of(packed(tree, options_without_devices()))),
              ElementsAre("./", "./srv/", "./srv/lost+found/"));
}

TEST(PackTar, ModesSizesAndContentsAreThoseOfTheFiles) {
  ScratchTree tree;
  tree.file("empty", "", 0);
  tree.file("block", std::string(512, 'b'), 0600);
  tree.file("setuid", "program", 04755);
  tree.directory("tmp", 01777);
  tree.link("link", "no/such");
  ASSERT_EQ(::mkfifo(tree.at("pipe").c_str(), 0600), 0);
  tree.set_time("pipe", kEpoch);
  tree.set_time("", kEpoch);
  if (::geteuid() != 0) ::chmod(tree.at("empty").c_str(), 0400);  // nobody else can read it
  std::vector<Member> members = members_of(packed(tree, options_without_devices()));
  std::string owner = owner_of(tree);
  EXPECT_THAT(
      lines_of(members),
      ElementsAre("d 0755 " + owner + " 0 1600000000 ./", "- 0600 " + owner + " 512 1600000000 ./block",
                  (::geteuid() == 0 ? "- 0000 " : "- 0400 ") + owner + " 0 1600000000 ./empty",
                  "l 0777 " + owner + " 0 1600000000 ./link -> no/such", "p 0600 " + owner + " 0 1600000000 ./pipe",
                  "- 4755 " + owner + " 7 1600000000 ./setuid", "d 1777 " + owner + " 0 1600000000 ./tmp/"));
  EXPECT_EQ(members[1].content, std::string(512, 'b'));
  EXPECT_EQ(members[5].content, "program");
}

TEST(PackTar, TimesAreWholeAndNeverNewerThanTheEpoch) {
  ScratchTree tree;
  tree.file("new", "");
  tree.file("old", "");
  tree.link("link", "x");
  tree.set_time("new", kEpoch + 1);
  tree.set_time("old", kEpoch - 1, 999'999'999);
  tree.set_time("link", kEpoch + 100);
  tree.set_time("", kEpoch + 5);
  std::string bytes = packed(tree, options_without_devices());
  std::string owner = owner_of(tree);
  EXPECT_THAT(lines_of(members_of(bytes)),
              ElementsAre("d 0755 " + owner + " 0 1600000000 ./", "l 0777 " + owner + " 0 1600000000 ./link -> x",
                          "- 0644 " + owner + " 0 1600000000 ./new", "- 0644 " + owner + " 0 1599999999 ./old"));
  EXPECT_EQ(bytes.find("mtime"), std::string::npos) << "no pax record";
}

TEST(PackTar, OtherNamesOfAFileAreLinksToTheFirst) {
  ScratchTree tree;
  tree.directory("d");
  tree.file("d/second", "shared");
  tree.hard_link("a-first", "d/second");
  tree.hard_link("third", "d/second");
  tree.link("link", "x");
  tree.hard_link("link2", "link");
  std::vector<Member> members = members_of(packed(tree, options_without_devices()));
  std::string owner = owner_of(tree);
  EXPECT_THAT(
      lines_of(members),
      ElementsAre("d 0755 " + owner + " 0 1600000000 ./", "- 0644 " + owner + " 6 1600000000 ./a-first",
                  "d 0755 " + owner + " 0 1600000000 ./d/", "h 0644 " + owner + " 0 1600000000 ./d/second = ./a-first",
                  "l 0777 " + owner + " 0 1600000000 ./link -> x", "h 0777 " + owner + " 0 1600000000 ./link2 = ./link",
                  "h 0644 " + owner + " 0 1600000000 ./third = ./a-first"));
}

TEST(PackTar, LongAndStrangeNamesComeBackAsTheyWere) {
  ScratchTree tree;
  std::string component(200, 'n');
  std::string long_target(400, 't');
  tree.directory(component);
  tree.directory(component + "/" + component);
  tree.file(component + "/" + component + "/F\xc5\x91", "utf-8");
  tree.link("link", long_target);
  tree.file("new\nline", "");
  tree.file("\xff", "not utf-8");
  tree.file(std::string(98, 'x'), "");
  tree.file(std::string(99, 'x'), "");
  std::vector<std::string> paths = paths_of(members_of(packed(tree, options_without_devices())));
  EXPECT_THAT(paths,
              ElementsAre("./", "./link", "./new\nline", "./" + component + "/",
                          "./" + component + "/" + component + "/", "./" + component + "/" + component + "/F\xc5\x91",
                          "./" + std::string(98, 'x'), "./" + std::string(99, 'x'), "./\xff"));
  EXPECT_THAT(lines_of(members_of(packed(tree, options_without_devices()))),
              Contains("l 0777 " + owner_of(tree) + " 0 1600000000 ./link -> " + long_target));
}

TEST(PackTar, UserAttributesAreKeptSortedAndLabelsAreNot) {
  ScratchTree tree;
  tree.file("file", "");
  tree.directory("dir");
  std::string large(4000, 'v');
  if (::setxattr(tree.at("file").c_str(), "user.zeta", "1", 1, 0) != 0) GTEST_SKIP() << "no user attributes here";
  ASSERT_EQ(::setxattr(tree.at("file").c_str(), "user.alpha", "a\nb", 3, 0), 0);
  if (::setxattr(tree.at("dir").c_str(), "user.large", large.data(), large.size(), 0) != 0) large.clear();
  std::vector<Member> members = members_of(packed(tree, options_without_devices()));
  if (!large.empty()) {
    EXPECT_THAT(members[1].attributes, ElementsAre("user.large=" + large));
  }
  EXPECT_THAT(members[2].attributes, ::testing::UnorderedElementsAre("user.alpha=a\nb", "user.zeta=1"));
  std::string bytes = packed(tree, options_without_devices());
  EXPECT_LT(bytes.find("SCHILY.xattr.user.alpha="), bytes.find("SCHILY.xattr.user.zeta="));
  EXPECT_EQ(bytes.find("LIBARCHIVE"), std::string::npos);
  EXPECT_EQ(bytes.find("selinux"), std::string::npos);
}

TEST(PackTar, HolesAreStoredAsZeros) {
  ScratchTree holes;
  ScratchTree zeros;
  holes.file("f", "");
  ASSERT_EQ(::truncate(holes.at("f").c_str(), 3'000'000), 0);
  holes.set_time("f", kEpoch);
  zeros.file("f", std::string(3'000'000, '\0'));
  std::string bytes = packed(holes, options_without_devices());
  EXPECT_EQ(bytes, packed(zeros, options_without_devices()));
  EXPECT_GT(bytes.size(), 3'000'000U);
}

TEST(PackTar, SocketsAreLeftOutWithAWarning) {
  ScratchTree tree;
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  tree.at("s").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
  PackResult result;
  EXPECT_THAT(paths_of(members_of(packed(tree, options_without_devices(), &result))), ElementsAre("./"));
  EXPECT_THAT(result.warnings, ElementsAre("left out the socket '/s': an image cannot hold it"));
}

TEST(PackTar, DeviceNodesOutsideDevAreKept) {
  ScratchTree tree;
  if (::mknod(tree.at("node").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) GTEST_SKIP() << "cannot make device nodes";
  tree.set_time("node", kEpoch);
  EXPECT_THAT(lines_of(members_of(packed(tree, options_without_devices()))),
              Contains("c 0600 " + owner_of(tree) + " 0 1600000000 ./node 1:3"));
}

TEST(PackTar, SameTreeMadeInAnotherWayGivesTheSameBytes) {
  ScratchTree one;
  ScratchTree other;
  one.directory("dir");
  one.file("a", "A");
  one.file("c", "C");
  one.file("b\xff", "B");
  mode_t mask = ::umask(077);
  other.file("b\xff", "B");
  other.file("c", "C");
  other.file("a", "A");
  other.directory("dir");
  ::umask(mask);
  std::string bytes = packed(one, options_without_devices());
  EXPECT_EQ(bytes, packed(other, options_without_devices()));
  EXPECT_EQ(bytes.size() % kTarRecordBytes, 0U);
}

TEST(PackTar, WritesDevicesByHandAsMmdebstrapDoes) {
  ScratchTree tree;
  PackOptions options = options_without_devices();
  options.with_devices = true;
  std::string bytes = packed(tree, options);
  constexpr std::size_t kNumbersAt = 329;
  constexpr std::size_t kDevices = 15;
  EXPECT_EQ(bytes.substr(kNumbersAt, 16), std::string(16, '\0')) << "of ./dev/";
  EXPECT_EQ(bytes.substr(kTarBlockBytes + kNumbersAt, 16), std::string("0000005\0"
                                                                       "0000001\0",
                                                                       16))
      << "of ./dev/console";
  EXPECT_EQ((bytes.size() - kDevices * kTarBlockBytes) % kTarRecordBytes, 0U) << "what tar writes begins behind them";
}

TEST(PackTar, OneWalkServesEveryOutput) {
  ScratchTree tree;
  tree.file("text", std::string(100'000, 't'));
  Target plain;
  Target gzip;
  Target xz;
  Target zstd;
  std::vector<ImageSink> sinks{plain.sink(), gzip.sink(Compression::gzip), xz.sink(Compression::xz),
                               zstd.sink(Compression::zstd)};
  PackResult result = pack_tree(base::RootDirectory::open(tree.path()), sinks, options_without_devices());
  std::vector<std::string> expected = lines_of(members_of(plain.bytes()));
  EXPECT_EQ(expected.size(), 2U);
  for (const Target *target : {&gzip, &xz, &zstd}) {
    EXPECT_EQ(lines_of(members_of(target->bytes())), expected);
    EXPECT_LT(target->bytes().size(), 2000U);
  }
  EXPECT_THAT(result.output_bytes,
              ElementsAre(plain.bytes().size(), gzip.bytes().size(), xz.bytes().size(), zstd.bytes().size()));
}

TEST(PackTar, ProgressCountsEntriesAndBytes) {
  ScratchTree tree;
  tree.file("a", "12345");
  tree.file("b", "123");
  std::vector<std::uint64_t> seen;
  PackOptions options = options_without_devices();
  options.on_progress = [&seen](const PackCount &count) { seen.push_back(count.content_bytes); };
  PackResult result;
  std::string bytes = packed(tree, options, &result);
  EXPECT_THAT(seen, ElementsAre(0U, 5U, 8U));
  EXPECT_EQ(result.count.entries, 3U);
  EXPECT_EQ(result.count.content_bytes, 8U);
}

TEST(PackTar, StopsWhenToldTo) {
  ScratchTree tree;
  tree.file("a", "");
  PackOptions options = options_without_devices();
  int asked = 0;
  options.is_cancelled = [&asked] { return ++asked > 0; };
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(test::thrown_by([&] { return packed(tree, options); }, &kind), "interrupted while the image was written");
  EXPECT_EQ(kind, ErrorKind::interrupted);
}

TEST(PackTar, UnreadableFileIsNamed) {
  ScratchTree tree;
  tree.directory("etc");
  tree.file("etc/shadow", "secret", 0);
  tree.directory("closed", 0);
  Target target;
  std::vector<ImageSink> sinks{target.sink()};
  base::RootDirectory root = base::RootDirectory::open(tree.path());
  AsNobody nobody;
  EXPECT_EQ(test::thrown_by([&] { return pack_tree(root, sinks, options_without_devices()); }),
            "cannot read '/closed' in the root: permission denied");
  ASSERT_TRUE(std::filesystem::exists(tree.path()));
}

TEST(PackTar, ReaderThatWentAwayIsAnErrorAndNoSignal) {
  ScratchTree tree;
  auto [reader, writer] = base::make_pipe();
  reader.reset();
  std::signal(SIGPIPE, SIG_DFL);
  base::RootDirectory root = base::RootDirectory::open(tree.path());
  ErrorKind kind = ErrorKind::internal;
  std::vector<ImageSink> sinks{{writer.get(), Compression::none, "-"}};
  EXPECT_EQ(test::thrown_by([&] { return pack_tree(root, sinks, options_without_devices()); }, &kind),
            "cannot write the image: the reader went away");
  EXPECT_EQ(kind, ErrorKind::output);
  sinks[0] = {writer.get(), Compression::zstd, "fifo.tar.zst"};
  EXPECT_EQ(test::thrown_by([&] { return pack_tree(root, sinks, options_without_devices()); }),
            "cannot write 'fifo.tar.zst': the reader went away");
}

TEST(PackTar, FullDiskIsNamedWithTheOutput) {
  ScratchTree tree;
  base::Fd full = base::open_file("/dev/full", O_WRONLY);
  std::vector<ImageSink> sinks{{full.get(), Compression::gzip, "a.tar.gz"}};
  EXPECT_EQ(test::thrown_by(
                [&] { return pack_tree(base::RootDirectory::open(tree.path()), sinks, options_without_devices()); }),
            "cannot write 'a.tar.gz': no space left on device");
}

}  // namespace
}  // namespace debroot::pack
