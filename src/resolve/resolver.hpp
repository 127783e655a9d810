/// Chooses packages as apt 2.6 would: from an index, a policy and what a user typed, to a set in which every needed
/// relation holds, or to an explanation why there is none.
///
/// A build asks twice: first for the essential set with nothing installed, then for everything else with that set
/// installed. Where apt's way of choosing fails, so does this one, even if a cleverer search could succeed: agreement
/// with apt is worth more than an install that apt inside the image could not repeat.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "debian/package_index.hpp"
#include "resolve/explain.hpp"
#include "resolve/policy.hpp"

namespace debroot::resolve {

class MentionOrder;

/// What to install.
struct Request {
  /// As apt-get install takes them: name, name:arch, name=version, name/release, name+, name-, glob, regex, apt
  /// pattern.
  std::vector<std::string> items;
  /// Versions that were handed over as .deb files and put into the index: each becomes its package's candidate.
  std::vector<debian::PackageRef> files;
};

/// One package that is to be installed.
struct Choice {
  debian::PackageRef package = 0;
  bool is_automatic = false;  ///< `Auto-Installed: 1` in extended_states
  std::string reason;         ///< "requested", "essential", "priority important", "needed by ID", "recommended by ID"
};

/// The outcome of a request that can be met: only what is new. In the order of apt's walk over its cache, which is that
/// of the stanzas in extended_states; order.hpp gives the order of unpacking.
struct Selection {
  std::vector<Choice> choices;
  /// Asked for, and installed already: apt marks it as installed by hand.
  std::vector<debian::PackageRef> already_installed;
};

using Outcome = std::variant<Selection, Unsatisfiable>;

/// Answers requests over one index, which must outlive it. Safe to use from several threads.
class Resolver {
 public:
  /// @throws Error of kind usage when the policy names a default release that no source belongs to.
  Resolver(const debian::PackageIndex &index, Policy policy);
  ~Resolver();
  Resolver(Resolver &&) = delete;
  Resolver &operator=(Resolver &&) = delete;

  /// @param installed what is in the root; it stays there, save for versions the request replaces.
  /// @throws Error of kind usage for items that make no sense or name nothing, of kind index for malformed relations.
  [[nodiscard]] Outcome install(const Request &request, std::span<const debian::PackageRef> installed) const;

  /// The version of `name` that would be installed; `architecture` empty means the native one.
  [[nodiscard]] std::optional<debian::PackageRef> candidate(std::string_view name, std::string_view architecture) const;

  /// Native architecture first.
  [[nodiscard]] const std::vector<std::string> &architectures() const noexcept { return architectures_; }

 private:
  [[nodiscard]] const MentionOrder &mentions() const;

  const debian::PackageIndex &index_;
  Policy policy_;
  std::vector<std::string> architectures_;
  Priorities priorities_;
  mutable std::once_flag is_read_;
  mutable std::unique_ptr<MentionOrder> mentions_;
};

}  // namespace debroot::resolve
