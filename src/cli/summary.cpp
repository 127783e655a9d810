#include "cli/summary.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/phase_text.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

std::string outputs_text(const BuildPlan &plan) {
  std::vector<std::string> names;
  for (const Output &output : plan.outputs) {
    if (output.format != Format::null) names.push_back(output.path == "-" ? "standard output" : output.path);
  }
  return names.empty() ? "nothing, as asked" : base::join(names, ", ");
}

std::string times_text(const BuildReport &report) {
  std::vector<std::string> parts;
  for (const PhaseTime &time : report.times) {
    parts.push_back(fmt::format("{} {}", phase_name(time.phase), duration_text(time.milliseconds)));
  }
  return base::join(parts, ", ");
}

/// A word as a shell takes it back.
std::string quoted(const std::string &word) {
  bool is_plain = !word.empty() && word.find_first_of(" \t\n'\"\\$`&|;<>()*?[]#~!{}") == std::string::npos;
  if (is_plain) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool is_bootable(const BuildPlan &plan) {
  return plan.variant == Variant::important || plan.variant == Variant::standard;
}

/// The program behind a pipe for a compression that systemd of Debian 12 does not read; else empty.
std::string_view decompressor_of(Compression compression) {
  switch (compression) {
    case Compression::zstd:
      return "zstd -dc";
    case Compression::compress:
      return "gzip -dc";
    case Compression::lz4:
      return "lz4 -dc";
    case Compression::lzip:
      return "lzip -dc";
    case Compression::lzma:
      return "xz -dc";
    case Compression::lzop:
      return "lzop -dc";
    case Compression::none:
    case Compression::gzip:
    case Compression::xz:
    case Compression::bzip2:
      break;
  }
  return {};
}

/// How to start the first output that can be started.
std::string use_text(const BuildPlan &plan) {
  if (!is_bootable(plan)) return {};
  for (const Output &output : plan.outputs) {
    auto name = machine_name(output.path);
    if (output.path == "-" || !name) continue;
    std::string path = quoted(output.path);
    if (output.format == Format::directory) return fmt::format("  use it: systemd-nspawn --boot -D {}\n", path);
    if (output.format != Format::tar) continue;
    std::string_view decompressor = decompressor_of(output.compression);
    std::string import = decompressor.empty()
                             ? fmt::format("machinectl import-tar {} {}", path, *name)
                             : fmt::format("{} {} | machinectl import-tar - {}", decompressor, path, *name);
    return fmt::format("  use it: {0}\n          machinectl start {1}\n          machinectl shell {1}\n", import,
                       *name);
  }
  return {};
}

}  // namespace

std::optional<std::string> machine_name(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 25> kSuffixes = {
      ".gz",     ".xz",  ".zst", ".taz",  ".tgz",  ".txz",  ".tzst",    ".tar", ".fs",
      ".rootfs", ".bz2", ".tbz", ".tbz2", ".tz2",  ".lzma", ".tlz",     ".lz",  ".lz4",
      ".Z",      ".taZ", ".oci", ".ext2", ".ext4", ".sqfs", ".squashfs"};
  bool has_changed = true;
  while (has_changed) {
    has_changed = false;
    for (std::string_view suffix : kSuffixes) {
      if (!name.ends_with(suffix)) continue;
      name.remove_suffix(suffix.size());
      has_changed = true;
    }
  }
  try {
    plan::check_hostname(name);
  } catch (const Error &) {
    return std::nullopt;
  }
  return std::string(name);
}

std::string summary_text(const BuildPlan &plan, const BuildReport &report, bool is_terminal) {
  std::string size = report.output_bytes == 0 ? "" : fmt::format(" ({})", base::human_bytes(report.output_bytes));
  std::string out =
      fmt::format("debroot: made {}{}: {} packages{}, {} downloaded, {}\n", printable(outputs_text(plan)), size,
                  report.packages.size(), report.is_from_base_state ? " as a base state of the cache" : "",
                  base::human_bytes(report.download_bytes), duration_text(report.milliseconds));
  if (!report.times.empty()) out += fmt::format("  time: {}\n", times_text(report));
  if (!report.random_paths.empty()) {
    out += fmt::format("  different in every build: {}\n", printable(base::join(report.random_paths, ", ")));
  }
  return is_terminal ? out + use_text(plan) : out;
}

}  // namespace debroot::cli
