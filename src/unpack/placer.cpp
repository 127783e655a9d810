#include "unpack/placer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/text.hpp"
#include "debian/relation.hpp"
#include "unpack/node.hpp"

namespace debroot::unpack {
namespace {

Ownership named_ownership(const deb::Entry &entry, const dpkgdb::AccountNames &accounts) {
  // nearly every entry is root's, whose numbers need no lookup
  bool is_root = entry.user == "root" && entry.group == "root" && entry.uid == 0 && entry.gid == 0;
  if (is_root) return {0, 0, entry.mode};
  return ownership_of(entry, accounts.uid(entry.user), accounts.gid(entry.group));
}

bool is_directory(const std::optional<struct stat> &info) { return info && S_ISDIR(info->st_mode); }

/// stat of a link's target inside the root.
bool leads_to_directory(const base::RootDirectory &root, const std::string &path) {
  return is_directory(root.status_followed(path));
}

/// Whether a relation field of `record` (or a package it provides) names `other` in its version.
bool names_package(const std::string &field, const dpkgdb::PackageRecord &other) {
  for (const debian::OrGroup &group : debian::parse_relations(field)) {
    for (const debian::Relation &relation : group) {
      if (relation.name == other.name() &&
          debian::version_satisfies(other.version(), relation.test, relation.version)) {
        return true;
      }
    }
  }
  return false;
}

/// Places one package; its members are what the entries share.
class Placing {
 public:
  Placing(const StagedPackage &package, const dpkgdb::PackageRecord &record, PlaceContext &context)
      : package_(&package), record_(record), context_(context), parents_(context.root), self_(record.info_name()) {
    for (const dpkgdb::Conffile &conffile : record.conffiles) conffiles_.insert(conffile.path);
  }

  Placed run() {
    for (std::size_t i = 0; i < package_->entries.size(); ++i) place(i);
    return std::move(placed_);
  }

 private:
  void place(std::size_t index) {
    const StagedEntry &staged = package_->entries[index];
    const deb::Entry &entry = staged.entry;
    if (entry.kind == deb::EntryKind::directory) {
      place_directory(entry);
      return;
    }
    std::string target = context_.diversions.resolve(entry.path, record_.name());
    if (!claim(entry, target)) return;  // another package replaces this one's file
    own(entry.path);
    placed_.changed.push_back(target);
    std::string leaf;
    int parent = parents_.parent_of(target, leaf);
    std::optional<struct stat> present = status_at(parent, leaf);
    if (is_directory(present)) {
      if (entry.kind == deb::EntryKind::symlink) return;  // dpkg keeps a directory where a link is shipped
      throw Error(ErrorKind::package, fmt::format("cannot unpack '{}' of package '{}': a directory is in its place",
                                                  entry.path, package_->subject));
    }
    if (entry.kind == deb::EntryKind::symlink && present && leads_to_same_directory(target, entry.link_target)) return;
    if (is_extracted(entry, target, present)) {
      ::utimensat(parent, ".", nullptr, 0);  // dpkg would rename the same bytes into place here
      return;
    }
    create(index, parent, leaf);
  }

  void place_directory(const deb::Entry &entry) {
    own(entry.path);
    placed_.changed.push_back(entry.path);
    std::string target = context_.diversions.resolve(entry.path, record_.name());
    if (target == "/" || leads_to_directory(context_.root, target)) return;
    std::string leaf;
    int parent = parents_.parent_of(target, leaf);
    if (::mkdirat(parent, leaf.c_str(), 0700) != 0) {
      throw base::os_error(
          ErrorKind::package, errno,
          fmt::format("cannot make the directory '{}' of package '{}'", entry.path, package_->subject));
    }
    settle_directory(parent, leaf, entry, final_ownership(entry));
  }

  /// Creates the node; a conffile goes aside until its package is configured.
  void create(std::size_t index, int parent, const std::string &leaf) {
    const StagedPackage &source = context_.restage && package_->bodies.fd() < 0 ? context_.restage() : *package_;
    const StagedEntry &staged = source.entries[index];
    bool is_conffile = conffiles_.count(staged.entry.path) > 0;
    std::string name = is_conffile ? leaf + ".dpkg-new" : leaf;
    std::string link_target = staged.entry.link_target;
    if (staged.entry.kind == deb::EntryKind::hard_link) {
      link_target = context_.diversions.resolve(link_target, record_.name());
      if (conffiles_.count(staged.entry.link_target) > 0) link_target += ".dpkg-new";
    }
    create_node(context_.root, parent, name, source, staged, final_ownership(staged.entry), link_target);
  }

  Ownership final_ownership(const deb::Entry &entry) const {
    if (const dpkgdb::StatOverride *rule = context_.overrides.find(entry.path))
      return {rule->uid, rule->gid, rule->mode};
    return named_ownership(entry, context_.accounts);
  }

  /// Whether what is at `path` and the shipped link both lead to one directory: dpkg then leaves what is there.
  bool leads_to_same_directory(const std::string &path, const std::string &link_target) const {
    std::optional<struct stat> now = context_.root.status_followed(path);
    if (!is_directory(now)) return false;
    bool is_absolute = !link_target.empty() && link_target[0] == '/';
    std::string fresh = is_absolute ? link_target : path.substr(0, path.rfind('/') + 1) + link_target;
    std::optional<struct stat> then = context_.root.status_followed(fresh);
    return then && then->st_dev == now->st_dev && then->st_ino == now->st_ino;
  }

