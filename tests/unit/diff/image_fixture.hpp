/// What the tests of diff/ share: tars made member by member, and a scratch directory.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace debroot::diff {

/// A directory that goes with the object.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "debroot-diff-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string at(const std::string &name) const { return path_ + "/" + name; }
  void file(const std::string &name, std::string_view content) const {
    std::ofstream(at(name), std::ios::binary) << content;
  }
  void set_time(const std::string &name, std::int64_t seconds, long nanoseconds = 0) const {
    timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ::utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

 private:
  std::string path_;
};

/// What tests say of a member; the rest keeps these defaults.
struct Settings {
  mode_t mode = 0644;
  int uid = 0;
  int gid = 0;
  std::int64_t mtime = 1'600'000'000;
  long nanoseconds = 0;
  std::vector<std::pair<std::string, std::string>> attributes = {};
  std::string acl = {};
};

/// Writes tars as another tool would, through libarchive.
class TarMaker {
 public:
  enum class Filter { none, gzip, bzip2, xz, lzma, zstd };

  explicit TarMaker(Filter filter = Filter::none) : writer_(archive_write_new()), bytes_(4 << 20, '\0') {
    archive_write_set_format_pax_restricted(writer_);
    switch (filter) {
      case Filter::none:
        break;
      case Filter::gzip:
        archive_write_add_filter_gzip(writer_);
        break;
      case Filter::bzip2:
        archive_write_add_filter_bzip2(writer_);
        break;
      case Filter::xz:
        archive_write_add_filter_xz(writer_);
        break;
      case Filter::lzma:
        archive_write_add_filter_lzma(writer_);
        break;
      case Filter::zstd:
        archive_write_add_filter_zstd(writer_);
        break;
    }
    EXPECT_EQ(archive_write_set_format_option(writer_, "pax", "xattrheader", "SCHILY"), ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(writer_, 1);
    archive_write_open_memory(writer_, bytes_.data(), bytes_.size(), &size_);
  }
  TarMaker(const TarMaker &) = delete;
  TarMaker &operator=(const TarMaker &) = delete;
  ~TarMaker() { archive_write_free(writer_); }

  TarMaker &file(const std::string &path, std::string_view content, const Settings &settings = {}) {
    return add(path, AE_IFREG, settings, content, [](archive_entry *) {});
  }
  TarMaker &directory(const std::string &path, const Settings &settings = {.mode = 0755}) {
    return add(path, AE_IFDIR, settings, {}, [](archive_entry *) {});
  }
  TarMaker &link(const std::string &path, const std::string &target, const Settings &settings = {.mode = 0777}) {
    return add(path, AE_IFLNK, settings, {}, [&](archive_entry *e) { archive_entry_copy_symlink(e, target.c_str()); });
  }
  TarMaker &hard_link(const std::string &path, const std::string &target, const Settings &settings = {}) {
    return add(path, AE_IFREG, settings, {}, [&](archive_entry *e) { archive_entry_copy_hardlink(e, target.c_str()); });
  }
  TarMaker &device(const std::string &path, int major, int minor, const Settings &settings = {}) {
    return add(path, AE_IFCHR, settings, {}, [&](archive_entry *e) {
      archive_entry_set_rdevmajor(e, static_cast<dev_t>(major));
      archive_entry_set_rdevminor(e, static_cast<dev_t>(minor));
    });
  }

  [[nodiscard]] std::string bytes() {
    EXPECT_EQ(archive_write_close(writer_), ARCHIVE_OK);
    return bytes_.substr(0, size_);
  }

 private:
  template <class Rest>
  TarMaker &add(const std::string &path, unsigned type, const Settings &settings, std::string_view content, Rest rest) {
    archive_entry *entry = archive_entry_new();
    archive_entry_copy_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, settings.mode);
    archive_entry_set_uid(entry, settings.uid);
    archive_entry_set_gid(entry, settings.gid);
    archive_entry_set_mtime(entry, settings.mtime, settings.nanoseconds);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    for (const auto &[name, value] : settings.attributes) {
      archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    }
    if (!settings.acl.empty()) {
      EXPECT_EQ(archive_entry_acl_from_text(entry, settings.acl.c_str(), ARCHIVE_ENTRY_ACL_TYPE_ACCESS), ARCHIVE_OK);
    }
    rest(entry);
    EXPECT_EQ(archive_write_header(writer_, entry), ARCHIVE_OK) << archive_error_string(writer_);
    archive_write_data(writer_, content.data(), content.size());
    archive_entry_free(entry);
    return *this;
  }

  archive *writer_;
  std::string bytes_;
  std::size_t size_ = 0;
};

}  // namespace debroot::diff
