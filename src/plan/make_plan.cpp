#include "plan/make_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "plan/hooks.hpp"
#include "plan/mirrors.hpp"
#include "plan/names.hpp"
#include "plan/outputs.hpp"
#include "plan/packages.hpp"
#include "plan/suites.hpp"

namespace debroot::plan {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestOptionFile = std::uint64_t{1} << 20;

std::string absolute(const std::string &path, const HostFacts &host) {
  return (fs::path(host.working_directory) / path).lexically_normal().string();
}

void check_suite_word(const std::string &suite) {
  if (suite.empty()) throw usage_error("no suite is given").hint("debroot build bookworm");
  bool is_fit = suite[0] != '-' && std::all_of(suite.begin(), suite.end(), [](char c) {
                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         std::string_view("+-._/~").find(c) != std::string_view::npos;
                });
  if (!is_fit) throw usage_error(fmt::format("'{}' is no name of a suite", suite));
}

void set_architectures(BuildPlan &plan, const Options &options, const HostFacts &host) {
  std::vector<std::string> names = split_list(options.architectures);
  if (names.empty() && !options.architectures.empty()) throw usage_error("'--arch' names no architecture");
  if (names.empty()) names.push_back(host.architecture);
  for (const std::string &name : names) check_architecture(name);
  plan.architecture = names.front();
  plan.foreign_architectures.assign(names.begin() + 1, names.end());
}

void set_sources(BuildPlan &plan, const Options &options, const HostFacts &host) {
  MirrorRequest request{plan.suite, plan.architecture, split_list(options.components), options.mirrors,
                        options.sources_rule};
  if (request.components.empty() && !options.components.empty()) {
    throw usage_error("'--components' names no component");
  }
  if (request.components.empty()) request.components = {"main"};
  plan.sources = make_sources(request, host, plan.warnings);
  plan.has_default_sources = options.mirrors.empty();
  const KnownSuite *suite = find_suite(plan.suite);
  if (suite != nullptr) plan.vendor = vendor_of(*suite);
}

/// A setup hook may bring sources of its own; without one, a plan without any leads nowhere.
void check_sources(BuildPlan &plan, const SourcesRule &rule) {
  bool has_entry = std::any_of(plan.sources.begin(), plan.sources.end(), [](auto &f) { return !f.entries.empty(); });
  if (has_entry) return;
  bool may_have_none =
      has_hooks(plan.hooks, HookStage::setup) || (rule.takes_no_source && is_skipped(plan.skips, "update"));
  if (!may_have_none) throw usage_error("the mirrors given name no archive to install from");
  plan.warnings.emplace_back("empty apt sources.list");
}

/// As mmdebstrap: scripts that run on the host's own tools and do not honour DPKG_ROOT would change the host, so that
/// real root has to be in a place made for it, or insist.
void check_chrootless(const BuildPlan &plan, const HostFacts &host) {
  if (plan.mode != Mode::chrootless) return;
  bool is_harmless = host.user_id != 0 || !host.variable("FAKEROOTKEY").empty() || host.is_in_chroot;
  if (is_harmless || is_skipped(plan.skips, "check/chrootless")) return;
  throw usage_error(
      "mode 'chrootless' could damage this system: it runs maintainer scripts as root outside of the image")
      .hint("run it as an ordinary user, under fakeroot or inside a chroot; --skip=check/chrootless insists");
}

std::vector<std::string> read_keyrings(const Options &options, const HostFacts &host) {
  std::vector<std::string> out;
  for (const std::string &given : options.keyrings) {
    std::error_code failure;
    std::string path = absolute(given, host);
    fs::file_status status = fs::status(path, failure);
    if (!fs::exists(status)) throw usage_error(fmt::format("keyring '{}' does not exist", given));
    if (!fs::is_regular_file(status) && !fs::is_directory(status)) {
      throw usage_error(fmt::format("keyring '{}' is neither a file nor a directory", given));
    }
    out.push_back(std::move(path));
  }
  return out;
}

/// mmdebstrap's rule: the name of a file stands for its content as it is, anything else is the option itself, to which
/// `end` and a line end are added where it lacks them.
std::vector<std::string> read_option_texts(const std::vector<std::string> &values, const HostFacts &host,
                                           std::string_view end) {
  std::vector<std::string> out;
  for (const std::string &value : values) {
    std::error_code failure;
    std::string path = absolute(value, host);
    if (!value.empty() && fs::is_regular_file(path, failure)) {
      out.push_back(base::read_file(path, kLargestOptionFile));
      continue;
    }
    std::string text = value;
    std::string_view body = base::trim(text);
    if (!end.empty() && !body.empty() && !body.ends_with(end)) text += end;
    if (!text.ends_with('\n')) text += '\n';
    out.push_back(std::move(text));
  }
  return out;
}

/// Which of debroot's own customisations the image gets (hostname, dbus, network).
void set_customisations(BuildPlan &plan, const Options &options) {
  if (options.hostname) check_hostname(*options.hostname);
  bool wants_network = options.network && parse_network(*options.network) != Network::none;
  if (options.is_plain && options.hostname) throw usage_error("'--plain' and '--hostname' contradict each other");
  if (options.is_plain && wants_network) throw usage_error("'--plain' and '--network' contradict each other");
  if (plan.variant == Variant::extract && (options.hostname || wants_network)) {
    throw usage_error(fmt::format("variant 'extract' has no system to customise: '{}' cannot be used",
                                  options.hostname ? "--hostname" : "--network"));
  }
  if (plan.mode == Mode::chrootless && (options.hostname || wants_network)) {
    throw usage_error(fmt::format("mode 'chrootless' runs nothing inside the image: '{}' cannot be used",
                                  options.hostname ? "--hostname" : "--network"));
  }
  bool is_system = plan.variant == Variant::important || plan.variant == Variant::standard;
  bool is_asked = options.hostname || options.network;
  plan.is_plain = options.is_plain || plan.mode == Mode::chrootless || plan.variant == Variant::extract ||
                  (!is_system && !is_asked);
  plan.hostname = options.hostname;
  if (plan.is_plain) {
    plan.network = Network::none;
  } else if (options.network) {
    plan.network = parse_network(*options.network);
  }
}

/// No twins where the image itself may get packages of the host's architecture: then its own files lie where a script
/// would look for them.
std::string twin_architecture(const BuildPlan &plan, const Options &options, const HostFacts &host) {
  if (!parse_foreign_exec(options.foreign_exec.value_or("native"))) return {};
  const std::vector<std::string> &foreign = plan.foreign_architectures;
  bool is_native = plan.architecture == host.architecture ||
                   std::find(foreign.begin(), foreign.end(), host.architecture) != foreign.end();
  bool runs_nothing = plan.variant == Variant::extract || plan.mode == Mode::chrootless;
  return is_native || runs_nothing ? std::string() : host.architecture;
}

/// $XDG_CACHE_HOME, which counts only when absolute (XDG base directory specification), else ~/.cache.
std::string default_cache(const HostFacts &host) {
  std::string base = host.variable("XDG_CACHE_HOME");
  if (base.starts_with('/')) return absolute(base + "/debroot", host);
  std::string home = host.variable("HOME");
  return home.starts_with('/') ? absolute(home + "/.cache/debroot", host) : std::string();
}

void set_environment(BuildPlan &plan, const HostFacts &host) {
  if (host.environment.contains("SOURCE_DATE_EPOCH")) {
    plan.source_date_epoch = parse_source_date_epoch(host.variable("SOURCE_DATE_EPOCH"));
  }
  std::string directory = host.variable("TMPDIR");
  if (directory.empty()) directory = "/tmp";
  std::error_code failure;
  plan.temporary_directory = absolute(directory, host);
  if (!fs::is_directory(plan.temporary_directory, failure)) {
    throw usage_error(fmt::format("TMPDIR names no directory: '{}'", directory));
  }
}

}  // namespace

