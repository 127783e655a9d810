#include "support/deb_builder.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/digest.hpp"
#include "debian/version.hpp"

namespace debroot::test {
namespace {

struct WriterDeleter {
  void operator()(archive *writer) const noexcept { archive_write_free(writer); }
};
using Writer = std::unique_ptr<archive, WriterDeleter>;

struct EntryDeleter {
  void operator()(archive_entry *entry) const noexcept { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, EntryDeleter>;

void demand(archive *writer, int status) {
  if (status < ARCHIVE_WARN) throw std::runtime_error(fmt::format("libarchive: {}", archive_error_string(writer)));
}

la_ssize_t append_bytes(archive *, void *out, const void *bytes, size_t size) {
  static_cast<std::string *>(out)->append(static_cast<const char *>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

void open_into(archive *writer, std::string &out) {
  archive_write_set_bytes_per_block(writer, 0);
  archive_write_set_bytes_in_last_block(writer, 1);
  demand(writer, archive_write_open(writer, &out, nullptr, append_bytes, nullptr));
}

void add_filter(archive *writer, Packing packing) {
  switch (packing) {
    case Packing::none:
      return;
    case Packing::gzip:
      demand(writer, archive_write_add_filter_gzip(writer));
      demand(writer, archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr));
      return;
    case Packing::xz:
      demand(writer, archive_write_add_filter_xz(writer));
      demand(writer, archive_write_set_filter_option(writer, "xz", "compression-level", "0"));
      return;
    case Packing::zstd:
      demand(writer, archive_write_add_filter_zstd(writer));
      return;
    case Packing::bzip2:
      demand(writer, archive_write_add_filter_bzip2(writer));
      return;
    case Packing::lzma:
      demand(writer, archive_write_add_filter_lzma(writer));
      return;
  }
}

mode_t file_type(DebEntry::Type type) {
  switch (type) {
    case DebEntry::Type::directory:
      return AE_IFDIR;
    case DebEntry::Type::symlink:
      return AE_IFLNK;
    case DebEntry::Type::fifo:
      return AE_IFIFO;
    case DebEntry::Type::character_device:
      return AE_IFCHR;
    case DebEntry::Type::block_device:
      return AE_IFBLK;
    case DebEntry::Type::file:
    case DebEntry::Type::hard_link:
      break;
  }
  return AE_IFREG;
}

unsigned default_mode(DebEntry::Type type) {
  if (type == DebEntry::Type::directory) return 0755;
  return type == DebEntry::Type::symlink ? 0777 : 0644;
}

void write_entry(archive *writer, const DebEntry &from) {
  Entry entry(archive_entry_new());
  const EntryAttributes &attributes = from.attributes;
  archive_entry_set_pathname(entry.get(), from.path.c_str());
  archive_entry_set_filetype(entry.get(), file_type(from.type));
  archive_entry_set_perm(entry.get(), attributes.mode.value_or(default_mode(from.type)));
  archive_entry_set_uid(entry.get(), attributes.uid);
  archive_entry_set_gid(entry.get(), attributes.gid);
  archive_entry_set_uname(entry.get(), attributes.user.c_str());
  archive_entry_set_gname(entry.get(), attributes.group.c_str());
  archive_entry_set_mtime(entry.get(), attributes.mtime, 0);
  archive_entry_set_size(entry.get(),
                         from.type == DebEntry::Type::file ? static_cast<la_int64_t>(from.content.size()) : 0);
  if (from.type == DebEntry::Type::symlink) archive_entry_set_symlink(entry.get(), from.target.c_str());
  if (from.type == DebEntry::Type::hard_link) archive_entry_set_hardlink(entry.get(), from.target.c_str());
  archive_entry_set_rdevmajor(entry.get(), from.major);
  archive_entry_set_rdevminor(entry.get(), from.minor);
  for (const auto &[name, value] : attributes.xattrs) {
    archive_entry_xattr_add_entry(entry.get(), name.c_str(), value.data(), value.size());
  }
  demand(writer, archive_write_header(writer, entry.get()));
  if (from.type == DebEntry::Type::file && !from.content.empty() &&
      archive_write_data(writer, from.content.data(), from.content.size()) < 0) {
    throw std::runtime_error(fmt::format("libarchive: {}", archive_error_string(writer)));
  }
}

/// "./usr/bin/x" for any spelling of the path; "./" for the root.
std::string stored_path(std::string_view path) {
  if (path.starts_with("./")) path.remove_prefix(2);
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return fmt::format("./{}", path == "." ? std::string_view() : path);
}

}  // namespace

std::string packing_suffix(Packing packing) {
  switch (packing) {
    case Packing::none:
      return "";
    case Packing::gzip:
      return ".gz";
    case Packing::xz:
      return ".xz";
    case Packing::zstd:
      return ".zst";
    case Packing::bzip2:
      return ".bz2";
    case Packing::lzma:
      return ".lzma";
  }
  return "";
}

std::string pack_bytes(std::string_view bytes, Packing packing) {
  if (packing == Packing::none) return std::string(bytes);
  std::string out;
  Writer writer(archive_write_new());
  demand(writer.get(), archive_write_set_format_raw(writer.get()));
  add_filter(writer.get(), packing);
  open_into(writer.get(), out);
  Entry entry(archive_entry_new());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  demand(writer.get(), archive_write_header(writer.get(), entry.get()));
  if (!bytes.empty() && archive_write_data(writer.get(), bytes.data(), bytes.size()) < 0) {
    throw std::runtime_error(fmt::format("libarchive: {}", archive_error_string(writer.get())));
  }
  demand(writer.get(), archive_write_close(writer.get()));
  return out;
}

std::string make_tar(const std::vector<DebEntry> &entries) {
  std::string out;
  Writer writer(archive_write_new());
  bool has_xattrs = std::any_of(entries.begin(), entries.end(),
                                [](const DebEntry &entry) { return !entry.attributes.xattrs.empty(); });
  demand(writer.get(), has_xattrs ? archive_write_set_format_pax_restricted(writer.get())
                                  : archive_write_set_format_gnutar(writer.get()));
  if (has_xattrs) demand(writer.get(), archive_write_set_format_option(writer.get(), "pax", "xattrheader", "SCHILY"));
  open_into(writer.get(), out);
  for (const DebEntry &entry : entries) write_entry(writer.get(), entry);
  demand(writer.get(), archive_write_close(writer.get()));
  return out;
}

std::string make_ar_member(std::string_view name, std::string_view bytes) {
  std::string out =
      fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, kBuilderTime, 0, 0, "100644", bytes.size());
  out += bytes;
  if (bytes.size() % 2 != 0) out += '\n';
  return out;
}

DebBuilder::DebBuilder(std::string name, std::string version, std::string architecture)
    : name_(std::move(name)), version_(std::move(version)), architecture_(std::move(architecture)) {
  fields_ = {{"Package", name_},
             {"Version", version_},
             {"Architecture", architecture_},
             {"Maintainer", "Test Maintainer <test@example.org>"},
             {"Section", "misc"},
             {"Priority", "optional"},
             {"Description", "package made by a test"}};
}

DebBuilder &DebBuilder::field(std::string_view name, std::string_view value) {
  auto found = std::find_if(fields_.begin(), fields_.end(), [&](const auto &field) { return field.first == name; });
  if (value.empty()) {
    if (found != fields_.end()) fields_.erase(found);
  } else if (found != fields_.end()) {
    found->second = value;
  } else {
    fields_.insert(fields_.end() - 1, {std::string(name), std::string(value)});  // Description stays last
  }
  return *this;
}

DebBuilder &DebBuilder::control_file(std::string_view name, std::string_view content, unsigned mode) {
  DebEntry entry;
  entry.path = stored_path(name);
  entry.content = content;
  entry.attributes.mode = mode;
  control_files_.push_back(std::move(entry));
  return *this;
}

DebBuilder &DebBuilder::without_md5sums() {
  has_md5sums_ = false;
  return *this;
}

bool DebBuilder::has(const std::string &path) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const DebEntry &entry) {
    return entry.path == path || (entry.type == DebEntry::Type::directory && entry.path == path + "/");
  });
}

