#include "dpkgdb/database.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"

namespace debroot::dpkgdb {
namespace {

constexpr std::uint32_t kMaxUpdates = 250;  // dpkg's MAXUPDATES

std::string admin_path(std::string_view name) { return fmt::format("{}/{}", kAdminDirectory, name); }

PackageKey key_of(const deb822::Stanza &control) { return {control.get("Package"), control.get("Architecture")}; }

bool is_update_name(const std::string &name) { return base::parse_number(name).has_value(); }

}  // namespace

Database::Database(const base::RootDirectory &root) : root_(&root) { reload(); }

void Database::reload() {
  records_.clear();
  next_update_ = 0;
  parse_file(root_->try_read(admin_path("status")).value_or(""));
  for (const std::string &name : root_->list(admin_path("updates"))) {
    if (!is_update_name(name)) continue;
    parse_file(root_->read(admin_path("updates/" + name)));
    next_update_ = std::max(next_update_, static_cast<std::uint32_t>(*base::parse_number(name)) + 1);
  }
}

void Database::begin_run() {
  for (auto &[key, record] : records_) {
    std::reverse(record.triggers_pending.begin(), record.triggers_pending.end());
    if (implies_config_version(record.state)) record.config_version = record.version();
  }
}

void Database::parse_file(std::string_view text) {
  deb822::StanzaReader reader(text);
  while (auto stanza = reader.next()) {
    PackageRecord record = PackageRecord::parse(stanza->text());
    PackageKey key = key_of(record.control);
    records_.insert_or_assign(std::move(key), std::move(record));
  }
}

PackageRecord *Database::find(const PackageKey &key) {
  auto found = records_.find(key);
  return found == records_.end() ? nullptr : &found->second;
}

const PackageRecord *Database::find(const PackageKey &key) const {
  auto found = records_.find(key);
  return found == records_.end() ? nullptr : &found->second;
}

std::vector<PackageRecord *> Database::named(std::string_view name) {
  std::vector<PackageRecord *> out;
  for (auto at = records_.lower_bound({std::string(name), {}}); at != records_.end() && at->first.name == name; ++at) {
    out.push_back(&at->second);
  }
  return out;
}

std::vector<const PackageRecord *> Database::named(std::string_view name) const {
  std::vector<PackageRecord *> found = const_cast<Database *>(this)->named(name);  // which changes nothing
  return {found.begin(), found.end()};
}

PackageRecord &Database::add(deb822::Stanza control) {
  PackageRecord &record = records_[key_of(control)];
  record.control = std::move(control);
  return record;
}

void Database::note(const PackageRecord &record) {
  root_->write(admin_path(fmt::format("updates/{:04}", next_update_)), record.stanza());
  if (++next_update_ > kMaxUpdates) checkpoint();
}

void Database::checkpoint() {
  std::string text;
  for (const auto &[key, record] : records_) {
    if (record.state == State::not_installed && record.want != Want::hold) continue;
    text += record.stanza();
    text += '\n';
  }
  std::string status = admin_path("status");
  std::string old = admin_path("status-old");
  root_->write(status + "-new", text);
  // dpkg links the present file to status-old, then renames the new one into place
  root_->remove_file(old);
  if (root_->exists(status)) root_->rename(status, old);
  root_->rename(status + "-new", status);
  for (const std::string &name : root_->list(admin_path("updates"))) {
    if (is_update_name(name)) root_->remove_file(admin_path("updates/" + name));
  }
  next_update_ = 0;
}

std::string Database::info_path(const PackageRecord &record, std::string_view extension) {
  return fmt::format("{}/info/{}.{}", kAdminDirectory, record.info_name(), extension);
}

}  // namespace debroot::dpkgdb
