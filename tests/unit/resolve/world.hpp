/// A small archive written down in the test itself, and short ways to ask the resolver about it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "debian/package_index.hpp"
#include "debroot/error.hpp"
#include "resolve/order.hpp"
#include "resolve/resolver.hpp"

namespace debroot::resolve::test {

class World {
 public:
  explicit World(std::string architecture = "amd64") {
    policy.architecture = std::move(architecture);
    suite("stable");
  }

  /// Packages added from here on come from a suite of this name.
  World &suite(const std::string &name, bool is_not_automatic = false, bool is_but_automatic_upgrades = false) {
    debian::PackageSource source;
    source.suite = name;
    source.codename = name + "-codename";
    source.requested = name;
    source.component = "main";
    source.origin = "Debian";
    source.site = name + ".example.org";
    source.is_not_automatic = is_not_automatic;
    source.is_but_automatic_upgrades = is_but_automatic_upgrades;
    source_ = index_.add_source(source);
    return *this;
  }

  /// Adds "name version [arch]" with further fields, one a line.
  World &add(const std::string &id, const std::string &fields = "") {
    std::string name = id.substr(0, id.find(' '));
    std::string rest = id.substr(id.find(' ') + 1);
    std::string version = rest.substr(0, rest.find(' '));
    std::string architecture =
        rest.find(' ') == std::string::npos ? policy.architecture : rest.substr(rest.find(' ') + 1);
    auto text = std::make_shared<const std::string>("Package: " + name + "\nVersion: " + version +
                                                    "\nArchitecture: " + architecture + "\n" + fields + "\n");
    index_.keep(text);
    debian::BinaryPackage package;
    package.stanza = deb822::StanzaView(*text);
    package.name = package.stanza.get("Package");
    package.version = package.stanza.get("Version");
    package.architecture = package.stanza.get("Architecture");
    package.provides = package.stanza.get("Provides");
    package.priority = debian::parse_priority(package.stanza.get("Priority"));
    package.multi_arch = debian::parse_multi_arch(package.stanza.get("Multi-Arch"));
    package.is_essential = package.stanza.get("Essential") == "yes";
    package.sources = {source_};
    index_.add(std::move(package));
    return *this;
  }

  /// Marks a package (by "name_version_arch") as installed.
  World &installed(const std::string &id) {
    installed_ids_.push_back(id);
    return *this;
  }

  const debian::PackageIndex &index() {
    if (!is_sealed_) index_.seal();
    is_sealed_ = true;
    return index_;
  }

  std::vector<debian::PackageRef> refs(const std::vector<std::string> &ids) {
    std::vector<debian::PackageRef> out;
    for (const std::string &id : ids) {
      std::optional<debian::PackageRef> found;
      for (debian::PackageRef ref = 0; ref < index().packages().size(); ++ref) {
        if (to_string(index().at(ref).id()) == id) found = ref;
      }
      if (!found) throw std::runtime_error("the test has no package " + id);
      out.push_back(*found);
    }
    return out;
  }

  Outcome ask(const std::vector<std::string> &items) {
    return Resolver(index(), policy).install({items, {}}, refs(installed_ids_));
  }

  /// "a_1_amd64 b_2_amd64", sorted, '+' in front of automatic ones; the drawn tree when there is no solution.
  std::string choose(const std::vector<std::string> &items) {
    Outcome outcome = ask(items);
    if (auto *failure = std::get_if<Unsatisfiable>(&outcome)) return draw(failure->problems);
    std::vector<std::string> names;
    for (const Choice &choice : std::get<Selection>(outcome).choices) {
      names.push_back((choice.is_automatic ? "+" : "") + to_string(index().at(choice.package).id()));
    }
    std::sort(names.begin(), names.end(), [](const std::string &a, const std::string &b) {
      return a.substr(a.find_first_not_of('+')) < b.substr(b.find_first_not_of('+'));
    });
    std::string out;
    for (const std::string &name : names) out += (out.empty() ? "" : " ") + name;
    return out;
  }

  /// The message of the Error that the request ends with, its details behind "; label: value", its hint behind "; try".
  std::string refuse(const std::vector<std::string> &items) {
    try {
      return "not refused: " + choose(items);
    } catch (const Error &error) {
      std::string out = error.message();
      for (const ErrorDetail &detail : error.details()) out += "; " + detail.label + ": " + detail.value;
      if (!error.hint().empty()) out += "; try: " + error.hint();
      return out;
    }
  }

  /// "unpack a b | configure a | pending" for a set of packages given by id.
  std::string runs(const std::vector<std::string> &ids) {
    std::string out;
    for (const DpkgRun &run : plan_runs(index(), policy, refs(ids), refs(installed_ids_))) {
      if (!out.empty()) out += " | ";
      out += run.kind == DpkgRun::Kind::unpack      ? "unpack"
             : run.kind == DpkgRun::Kind::configure ? "configure"
                                                    : "pending";
      for (debian::PackageRef ref : run.packages) out += " " + std::string(index().at(ref).name);
    }
    return out;
  }

  Policy policy;

 private:
  debian::PackageIndex index_;
  std::uint32_t source_ = 0;
  std::vector<std::string> installed_ids_;
  bool is_sealed_ = false;
};

}  // namespace debroot::resolve::test
