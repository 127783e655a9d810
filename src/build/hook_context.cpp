#include "build/hook_context.hpp"

#include <fmt/format.h>
#include <sys/auxv.h>

#include <filesystem>

#include "base/text.hpp"

namespace debroot::build {
namespace {

/// In /tmp, which is emptied at the end whatever happens, and named as hooks know it.
constexpr std::string_view kAptConfig = "/tmp/mmdebstrap.apt.conf.debroot";

/// A comma inside an item would read as the end of it.
std::string escaped(const std::string &item) {
  std::string out;
  for (char c : item) {
    if (c == '%') {
      out += "%25";
    } else if (c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

std::string include_list(const std::vector<std::string> &includes) {
  std::vector<std::string> items;
  for (const std::string &include : includes) items.push_back(escaped(include));
  return base::join(items, ",");
}

/// Whose keys apt trusts: the host's, but for those that the build was given.
std::string trusted_keys_text(const BuildPlan &plan) {
  std::string file = "/etc/apt/trusted.gpg";
  std::string directory = "/etc/apt/trusted.gpg.d/";
  std::string vendor = fmt::format("/usr/share/keyrings/{}-archive-keyring.gpg", plan.vendor);
  std::error_code failure;
  // the host's settings need not know an archive that debroot knows by itself
  if (plan.keyrings.empty() && std::filesystem::exists(vendor, failure)) file = vendor;
  for (const std::string &path : plan.keyrings) {
    (std::filesystem::is_directory(path, failure) ? directory : file) = path;
  }
  return fmt::format("Dir::Etc::Trusted \"{}\";\nDir::Etc::TrustedParts \"{}\";\n", file, directory);
}

}  // namespace

std::vector<std::string> mmdebstrap_variables(const BuildPlan &plan, const HookFacts &facts) {
  std::vector<std::string> out = {
      fmt::format("MMDEBSTRAP_APT_CONFIG={}{}", facts.root_path, kAptConfig),
      "MMDEBSTRAP_ARGV0=" + facts.program,
      fmt::format("MMDEBSTRAP_MODE={}", facts.mode),
      fmt::format("MMDEBSTRAP_HOOK={}", hook_stage_name(facts.stage)),
      "MMDEBSTRAP_HOOKSOCK=7",
      fmt::format("MMDEBSTRAP_VERBOSITY={}", plan.verbosity),
      "MMDEBSTRAP_INCLUDE=" + include_list(plan.includes),
      fmt::format("MMDEBSTRAP_FORMAT={}", plan.outputs.empty() ? "null" : format_name(plan.outputs.front().format))};
  if (!plan.suite.empty()) out.push_back("MMDEBSTRAP_SUITE=" + plan.suite);
  if (facts.mode == "unshare") out.emplace_back("container=mmdebstrap-unshare");
  if (facts.stage == HookStage::extract) out.push_back("MMDEBSTRAP_ESSENTIAL=" + base::join(facts.first_debs, " "));
  return out;
}

void write_hook_apt_config(const base::RootDirectory &root, const std::string &root_path, const BuildPlan &plan) {
  std::string text = fmt::format("Apt::Architecture \"{}\";\n", plan.architecture);
  if (plan.foreign_architectures.empty()) {
    text += fmt::format("Apt::Architectures \"{}\";\n", plan.architecture);
  } else {
    text += fmt::format("Apt::Architectures {{ \"{}\";", plan.architecture);
    for (const std::string &foreign : plan.foreign_architectures) text += fmt::format(" \"{}\";", foreign);
    text += " };\n";
  }
  text += fmt::format(
      "Dir \"{0}\";\nDPkg::Chroot-Directory \"{0}\";\nDir::State::Status \"{0}/var/lib/dpkg/status\";\n", root_path);
  text += trusted_keys_text(plan);
  text += "pkgCacheGen::ForceEssential \",\";\n";
  root.write(kAptConfig, text);
}

void remove_hook_apt_config(const base::RootDirectory &root, const std::vector<std::string> &skips) {
  if (is_skipped(skips, "cleanup") || is_skipped(skips, "cleanup/mmdebstrap")) return;
  root.remove_file(kAptConfig);
}

std::string own_program() {
  std::error_code failure;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (!failure) return path.string();
  // a chroot without /proc: the path that this program was started by
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells the address as a number
  const auto *started = reinterpret_cast<const char *>(::getauxval(AT_EXECFN));
  path = std::filesystem::absolute(started == nullptr ? "debroot" : started, failure);
  return path.string();
}

}  // namespace debroot::build
