/// Binary packages made by code, for tests: a .deb in memory with sane defaults and every strange thing on request.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace debroot::test {

/// Compression of a member or of an index file.
enum class Packing { none, gzip, xz, zstd, bzip2, lzma };

/// Suffix as in "data.tar.xz": ".xz"; empty for none.
[[nodiscard]] std::string packing_suffix(Packing packing);
/// `bytes` compressed. Throws std::runtime_error if the library refuses.
[[nodiscard]] std::string pack_bytes(std::string_view bytes, Packing packing);

/// 2020-01-01 00:00:00 UTC, what every entry is dated unless told otherwise.
inline constexpr std::int64_t kBuilderTime = 1577836800;

/// Metadata of one entry; `mode` without file type bits, by default 0755 for directories and 0644 for the rest.
struct EntryAttributes {
  std::optional<unsigned> mode = std::nullopt;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::string user = "root";
  std::string group = "root";
  std::int64_t mtime = kBuilderTime;
  std::vector<std::pair<std::string, std::string>> xattrs = {};
};

/// One tar entry as it will be written.
struct DebEntry {
  enum class Type { file, directory, symlink, hard_link, fifo, character_device, block_device };
  Type type = Type::file;
  std::string path;  ///< as stored: "./usr/bin/x"
  std::string content;
  std::string target;
  unsigned major = 0;
  unsigned minor = 0;
  EntryAttributes attributes;
};

/// A tar of `entries` in their order: GNU format as dpkg-deb writes, pax where an entry has xattrs.
[[nodiscard]] std::string make_tar(const std::vector<DebEntry> &entries);
/// One ar member with its 60-byte header and padding.
[[nodiscard]] std::string make_ar_member(std::string_view name, std::string_view bytes);
inline constexpr std::string_view kArMagic = "!<arch>\n";

/// Builds one package. Paths of the adding functions may start with "/", "./" or neither and are stored as "./path";
/// missing parent directories are added. Values are copied, so a builder can be varied and built again.
class DebBuilder {
 public:
  explicit DebBuilder(std::string name, std::string version = "1.0", std::string architecture = "amd64");

  /// Sets a control field in place, or appends it; an empty value removes it.
  DebBuilder &field(std::string_view name, std::string_view value);
  DebBuilder &depends(std::string_view value) { return field("Depends", value); }
  /// A maintainer script ("preinst", "postinst", "prerm", "postrm", "config"), mode 0755.
  DebBuilder &script(std::string_view name, std::string_view text) { return control_file(name, text, 0755); }
  /// Any further file of control.tar ("triggers", "templates", "shlibs").
  DebBuilder &control_file(std::string_view name, std::string_view content, unsigned mode = 0644);
  DebBuilder &triggers(std::string_view text) { return control_file("triggers", text); }
  DebBuilder &without_md5sums();

  DebBuilder &directory(std::string_view path, EntryAttributes attributes = {});
  DebBuilder &file(std::string_view path, std::string_view content, EntryAttributes attributes = {});
  /// A file that is also listed in conffiles.
  DebBuilder &conffile(std::string_view path, std::string_view content, EntryAttributes attributes = {});
  DebBuilder &symlink(std::string_view path, std::string_view target, EntryAttributes attributes = {});
  /// `existing` is the path of an entry before it.
  DebBuilder &hard_link(std::string_view path, std::string_view existing, EntryAttributes attributes = {});
  DebBuilder &fifo(std::string_view path, EntryAttributes attributes = {});
  /// `type` is character_device or block_device.
  DebBuilder &device(std::string_view path, DebEntry::Type type, unsigned major, unsigned minor,
                     EntryAttributes attributes = {});
  /// An entry of data.tar exactly as given ("../x", "/etc/x"); no parents are added.
  DebBuilder &raw_entry(DebEntry entry);
  /// Leaves "./" and missing parents out.
  DebBuilder &without_implied_directories();

  DebBuilder &control_packing(Packing packing);
  DebBuilder &data_packing(Packing packing);
  /// Content of debian-binary, "2.0\n" by default.
  DebBuilder &format_version(std::string_view text);
  /// An ar member behind the three usual ones, also one that repeats their name.
  DebBuilder &extra_member(std::string_view name, std::string_view bytes);
  /// Replaces a usual member's bytes ("data.tar.xz"), whatever is in them, or drops it when there are none.
  DebBuilder &replace_member(std::string_view name, std::optional<std::string> bytes);
  /// Cuts the finished .deb to `size` bytes.
  DebBuilder &truncate(std::size_t size);

  [[nodiscard]] const std::string &name() const { return name_; }
  [[nodiscard]] const std::string &version() const { return version_; }
  [[nodiscard]] const std::string &architecture() const { return architecture_; }
  /// "name_version_arch.deb", version without epoch.
  [[nodiscard]] std::string file_name() const;
  /// Text of the control file.
  [[nodiscard]] std::string control() const;
  [[nodiscard]] std::string control_tar() const;
  [[nodiscard]] std::string data_tar() const;
  /// The .deb.
  [[nodiscard]] std::string bytes() const;

 private:
  void add(DebEntry entry);
  void add_parents(const std::string &path);
  [[nodiscard]] bool has(const std::string &path) const;

  std::string name_;
  std::string version_;
  std::string architecture_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::vector<DebEntry> control_files_;
  std::vector<DebEntry> entries_;
  std::string conffiles_;
  bool has_md5sums_ = true;
  bool has_implied_directories_ = true;
  Packing control_packing_ = Packing::xz;
  Packing data_packing_ = Packing::xz;
  std::string format_version_ = "2.0\n";
  std::vector<std::pair<std::string, std::string>> extra_members_;
  std::map<std::string, std::optional<std::string>> replaced_members_;
  std::optional<std::size_t> size_limit_;
};

}  // namespace debroot::test
