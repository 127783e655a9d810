#include "support/archive_builder.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "deb822/stanza.hpp"

namespace debroot::test {
namespace {

bool contains(const std::vector<std::string> &list, const std::string &item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void add_missing(std::vector<std::string> &list, const std::string &item) {
  if (!contains(list, item)) list.push_back(item);
}

std::string joined(const std::vector<std::string> &items, const std::string &prefix = {}) {
  std::string out;
  for (const std::string &item : items) out += (out.empty() ? "" : " ") + prefix + item;
  return out;
}

std::string sha256(std::string_view bytes) { return base::hash_of(base::HashKind::sha256, bytes); }

}  // namespace

std::string make_release(const SuiteSettings &settings, const std::vector<std::string> &components,
                         const std::vector<std::string> &architectures,
                         const std::map<std::string, std::string> &listed) {
  std::string out;
  auto put = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{}: {}\n", name, value);
  };
  put("Origin", settings.origin);
  put("Label", settings.label);
  put("Suite", settings.suite);
  put("Version", settings.version);
  put("Codename", settings.codename);
  put("Date", settings.date);
  put("Valid-Until", settings.valid_until);
  if (settings.is_not_automatic) put("NotAutomatic", "yes");
  if (settings.is_but_automatic_upgrades) put("ButAutomaticUpgrades", "yes");
  if (settings.has_by_hash) put("Acquire-By-Hash", "yes");
  put("No-Support-for-Architecture-all", settings.no_support_for_architecture_all);
  put("Architectures", joined(architectures));
  put("Components", joined(components, settings.component_prefix));
  out += settings.extra_release_text;
  out += "SHA256:\n";
  for (const auto &[path, bytes] : listed) {
    std::string digest = contains(settings.wrong_digests, path) ? sha256("something else") : sha256(bytes);
    std::size_t size = bytes.size() + (contains(settings.wrong_sizes, path) ? 1 : 0);
    out += fmt::format(" {} {:8} {}\n", digest, size, path);
  }
  return out;
}

SuiteSettings &ArchiveBuilder::suite(const std::string &name) { return find(name).settings; }

ArchiveBuilder::Suite &ArchiveBuilder::find(const std::string &name) {
  for (auto &suite : suites_) {
    if (suite->name == name) return *suite;
  }
  auto made = std::make_unique<Suite>();
  made->name = name;
  if (!name.ends_with('/')) made->settings.suite = made->settings.codename = name;
  suites_.push_back(std::move(made));
  return *suites_.back();
}

std::string ArchiveBuilder::pool_path(const std::string &component, const DebBuilder &package) {
  return fmt::format("pool/{}/{}/{}/{}", component.empty() ? "main" : component, package.name().substr(0, 1),
                     package.name(), package.file_name());
}

ArchiveBuilder &ArchiveBuilder::add(const std::string &suite, const std::string &component, const DebBuilder &package,
                                    const std::map<std::string, std::string> &overrides) {
  std::string bytes = package.bytes();
  std::string path = pool_path(component, package);
  deb822::Stanza stanza = deb822::Stanza::parse(package.control());
  stanza.set("Filename", path);
  stanza.set("Size", std::to_string(bytes.size()));
  stanza.set("SHA256", sha256(bytes));
  for (const auto &[name, value] : overrides) {
    if (value.empty()) {
      stanza.remove(name);
    } else {
      stanza.set(name, value);
    }
  }
  pool_[path] = std::move(bytes);
  return add_stanza(suite, component, package.architecture(), stanza.str());
}

ArchiveBuilder &ArchiveBuilder::add_stanza(const std::string &suite, const std::string &component,
                                           const std::string &architecture, const std::string &text) {
  find(suite).stanzas.push_back({component, architecture, text});
  return *this;
}

ArchiveBuilder &ArchiveBuilder::replace_file(const std::string &path, std::string bytes) {
  replaced_[path] = std::move(bytes);
  return *this;
}

void ArchiveBuilder::render(const Suite &suite, std::map<std::string, std::string> &out) {
  const SuiteSettings &settings = suite.settings;
  bool is_flat = suite.name.ends_with('/');
  std::string top = suite.name == "./" || suite.name == "/" ? "" : suite.name;
  if (!is_flat) top = "dists/" + suite.name + "/";

  std::vector<std::string> components = is_flat ? std::vector<std::string>{""} : settings.components;
  std::vector<std::string> architectures = settings.architectures;
  for (const Stanza &stanza : suite.stanzas) {
    if (!is_flat) add_missing(components, stanza.component);
    if (stanza.architecture != "all") add_missing(architectures, stanza.architecture);
  }
  bool has_all_index = !is_flat && settings.no_support_for_architecture_all.empty();
  std::vector<std::string> indexed = architectures;
  if (has_all_index) indexed.push_back("all");
  if (is_flat) indexed = {""};

  std::map<std::string, std::string> listed;
  std::set<std::string> unwritten;
  for (const std::string &component : components) {
    for (const std::string &architecture : indexed) {
      std::string text;
      for (const Stanza &stanza : suite.stanzas) {
        bool is_here =
            is_flat || stanza.architecture == architecture || (stanza.architecture == "all" && !has_all_index);
        if ((is_flat || stanza.component == component) && is_here) text += stanza.text + "\n";
      }
      std::string path = is_flat ? "Packages" : fmt::format("{}/binary-{}/Packages", component, architecture);
      bool has_plain =
          std::find(settings.packings.begin(), settings.packings.end(), Packing::none) != settings.packings.end();
      if (!has_plain && settings.lists_plain) {
        listed[path] = text;
        unwritten.insert(path);
      }
      for (Packing packing : settings.packings) listed[path + packing_suffix(packing)] = pack_bytes(text, packing);
    }
  }
  for (const auto &[path, bytes] : listed) {
    if (unwritten.count(path) != 0 || contains(settings.missing_files, path)) continue;
    out[top + path] = bytes;
    if (settings.has_by_hash) {
      std::string directory = path.substr(0, path.rfind('/') + 1);
      out[fmt::format("{}{}by-hash/SHA256/{}", top, directory, sha256(bytes))] = bytes;
    }
  }
  std::vector<std::string> announced = architectures;
  if (has_all_index || !settings.no_support_for_architecture_all.empty()) announced.push_back("all");
  std::string release = make_release(settings, is_flat ? std::vector<std::string>() : components,
                                     is_flat ? std::vector<std::string>() : announced, listed);
  if (settings.has_release) {
    out[top + "Release"] = release;
    if (settings.key != nullptr) out[top + "Release.gpg"] = settings.key->sign_detached(release, settings.signature);
  }
  if (settings.has_inrelease) {
    out[top + "InRelease"] = settings.key == nullptr ? release : settings.key->sign_clear(release, settings.signature);
  }
}

std::map<std::string, std::string> ArchiveBuilder::files() const {
  std::map<std::string, std::string> out = pool_;
  for (const auto &suite : suites_) render(*suite, out);
  for (const auto &[path, bytes] : replaced_) out[path] = bytes;
  return out;
}

void ArchiveBuilder::write(const std::string &directory) const {
  for (const auto &[path, bytes] : files()) {
    std::filesystem::path where = std::filesystem::path(directory) / path;
    std::filesystem::create_directories(where.parent_path());
    base::Fd fd = base::open_file(where.string(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    base::write_all(fd.get(), bytes);
  }
}

}  // namespace debroot::test
