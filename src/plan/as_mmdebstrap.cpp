#include "plan/as_mmdebstrap.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <optional>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "plan/bundled_hooks.hpp"
#include "plan/make_plan.hpp"
#include "plan/names.hpp"
#include "plan/packages.hpp"
#include "plan/suites.hpp"

namespace debroot::plan {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestHostFile = std::uint64_t{1} << 20;

/// Whose keys apt of this machine trusts; --keyring takes the place of the one or the other.
struct TrustedKeys {
  std::string file = "/etc/apt/trusted.gpg";
  std::string directory = "/etc/apt/trusted.gpg.d";
};

std::string on_system(const HostFacts &host, std::string_view path) {
  return fmt::format("{}{}", host.system_directory, path);
}

bool is_filled_file(const fs::path &path) {
  std::error_code failure;
  return fs::is_regular_file(path, failure) && fs::file_size(path, failure) > 0 && !failure;
}

bool holds_keyrings(const std::string &directory) {
  std::error_code failure;
  fs::directory_iterator entry(directory, failure);
  for (fs::directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    std::string suffix = entry->path().extension().string();
    if ((suffix == ".gpg" || suffix == ".asc") && is_filled_file(entry->path())) return true;
  }
  return false;
}

/// Files and directories with the keys that count.
std::vector<std::string> trusted_keyrings(const Options &options, const HostFacts &host) {
  TrustedKeys keys;
  keys.file = on_system(host, keys.file);
  keys.directory = on_system(host, keys.directory);
  for (const std::string &given : options.keyrings) {
    std::error_code failure;
    fs::path path = fs::path(host.working_directory) / given;
    (fs::is_directory(path, failure) ? keys.directory : keys.file) = path.lexically_normal().string();
  }
  std::vector<std::string> out;
  if (is_filled_file(keys.file)) out.push_back(keys.file);
  if (holds_keyrings(keys.directory)) out.push_back(keys.directory);
  return out;
}

/// Suites whose archive keys are the removed ones.
bool is_signed_by_removed_keys(std::string_view suite) {
  constexpr std::array<std::string_view, 10> kSuites = {"buzz",   "rex",   "bo",    "hamm", "slink",
                                                        "potato", "woody", "sarge", "etch", "lenny"};
  return std::find(kSuites.begin(), kSuites.end(), suite) != kSuites.end();
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Whether distro-info of this machine lists `suite` as a series of `vendor`.
bool is_series_of(const HostFacts &host, std::string_view vendor, std::string_view suite) {
  std::string path = on_system(host, fmt::format("/usr/share/distro-info/{}.csv", vendor));
  if (!is_filled_file(path)) return false;
  std::string text = base::read_file(path, kLargestHostFile);
  for (std::string_view line : base::split(text, '\n')) {
    std::vector<std::string_view> fields = base::split(line, ',');  // version, codename, series, ...
    if (fields.size() > 2 && fields[2] == suite) return true;
  }
  return false;
}

/// By the script that debootstrap of this machine has for the suite: most are links to the one of their vendor.
std::optional<SuiteKind> kind_by_debootstrap(const HostFacts &host, const std::string &suite) {
  std::error_code failure;
  std::string path = on_system(host, "/usr/share/debootstrap/scripts/" + suite);
  std::string target = suite.find('/') == std::string::npos ? fs::read_symlink(path, failure).string() : std::string();
  if (target == "sid") return SuiteKind::debian_early_release;
  if (target == "gutsy") return SuiteKind::ubuntu;
  if (target == "aequorea") return SuiteKind::tanglu;
  if (target == "kali") return SuiteKind::kali;
  if (target == "elxr") return SuiteKind::elxr;
  return std::nullopt;
}

/// mmdebstrap's view of a suite: every name that nobody knows is one of Debian's main archive. It tells suites with
/// "-security" from those with "/updates" by name, and does not count experimental and oldoldstable among the former.
KnownSuite suite_as_mmdebstrap(const std::string &name, const HostFacts &host) {
  KnownSuite suite{name, SuiteKind::debian_development};
  if (is_one_of(name, {"testing", "unstable", "sid", "rc-buggy", "devel"})) return suite;
  const KnownSuite *known = find_suite(name);
  if (known != nullptr) {
    suite.kind = known->kind;
    if (suite.kind == SuiteKind::debian_development) suite.kind = SuiteKind::debian_release;
    if (is_one_of(name, {"experimental", "oldoldstable"})) suite.kind = SuiteKind::debian_early_release;
  } else if (is_series_of(host, "debian", name)) {
    suite.kind = SuiteKind::debian_release;
  } else if (is_series_of(host, "ubuntu", name)) {
    suite.kind = SuiteKind::ubuntu;
  } else {
    suite.kind = kind_by_debootstrap(host, name).value_or(suite.kind);
  }
  return suite;
}

/// The keyring that a generated source has to name because apt of this machine does not trust all of its keys. Stays
/// in the image, so that apt inside looks for it too.
std::string needed_signed_by(const Options &options, const HostFacts &host, const std::vector<std::string> &trusted) {
  if (options.suite.empty() || !host.holds_only_trusted_keys) return {};
  std::string_view kind = is_signed_by_removed_keys(options.suite) ? "removed-keys" : "keyring";
  std::string_view vendor = vendor_of(suite_as_mmdebstrap(options.suite, host));
  std::string keyring = fmt::format("/usr/share/keyrings/{}-archive-{}.gpg", vendor, kind);
  if (!is_filled_file(on_system(host, keyring))) return {};
  bool is_trusted = !trusted.empty() && host.holds_only_trusted_keys(on_system(host, keyring), trusted);
  return is_trusted ? std::string() : keyring;
}

std::vector<SourceEntry> default_entries_of(const Options &options, const HostFacts &host,
                                            const std::string &architecture) {
  std::vector<std::string> components = split_list(options.components);
  if (components.empty()) components = {"main"};
  return default_entries(suite_as_mmdebstrap(options.suite, host), architecture, components);
}

std::string default_text_of(const Options &options, const HostFacts &host, const std::string &architecture,
                            const std::string &signed_by) {
  std::string text;
  std::string head = signed_by.empty() ? "deb" : fmt::format("deb [signed-by=\"{}\"]", signed_by);
  for (const SourceEntry &entry : default_entries_of(options, host, architecture)) {
    text += fmt::format("{} {} {} {}\n", head, entry.archive_root, entry.suite, base::join(entry.components, " "));
  }
  return text;
}

/// The content of the file, whatever link leads to it; its mode only where it is a regular file.
void copy_host_file(const HostFacts &host, const std::string &path, BuildPlan &plan) {
  struct stat info {};
  std::string source = on_system(host, path);
  if (::stat(source.c_str(), &info) != 0) {
    plan.warnings.push_back(fmt::format("this machine has no '{}' to copy into the image", path));
    return;
  }
  HostFile file{path, base::read_file(source, kLargestHostFile)};
  if (S_ISREG(info.st_mode)) file.mode = info.st_mode & 07777;
  plan.host_traces.files.push_back(std::move(file));
}

/// Where TMPDIR is no place to write to, /tmp takes its place, as perl's File::Temp has it.
HostFacts with_usable_temporary_directory(HostFacts host) {
  std::error_code failure;
  fs::path path = fs::path(host.working_directory) / host.variable("TMPDIR");
  if (!fs::is_directory(path, failure) || ::access(path.c_str(), W_OK) != 0) host.environment.erase("TMPDIR");
  return host;
}

/// Words that mmdebstrap does not know either mean nothing to it, and it says nothing of them.
void drop_unknown_skips(Options &options) {
  std::vector<std::string> known = split_list(options.skips);
  std::erase_if(known, [](const std::string &value) { return !is_skip(value); });
  options.skips = std::move(known);
}

/// The programs of that mode are not needed: a user namespace gives the same image, and one with attributes.
void settle_mode(Options &options, std::vector<std::string> &warnings) {
  if (!options.mode || !is_one_of(*options.mode, {"fakechroot", "fakeroot"})) return;
  warnings.push_back(
      fmt::format("mode {} is not offered: using mode unshare, which makes the same image", *options.mode));
  options.mode = "unshare";
}

void settle_architectures(Options &options, const HostFacts &host, std::vector<std::string> &warnings) {
  if (options.architectures.empty() || !split_list(options.architectures).empty()) return;
  warnings.push_back(fmt::format("empty architecture list: falling back to native architecture {}", host.architecture));
  options.architectures.clear();
}

/// The dpkg of the host, which mmdebstrap runs in that mode, reads no settings of the image (Debian bug #808203). The
/// variant that only extracts needs none.
void settle_dpkg_options(BuildPlan &plan) {
  if (plan.mode != Mode::chrootless || plan.dpkg_options.empty()) return;
  if (plan.variant == Variant::extract) return;
  plan.obeys_dpkg_options = false;
  plan.warnings.emplace_back("in mode chrootless options of dpkg do not count, they are only written to the image");
}

}  // namespace

BuildPlan make_plan_as_mmdebstrap(Options options, const HostFacts &host) {
  std::vector<std::string> warnings;
  drop_unknown_skips(options);
  settle_architectures(options, host, warnings);
  settle_mode(options, warnings);
  std::vector<std::string> trusted = trusted_keyrings(options, host);
  SourcesRule &rule = options.sources_rule;
  rule.takes_any_suite = true;
  rule.takes_no_source = true;
  rule.keeps_credentials = true;
  bool infers_signed_by =
      std::find(options.skips.begin(), options.skips.end(), "check/signed-by") == options.skips.end();
  if (infers_signed_by) rule.signed_by = needed_signed_by(options, host, trusted);
  if (options.mirrors.empty()) {
    std::vector<std::string> architectures = split_list(options.architectures);
    const std::string &native = architectures.empty() ? host.architecture : architectures.front();
    if (options.suite.empty()) warnings.emplace_back("cannot guess apt sources.list entry with empty suite name");
    rule.default_text = options.suite.empty() ? std::string() : default_text_of(options, host, native, rule.signed_by);
  }
  options.is_plain = true;
  options.has_mmdebstraps_formats = true;
  BuildPlan plan = make_plan(options, with_usable_temporary_directory(host));
  plan.warnings.insert(plan.warnings.begin(), warnings.begin(), warnings.end());
  settle_dpkg_options(plan);
  // the caller knows of no cache: his home directory need not be there (builders of packages have none)
  plan.cache.is_optional = true;
  if (!trusted.empty()) plan.keyrings = std::move(trusted);
  if (!plan.source_date_epoch) plan.source_date_epoch = host.start_time;
  plan.shares_network_with_scripts = true;
  plan.hooks_are_mmdebstraps = true;
  copy_host_file(host, "/etc/resolv.conf", plan);
  copy_host_file(host, "/etc/hostname", plan);
  plan.host_traces.apt_user_id = host.apt_user_id.value_or(0);
  plan.host_traces.hostname = host.hostname;
  plan.waits_for_background_processes = !is_skipped(plan.skips, "zombie-reaping");
  plan.host_traces.environment.emplace();
  for (const auto &[name, value] : host.environment) {
    plan.host_traces.environment->push_back(fmt::format("{}={}", name, value));
  }
  return plan;
}

void check_words_as_mmdebstrap(const Options &options, const HostFacts &host) {
  for (const std::string &given : options.keyrings) {
    std::error_code failure;
    if (given.empty() || !fs::exists(fs::path(host.working_directory) / given, failure)) {
      throw usage_error(fmt::format("keyring '{}' does not exist", given));
    }
  }
  for (const HookOption &hook : options.hooks) {
    std::error_code failure;
    if (hook.source != HookSource::directory) continue;
    fs::path path = fs::path(host.working_directory) / hook.value;
    bool is_bundled = find_bundled_hooks(path.lexically_normal().string()) != nullptr;
    if (!is_bundled && !fs::is_directory(path, failure)) {
      throw usage_error(fmt::format("hook directory '{}' does not exist", hook.value));
    }
  }
  static_cast<void>(parse_includes(options.includes, host));
}

}  // namespace debroot::plan
