#include "build/state_keeping.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <future>
#include <optional>
#include <span>
#include <string_view>

#include "base/digest.hpp"
#include "base/wire.hpp"
#include "customize/cleanup.hpp"
#include "pack/tar_header.hpp"
#include "pack/tar_stream.hpp"
#include "pack/walk.hpp"

namespace debroot::build {
namespace {

using base::HashKind;

Error damaged() { return {ErrorKind::trust, "it is damaged"}; }

/// Machine ids are drawn anew for every state that is used.
bool is_machine_id(std::string_view path) { return path.ends_with("/machine-id"); }

base::ContentIdentity identity_of(const pack::TreeEntry &entry) {
  return {entry.inode, entry.size_bytes, entry.file_seconds, entry.file_nanoseconds};
}

/// Passes a walk's entries on to a tar, but for what no image shows.
class StateSink : public pack::TreeSink {
 public:
  /// The tar goes to `fd`; -1: nowhere.
  StateSink(int fd, std::int64_t epoch, const base::KnownFiles &unpacked)
      : epoch_(epoch), unpacked_(unpacked), volatile_paths_(customize::volatile_files()) {
    if (fd < 0) return;
    const pack::ImageSink output{fd, Compression::none, "the base state", Format::tar};
    tar_.emplace(std::span(&output, 1), epoch, 1, std::function<bool()>());
    tar_->take_digest();
  }

  void add(const pack::TreeEntry &entry) override {
    note_time(entry);
    is_set_aside_ = entry.type == pack::EntryType::file && is_volatile_path(pack::shown(entry.path));
    package_file_.reset();
    if (!is_set_aside_) {
      if (entry.type == pack::EntryType::file) package_file_ = unpacked_.number_of(identity_of(entry));
      add_to_state(entry);
      return;
    }
    extras_.files.push_back({pack::shown(entry.path), {}, entry.file_seconds, entry.file_nanoseconds});
    pack::TreeEntry empty = entry;
    empty.size_bytes = 0;
    add_to_state(empty);
  }

  void add_content(std::string_view bytes) override {
    if (is_set_aside_) {
      extras_.files.back().content += bytes;
      return;
    }
    if (!package_file_) likeness_.update(bytes);
    if (tar_) tar_->add_content(bytes);
  }

  [[nodiscard]] bool wants_content() const noexcept override { return tar_ || !package_file_; }

  void finish() override {
    if (tar_) tar_->finish();
  }

  /// Once, when it is finished.
  [[nodiscard]] cache::StateParts parts() {
    cache::StateParts out;
    out.likeness = likeness_.finish();
    out.tar_bytes = tar_ ? tar_->tar_bytes() : tar_bytes_;
    if (tar_) out.tar_digest = tar_->tar_digest();
    return out;
  }
  [[nodiscard]] const StateExtras &extras() const noexcept { return extras_; }

 private:
  void add_to_state(const pack::TreeEntry &entry) {
    std::string header = pack::tar_header(entry, epoch_);
    likeness_.update(header);
    if (package_file_) likeness_.update(fmt::format("file {} of the packages", *package_file_));
    tar_bytes_ +=
        header.size() + (entry.size_bytes + pack::kTarBlockBytes - 1) / pack::kTarBlockBytes * pack::kTarBlockBytes;
    if (tar_) tar_->add(entry);
  }

  void note_time(const pack::TreeEntry &entry) {
    std::uint64_t number = count_++;
    if (entry.type == pack::EntryType::hard_link) return;
    bool is_exact = entry.file_seconds <= epoch_ && entry.file_nanoseconds == 0;
    if (!is_exact) extras_.times.push_back({number, entry.file_seconds, entry.file_nanoseconds});
  }

  [[nodiscard]] bool is_volatile_path(std::string_view path) const {
    return std::find(volatile_paths_.begin(), volatile_paths_.end(), path) != volatile_paths_.end();
  }