  bool is_extracted(const deb::Entry &entry, const std::string &target,
                    const std::optional<struct stat> &present) const {
    if (context_.extracted == nullptr || !present) return false;
    auto found = context_.extracted->find(target);
    if (found == context_.extracted->end() || context_.overrides.find(entry.path) != nullptr) return false;
    const FileIdentity &identity = found->second;
    return identity.inode == present->st_ino && identity.change_time.tv_sec == present->st_ctim.tv_sec &&
           identity.change_time.tv_nsec == present->st_ctim.tv_nsec;
  }

  /// Settles whose file `entry` is. False when another package's Replaces keeps that package's file in place.
  bool claim(const deb::Entry &entry, const std::string &target) {
    if (target != entry.path) return true;  // diverted away: there is no conflict at the original path
    for (std::string_view owner : context_.files.owners(entry.path)) {
      if (owner == self_) continue;
      const dpkgdb::PackageRecord *other = find_owner(owner);
      if (other == nullptr || other->state <= dpkgdb::State::config_files) continue;
      if (context_.diversions.resolve(entry.path, other->name()) != entry.path) continue;  // theirs was diverted
      bool is_shared = record_.multi_arch() == debian::MultiArch::same && other->name() == record_.name();
      if (is_shared) continue;
      if (names_package(record_.control.get("Replaces"), *other)) {
        std::string loser(owner);
        context_.files.remove(entry.path, loser);
        if (std::find(placed_.takeovers.begin(), placed_.takeovers.end(), loser) == placed_.takeovers.end()) {
          placed_.takeovers.push_back(loser);
        }
        continue;
      }
      if (names_package(other->control.get("Replaces"), record_)) return false;
      throw Error(ErrorKind::package, fmt::format("cannot unpack '{}' of package '{}': package '{}' has it too",
                                                  entry.path, package_->subject, to_string(other->id())));
    }
    return true;
  }

  const dpkgdb::PackageRecord *find_owner(std::string_view info_name) const {
    std::string name(info_name.substr(0, info_name.find(':')));
    for (const auto &[key, record] : context_.database.records()) {
      if (key.name == name && record.info_name() == info_name) return &record;
    }
    return nullptr;
  }

  void own(const std::string &path) {
    context_.files.add(path, self_);
    placed_.list.push_back(path == "/" ? "/." : path);
  }

  const StagedPackage *package_;
  const dpkgdb::PackageRecord &record_;
  PlaceContext &context_;
  ParentCache parents_;
  std::string self_;
  std::set<std::string> conffiles_;
  Placed placed_;
};

void extract_directory(const base::RootDirectory &root, int parent, const std::string &leaf, const deb::Entry &entry,
                       const dpkgdb::AccountNames &accounts) {
  std::optional<struct stat> present = status_at(parent, leaf);
  if (present && S_ISLNK(present->st_mode) && leads_to_directory(root, entry.path)) return;
  if (present && !S_ISDIR(present->st_mode)) ::unlinkat(parent, leaf.c_str(), 0);
  if (!is_directory(present) && ::mkdirat(parent, leaf.c_str(), 0700) != 0) {
    throw base::os_error(ErrorKind::package, errno, fmt::format("cannot make the directory '{}'", entry.path));
  }
  settle_directory(parent, leaf, entry, named_ownership(entry, accounts));
}

}  // namespace

void extract_package(const base::RootDirectory &root, const StagedPackage &package,
                     const dpkgdb::AccountNames &accounts, ExtractedFiles &extracted) {
  ParentCache parents(root);
  std::string leaf;
  for (const StagedEntry &staged : package.entries) {
    const deb::Entry &entry = staged.entry;
    int parent = parents.parent_of(entry.path, leaf);
    if (entry.kind == deb::EntryKind::directory) {
      extract_directory(root, parent, leaf, entry, accounts);
    } else {
      create_node(root, parent, leaf, package, staged, named_ownership(entry, accounts), entry.link_target);
    }
  }
  // tar sets the times of directories last, when nothing more is created in them; hard links settle only now too
  for (const StagedEntry &staged : package.entries) {
    const deb::Entry &entry = staged.entry;
    int parent = parents.parent_of(entry.path, leaf);
    std::optional<struct stat> present = status_at(parent, leaf);
    if (!present) continue;
    if (entry.kind != deb::EntryKind::directory) {
      extracted[entry.path] = {present->st_ino, present->st_ctim};
    } else if (S_ISDIR(present->st_mode)) {
      settle_directory(parent, leaf, entry, named_ownership(entry, accounts));
    }
  }
}

Placed place_package(const StagedPackage &package, const dpkgdb::PackageRecord &record, PlaceContext &context) {
  return Placing(package, record, context).run();
}

std::vector<dpkgdb::Conffile> declared_conffiles(const deb::ControlArchive &control) {
  std::vector<dpkgdb::Conffile> out;
  const deb::ControlFile *file = control.find("conffiles");
  if (file == nullptr) return out;
  for (std::string_view line : base::split(file->content, '\n')) {
    line = base::trim(line);
    if (line.empty()) continue;
    // "remove-on-upgrade /path": nothing is shipped at that path
    if (line[0] != '/') continue;
    out.push_back({std::string(line), "newconffile", false, false});
  }
  return out;
}

}  // namespace debroot::unpack
