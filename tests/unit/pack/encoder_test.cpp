#include "pack/encoder.hpp"

#include "pack/walk.hpp"
#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "base/compression.hpp"

namespace debroot::pack {
namespace {

constexpr std::array kAllCompressions = {Compression::gzip,  Compression::xz,       Compression::zstd,
                                         Compression::bzip2, Compression::compress, Compression::lz4,
                                         Compression::lzip,  Compression::lzma,     Compression::lzop};

/// Text that compresses fast and differs from block to block.
std::string long_text(std::size_t size) {
  std::string text;
  text.reserve(size + 5000);
  for (unsigned i = 0; text.size() < size; ++i) text += std::to_string(i) + std::string(4000, 'a');
  text.resize(size);
  return text;
}

std::string encoded(Compression compression, unsigned threads, std::string_view bytes, std::size_t piece,
                    const CompressionLevel &level = {}) {
  ScratchTree scratch;
  base::Fd file = base::open_file(scratch.at("out"), O_RDWR | O_CREAT, 0600);
  std::unique_ptr<Encoder> encoder = make_encoder({file.get(), compression, "out", Format::tar, level}, threads);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) encoder->write(bytes.substr(0, piece));
  encoder->finish();
  std::string out = scratch.content("out");
  EXPECT_EQ(encoder->output_bytes(), out.size());
  return out;
}

TEST(Encoder, BytesDoNotDependOnThreads) {
  std::string text = long_text(std::size_t{26} << 20);  // two blocks of xz, four jobs of zstd
  for (Compression compression : {Compression::gzip, Compression::xz, Compression::zstd}) {
    std::string one = encoded(compression, 1, text, 1 << 20);
    EXPECT_TRUE(one == encoded(compression, 3, text, 1 << 20));
  }
}

TEST(Encoder, BytesDoNotDependOnHowTheInputIsCut) {
  std::string text = long_text(3'000'000);
  for (Compression compression : kAllCompressions) {
    EXPECT_TRUE(encoded(compression, 2, text, 1 << 20) == encoded(compression, 2, text, 77'777));
  }
}

TEST(Encoder, EveryCompressionGivesTheInputBack) {
  std::string text = long_text(1'000'000);
  for (Compression compression : kAllCompressions) {
    std::string bytes = encoded(compression, 1, text, 1 << 20);
    EXPECT_LT(bytes.size(), text.size() / 4) << static_cast<int>(compression);
    EXPECT_TRUE(base::decompress(bytes, "out") == text) << static_cast<int>(compression);
  }
}

TEST(Encoder, LevelsAreThoseOfThePrograms) {
  std::minstd_rand draw(1);
  std::string text;
  while (text.size() < 1'000'000) text += fmt::format("word{} ", draw() % 1000 * (draw() % 7));
  const std::vector<std::pair<Compression, std::pair<int, int>>> levels = {
      {Compression::gzip, {1, 9}},  {Compression::xz, {0, 9}},   {Compression::zstd, {1, 19}},
      {Compression::bzip2, {1, 9}}, {Compression::lzma, {0, 9}}, {Compression::lzop, {1, 9}}};
  for (const auto &[compression, range] : levels) {
    std::string low = encoded(compression, 2, text, 1 << 20, {range.first});
    std::string high = encoded(compression, 2, text, 1 << 20, {range.second});
    EXPECT_LT(high.size(), low.size()) << static_cast<int>(compression);
    EXPECT_TRUE(base::decompress(high, "out") == text) << static_cast<int>(compression);
  }
  EXPECT_NE(encoded(Compression::xz, 2, text, 1 << 20, {0, true}), encoded(Compression::xz, 2, text, 1 << 20, {0}));
}

TEST(Encoder, LzopTellsNoTime) {
  std::string text = long_text(1'000'000);
  std::string first = encoded(Compression::lzop, 1, text, 1 << 20);
  ::sleep(1);  // its header counts seconds
  EXPECT_TRUE(encoded(Compression::lzop, 1, text, 1 << 20) == first);
}

TEST(Encoder, SeveralLzopsAtOnceEndInAnyOrder) {
  ScratchTree scratch;
  std::string text = long_text(1'000'000);
  std::vector<base::Fd> files;
  std::vector<std::unique_ptr<Encoder>> encoders;
  for (const char *name : {"a", "b"}) {
    files.push_back(base::open_file(scratch.at(name), O_RDWR | O_CREAT, 0600));
    encoders.push_back(make_encoder({files.back().get(), Compression::lzop, name}, 1));
  }
  for (auto &encoder : encoders) encoder->write(text);
  for (auto &encoder : encoders) encoder->finish();
  EXPECT_TRUE(base::decompress(scratch.content("a"), "a") == text);
  EXPECT_TRUE(scratch.content("a") == scratch.content("b"));
}

TEST(Encoder, LzopThatDiesIsAnErrorOfItsOutput) {
  base::Fd full = base::open_file("/dev/full", O_WRONLY);
  std::string text = long_text(3'000'000);
  auto encode = [&](int fd) {
    std::unique_ptr<Encoder> encoder = make_encoder({fd, Compression::lzop, "a.tar.lzo"}, 1);
    encoder->write(text);
    encoder->finish();
  };
  EXPECT_EQ(test::thrown_by([&] { encode(full.get()); }), "cannot write 'a.tar.lzo': no space left on device");
  ScratchTree scratch;
  scratch.file("lzop", "#!/bin/sh\nexit 3\n");
  ::chmod(scratch.at("lzop").c_str(), 0755);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", scratch.at("").c_str(), 1);
  base::Fd file = base::open_file(scratch.at("out"), O_RDWR | O_CREAT, 0600);
  EXPECT_EQ(test::thrown_by([&] { encode(file.get()); }), "cannot compress 'a.tar.lzo': lzop ended with status 3");
  ::setenv("PATH", path.c_str(), 1);
}

TEST(Encoder, EveryCompressionIsWhatItsSuffixSays) {
  const std::vector<std::pair<Compression, std::string>> beginnings = {
      {Compression::bzip2, "BZh9"},
      {Compression::compress, "\x1f\x9d"},
      {Compression::lz4, "\x04\x22\x4d\x18"},
      {Compression::lzip, "LZIP\x01"},
      {Compression::lzma, std::string("\x5d\0\0", 3)},
  };
  for (const auto &[compression, beginning] : beginnings) {
    EXPECT_EQ(encoded(compression, 1, "text", 4).substr(0, beginning.size()), beginning);
  }
}

TEST(Encoder, FilterThatCannotWriteNamesTheOutput) {
  base::Fd full = base::open_file("/dev/full", O_WRONLY);
  std::string text = long_text(3'000'000);
  EXPECT_EQ(test::thrown_by([&] {
              std::unique_ptr<Encoder> encoder = make_encoder({full.get(), Compression::lz4, "a.tar.lz4"}, 1);
              encoder->write(text);
              encoder->finish();
            }),
            "cannot write 'a.tar.lz4': no space left on device");
}

TEST(Encoder, XzIsTheMultiThreadedFormEvenWithOneThread) {
  // that form alone writes the sizes into the block header: flags 0xc0 at its second byte, after 12 bytes of stream
  // header
  std::string bytes = encoded(Compression::xz, 1, "text", 4);
  ASSERT_GT(bytes.size(), 14U);
  EXPECT_EQ(static_cast<unsigned char>(bytes[13]) & 0xc0, 0xc0);
}

TEST(Encoder, GzipHeaderHasNeitherNameNorTime) {
  EXPECT_EQ(encoded(Compression::gzip, 1, "text", 4).substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10));
}

TEST(Encoder, GzipOfNothingAndOfWholePiecesIsWhole) {
  for (std::size_t size : {0U, 1U << 20, (2U << 20) + 1}) {
    std::string text = long_text(size);
    EXPECT_TRUE(base::decompress(encoded(Compression::gzip, 2, text, 1 << 16), "out") == text) << size;
  }
}

TEST(Encoder, ZstdFrameHasAChecksum) {
  EXPECT_EQ(static_cast<unsigned char>(encoded(Compression::zstd, 1, "text", 4)[4]) & 0x04, 0x04);
}

TEST(Encoder, InterruptedWriteAsksWhetherToStop) {
  ScratchTree scratch;
  base::Fd file = base::open_file(scratch.at("out"), O_RDWR | O_CREAT, 0600);
  std::unique_ptr<Encoder> encoder = make_encoder({file.get(), Compression::none, "out"}, 1, [] { return true; });
  EXPECT_EQ(test::thrown_by([&] { encoder->write("x"); }), "interrupted while the image was written");
}

TEST(ReadContent, FileThatEndsEarlyIsNamed) {
  ScratchTree scratch;
  scratch.file("f", "12345");
  base::Fd file = base::open_file(scratch.at("f"), O_RDONLY);
  TreeEntry entry;
  entry.path = "./etc/f";
  entry.size_bytes = 8;
  std::vector<char> buffer(4);
  std::string got;
  auto take = [&got](std::string_view bytes) { got += bytes; };
  EXPECT_EQ(test::thrown_by([&] { read_content(entry, file.get(), buffer, take); }),
            "cannot read '/etc/f' in the root: it ended 3 bytes early");
  EXPECT_EQ(got, "12345");
}

TEST(ReadContent, FailingReadIsNamed) {
  ScratchTree scratch;
  base::Fd directory = base::open_file(scratch.path(), O_RDONLY);
  TreeEntry entry;
  entry.path = "./etc/f";
  entry.size_bytes = 8;
  std::vector<char> buffer(4);
  EXPECT_EQ(test::thrown_by([&] { read_content(entry, directory.get(), buffer, [](std::string_view) {}); }),
            "cannot read '/etc/f' in the root: is a directory");
}

}  // namespace
}  // namespace debroot::pack
