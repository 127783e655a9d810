#include "unpack/placer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/digest.hpp"
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
    for (const dpkgdb::Conffile &conffile : record.conffiles) {
      if (!conffile.is_remove_on_upgrade) conffiles_.insert(conffile.path);
    }
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
      place_directory(staged);
      return;
    }
    std::string target = context_.diversions.resolve(entry.path, record_.name());
    std::string leaf;
    int parent = -1;
    std::optional<struct stat> present = look_at(staged, target, parent, leaf);
    if (is_standing_link(entry, target, present)) {
      own(entry.path, target);
      return;
    }
    if (!claim(entry, present)) {  // another package replaces this one's file
      placed_.changed.push_back(target);
      return;
    }
    own(entry.path, target);
    if (staged.is_left_out || is_shared_already(staged, target, present)) return;
    if (is_extracted(entry, target, present)) {
      ::utimensat(parent, ".", nullptr, 0);  // dpkg would rename the same bytes into place here
      return;
    }
    if (is_directory(present)) context_.root.remove_tree(target);
    create(index, parent, leaf);
  }

  /// What is at `target` now. For the sake of an entry that is left out nothing is made, no parent either.
  std::optional<struct stat> look_at(const StagedEntry &staged, const std::string &target, int &parent,
                                     std::string &leaf) {
    if (staged.is_left_out) return context_.root.status(target);
    parent = parents_.parent_of(target, leaf);
    return status_at(parent, leaf);
  }

  /// Whether a link is shipped where a directory is, or a link to the same directory: dpkg leaves both alone.
  bool is_standing_link(const deb::Entry &entry, const std::string &target,
                        const std::optional<struct stat> &present) const {
    if (entry.kind != deb::EntryKind::symlink || !present) return false;
    if (S_ISDIR(present->st_mode)) return true;
    if (!S_ISLNK(present->st_mode)) return false;
    std::string aim = entry.link_target;
    if (aim.empty() || aim[0] != '/') aim = target.substr(0, target.rfind('/') + 1) + aim;
    std::optional<struct stat> old_aim = context_.root.status_followed(target);
    std::optional<struct stat> new_aim = context_.root.status_followed(aim);
    return is_directory(old_aim) && is_directory(new_aim) && old_aim->st_ino == new_aim->st_ino &&
           old_aim->st_dev == new_aim->st_dev;
  }

  void place_directory(const StagedEntry &staged) {
    const deb::Entry &entry = staged.entry;
    std::string target = context_.diversions.resolve(entry.path, record_.name());
    if (target == "/" || leads_to_directory(context_.root, target)) {
      own(entry.path, target);
      return;
    }
    std::string leaf;
    int parent = -1;
    std::optional<struct stat> present = look_at(staged, target, parent, leaf);
    if (present && !claim(entry, present)) return;
    own(entry.path, target);
    if (staged.is_left_out) return;
    if (present) ::unlinkat(parent, leaf.c_str(), 0);
    if (::mkdirat(parent, leaf.c_str(), 0700) != 0) {
      throw base::os_error(
          ErrorKind::package, errno,
          fmt::format("cannot make the directory '{}' of package '{}'", entry.path, package_->subject));
    }
    settle_directory(parent, leaf, entry, final_ownership(entry));
  }

  /// Creates the node; a conffile goes aside until its package is configured.
  void create(std::size_t index, int parent, const std::string &leaf) {
    const StagedPackage &source = with_bodies();
    const StagedEntry &staged = source.entries[index];
    bool is_conffile = conffiles_.count(staged.entry.path) > 0;
    std::string name = is_conffile ? leaf + ".dpkg-new" : leaf;
    std::string link_target = staged.entry.link_target;
    if (staged.entry.kind == deb::EntryKind::hard_link) {
      link_target = context_.diversions.resolve(link_target, record_.name());
      if (conffiles_.count(staged.entry.link_target) > 0) link_target += ".dpkg-new";
    }
    create_node(context_.root, parent, name, source, staged, final_ownership(staged.entry), link_target);
    if (staged.entry.kind != deb::EntryKind::file) return;
    if (std::optional<struct stat> made = status_at(parent, name)) context_.unpacked.note(*made);
  }

  Ownership final_ownership(const deb::Entry &entry) const {
    if (const dpkgdb::StatOverride *rule = context_.overrides.find(entry.path))
      return {rule->uid, rule->gid, rule->mode};
    return named_ownership(entry, context_.accounts);
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

  /// Whether another instance of a Multi-Arch: same package has put the same there. @throws Error when it differs
  bool is_shared_already(const StagedEntry &staged, const std::string &target,
                         const std::optional<struct stat> &present) const {
    if (!present || is_extracted(staged.entry, target, present)) return false;
    bool is_shared = false;
    for (std::string_view owner : context_.files.owners(staged.entry.path)) {
      const dpkgdb::PackageRecord *other = owner == self_ ? nullptr : find_owner(owner);
      is_shared = is_shared || (other != nullptr && is_other_instance(*other));
    }
    if (!is_shared) return false;
    if (is_same_content(staged, target, *present)) return true;
    throw Error(ErrorKind::package,
                fmt::format("cannot unpack '{}' of package '{}': the package's other architecture has it with another "
                            "content",
                            staged.entry.path, package_->subject));
  }

  bool is_other_instance(const dpkgdb::PackageRecord &other) const {
    return record_.multi_arch() == debian::MultiArch::same && other.multi_arch() == debian::MultiArch::same &&
           other.name() == record_.name() && other.version() == record_.version();
  }

  bool is_same_content(const StagedEntry &staged, const std::string &target, const struct stat &present) const {
    if (staged.entry.kind == deb::EntryKind::symlink)
      return context_.root.link_target(target) == staged.entry.link_target;
    bool is_conffile = conffiles_.count(staged.entry.path) > 0;
    if (is_conffile || staged.entry.kind != deb::EntryKind::file || !S_ISREG(present.st_mode)) return true;
    const StagedPackage &source = with_bodies();
    return digest_of(source.bodies, staged.body) == digest_of(context_.root, target);
  }

  static std::string digest_of(const base::RootDirectory &root, const std::string &path) {
    return base::hash_of_file(base::HashKind::md5, root.open_file(path, O_RDONLY).get());
  }

  const StagedPackage &with_bodies() const {
    return context_.restage && package_->bodies.fd() < 0 ? context_.restage() : *package_;
  }

  /// Settles whose file `entry` is. False when another package's Replaces keeps that package's file in place.
  bool claim(const deb::Entry &entry, const std::optional<struct stat> &present) {
    for (std::string_view owner : context_.files.owners(entry.path)) {
      const dpkgdb::PackageRecord *other = owner == self_ ? nullptr : find_owner(owner);
      if (other == nullptr || other->state <= dpkgdb::State::config_files || is_other_instance(*other)) continue;
      if (context_.diversions.separates(entry.path, record_.name(), other->name())) continue;
      if (names_package(record_.control.get("Replaces"), *other)) {
        take_over(entry.path, std::string(owner));
        continue;
      }
      if (names_package(other->control.get("Replaces"), record_)) return false;
      std::string_view what = is_directory(present) ? "has it as a directory" : "has it too";
      throw Error(ErrorKind::package, fmt::format("cannot unpack '{}' of package '{}': package '{}' {}", entry.path,
                                                  package_->subject, to_string(other->id()), what));
    }
    return true;
  }

  void take_over(const std::string &path, const std::string &loser) {
    context_.files.remove(path, loser);
    if (std::find(placed_.takeovers.begin(), placed_.takeovers.end(), loser) == placed_.takeovers.end()) {
      placed_.takeovers.push_back(loser);
    }
  }

  const dpkgdb::PackageRecord *find_owner(std::string_view info_name) const {
    std::string name(info_name.substr(0, info_name.find(':')));
    for (const auto &[key, record] : context_.database.records()) {
      if (key.name == name && record.info_name() == info_name) return &record;
    }
    return nullptr;
  }

  /// `path` belongs to the package from now on; file triggers look at where it really goes.
  void own(const std::string &path, const std::string &target) {
    placed_.changed.push_back(target);
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

bool is_made_late(const deb::Entry &entry) {
  if (entry.kind != deb::EntryKind::symlink) return false;
  std::vector<std::string_view> parts = base::split(entry.link_target, '/');
  return parts[0].empty() || std::find(parts.begin(), parts.end(), "..") != parts.end();
}

/// Follows how tar keeps the times of directories while it extracts, to tell which of them it loses.
///
/// tar remembers each directory it meets and sets its time when it comes to an entry outside of it. dpkg-deb puts links
/// at the end of an archive, so one made in a directory that was left long before touches that directory for good.
/// Links that are absolute or lead upwards are only made when all else is done; directories still remembered when tar
/// met such a link wait for it.
class TarTimes {
 public:
  void visit(const deb::Entry &entry) {
    settle_outside_of(entry.path, false);
    if (entry.kind == deb::EntryKind::directory) {
      remembered_.push_back({entry.path, false});
      return;
    }
    std::string parent = entry.path.substr(0, entry.path.rfind('/'));
    touched_.insert(parent);
    if (is_made_late(entry)) {
      late_.push_back(parent);
      wait_for_links(parent);
    }
  }

  /// Directories whose time is that of the extraction.
  std::set<std::string> finish() {
    settle_outside_of({}, false);
    touched_.insert(late_.begin(), late_.end());
    settle_outside_of({}, true);
    return touched_;
  }

 private:
  struct Remembered {
    std::string path;
    bool waits_for_links;
  };

  void settle_outside_of(std::string_view path, bool are_links_made) {
    while (!remembered_.empty()) {
      const Remembered &last = remembered_.back();
      std::string inside = last.path == "/" ? "/" : last.path + "/";
      bool is_parent = path.size() > inside.size() && path.substr(0, inside.size()) == inside;
      if (is_parent || (last.waits_for_links && !are_links_made)) return;
      touched_.erase(last.path);
      remembered_.pop_back();
    }
  }

  void wait_for_links(const std::string &directory) {
    auto at = std::find_if(remembered_.rbegin(), remembered_.rend(),
                           [&](const Remembered &known) { return known.path == directory; });
    for (; at != remembered_.rend() && !at->waits_for_links; ++at) at->waits_for_links = true;
  }

  std::vector<Remembered> remembered_;
  std::set<std::string> touched_;
  std::vector<std::string> late_;  // directories of links that are made at the end
};

}  // namespace

void extract_package(const base::RootDirectory &root, const StagedPackage &package,
                     const dpkgdb::AccountNames &accounts, ExtractedFiles &extracted, base::KnownFiles &unpacked) {
  ParentCache parents(root);
  std::string leaf;
  TarTimes times;
  for (const StagedEntry &staged : package.entries) {
    const deb::Entry &entry = staged.entry;
    if (staged.is_left_out) continue;
    times.visit(entry);
    int parent = parents.parent_of(entry.path, leaf);
    if (entry.kind == deb::EntryKind::directory) {
      extract_directory(root, parent, leaf, entry, accounts);
    } else {
      create_node(root, parent, leaf, package, staged, named_ownership(entry, accounts), entry.link_target);
    }
  }
  std::set<std::string> touched = times.finish();
  // tar sets the times of directories last, when nothing more is created in them; hard links settle only now too
  for (const StagedEntry &staged : package.entries) {
    const deb::Entry &entry = staged.entry;
    if (staged.is_left_out) continue;
    int parent = parents.parent_of(entry.path, leaf);
    std::optional<struct stat> present = status_at(parent, leaf);
    if (!present) continue;
    if (entry.kind != deb::EntryKind::directory) {
      extracted[entry.path] = {present->st_ino, present->st_ctim};
      if (entry.kind == deb::EntryKind::file) unpacked.note(*present);
    } else if (S_ISDIR(present->st_mode)) {
      settle_directory(parent, leaf, entry, named_ownership(entry, accounts));
      if (touched.count(entry.path) > 0) ::utimensat(parent, leaf.c_str(), nullptr, 0);
    }
  }
}

Placed place_package(const StagedPackage &package, const dpkgdb::PackageRecord &record, PlaceContext &context) {
  return Placing(package, record, context).run();
}

std::vector<dpkgdb::Conffile> declared_conffiles(const deb::ControlArchive &control, std::string_view subject) {
  constexpr std::string_view kRemoved = "remove-on-upgrade ";
  std::vector<dpkgdb::Conffile> out;
  const deb::ControlFile *file = control.find("conffiles");
  if (file == nullptr) return out;
  for (std::string_view line : base::split(file->content, '\n')) {
    line = base::trim(line);
    if (line.empty()) continue;
    bool is_removed = line.substr(0, kRemoved.size()) == kRemoved;
    if (is_removed) line.remove_prefix(kRemoved.size());
    if (line.empty() || line[0] != '/') {
      throw Error(ErrorKind::package,
                  fmt::format("cannot read the conffiles of package '{}': '{}' is no path", subject, line));
    }
    out.push_back({std::string(line), "newconffile", false, is_removed});
  }
  return out;
}

}  // namespace debroot::unpack
