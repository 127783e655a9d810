#include "e2e/image.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::e2e {
namespace {

namespace fs = std::filesystem;

using Reader = std::unique_ptr<archive, int (*)(archive *)>;

void check(archive *reader, int status) {
  if (status < ARCHIVE_WARN)
    throw std::runtime_error(std::string("cannot read the tar: ") + archive_error_string(reader));
}

Reader open_bytes(const std::string &bytes, bool is_raw) {
  Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_all(reader.get());
  if (is_raw) {
    archive_read_support_format_raw(reader.get());
  } else {
    archive_read_support_format_tar(reader.get());
  }
  check(reader.get(), archive_read_open_memory(reader.get(), bytes.data(), bytes.size()));
  return reader;
}

std::string read_content(archive *reader) {
  std::string content;
  char chunk[65536];
  for (la_ssize_t got = archive_read_data(reader, chunk, sizeof(chunk)); got != 0;
       got = archive_read_data(reader, chunk, sizeof(chunk))) {
    if (got < 0) check(reader, ARCHIVE_FATAL);
    content.append(chunk, static_cast<std::size_t>(got));
  }
  return content;
}

char type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return '-';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    default:
      return '?';
  }
}

/// "./usr/bin/" as "/usr/bin", "./" as "/".
std::string image_path(std::string path) {
  if (path.starts_with("./")) path.erase(0, 1);
  if (!path.starts_with('/')) path.insert(0, "/");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string device_text(dev_t device) { return std::to_string(major(device)) + ":" + std::to_string(minor(device)); }

ImageEntry entry_of(archive *reader, archive_entry *item) {
  ImageEntry entry;
  entry.type = type_of(archive_entry_filetype(item));
  entry.mode = archive_entry_perm(item);
  entry.uid = static_cast<std::uint64_t>(archive_entry_uid(item));
  entry.gid = static_cast<std::uint64_t>(archive_entry_gid(item));
  entry.mtime = archive_entry_mtime(item);
  if (const char *link = archive_entry_hardlink(item)) {
    entry.type = 'h';
    entry.target = image_path(link);
  } else if (const char *target = archive_entry_symlink(item)) {
    entry.target = target;
  } else if (entry.type == 'c' || entry.type == 'b') {
    entry.target = device_text(archive_entry_rdev(item));
  }
  archive_entry_xattr_reset(item);
  const char *name = nullptr;
  const void *value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(item, &name, &value, &size) == ARCHIVE_OK) {
    entry.xattrs[name] = std::string(static_cast<const char *>(value), size);
  }
  if (entry.type == '-') entry.content = read_content(reader);
  return entry;
}

std::map<std::string, std::string> xattrs_of(const std::string &path) {
  std::map<std::string, std::string> out;
  char names[4096];
  ssize_t length = ::llistxattr(path.c_str(), names, sizeof(names));
  for (const char *name = names; length > 0 && name < names + length; name += std::string_view(name).size() + 1) {
    char value[4096];
    ssize_t size = ::lgetxattr(path.c_str(), name, value, sizeof(value));
    if (size >= 0) out[name] = std::string(value, static_cast<std::size_t>(size));
  }
  return out;
}

ImageEntry entry_at(const std::string &path, const struct stat &info) {
  ImageEntry entry;
  entry.type = type_of(info.st_mode);
  entry.mode = info.st_mode & 07777;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime = info.st_mtime;
  entry.xattrs = xattrs_of(path);
  if (entry.type == '-') entry.content = base::read_file(path);
  if (entry.type == 'l') entry.target = fs::read_symlink(path).string();
  if (entry.type == 'c' || entry.type == 'b') entry.target = device_text(info.st_rdev);
  return entry;
}

void walk(const std::string &base, const std::string &below, std::map<std::pair<dev_t, ino_t>, std::string> &links,
          Image &image) {
  std::string path = base + below;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) throw std::runtime_error("cannot stat " + path);
  std::string shown = below.empty() ? "/" : below;
  auto [first, is_new] = links.try_emplace({info.st_dev, info.st_ino}, shown);
  ImageEntry entry = entry_at(path, info);
  if (!is_new) {
    entry.type = 'h';
    entry.target = first->second;
    entry.content.clear();
  }
  image[shown] = std::move(entry);
  if (!S_ISDIR(info.st_mode)) return;
  std::set<std::string> names;
  for (const auto &child : fs::directory_iterator(path)) names.insert(child.path().filename().string());
  for (const std::string &name : names) walk(base, below + "/" + name, links, image);
}

}  // namespace

Image read_tar(const std::string &bytes) {
  Image image;
  Reader reader = open_bytes(bytes, false);
  archive_entry *item = nullptr;
  int status = archive_read_next_header(reader.get(), &item);
  for (; status != ARCHIVE_EOF; status = archive_read_next_header(reader.get(), &item)) {
    check(reader.get(), status);
    std::string path = image_path(archive_entry_pathname(item));
    if (image.contains(path)) throw std::runtime_error("the tar has two entries of " + path);
    image[path] = entry_of(reader.get(), item);
  }
  return image;
}

Image read_directory(const std::string &path) {
  Image image;
  std::map<std::pair<dev_t, ino_t>, std::string> links;
  walk(path, "", links, image);
  return image;
}

std::string listing(const Image &image) {
  std::string out;
  for (const auto &[path, entry] : image) {
    char head[64];
    std::snprintf(head, sizeof(head), "%c%04o %llu:%llu @%lld ", entry.type, entry.mode,
                  static_cast<unsigned long long>(entry.uid), static_cast<unsigned long long>(entry.gid),
                  static_cast<long long>(entry.mtime));
    out += head + path;
    if (!entry.target.empty()) out += " -> " + entry.target;
    if (entry.type == '-') {
      std::string digest = base::hash_of(base::HashKind::sha256, entry.content);
      out += " " + std::to_string(entry.content.size()) + " " + digest.substr(0, 16);
    }
    for (const auto &[name, value] : entry.xattrs) out += " " + name + "=" + std::to_string(value.size());
    out += "\n";
  }
  return out;
}

std::string difference(const std::string &left, const std::string &right) {
  std::string out;
  auto lines_of = [](const std::string &text) {
    std::set<std::string> lines;
    for (std::string_view line : base::split(text, '\n')) lines.emplace(line);
    return lines;
  };
  std::set<std::string> a = lines_of(left);
  std::set<std::string> b = lines_of(right);
  for (const std::string &line : a) {
    if (!b.contains(line)) out += "- " + line + "\n";
  }
  for (const std::string &line : b) {
    if (!a.contains(line)) out += "+ " + line + "\n";
  }
  return out;
}

std::string decompressed(const std::string &bytes) {
  Reader reader = open_bytes(bytes, true);
  archive_entry *item = nullptr;
  check(reader.get(), archive_read_next_header(reader.get(), &item));
  return read_content(reader.get());
}

void unpack_tar(const std::string &bytes, const std::string &directory) {
  for (const auto &[path, entry] : read_tar(bytes)) {
    std::string at = directory + path;
    if (entry.type == 'd') fs::create_directories(at);
    if (entry.type == '-') {
      base::Fd file(::open(at.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
      if (!file) throw std::runtime_error("cannot write " + at);
      base::write_all(file.get(), entry.content);
    }
    if (entry.type == 'l') fs::create_symlink(entry.target, at);
    if (entry.type == 'h') fs::create_hard_link(directory + entry.target, at);
    if (entry.type == '-' || entry.type == 'd') ::chmod(at.c_str(), entry.mode);
  }
}

}  // namespace debroot::e2e
