/// Diversions and statoverrides (dpkg-divert(1), dpkg-statoverride(1)): what may turn a packaged path into another
/// one, or change its owner and mode.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"

namespace debroot::dpkgdb {

/// One entry of /var/lib/dpkg/diversions.
struct Diversion {
  std::string from;
  std::string to;
  std::string package;  ///< whose own files are not diverted; empty when the diversion is local (":")
};

/// The diversions of a root at one moment.
class Diversions {
 public:
  /// Reads the file as it is now; none when it is absent. @throws Error of kind package when damaged
  [[nodiscard]] static Diversions read(const base::RootDirectory &root);

  /// Where `path` of `package` goes.
  [[nodiscard]] std::string resolve(const std::string &path, std::string_view package) const;
  /// Whether `path` is diverted on behalf of one of two packages, so that both can have it.
  [[nodiscard]] bool separates(const std::string &path, std::string_view a, std::string_view b) const;

 private:
  std::map<std::string, Diversion> by_source_;
};

/// Owner, group and mode that an administrator or a script has set for a path.
struct StatOverride {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
};

/// User and group numbers by name, from a root's /etc/passwd and /etc/group.
class AccountNames {
 public:
  [[nodiscard]] static AccountNames read(const base::RootDirectory &root);
  [[nodiscard]] std::optional<uid_t> uid(const std::string &name) const;
  [[nodiscard]] std::optional<gid_t> gid(const std::string &name) const;

 private:
  std::map<std::string, uid_t> users_;
  std::map<std::string, gid_t> groups_;
};

/// The statoverrides of a root at one moment.
class StatOverrides {
 public:
  [[nodiscard]] static StatOverrides read(const base::RootDirectory &root, const AccountNames &accounts);
  [[nodiscard]] const StatOverride *find(const std::string &path) const;

 private:
  std::map<std::string, StatOverride> by_path_;
};

}  // namespace debroot::dpkgdb
