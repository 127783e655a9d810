#include "build/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <variant>

#include "base/text.hpp"
#include "build/local_packages.hpp"
#include "resolve/order.hpp"
#include "resolve/resolver.hpp"

namespace debroot::build {

using debian::BinaryPackage;
using debian::PackageRef;

namespace {

/// apt pattern for packages of this suite and architecture that pass `test`, as mmdebstrap words it.
std::string suite_pattern(const BuildPlan &plan, const std::string &test) {
  std::string architecture = fmt::format("?architecture({})", plan.architecture);
  if (plan.suite.empty()) return fmt::format("?narrow({},{})", architecture, test);
  return fmt::format("?narrow(?or(?archive(^{0}$),?codename(^{0}$)),{1},{2})", plan.suite, architecture, test);
}

std::string priority_test(Variant variant) {
  std::string test = "?priority(required)";
  if (variant == Variant::important) test = "?or(?priority(required),?priority(important))";
  if (variant == Variant::standard) test = "?or(?priority(required),?priority(important),?priority(standard))";
  return fmt::format("?and({},?not(?essential))", test);
}

/// What debroot adds by itself so that the image works as a machine.
std::vector<std::string> own_includes(const BuildPlan &plan, const resolve::Resolver &resolver) {
  std::vector<std::string> out;
  auto add_if_known = [&](const char *name) {
    bool is_known = resolver.candidate(name, "").has_value();
    if (is_known) out.emplace_back(name);
    return is_known;
  };
  if (plan.is_plain) return out;
  add_if_known("dbus");
  if (plan.network == Network::networkd) {
    // packages of their own from bookworm on, parts of systemd before
    add_if_known("systemd-networkd");
    add_if_known("systemd-resolved");
  }
  if (plan.network == Network::ifupdown) {
    add_if_known("ifupdown");
    if (!add_if_known("isc-dhcp-client")) add_if_known("dhcpcd-base");
  }
  return out;
}

/// Includes that are names or patterns; paths of .debs are in the index already.
std::vector<std::string> named_includes(const BuildPlan &plan) {
  std::vector<std::string> out;
  std::remove_copy_if(plan.includes.begin(), plan.includes.end(), std::back_inserter(out), is_local_package);
  return out;
}

std::vector<std::string> second_items(const BuildPlan &plan, const resolve::Resolver &resolver) {
  std::vector<std::string> items;
  if (!has_second_part(plan.variant)) return items;
  items = named_includes(plan);
  for (std::string &name : own_includes(plan, resolver)) items.push_back(std::move(name));
  if (plan.variant == Variant::essential) return items;
  items.emplace_back("apt");
  if (plan.variant == Variant::buildd) items.emplace_back("build-essential");
  bool has_priority_set = plan.variant != Variant::apt && plan.variant != Variant::buildd;
  if (has_priority_set) items.push_back(suite_pattern(plan, priority_test(plan.variant)));
  return items;
}

resolve::Policy policy_of(const BuildPlan &plan, const debian::AptConfig &config,
                          const std::vector<resolve::Pin> &preferences) {
  resolve::Policy policy;
  policy.preferences = preferences;
  policy.architecture = plan.architecture;
  policy.foreign_architectures = plan.foreign_architectures;
  policy.install_recommends = config.is_true("APT::Install-Recommends", false);
  policy.default_release = config.find("APT::Default-Release").value_or("");
  policy.excludes = plan.excludes;
  return policy;
}

resolve::Selection require(resolve::Outcome outcome) {
  if (auto *unsatisfiable = std::get_if<resolve::Unsatisfiable>(&outcome)) throw unsatisfiable->as_error();
  return std::move(std::get<resolve::Selection>(outcome));
}

std::vector<PackageRef> packages_of(const resolve::Selection &selection) {
  std::vector<PackageRef> out;
  for (const resolve::Choice &choice : selection.choices) out.push_back(choice.package);
  return out;
}

/// "http://deb.debian.org/debian bookworm/main"
std::string archive_of(const debian::PackageIndex &index, const BinaryPackage &package) {
  const debian::PackageSource &source = index.sources()[package.sources.front()];
  return fmt::format("{} {}{}{}", base::without_credentials(source.archive_root), source.requested,
                     source.component.empty() ? "" : "/", source.component);
}

/// Adds what setup hooks installed and `chosen` has not replaced.
void add_still_installed(const ArchiveIndexes &indexes, std::vector<PackageRef> &chosen) {
  std::size_t count = chosen.size();
  for (PackageRef ref : indexes.installed) {
    const BinaryPackage &before = indexes.packages.at(ref);
    bool is_replaced = std::any_of(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(count), [&](auto one) {
      const BinaryPackage &now = indexes.packages.at(one);
      return now.name == before.name &&
             (now.architecture == before.architecture || now.architecture == "all" || before.architecture == "all");
    });
    if (!is_replaced) chosen.push_back(ref);
  }
}

/// Numbers packages as they are met and writes down what the rest of the build needs of each.
class Collector {
 public:
  Collector(const debian::PackageIndex &index, SelectedPackages &out) : index_(index), out_(out) {}

