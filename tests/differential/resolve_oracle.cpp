/// Answers requests from standard input with what the resolver chooses, for resolve_vs_apt.py to compare with apt.
///
/// resolve_oracle ARCH[,FOREIGN…] TERMS=PACKAGES-FILE… [--installed=FILE] [--preferences=FILE] [--default-release=NAME]
///                [--recommends] [--time]
/// TERMS say what the Release says: a=oldstable,n=bookworm,o=Debian,l=…,r=12.5,c=main,s=HOST,notautomatic,
/// butautomaticupgrades.
/// Each line of input is one request, items separated by tabs. Each answer is one line: "ok", then the packages as
/// name_version_arch ('+' in front of automatic ones), then "|" and the sequence of u:… and c:… (unpack, configure);
/// or "no" and the reason.
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <variant>

#include "base/text.hpp"
#include "deb822/stanza.hpp"
#include "debian/package_index.hpp"
#include "resolve/order.hpp"
#include "resolve/resolver.hpp"

namespace {

using namespace debroot;

std::shared_ptr<const std::string> read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::make_shared<const std::string>(std::move(text).str());
}

debian::PackageSource read_terms(const std::string &terms) {
  debian::PackageSource source;
  const std::map<std::string_view, std::string debian::PackageSource::*> kFields = {
      {"a", &debian::PackageSource::suite},   {"n", &debian::PackageSource::codename},
      {"o", &debian::PackageSource::origin},  {"l", &debian::PackageSource::label},
      {"r", &debian::PackageSource::version}, {"c", &debian::PackageSource::component},
      {"s", &debian::PackageSource::site}};
  for (std::string_view term : base::split(terms, ',')) {
    std::size_t equal = term.find('=');
    if (auto field = kFields.find(term.substr(0, equal)); field != kFields.end()) {
      source.*field->second = term.substr(equal + 1);
    }
    if (term == "notautomatic") source.is_not_automatic = true;
    if (term == "butautomaticupgrades") source.is_but_automatic_upgrades = true;
  }
  source.requested = source.codename;
  return source;
}

void load(debian::PackageIndex &index, const std::string &terms, const std::string &path) {
  std::uint32_t number = index.add_source(read_terms(terms));
  std::shared_ptr<const std::string> text = read_file(path);
  index.keep(text);
  deb822::StanzaReader reader(*text);
  while (std::optional<deb822::StanzaView> stanza = reader.next()) {
    debian::BinaryPackage package;
    package.stanza = *stanza;
    package.name = stanza->get("Package");
    package.version = stanza->get("Version");
    package.architecture = stanza->get("Architecture");
    package.provides = stanza->get("Provides");
    package.priority = debian::parse_priority(stanza->get("Priority"));
    package.multi_arch = debian::parse_multi_arch(stanza->get("Multi-Arch"));
    package.is_essential = stanza->get("Essential") == "yes";
    package.sources = {number};
    if (!package.name.empty()) index.add(std::move(package));
  }
}

std::string answer(const debian::PackageIndex &index, const resolve::Resolver &resolver, const resolve::Policy &policy,
                   const std::string &line, const std::vector<debian::PackageRef> &installed) {
  resolve::Request request;
  for (std::string_view item : base::split(line, '\t')) request.items.emplace_back(item);
  try {
    resolve::Outcome outcome = resolver.install(request, installed);
    if (auto *failure = std::get_if<resolve::Unsatisfiable>(&outcome)) {
      std::string text = failure->as_error().tree();
      for (char &c : text) c = c == '\n' ? ';' : c;
      return "no " + text;
    }
    std::string out = "ok";
    std::vector<debian::PackageRef> chosen;
    for (const resolve::Choice &choice : std::get<resolve::Selection>(outcome).choices) {
      out += (choice.is_automatic ? " +" : " ") + to_string(index.at(choice.package).id());
      chosen.push_back(choice.package);
    }
    out += " |";
    std::set<debian::PackageRef> configured;
    std::vector<resolve::DpkgRun> runs = resolve::plan_runs(index, policy, chosen, installed);
    for (const resolve::DpkgRun &run : runs) {
      for (debian::PackageRef ref : run.packages) {
        bool is_unpack = run.kind == resolve::DpkgRun::Kind::unpack;
        if (!is_unpack) configured.insert(ref);
        out += (is_unpack ? " u:" : " c:") + to_string(index.at(ref).id());
      }
    }
    for (debian::PackageRef ref : resolve::unpack_order(runs)) {
      if (!configured.contains(ref)) out += " c:" + to_string(index.at(ref).id());
    }
    return out;
  } catch (const Error &error) {
    return "no " + error.message();
  }
}

}  // namespace

int main(int argc, char **argv) {
  debian::PackageIndex index;
  resolve::Policy policy;
  std::set<std::string> installed_ids;
  bool is_timed = false;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (i == 1) {
      std::vector<std::string_view> names = base::split(argument, ',');
      policy.architecture = names[0];
      policy.foreign_architectures.assign(names.begin() + 1, names.end());
    } else if (argument.starts_with("--installed=")) {
      std::shared_ptr<const std::string> text = read_file(argument.substr(12));
      for (std::string_view id : base::split_words(*text)) installed_ids.emplace(id);
    } else if (argument.starts_with("--preferences=")) {
      policy.preferences = resolve::parse_preferences(*read_file(argument.substr(14)), argument.substr(14));
    } else if (argument.starts_with("--default-release=")) {
      policy.default_release = argument.substr(18);
    } else if (argument == "--recommends") {
      policy.install_recommends = true;
    } else if (argument == "--time") {
      is_timed = true;
    } else {
      std::size_t equal = argument.rfind('=');
      load(index, argument.substr(0, equal), argument.substr(equal + 1));
    }
  }
  index.seal();
  std::vector<debian::PackageRef> installed;
  for (debian::PackageRef ref = 0; ref < index.packages().size(); ++ref) {
    if (installed_ids.contains(to_string(index.at(ref).id()))) installed.push_back(ref);
  }
  resolve::Resolver resolver(index, policy);
  for (std::string line; std::getline(std::cin, line);) {
    auto start = std::chrono::steady_clock::now();
    std::cout << answer(index, resolver, policy, line, installed) << std::endl;
    std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    if (is_timed) std::cerr << spent.count() << " ms\n";
  }
}
