#include "cli/help.hpp"

#include <fmt/format.h>

#include <CLI/Version.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "cli/option_table.hpp"
#include "debroot/version.hpp"

namespace debroot::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kTextColumn = 30;

/// `text` in lines of at most `width`, each after the first behind `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t used = 0;
  for (std::string_view word : base::split_words(text)) {
    if (used > 0 && used + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      used = 0;
    }
    if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
  }
  return out + "\n";
}

std::string option_head(const OptionRow &row) {
  std::string_view short_name, long_name;
  for (std::string_view name : base::split(row.names, ',')) {
    std::string_view &slot = name.starts_with("--") ? long_name : short_name;
    if (slot.empty()) slot = name;
  }
  std::string head = short_name.empty() ? "      " : fmt::format("  {}, ", short_name);
  head += long_name;
  if (!row.value.empty()) head += fmt::format(" {}", row.value);
  return head;
}

std::string options_text(Command command) {
  std::string out;
  std::string_view group;
  for (const OptionRow &row : option_table(command)) {
    if (row.group.empty()) continue;
    if (row.group != group) out += fmt::format("\n{}:\n", row.group);
    group = row.group;
    std::string head = option_head(row);
    bool fits = head.size() + 2 <= kTextColumn;
    out += fits ? fmt::format("{:<{}}", head, kTextColumn) : head + "\n" + std::string(kTextColumn, ' ');
    out += wrapped(row.text, kTextColumn, kWidth - kTextColumn);
  }
  return out;
}

constexpr std::string_view kBuildIntro = R"(Usage: debroot build SUITE [options]

Makes a root filesystem of SUITE (bookworm, trixie, sid, noble, ...): fetches
and verifies the packages, installs them, and writes the image. Needs neither
root nor a Debian host. The same inputs give the same bytes.
)";

constexpr std::string_view kBuildEnd = R"(
Examples:
  debroot build bookworm                          # ./bookworm-amd64.tar
  debroot build bullseye --arch arm64 -o out.tar
  debroot build trixie --variant minbase --include curl -o rootfs/
  debroot build noble -m http://mirror.example.org/ubuntu -o noble.tar.zst
  debroot build bookworm -o - | sudo machinectl import-tar - bookworm

Enter the machine:
  machinectl import-tar bookworm-amd64.tar bookworm
  machinectl start bookworm
  machinectl shell bookworm

Exit status: 0 done, 1 the build failed, 2 the command line is wrong,
130 interrupted. Nothing but the image goes to standard output.
)";

constexpr std::string_view kPlanIntro = R"(Usage: debroot plan SUITE [options]

Prints what 'debroot build' with the same options would install, in install
order, and why. Fetches the indexes, changes nothing.
)";

constexpr std::string_view kPlanEnd = R"(
Examples:
  debroot plan bookworm --include nginx
  debroot plan sid --arch riscv64 --json | jq -r '.packages[].name'
)";

constexpr std::string_view kMmdebstrapIntro = R"(Usage: debroot mmdebstrap [options] [SUITE [TARGET [MIRROR...]]]

Takes mmdebstrap's command line and makes the image that mmdebstrap makes: with
resolv.conf, host name and keys of this machine, maintainer scripts that see the
caller's environment and network, and none of debroot's own customisations. It
also stands behind a link to debroot that is named mmdebstrap. Names of options
may be shortened and written in any case.

TARGET is a tar, compressed as its suffix says, a squashfs, an ext2 or ext4
image, a directory, or - for standard output (the default). MIRROR is a URI, a
'deb ...' line, a sources file, or - for standard input.
)";

constexpr std::string_view kMmdebstrapEnd = R"(
Examples:
  debroot mmdebstrap --variant=minbase bookworm bookworm.tar
  debroot mmdebstrap sid - http://mirror.example.org/debian > sid.tar

Messages are mmdebstrap's: lines that begin with I:, W: and E:, the last of a
build that was made being 'I: success in N.NNNN seconds'. --version prints the
version of mmdebstrap that this stands for; 'debroot --version' its own.

Exit status: 0 done, 1 the build failed, 2 an option is wrong.
)";

constexpr std::string_view kDiffIntro = R"(Usage: debroot diff A B

Compares two images entry by entry: type, mode, owner, link, device, time,
extended attributes and content. Each is a tar, compressed or not, or a
directory. Exit status: 0 they are equal, 1 they differ, 2 they could not be
compared.
)";

constexpr std::string_view kDiffEnd = R"(
Example:
  debroot diff yesterday.tar today.tar.zst
)";

constexpr std::string_view kDoctorIntro = R"(Usage: debroot doctor

Checks whether this host lets debroot work: user namespaces, subordinate ids,
emulators, keyrings, disk space; and says how to mend what is missing. Exit
status: 0 builds will work, 1 something has to be mended.
)";

constexpr std::string_view kCacheIntro = R"(Usage: debroot cache list
       debroot cache prune [options]

Shows what the cache holds, or removes of it what was not used for 30 days; with
options, what these say instead. Builds may run meanwhile. A base state is a
tree with all packages configured, from which a build of the same inputs goes on
with its customisation.
)";

constexpr std::string_view kCacheEnd = R"(
Examples:
  debroot cache prune --max-size 2G
  debroot cache prune --all
)";

}  // namespace

std::string help_text(Command command) {
  switch (command) {
    case Command::build:
      return fmt::format("{}{}{}", kBuildIntro, options_text(command), kBuildEnd);
    case Command::plan:
      return fmt::format("{}{}{}", kPlanIntro, options_text(command), kPlanEnd);
    case Command::diff:
      return fmt::format("{}{}{}", kDiffIntro, options_text(command), kDiffEnd);
    case Command::doctor:
      return fmt::format("{}{}", kDoctorIntro, options_text(command));
    case Command::cache:
      return fmt::format("{}{}{}", kCacheIntro, options_text(command), kCacheEnd);
    case Command::mmdebstrap:
      return fmt::format("{}{}{}", kMmdebstrapIntro, options_text(command), kMmdebstrapEnd);
  }
  return {};
}

std::string main_help_text() {
  return R"(Usage: debroot COMMAND [arguments]

Builds Debian and Ubuntu root filesystems, for machines started by machinectl
and systemd-nspawn and for anything else that wants a tree or a tar.

Commands:
  build SUITE   make an image
  plan SUITE    print what build would install
  diff A B      compare two images
  doctor        check this host
  cache list    show what the cache holds; 'cache prune' removes of it
  mmdebstrap    take mmdebstrap's command line and make its image

Options:
  -h, --help    show this help; 'debroot COMMAND --help' shows a command's own
      --version show the version

Examples:
  debroot build bookworm -o bookworm.tar
  debroot build bookworm -o - | sudo machinectl import-tar - bookworm
)";
}

std::string mmdebstrap_version_text() { return "mmdebstrap 1.5.7\n"; }

std::string version_text(const std::vector<std::string> &more) {
  std::vector<std::string> libraries = {
      fmt::format("fmt {}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100),
      fmt::format("CLI11 {}", CLI11_VERSION),
      fmt::format("nlohmann-json {}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                  NLOHMANN_JSON_VERSION_PATCH)};
  libraries.insert(libraries.end(), more.begin(), more.end());
  return fmt::format("debroot {}\nlibraries: {}\n", kVersion, base::join(libraries, ", "));
}

}  // namespace debroot::cli
