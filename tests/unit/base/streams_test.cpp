#include <fcntl.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/compression.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/worker_pool.hpp"
#include "support/deb_builder.hpp"
#include "support/thrown_error.hpp"

namespace debroot::base {
namespace {

using test::Packing;
using test::thrown_by;

constexpr std::array kPackings = {Packing::none, Packing::gzip,  Packing::xz,
                                  Packing::zstd, Packing::bzip2, Packing::lzma};

TEST(Decompress, EveryCompressionIsToldFromItsBytes) {
  std::string text(3'000'000, 'x');
  for (Packing packing : kPackings) {
    EXPECT_TRUE(decompress(test::pack_bytes(text, packing), "Packages") == text) << test::packing_suffix(packing);
    EXPECT_EQ(decompress(test::pack_bytes("Package: a\n", packing), "Packages"), "Package: a\n");
  }
  EXPECT_EQ(decompress("", "Packages"), "");
}

/// An xz file of many blocks, as archives have them.
std::string in_blocks(const std::string &text, std::uint64_t block_bytes) {
  lzma_mt options{};
  options.threads = 2;
  options.block_size = block_bytes;
  options.preset = 0;
  options.check = LZMA_CHECK_CRC64;
  lzma_stream stream = LZMA_STREAM_INIT;
  EXPECT_EQ(lzma_stream_encoder_mt(&stream, &options), LZMA_OK);
  std::string out(text.size() * 2 + 65536, '\0');
  stream.next_in = reinterpret_cast<const std::uint8_t *>(text.data());
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<std::uint8_t *>(out.data());
  stream.avail_out = out.size();
  EXPECT_EQ(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  lzma_end(&stream);
  return out;
}

TEST(Decompress, BlocksAndStreamsOfXzComeInTheirOrder) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919) + "\n";
  std::string packed = in_blocks(text, 100'000);
  EXPECT_TRUE(decompress(packed, "Packages") == text);
  EXPECT_TRUE(decompress(packed + in_blocks("the second", 100), "Packages") == text + "the second");
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 1);
  EXPECT_EQ(thrown_by([&] { return decompress(packed, "Packages"); }), "cannot decompress 'Packages': damaged");
  EXPECT_EQ(thrown_by([&] { return decompress(packed.substr(0, 1000), "Packages"); }),
            "cannot decompress 'Packages': it ends early");
}

TEST(Decompress, NothingInAnyCompressionIsNothing) {
  for (Packing packing : kPackings) {
    EXPECT_EQ(decompress(test::pack_bytes("", packing), "x"), "") << test::packing_suffix(packing);
  }
}

TEST(Decompress, StopsAtTheLimit) {
  std::string packed = test::pack_bytes(std::string(100'000, 'x'), Packing::xz);
  EXPECT_EQ(decompress(packed, "x", 100'000).size(), 100'000U);
  ErrorKind kind = ErrorKind::usage;
  EXPECT_EQ(thrown_by([&] { return decompress(packed, "x", 99'999); }, &kind),
            "cannot decompress 'x': more than 99999 bytes");
  EXPECT_EQ(kind, ErrorKind::index);
}

TEST(Decompress, CutAndDamagedStreamsAreErrors) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919);
  for (Packing packing : {Packing::gzip, Packing::xz, Packing::zstd, Packing::bzip2}) {
    std::string packed = test::pack_bytes(text, packing);
    std::string message = thrown_by([&] { return decompress(packed.substr(0, packed.size() / 2), "Packages"); });
    EXPECT_EQ(message.substr(0, 29), "cannot decompress 'Packages':") << test::packing_suffix(packing) << message;
  }
}

TEST(Digest, KnownValues) {
  EXPECT_EQ(hash_of(HashKind::sha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of(HashKind::md5, ""), "d41d8cd98f00b204e9800998ecf8427e");
  Hasher hasher(HashKind::sha256);
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), hash_of(HashKind::sha256, "abc"));
}

TEST(Digest, OfAFileLeavesItsOffset) {
  Fd file(::memfd_create("x", MFD_CLOEXEC));
  std::string content(700'000, 'z');
  write_all(file.get(), content);
  ::lseek(file.get(), 5, SEEK_SET);
  std::uint64_t size = 0;
  EXPECT_EQ(hash_of_file(HashKind::md5, file.get(), &size), hash_of(HashKind::md5, content));
  EXPECT_EQ(size, 700'000U);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 5);
  EXPECT_EQ(thrown_by([] { return hash_of_file(HashKind::md5, -1); }), "cannot read a file: bad file descriptor");
}

TEST(Fd, OwnsMovesAndDuplicates) {
  auto [reader, writer] = make_pipe();
  int number = writer.get();
  Fd moved = std::move(writer);
  EXPECT_EQ(moved.get(), number);
  Fd copy = moved.duplicate();
  moved.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  write_all(copy.get(), "x");
  copy.reset();
  EXPECT_EQ(read_all(reader.get()), "x");
}

TEST(Fd, ErrorsNameWhatAndWhy) {
  EXPECT_EQ(thrown_by([] { return open_file("/no/such", O_RDONLY); }),
            "cannot open '/no/such': no such file or directory");
  EXPECT_EQ(thrown_by([] { return read_file("/", 10); }), "cannot read a file: is a directory\n  while: reading '/'");
  EXPECT_EQ(thrown_by([] { return read_file("/proc/self/status", 3); }),
            "file larger than 3 bytes\n  while: reading '/proc/self/status'");
  EXPECT_EQ(thrown_by([] {
              write_all(open_file("/dev/full", O_WRONLY).get(), "x", "/dev/full");
              return 0;
            }),
            "cannot write '/dev/full': no space left on device");
  EXPECT_EQ(os_error(ErrorKind::output, EIO, "x").message(), "x: input/output error");
}

TEST(WorkerPool, GivesResultsAndErrorsInTheCallersOrder) {
  for (unsigned jobs : {1U, 4U}) {
    WorkerPool pool(jobs);
    std::vector<std::future<int>> results;
    for (int i = 0; i < 50; ++i) {
      results.push_back(pool.submit([i] {
        if (i == 7) throw Error(ErrorKind::package, "seven");
        return i * i;
      }));
    }
    for (int i = 0; i < 50; ++i) {
      if (i == 7) {
        EXPECT_EQ(thrown_by([&] { return results[7].get(); }), "seven");
      } else {
        EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i * i);
      }
    }
  }
}

TEST(WorkerPool, OneJobRunsOnTheCallersThread) {
  WorkerPool pool(1);
  EXPECT_EQ(pool.submit([] { return std::this_thread::get_id(); }).get(), std::this_thread::get_id());
}

TEST(WorkerPool, ThoseInTheBackgroundGiveWay) {
  auto nice_value = [] { return ::getpriority(PRIO_PROCESS, 0); };
  int own = nice_value();
  EXPECT_EQ(WorkerPool(2).submit(nice_value).get(), own);
  EXPECT_GT(WorkerPool(2, WorkerPriority::background).submit(nice_value).get(), own);
  EXPECT_EQ(nice_value(), own);
}

TEST(WorkerPool, BeginsWithTheLowestRankOfWhatWaits) {
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future().share();
  std::atomic<int> begun = 0;
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::future<void>> done;
  WorkerPool pool(2);
  std::future<void> other = pool.submit([&begun, gate] {
    ++begun;
    gate.wait();
  });
  std::promise<void> end;
  done.push_back(pool.submit([&begun, stop = end.get_future().share()] {
    ++begun;
    stop.wait();
  }));
  while (begun < 2) std::this_thread::yield();
  for (auto [name, rank] : {std::pair{1, 7U}, {2, 3U}, {3, 7U}, {4, 0U}}) {
    done.push_back(pool.submit(
        [&, number = name] {
          std::lock_guard lock(mutex);
          order.push_back(number);
          if (order.size() == 4) end.set_value();
        },
        rank));
  }
  go.set_value();
  for (std::future<void> &each : done) each.get();
  EXPECT_EQ(order, (std::vector{4, 2, 1, 3}));
}

TEST(WorkerPool, DropsWhatHasNotBegun) {
  std::atomic<int> begun = 0;
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future().share();
  std::future<void> dropped;
  std::jthread opener;
  {
    WorkerPool pool(2);
    for (int i = 0; i < 2; ++i) {
      static_cast<void>(pool.submit([&begun, gate] {
        ++begun;
        gate.wait();
      }));
    }
    while (begun < 2) std::this_thread::yield();
    dropped = pool.submit([&begun] { begun = 100; });
    opener = std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      go.set_value();
    });
  }
  EXPECT_EQ(begun, 2);
  EXPECT_THROW(dropped.get(), std::future_error);
}

}  // namespace
}  // namespace debroot::base