  std::optional<pack::TarStream> tar_;
  base::Hasher likeness_{HashKind::sha256};
  std::uint64_t tar_bytes_ = 0;
  std::int64_t epoch_;
  const base::KnownFiles &unpacked_;
  std::span<const std::string_view> volatile_paths_;
  StateExtras extras_;
  std::uint64_t count_ = 0;
  bool is_set_aside_ = false;
  std::optional<std::uint64_t> package_file_;  ///< number of the one that the entry still is
};

/// The whole of a file that nobody changes.
class Mapping {
 public:
  Mapping(int fd, std::size_t size) : size_(size) {
    bytes_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes_ == MAP_FAILED) throw base::os_error(ErrorKind::output, errno, "it cannot be read");
  }
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;
  ~Mapping() { ::munmap(bytes_, size_); }

  [[nodiscard]] std::string_view view() const noexcept { return {static_cast<const char *>(bytes_), size_}; }

 private:
  void *bytes_;
  std::size_t size_;
};

/// As systemd writes it: 128 random bits and a line end.
std::string draw_machine_id() {
  std::array<unsigned char, 16> bits{};
  if (::getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size())) {
    throw base::os_error(ErrorKind::output, errno, "cannot draw a machine id");
  }
  std::string out;
  for (unsigned char byte : bits) out += fmt::format("{:02x}", byte);
  return out + "\n";
}

void restore_files(const base::RootDirectory &root, const std::vector<VolatileFile> &files) {
  std::string machine_id;
  for (const VolatileFile &file : files) {
    bool is_drawn = is_machine_id(file.path) && !file.content.empty();
    if (is_drawn && machine_id.empty()) machine_id = draw_machine_id();
    base::Fd fd = root.open_file(file.path, O_WRONLY | O_TRUNC);
    base::write_all(fd.get(), is_drawn ? machine_id : file.content, file.path);
    timespec time{file.seconds, static_cast<long>(file.nanoseconds)};
    timespec times[2] = {time, time};
    if (::futimens(fd.get(), times) != 0) {
      throw base::os_error(ErrorKind::output, errno, fmt::format("cannot restore '{}'", file.path));
    }
  }
}

}  // namespace

cache::StateParts observe_state(const base::RootDirectory &root, std::int64_t epoch, const base::KnownFiles &unpacked,
                                int fd) {
  StateSink sink(fd, epoch, unpacked);
  pack::PackOptions options;
  options.epoch_seconds = epoch;
  options.with_devices = false;
  pack::TreeSink *sinks[] = {&sink};
  static_cast<void>(pack::walk_tree(root, sinks, options));
  sink.finish();
  std::string extras = base::to_wire(sink.extras());
  if (fd >= 0) base::write_all(fd, extras, "the base state");
  cache::StateParts parts = sink.parts();
  parts.extras_digest = base::hash_of(HashKind::sha256, extras);
  parts.extras_bytes = extras.size();
  return parts;
}

pack::PackCount restore_state(const base::RootDirectory &root, int fd, const cache::StateParts &parts,
                              unsigned threads) {
  struct stat info {};
  std::uint64_t size = parts.tar_bytes + parts.extras_bytes;
  if (::fstat(fd, &info) != 0 || static_cast<std::uint64_t>(info.st_size) != size || size == 0) throw damaged();
  Mapping mapping(fd, size);
  std::string_view tar = mapping.view().substr(0, parts.tar_bytes);
  std::string_view extras_bytes = mapping.view().substr(parts.tar_bytes);
  if (base::hash_of(HashKind::sha256, extras_bytes) != parts.extras_digest) throw damaged();
  auto extras = base::from_wire<StateExtras>(extras_bytes);
  // what is made of a damaged tar meanwhile stays below the root, which is then emptied
  auto digest = std::async(std::launch::async, [tar] { return base::hash_of(HashKind::sha256, tar); });
  pack::PackCount count;
  try {
    count = pack::restore_tree(tar, root, {threads, extras.times});
  } catch (const Error &) {
    if (digest.get() != parts.tar_digest) throw damaged();
    throw;
  }
  if (digest.get() != parts.tar_digest) throw damaged();
  restore_files(root, extras.files);
  return count;
}

}  // namespace debroot::build
