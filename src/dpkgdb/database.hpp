/// /var/lib/dpkg/status with its journal updates/, kept true on disk at every moment a script can look at it.
///
/// As dpkg does, each change of a package appends one numbered stanza file to updates/ (dpkg-query reads those too),
/// and a checkpoint rewrites status and empties the journal. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "dpkgdb/package_record.hpp"

namespace debroot::dpkgdb {

/// Where the database lies inside the root.
inline constexpr std::string_view kAdminDirectory = "/var/lib/dpkg";

/// Key of a record. dpkg orders its status file by name, then architecture.
struct PackageKey {
  std::string name;
  std::string architecture;
  friend auto operator<=>(const PackageKey &, const PackageKey &) = default;
};

class Database {
 public:
  /// Opens the database of `root`, reading what is there. `root` must outlive it.
  explicit Database(const base::RootDirectory &root);

  /// Reads status and updates/ again, after a hook or a script that may have run dpkg itself.
  void reload();

  /// Makes of the records what a new dpkg process makes of them as it reads the files: pending triggers turn round, and
  /// what is configured has its version as Config-Version.
  void begin_run();

  /// The record, or null.
  [[nodiscard]] PackageRecord *find(const PackageKey &key);
  [[nodiscard]] const PackageRecord *find(const PackageKey &key) const;
  /// Every record of `name`, whatever its architecture.
  [[nodiscard]] std::vector<PackageRecord *> named(std::string_view name);
  [[nodiscard]] std::vector<const PackageRecord *> named(std::string_view name) const;
  /// Adds a record (state not-installed), or gives the one there is with its control fields replaced.
  PackageRecord &add(deb822::Stanza control);
  [[nodiscard]] std::map<PackageKey, PackageRecord> &records() noexcept { return records_; }
  [[nodiscard]] const std::map<PackageKey, PackageRecord> &records() const noexcept { return records_; }

  /// Puts the record's present state on disk, in the journal (dpkg's modstatdb_note). After 250 of them the journal is
  /// folded into status, as dpkg does.
  void note(const PackageRecord &record);
  /// Rewrites status (the former one becomes status-old) and empties the journal; dpkg does it as each run ends.
  void checkpoint();

  /// Path of a file under info/: "/var/lib/dpkg/info/dash.postinst".
  [[nodiscard]] static std::string info_path(const PackageRecord &record, std::string_view extension);

 private:
  void parse_file(std::string_view text);

  const base::RootDirectory *root_;
  std::map<PackageKey, PackageRecord> records_;
  std::uint32_t next_update_ = 0;
};

}  // namespace debroot::dpkgdb