CachePlan make_cache(const Options &options, const HostFacts &host) {
  if (options.cache && options.has_no_cache) throw usage_error("'--cache' and '--no-cache' contradict each other");
  if (options.is_offline && options.has_no_cache) {
    throw usage_error(
        "'--offline' and '--no-cache' contradict each other: offline builds take everything from the cache");
  }
  CachePlan cache;
  cache.is_offline = options.is_offline;
  if (options.has_no_cache) return cache;
  if (options.cache && options.cache->empty()) throw usage_error("'--cache' names no directory");
  cache.directory = options.cache ? absolute(*options.cache, host) : default_cache(host);
  std::error_code failure;
  if (fs::exists(cache.directory, failure) && !fs::is_directory(cache.directory, failure)) {
    throw usage_error(fmt::format("cache '{}' is not a directory", cache.directory));
  }
  if (options.is_offline && !fs::is_directory(cache.directory, failure)) {
    throw usage_error(fmt::format("'--offline' needs a cache: there is no directory '{}'", cache.directory))
        .hint("build once without --offline, or name the cache with --cache");
  }
  return cache;
}

BuildPlan make_plan(const Options &options, const HostFacts &host) {
  BuildPlan plan;
  if (!options.sources_rule.takes_any_suite) check_suite_word(options.suite);
  plan.suite = options.suite;
  set_architectures(plan, options, host);
  plan.variant = parse_variant(options.variant.value_or("important"));
  plan.mode = parse_mode(options.mode.value_or("auto"), host.user_id == 0);
  HookPlan hooks = make_hooks(options.hooks, host, plan.warnings);
  plan.hooks = std::move(hooks.hooks);
  plan.hook_packages = std::move(hooks.packages);
  plan.skips = parse_skips(options.skips);
  set_sources(plan, options, host);
  check_sources(plan, options.sources_rule);
  plan.includes = parse_includes(options.includes, host);
  plan.excludes = parse_excludes(options.excludes);
  check_include_against_exclude(plan.includes, plan.excludes);
  plan.keyrings = read_keyrings(options, host);
  plan.apt_options = read_option_texts(options.apt_options, host, ";");
  plan.dpkg_options = read_option_texts(options.dpkg_options, host, "");
  check_chrootless(plan, host);
  set_customisations(plan, options);
  plan.shares_network_with_scripts = options.shares_network_with_scripts;
  plan.twin_architecture = twin_architecture(plan, options, host);
  plan.uses_stand_ins = parse_stand_ins(options.stand_ins.value_or("yes"));
  plan.jobs = options.jobs ? parse_jobs(*options.jobs) : host.cpus;
  plan.cache = make_cache(options, host);
  set_environment(plan, host);
  plan.is_simulation = options.is_simulation;
  plan.outputs =
      make_outputs({plan.suite, plan.architecture, options.outputs, options.format,
                    is_skipped(plan.skips, "check/empty"), plan.is_simulation, options.has_mmdebstraps_formats},
                   host);
  return plan;
}

}  // namespace debroot::plan
