/// Debian archives made by code, for tests: packages in suites, rendered as dists/ and pool/ below a directory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/deb_builder.hpp"
#include "support/test_key.hpp"

namespace debroot::test {

/// Everything about one suite but its packages. The defaults describe a healthy suite in Debian's manner.
struct SuiteSettings {
  std::string suite;     ///< Release field; empty: left out. Set to the suite's directory name when it is made
  std::string codename;  ///< as `suite`
  std::string origin = "Debian";
  std::string label = "Debian";
  std::string version;                                 ///< empty: left out
  std::string date = "Wed, 01 Jan 2020 00:00:00 UTC";  ///< text as given; empty: left out
  std::string valid_until;                             ///< text as given; empty: left out
  bool has_by_hash = true;                             ///< Acquire-By-Hash, and the by-hash directories
  bool is_not_automatic = false;
  bool is_but_automatic_upgrades = false;
  /// "Packages": arch:all packages stand in every binary-ARCH index (Debian's way). Empty: only in binary-all.
  std::string no_support_for_architecture_all = "Packages";
  std::vector<std::string> architectures = {"amd64"};  ///< besides those of the packages
  std::vector<std::string> components = {"main"};      ///< besides those of the packages
  std::string component_prefix;                        ///< "updates/": as the security archive lists its components
  std::vector<Packing> packings = {Packing::none, Packing::gzip, Packing::xz};  ///< of the index files that are written
  bool lists_plain = true;  ///< Release lists the uncompressed index even where no such file is written

  const TestKey *key = nullptr;  ///< signs; null: the suite is unsigned
  SignatureSettings signature;
  bool has_inrelease = true;
  bool has_release = true;  ///< Release, and Release.gpg when there is a key

  std::vector<std::string>
      wrong_digests;  ///< paths whose SHA256 in Release is that of other bytes ("main/binary-amd64/Packages.xz")
  std::vector<std::string> wrong_sizes;    ///< paths whose size in Release is one too large
  std::vector<std::string> missing_files;  ///< paths that Release lists but the archive lacks (by-hash too)
  std::string extra_release_text;          ///< whole lines before the digests
};

/// Collects packages and renders the archive. Archive-wide: pool paths below pool/COMPONENT/.
class ArchiveBuilder {
 public:
  /// The settings of `name` (directory below dists/, "bookworm"), made on first use. A name that ends in '/' is a flat
  /// archive: its files lie in that directory itself, without components.
  SuiteSettings &suite(const std::string &name);

  /// Publishes a package. `overrides` replace fields of its stanza, as an archive's overrides do ("Priority"); an empty
  /// value removes the field, also Filename, Size and SHA256.
  ArchiveBuilder &add(const std::string &suite, const std::string &component, const DebBuilder &package,
                      const std::map<std::string, std::string> &overrides = {});
  /// Adds text to one Packages file as it is; a blank line is put behind it.
  ArchiveBuilder &add_stanza(const std::string &suite, const std::string &component, const std::string &architecture,
                             const std::string &text);
  /// Puts `bytes` at a path below the archive root when written, over whatever would be there.
  ArchiveBuilder &replace_file(const std::string &path, std::string bytes);

  /// All files by path below the archive root.
  [[nodiscard]] std::map<std::string, std::string> files() const;
  /// Writes them below `directory`, which is made if needed.
  void write(const std::string &directory) const;

  /// Pool path of a package published in `component`: "pool/main/b/bash/bash_5.2_amd64.deb".
  [[nodiscard]] static std::string pool_path(const std::string &component, const DebBuilder &package);

 private:
  struct Stanza {
    std::string component;
    std::string architecture;
    std::string text;
  };
  struct Suite {
    std::string name;
    SuiteSettings settings;
    std::vector<Stanza> stanzas;
  };
  [[nodiscard]] Suite &find(const std::string &name);
  static void render(const Suite &suite, std::map<std::string, std::string> &out);

  std::vector<std::unique_ptr<Suite>> suites_;
  std::map<std::string, std::string> pool_;
  std::map<std::string, std::string> replaced_;
};

/// Text of a Release file for `settings` over `listed` (path below dists/SUITE/ → bytes).
[[nodiscard]] std::string make_release(const SuiteSettings &settings, const std::vector<std::string> &components,
                                       const std::vector<std::string> &architectures,
                                       const std::map<std::string, std::string> &listed);

}  // namespace debroot::test