  void remember(const resolve::Selection &selection) {
    for (const resolve::Choice &choice : selection.choices) choices_.emplace(choice.package, choice);
  }

  std::vector<std::uint32_t> numbers(const std::vector<PackageRef> &packages) {
    std::vector<std::uint32_t> out;
    for (PackageRef package : packages) out.push_back(number(package));
    return out;
  }

  std::uint32_t number(PackageRef ref) {
    auto [found, is_new] = numbers_.try_emplace(ref, static_cast<std::uint32_t>(out_.plan.packages.size()));
    if (is_new) add(ref);
    return found->second;
  }

 private:
  void add(PackageRef ref) {
    const BinaryPackage &package = index_.at(ref);
    const resolve::Choice &choice = choices_.at(ref);
    PlannedPackage planned = planned_package(package);
    out_.downloads.push_back(download_of(index_, ref));
    planned.is_local = out_.downloads.back().url.starts_with("file:");
    out_.refs.push_back(ref);
    out_.reported.push_back({planned.id, choice.is_automatic, planned.size_bytes, planned.sha256,
                             std::string(package.stanza.get("Filename")), archive_of(index_, package), choice.reason});
    if (planned.id.name == "dpkg") out_.plan.dpkg_version = planned.id.version;
    out_.plan.packages.push_back(std::move(planned));
  }

  const debian::PackageIndex &index_;
  SelectedPackages &out_;
  std::map<PackageRef, resolve::Choice> choices_;
  std::map<PackageRef, std::uint32_t> numbers_;
};

RunKind run_kind(resolve::DpkgRun::Kind kind) {
  switch (kind) {
    case resolve::DpkgRun::Kind::unpack:
      return RunKind::unpack;
    case resolve::DpkgRun::Kind::configure:
      return RunKind::configure;
    case resolve::DpkgRun::Kind::configure_pending:
      return RunKind::configure_pending;
  }
  return RunKind::configure_pending;
}

/// Refuses a network that nothing chosen or installed can bring up, before anything is downloaded.
void require_network(const BuildPlan &plan, const ArchiveIndexes &indexes, const std::vector<PlannedPackage> &chosen) {
  if (plan.is_plain || plan.network == Network::none) return;
  bool is_networkd = plan.network == Network::networkd;
  std::string_view needed = is_networkd ? "systemd" : "ifupdown";
  if (std::any_of(chosen.begin(), chosen.end(), [&](auto &package) { return package.id.name == needed; })) return;
  bool is_there = std::any_of(indexes.installed.begin(), indexes.installed.end(),
                              [&](PackageRef ref) { return indexes.packages.at(ref).name == needed; });
  if (is_there) return;
  throw Error(ErrorKind::usage, fmt::format("cannot set up {}: package '{}' is not among those chosen",
                                            is_networkd ? "systemd-networkd" : "ifupdown", needed))
      .hint(fmt::format("--network none, or --include {}", needed));
}

/// Fills `out` with the two parts of what is installed, one after the other.
class Chooser {
 public:
  Chooser(const BuildPlan &plan, const ArchiveIndexes &indexes, const debian::AptConfig &config,
          const std::vector<resolve::Pin> &preferences, SelectedPackages &out)
      : plan_(plan),
        indexes_(indexes),
        policy_(policy_of(plan, config, preferences)),
        resolver_(indexes.packages, policy_),
        collector_(indexes.packages, out),
        out_(out),
        installed_(indexes.installed) {}

