#include "plan/as_mmdebstrap.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "plan/make_plan.hpp"
#include "plan/names.hpp"
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

/// Suites whose archive keys are the removed ones. mmdebstrap also asks distro-info, which lists none beyond these.
bool is_signed_by_removed_keys(std::string_view suite) {
  constexpr std::array<std::string_view, 8> kSuites = {"potato", "woody",   "sarge",  "etch",
                                                       "lenny",  "squeeze", "wheezy", "jessie"};
  return std::find(kSuites.begin(), kSuites.end(), suite) != kSuites.end();
}

/// The keyring that a generated source has to name because apt of this machine does not trust all of its keys. Stays
/// in the image, so that apt inside looks for it too.
std::string needed_signed_by(const Options &options, const HostFacts &host, const std::vector<std::string> &trusted) {
  const KnownSuite *suite = find_suite(options.suite);
  if (suite == nullptr || !host.holds_only_trusted_keys) return {};
  std::string_view kind = is_signed_by_removed_keys(options.suite) ? "removed-keys" : "keyring";
  std::string keyring = fmt::format("/usr/share/keyrings/{}-archive-{}.gpg", vendor_of(*suite), kind);
  if (!is_filled_file(on_system(host, keyring))) return {};
  bool is_trusted = !trusted.empty() && host.holds_only_trusted_keys(on_system(host, keyring), trusted);
  return is_trusted ? std::string() : keyring;
}

/// Debian's main archive for every suite that nobody is known for; -updates and -security for all of Debian's but
/// testing and unstable.
std::vector<SourceEntry> default_entries_of(const Options &options, const std::string &architecture) {
  std::vector<std::string> components = split_list(options.components);
  if (components.empty()) components = {"main"};
  const KnownSuite *known = find_suite(options.suite);
  KnownSuite suite = known != nullptr ? *known : KnownSuite{options.suite, SuiteKind::debian_development};
  constexpr std::array<std::string_view, 3> kMoving = {"testing", "unstable", "sid"};
  bool is_moving = std::find(kMoving.begin(), kMoving.end(), options.suite) != kMoving.end();
  if (known != nullptr && suite.kind == SuiteKind::debian_development && !is_moving) {
    suite.kind = SuiteKind::debian_release;
  }
  return default_entries(suite, architecture, components);
}

std::string default_text_of(const Options &options, const std::string &architecture, const std::string &signed_by) {
  std::string text;
  std::string head = signed_by.empty() ? "deb" : fmt::format("deb [signed-by=\"{}\"]", signed_by);
  for (const SourceEntry &entry : default_entries_of(options, architecture)) {
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

/// Words that mmdebstrap does not know either mean nothing to it.
void drop_unknown_skips(Options &options, std::vector<std::string> &warnings) {
  std::vector<std::string> known;
  for (const std::string &value : split_list(options.skips)) {
    if (is_skip(value)) {
      known.push_back(value);
    } else {
      warnings.push_back(fmt::format("unknown stage '{}' in '--skip' is ignored", value));
    }
  }
  options.skips = std::move(known);
}

void settle_architectures(Options &options, std::vector<std::string> &warnings) {
  if (options.architectures.empty() || !split_list(options.architectures).empty()) return;
  warnings.emplace_back("'--architectures' is empty: this machine's own is taken");
  options.architectures.clear();
}

}  // namespace

BuildPlan make_plan_as_mmdebstrap(Options options, const HostFacts &host) {
  std::vector<std::string> warnings;
  drop_unknown_skips(options, warnings);
  settle_architectures(options, warnings);
  std::vector<std::string> trusted = trusted_keyrings(options, host);
  SourcesRule &rule = options.sources_rule;
  rule.takes_any_suite = true;
  rule.keeps_credentials = true;
  bool infers_signed_by =
      std::find(options.skips.begin(), options.skips.end(), "check/signed-by") == options.skips.end();
  if (infers_signed_by) rule.signed_by = needed_signed_by(options, host, trusted);
  if (options.mirrors.empty()) {
    std::vector<std::string> architectures = split_list(options.architectures);
    const std::string &native = architectures.empty() ? host.architecture : architectures.front();
    rule.default_text = options.suite.empty() ? std::string() : default_text_of(options, native, rule.signed_by);
  }
  options.is_plain = true;
  options.has_mmdebstraps_formats = true;
  BuildPlan plan = make_plan(options, host);
  plan.warnings.insert(plan.warnings.begin(), warnings.begin(), warnings.end());
  if (!trusted.empty()) plan.keyrings = std::move(trusted);
  if (!plan.source_date_epoch) plan.source_date_epoch = host.start_time;
  plan.shares_network_with_scripts = true;
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

}  // namespace debroot::plan