void DebBuilder::add_parents(const std::string &path) {
  if (!has("./")) entries_.insert(entries_.begin(), DebEntry{DebEntry::Type::directory, "./", {}, {}, 0, 0, {}});
  for (std::size_t at = path.find('/', 2); at != std::string::npos && at + 1 < path.size();
       at = path.find('/', at + 1)) {
    std::string parent = path.substr(0, at);
    if (!has(parent)) entries_.push_back({DebEntry::Type::directory, parent + "/", {}, {}, 0, 0, {}});
  }
}

void DebBuilder::add(DebEntry entry) {
  entry.path = stored_path(entry.path);
  if (has_implied_directories_) add_parents(entry.path);
  if (entry.type == DebEntry::Type::directory && !entry.path.ends_with('/')) entry.path += '/';
  if (entry.path == "./" && has("./")) {
    entries_.front() = std::move(entry);
    return;
  }
  entries_.push_back(std::move(entry));
}

DebBuilder &DebBuilder::directory(std::string_view path, EntryAttributes attributes) {
  add({DebEntry::Type::directory, std::string(path), {}, {}, 0, 0, std::move(attributes)});
  return *this;
}

DebBuilder &DebBuilder::file(std::string_view path, std::string_view content, EntryAttributes attributes) {
  add({DebEntry::Type::file, std::string(path), std::string(content), {}, 0, 0, std::move(attributes)});
  return *this;
}

DebBuilder &DebBuilder::conffile(std::string_view path, std::string_view content, EntryAttributes attributes) {
  conffiles_ += stored_path(path).substr(1) + "\n";
  return file(path, content, std::move(attributes));
}