  /// What is unpacked before any script runs.
  void choose_first() {
    resolve::Request request;
    bool is_essential = has_second_part(plan_.variant);
    request.items = is_essential ? std::vector{suite_pattern(plan_, "?essential")} : named_includes(plan_);
    for (const std::string &name : plan_.hook_packages) {
      if (!indexes_.packages.named(name).empty()) request.items.push_back(name);
    }
    if (!is_essential) request.files = indexes_.local_packages;
    resolve::Selection first;
    if (!request.items.empty() || !request.files.empty())
      first = require(resolver_.install(request, indexes_.installed));
    collector_.remember(first);
    installed_ = packages_of(first);
    out_.plan.first = collector_.numbers(
        resolve::unpack_order(resolve::plan_runs(indexes_.packages, policy_, installed_, indexes_.installed)));
    add_still_installed(indexes_, installed_);
  }

  /// What apt installs afterwards. Where it cannot be done, nothing of `out` has changed.
  void choose_rest() {
    resolve::Request request;
    request.items = second_items(plan_, resolver_);
    if (has_second_part(plan_.variant)) request.files = indexes_.local_packages;
    if (request.items.empty() && request.files.empty()) return;
    resolve::Selection rest = require(resolver_.install(request, installed_));
    collector_.remember(rest);
    for (const resolve::DpkgRun &run : resolve::plan_runs(indexes_.packages, policy_, packages_of(rest), installed_)) {
      out_.plan.runs.push_back({run_kind(run.kind), collector_.numbers(run.packages)});
    }
    for (const resolve::Choice &choice : rest.choices) {
      if (choice.is_automatic) out_.plan.automatic.push_back(collector_.number(choice.package));
    }
    for (PackageRef ref : rest.already_installed) out_.plan.asked_again.push_back(indexes_.packages.at(ref).id());
  }

 private:
  const BuildPlan &plan_;
  const ArchiveIndexes &indexes_;
  resolve::Policy policy_;
  resolve::Resolver resolver_;
  Collector collector_;
  SelectedPackages &out_;
  std::vector<PackageRef> installed_;  ///< when the next part begins
};

/// A path of an index as it stands in a URL, which would read some characters in another way.
std::string in_url(std::string_view path) {
  std::string out;
  for (char c : path) {
    bool is_plain = c > ' ' && c < '\x7f' && std::string_view("%#?\"<>\\^`{|}").find(c) == std::string_view::npos;
    out += is_plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

PlannedPackage planned_package(const BinaryPackage &package) {
  PlannedPackage planned;
  planned.id = package.id();
  planned.sha256 = std::string(package.stanza.get("SHA256"));
  planned.size_bytes = base::parse_number(package.stanza.get("Size")).value_or(0);
  planned.installed_size_bytes = base::parse_number(package.stanza.get("Installed-Size")).value_or(0) * 1024;
  return planned;
}

fetch::Request download_of(const debian::PackageIndex &index, PackageRef ref) {
  const BinaryPackage &package = index.at(ref);
  const debian::PackageSource &source = index.sources()[package.sources.front()];
  fetch::Request request;
  request.url = fmt::format("{}/{}", source.archive_root, in_url(package.stanza.get("Filename")));
  request.sha256 = std::string(package.stanza.get("SHA256"));
  request.size_bytes = base::parse_number(package.stanza.get("Size")).value_or(0);
  request.purpose = fmt::format("{}, which lists {}", archive_of(index, package), to_string(package.id()));
  return request;
}

bool has_second_part(Variant variant) { return variant != Variant::extract && variant != Variant::custom; }

SelectedPackages select_packages(const BuildPlan &plan, const ArchiveIndexes &indexes, const debian::AptConfig &config,
                                 const std::vector<resolve::Pin> &preferences) {
  SelectedPackages out;
  Chooser chooser(plan, indexes, config, preferences, out);
  chooser.choose_first();
  try {
    chooser.choose_rest();
    require_network(plan, indexes, out.plan.packages);
  } catch (const Error &error) {
    if (!has_hooks_between(plan.hooks) || !has_second_part(plan.variant)) throw;
    out.plan.is_rest_open = true;
    out.rest_failure = error;
  }
  return out;
}

SelectedPackages select_rest(const BuildPlan &plan, const ArchiveIndexes &indexes, const debian::AptConfig &config,
                             const std::vector<resolve::Pin> &preferences) {
  SelectedPackages out;
  try {
    Chooser(plan, indexes, config, preferences, out).choose_rest();
  } catch (Error &error) {
    if (error.hint().empty()) error.hint("`apt-get update` in the hook that adds its source, if one does");
    throw;
  }
  require_network(plan, indexes, out.plan.packages);
  return out;
}

}  // namespace debroot::build
