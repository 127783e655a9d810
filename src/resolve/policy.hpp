/// What a user prefers: pins, the default release, exclusions; and the candidate that follows from them.
///
/// apt's rule (apt_preferences(5)): of all versions of a package the one of the highest priority is the candidate, and
/// the highest version among equals. Without pins a version counts 500, 100 when its archive says
/// ButAutomaticUpgrades, 1 when it only says NotAutomatic, 990 when it is of the default release, 100 when installed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "debian/package_index.hpp"

namespace debroot::resolve {

/// One stanza of apt_preferences(5).
struct Pin {
  enum class Kind { version, release, origin };
  std::vector<std::string> packages;  ///< names, globs, /regexes/, "src:name"; empty: every package ("Package: *")
  Kind kind = Kind::release;
  std::string data;       ///< "1.2*", "a=stable, o=Debian", "deb.debian.org"
  int priority = 0;       ///< -32767 … 32767
  bool is_never = false;  ///< "Pin-Priority: never"
};

/// The pins of one preferences file. @param path names the file in errors.
/// @throws Error of kind usage for a stanza without Package, an unknown kind of pin or an impossible priority.
[[nodiscard]] std::vector<Pin> parse_preferences(std::string_view text, std::string_view path);

struct Policy {
  std::string architecture;                        ///< native architecture of the root
  std::vector<std::string> foreign_architectures;  ///< further ones dpkg will know, in order of preference
  bool install_recommends = false;                 ///< APT::Install-Recommends
  std::string default_release;                     ///< APT::Default-Release, empty for none
  std::vector<Pin> preferences;                    ///< in the order apt reads them
  std::vector<std::string> excludes;               ///< names that must not be installed, in no architecture
};

/// What "RELEASE" stands for in `pkg/RELEASE`, in APT::Default-Release and behind `Pin: release`.
class ReleaseMatch {
 public:
  explicit ReleaseMatch(std::string_view text);
  [[nodiscard]] bool matches(const debian::PackageSource &source) const;

 private:
  struct Term {
    char field = 0;  ///< v, o, a, n, l, c as in "a=stable"; 'r' for a bare word, which is archive or codename
    std::string value;
  };
  std::vector<Term> terms_;
  bool matches_all_ = false;
};

/// Priorities of versions under one policy; holds references to both arguments.
class Priorities {
 public:
  /// @throws Error of kind usage when no source belongs to the default release.
  Priorities(const debian::PackageIndex &index, const Policy &policy);

  /// Priority of a version; below zero and zero mean it is no candidate.
  [[nodiscard]] int of(debian::PackageRef package) const;
  /// The candidate among `versions` (highest version first) when `installed` is the version now in the root.
  [[nodiscard]] std::optional<debian::PackageRef> candidate(const std::vector<debian::PackageRef> &versions,
                                                            std::optional<debian::PackageRef> installed) const;

 private:
  [[nodiscard]] const Pin *specific_pin(debian::PackageRef package) const;

  const debian::PackageIndex *index_;
  const Policy *policy_;
  std::vector<int> of_source_;
  std::vector<bool> is_never_source_;
  bool has_specific_ = false;
};

}  // namespace debroot::resolve