DebBuilder &DebBuilder::symlink(std::string_view path, std::string_view target, EntryAttributes attributes) {
  add({DebEntry::Type::symlink, std::string(path), {}, std::string(target), 0, 0, std::move(attributes)});
  return *this;
}

DebBuilder &DebBuilder::hard_link(std::string_view path, std::string_view existing, EntryAttributes attributes) {
  add({DebEntry::Type::hard_link, std::string(path), {}, stored_path(existing), 0, 0, std::move(attributes)});
  return *this;
}

DebBuilder &DebBuilder::fifo(std::string_view path, EntryAttributes attributes) {
  add({DebEntry::Type::fifo, std::string(path), {}, {}, 0, 0, std::move(attributes)});
  return *this;
}

DebBuilder &DebBuilder::device(std::string_view path, DebEntry::Type type, unsigned major, unsigned minor,
                               EntryAttributes attributes) {
  add({type, std::string(path), {}, {}, major, minor, std::move(attributes)});
  return *this;
}

DebBuilder &DebBuilder::raw_entry(DebEntry entry) {
  entries_.push_back(std::move(entry));
  return *this;
}

DebBuilder &DebBuilder::without_implied_directories() {
  has_implied_directories_ = false;
  return *this;
}

DebBuilder &DebBuilder::control_packing(Packing packing) {
  control_packing_ = packing;
  return *this;
}

DebBuilder &DebBuilder::data_packing(Packing packing) {
  data_packing_ = packing;
  return *this;
}

DebBuilder &DebBuilder::format_version(std::string_view text) {
  format_version_ = text;
  return *this;
}

DebBuilder &DebBuilder::extra_member(std::string_view name, std::string_view bytes) {
  extra_members_.emplace_back(name, bytes);
  return *this;
}

DebBuilder &DebBuilder::replace_member(std::string_view name, std::optional<std::string> bytes) {
  replaced_members_[std::string(name)] = std::move(bytes);
  return *this;
}

DebBuilder &DebBuilder::truncate(std::size_t size) {
  size_limit_ = size;
  return *this;
}

std::string DebBuilder::file_name() const {
  return fmt::format("{}_{}_{}.deb", name_, debian::without_epoch(version_), architecture_);
}

std::string DebBuilder::control() const {
  std::size_t installed_bytes = 0;
  for (const DebEntry &entry : entries_) installed_bytes += entry.content.size();
  bool has_size =
      std::any_of(fields_.begin(), fields_.end(), [](const auto &field) { return field.first == "Installed-Size"; });
  std::string out;
  for (const auto &[name, value] : fields_) {
    if (name == "Description" && !has_size) out += fmt::format("Installed-Size: {}\n", installed_bytes / 1024 + 1);
    out += fmt::format("{}:{}{}\n", name, value.starts_with('\n') ? "" : " ", value);
  }
  return out;
}

std::string DebBuilder::control_tar() const {
  std::vector<DebEntry> files = {{DebEntry::Type::directory, "./", {}, {}, 0, 0, {}}};
  auto put = [&](std::string path, std::string content) {
    files.push_back({DebEntry::Type::file, std::move(path), std::move(content), {}, 0, 0, {}});
  };
  if (!conffiles_.empty()) put("./conffiles", conffiles_);
  put("./control", control());
  if (has_md5sums_) {
    std::string sums;
    for (const DebEntry &entry : entries_) {
      if (entry.type != DebEntry::Type::file || !entry.path.starts_with("./")) continue;
      sums += fmt::format("{}  {}\n", base::hash_of(base::HashKind::md5, entry.content), entry.path.substr(2));
    }
    if (!sums.empty()) put("./md5sums", std::move(sums));
  }
  files.insert(files.end(), control_files_.begin(), control_files_.end());
  return make_tar(files);
}

std::string DebBuilder::data_tar() const {
  std::vector<DebEntry> entries = entries_;
  if (entries.empty() && has_implied_directories_)
    entries.push_back({DebEntry::Type::directory, "./", {}, {}, 0, 0, {}});
  return make_tar(entries);
}

std::string DebBuilder::bytes() const {
  std::vector<std::pair<std::string, std::string>> members = {
      {"debian-binary", format_version_},
      {"control.tar" + packing_suffix(control_packing_), pack_bytes(control_tar(), control_packing_)},
      {"data.tar" + packing_suffix(data_packing_), pack_bytes(data_tar(), data_packing_)}};
  std::string out(kArMagic);
  for (const auto &[name, content] : members) {
    auto replaced = replaced_members_.find(name);
    if (replaced == replaced_members_.end()) {
      out += make_ar_member(name, content);
    } else if (replaced->second) {
      out += make_ar_member(name, *replaced->second);
    }
  }
  for (const auto &[name, content] : extra_members_) out += make_ar_member(name, content);
  if (size_limit_ && *size_limit_ < out.size()) out.resize(*size_limit_);
  return out;
}

}  // namespace debroot::test
