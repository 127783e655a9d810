/// What dpkg's database knows of one package, and how it writes it (dpkg's own stanza form and field order).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deb822/stanza.hpp"
#include "debian/architecture.hpp"
#include "debroot/package.hpp"

namespace debroot::dpkgdb {

/// First word of the Status field: what is wanted of the package.
enum class Want { unknown, install, hold, deinstall, purge };
/// Second word.
enum class Flag { ok, reinstreq };
/// Third word: the package state, in dpkg's own order (comparisons rely on it).
enum class State {
  not_installed,
  config_files,
  half_installed,
  unpacked,
  half_configured,
  triggers_awaited,
  triggers_pending,
  installed
};

[[nodiscard]] std::string_view state_name(State state) noexcept;
/// Whether a package in this state was last configured in its present version, so that dpkg need not record it.
[[nodiscard]] bool implies_config_version(State state) noexcept;

/// One line of the Conffiles field.
struct Conffile {
  std::string path;
  std::string hash;  ///< MD5 of the content as shipped, or "newconffile" before the package was configured
  bool is_obsolete = false;
  bool is_remove_on_upgrade = false;
};

/// A package as /var/lib/dpkg/status has it.
struct PackageRecord {
  deb822::Stanza control;  ///< the .deb's control fields, in its order
  Want want = Want::install;
  Flag flag = Flag::ok;
  State state = State::not_installed;
  std::vector<Conffile> conffiles;
  std::vector<std::string> triggers_pending;
  std::vector<std::string> triggers_awaited;  ///< names of packages whose triggers must run first
  std::string config_version;                 ///< version last configured, empty if never

  [[nodiscard]] std::string name() const { return control.get("Package"); }
  [[nodiscard]] std::string version() const { return control.get("Version"); }
  [[nodiscard]] std::string architecture() const { return control.get("Architecture"); }
  [[nodiscard]] debian::MultiArch multi_arch() const { return debian::parse_multi_arch(control.get("Multi-Arch")); }
  [[nodiscard]] PackageId id() const { return {name(), version(), architecture()}; }
  /// Name that files under info/ begin with: "libc6:amd64" for Multi-Arch: same, else "dash".
  [[nodiscard]] std::string info_name() const;

  /// The stanza as dpkg writes it into `status` and `updates/`, ending in a line end, no blank line behind.
  [[nodiscard]] std::string stanza() const;
  /// The record as it is while a package is unpacked for the first time: dpkg takes in most fields only afterwards.
  [[nodiscard]] PackageRecord begun() const;
  /// The reverse of `stanza`. @throws Error of kind package
  [[nodiscard]] static PackageRecord parse(std::string_view stanza);
};

/// Parses a Status field ("install ok installed") into `record`. @throws Error of kind package
void parse_status_field(std::string_view value, PackageRecord &record);

}  // namespace debroot::dpkgdb
