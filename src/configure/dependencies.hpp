/// Whether a package may be configured now (Policy section 7.2), and how dpkg breaks dependency cycles.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "debian/relation.hpp"
#include "dpkgdb/database.hpp"

namespace debroot::configure {

enum class Readiness {
  ready,    ///< every Depends and Pre-Depends is met by a configured package
  waiting,  ///< something it needs is queued, or waits for triggers of others
  blocked,  ///< what it needs is not there and will not be
};

/// Looks at the Depends and Pre-Depends of unpacked packages. Lives as long as one configure run.
class Dependencies {
 public:
  /// `known` are all packages in the order in which dpkg came to know them, which decides between several providers;
  /// `native` is the root's architecture; `queued` are the packages that this run is to configure.
  Dependencies(const std::vector<const dpkgdb::PackageRecord *> &known, std::string native,
               std::set<const dpkgdb::PackageRecord *> queued);

  /// `missing` receives the first or-group that is not met.
  [[nodiscard]] Readiness check(const dpkgdb::PackageRecord &record, std::string *missing = nullptr);
  /// This run has given up on `record`: nothing may wait for it any more.
  void give_up(const dpkgdb::PackageRecord &record) { queued_.erase(&record); }
  /// Looks for a cycle that goes through `record` and breaks one link of it: one that belongs to a package without
  /// postinst if there is any (then nothing is lost). True when one was broken.
  bool break_cycle(const dpkgdb::PackageRecord &record,
                   const std::function<bool(const dpkgdb::PackageRecord &)> &has_postinst);
  /// Name of the package whose triggers would help the package that `check` saw last waiting for nothing else; empty
  /// when there is none. Asking forgets it.
  [[nodiscard]] std::string take_helper() { return std::exchange(helper_, {}); }

 private:
  struct Link {
    const dpkgdb::PackageRecord *record;
    const debian::Relation *relation;  ///< that leads to the next link
  };
  using Groups = std::vector<debian::OrGroup>;

  Readiness check_group(const dpkgdb::PackageRecord &record, const debian::OrGroup &group, std::string &helper) const;
  Readiness check_candidate(const dpkgdb::PackageRecord &record, const dpkgdb::PackageRecord &candidate,
                            const debian::Relation &relation, std::string &helper) const;
  const Groups &groups_of(const dpkgdb::PackageRecord &record);
  [[nodiscard]] std::vector<const dpkgdb::PackageRecord *> providers(const dpkgdb::PackageRecord &record,
                                                                     const debian::Relation &relation) const;
  /// What a search for cycles follows: less strict than `providers`, since dpkg looks at no versions there.
  [[nodiscard]] std::vector<const dpkgdb::PackageRecord *> linked(const dpkgdb::PackageRecord &record,
                                                                  const debian::Relation &relation) const;
  bool search_cycle(const dpkgdb::PackageRecord &record, std::vector<Link> &path,
                    std::set<const dpkgdb::PackageRecord *> &finished,
                    const std::function<bool(const dpkgdb::PackageRecord &)> &has_postinst);
  void break_link(const std::vector<Link> &path, const dpkgdb::PackageRecord &closing,
                  const std::function<bool(const dpkgdb::PackageRecord &)> &has_postinst);

  using Records = std::map<std::string, std::vector<const dpkgdb::PackageRecord *>, std::less<>>;

  std::string native_;
  Records by_name_;
  Records by_provided_;
  std::map<const dpkgdb::PackageRecord *, Groups> groups_;
  std::set<const debian::Relation *> broken_;  ///< in groups_; dpkg breaks one relation, not those of the same text
  std::set<const dpkgdb::PackageRecord *> queued_;
  std::string helper_;
};

/// Whether `candidate` meets `relation` of a package of architecture `depender` by name or by Provides, version and
/// Multi-Arch rules included; its state is not looked at.
[[nodiscard]] bool meets(const dpkgdb::PackageRecord &candidate, const debian::Relation &relation,
                         const std::string &depender, const std::string &native);

}  // namespace debroot::configure
