/// The trigger database (dpkg-trigger(1), deb-triggers(5)): who is interested in what, and activations that scripts
/// left for dpkg to incorporate.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/beneath.hpp"

namespace debroot::dpkgdb {

/// One line of a package's `triggers` control file.
struct TriggerDirective {
  bool is_interest = false;  ///< else it activates
  bool is_await = true;      ///< false for the -noawait forms
  std::string trigger;       ///< a name, or a path when it begins with '/'
};

/// All directives of a `triggers` control file; comments and blank lines are skipped. @throws Error of kind package
[[nodiscard]] std::vector<TriggerDirective> parse_trigger_directives(std::string_view text, std::string_view package);

/// A package that is interested in a trigger. `package` is the name as dpkg keeps it here: with ":arch" for
/// Multi-Arch: same packages.
struct TriggerInterest {
  std::string package;
  bool is_await = true;
};

/// An activation found in triggers/Unincorp: by dpkg-trigger within a script.
struct TriggerActivation {
  std::string trigger;
  std::vector<std::string> awaiting;  ///< packages that wait for it; empty for --no-await
};

/// The files under /var/lib/dpkg/triggers. Interests are kept in memory and written when they change.
class Triggers {
 public:
  /// Reads what is there. `root` must outlive it.
  explicit Triggers(const base::RootDirectory &root);
  void reload();

  /// Makes the files that dpkg makes when it first opens the database for writing, so that dpkg-trigger works.
  void ensure_files();
  void add_interest(const std::string &trigger, const std::string &package, bool is_await);
  /// Who is interested in the trigger of exactly this name or path, in the order in which dpkg activates them.
  [[nodiscard]] std::vector<TriggerInterest> interested(const std::string &trigger) const;
  /// Activations that dpkg-trigger recorded since the last call; the file is emptied.
  [[nodiscard]] std::vector<TriggerActivation> take_activations();

 private:
  void write_file_interests() const;

  const base::RootDirectory *root_;
  std::vector<std::pair<std::string, TriggerInterest>> file_interests_;  // in the order they were added
};

}  // namespace debroot::dpkgdb
