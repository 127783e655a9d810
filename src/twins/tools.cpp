#include "twins/tools.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "debian/version.hpp"

namespace debroot::twins {
namespace {

/// What is taken of one package.
struct PackageTools {
  std::string_view package;
  bool takes_all;                              ///< every program but `programs`; else only those
  std::span<const std::string_view> programs;  ///< names without directory
};

// They tell their own architecture, or what it means for numbers: uname, arch, od (byte order, sizes). stdbuf loads a
// library of its own into what it starts, which may be emulated.
constexpr std::array<std::string_view, 4> kCoreutilsEmulated = {"arch", "od", "stdbuf", "uname"};
// A native dpkg takes the image's packages for foreign ones and names them so: dpkg, dpkg-query, dpkg-trigger. dpkg-deb
// is not called by scripts.
constexpr std::array<std::string_view, 3> kDpkgNative = {"dpkg-divert", "dpkg-statoverride", "update-alternatives"};
// ldconfig and getconf tell of the architecture, localedef and iconvconfig write files in its format, ldd runs its
// loader.
constexpr std::array<std::string_view, 2> kLibcNative = {"getent", "locale"};
// udevadm and systemd-detect-virt ask the processor, systemd-machine-id-setup asks those.
constexpr std::array<std::string_view, 4> kSystemdNative = {"systemctl", "systemd-escape", "systemd-sysusers",
                                                            "systemd-tmpfiles"};
constexpr std::array<std::string_view, 5> kUtilLinuxNative = {"findmnt", "flock", "getopt", "mountpoint", "rev"};
// These write to /var/log/lastlog, whose records are larger on 64-bit ARM than on amd64 (seen: 296 and 292 bytes).
constexpr std::array<std::string_view, 3> kPasswdEmulated = {"newusers", "useradd", "usermod"};
constexpr std::span<const std::string_view> kNone;

constexpr std::array kTools = {
    PackageTools{"bash", true, kNone},
    PackageTools{"coreutils", true, kCoreutilsEmulated},
    PackageTools{"dash", true, kNone},
    PackageTools{"debianutils", true, kNone},
    PackageTools{"diffutils", true, kNone},
    PackageTools{"dpkg", false, kDpkgNative},
    PackageTools{"findutils", true, kNone},
    PackageTools{"grep", true, kNone},
    PackageTools{"gzip", true, kNone},
    PackageTools{"hostname", true, kNone},
    PackageTools{"libc-bin", false, kLibcNative},
    PackageTools{"mawk", true, kNone},
    PackageTools{"passwd", true, kPasswdEmulated},
    PackageTools{"perl-base", true, kNone},
    PackageTools{"sed", true, kNone},
    PackageTools{"systemd", false, kSystemdNative},
    PackageTools{"tar", true, kNone},
    PackageTools{"udev", false, kNone},
    PackageTools{"util-linux", false, kUtilLinuxNative},
};

/// A program of which some calls are left to the image's own.
struct DividedTool {
  std::string_view package;
  std::string_view path;
  std::string_view emulated_calls;
};
constexpr std::array kDividedTools = {
    // these two, more than a hundred calls in bookworm's set, look at their arguments only
    DividedTool{"dpkg", "/usr/bin/dpkg",
                "case \"$1\" in --compare-versions | --validate-version) false ;; *) true ;; esac"},
    // no log, no record
    DividedTool{"passwd", "/usr/sbin/useradd", "[ -e /var/log/lastlog ] || [ -e /var/log/faillog ]"},
    // records move with a uid, which takes -u, perhaps behind other letters, or --uid
    DividedTool{"passwd", "/usr/sbin/usermod",
                "(for each; do case \"$each\" in --u* | -u* | -[!-]*u*) exit 0 ;; esac; done; exit 1)"},
};

/// A tool that is one only from some version on.
struct LaterTool {
  std::string_view package;
  std::string_view program;
  std::string_view since;
};
// Of bullseye's 247 it is known that it writes other bytes: char is unsigned on ARM and RISC-V.
constexpr std::array kLaterTools = {LaterTool{"udev", "systemd-hwdb", "252"},
                                    LaterTool{"systemd", "systemd-hwdb", "252"}};

constexpr std::array<std::string_view, 4> kProgramDirectories = {"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"};

const PackageTools *find(std::string_view package) noexcept {
  const auto *found =
      std::find_if(kTools.begin(), kTools.end(), [&](const PackageTools &each) { return each.package == package; });
  return found == kTools.end() ? nullptr : found;
}

}  // namespace

bool has_tools(std::string_view name) noexcept { return find(name) != nullptr; }

bool is_tool(std::string_view name, std::string_view version, std::string_view path) noexcept {
  const PackageTools *tools = find(name);
  if (tools == nullptr) return false;
  std::size_t slash = path.rfind('/');
  std::string_view directory = path.substr(0, slash + 1);
  if (std::find(kProgramDirectories.begin(), kProgramDirectories.end(), directory) == kProgramDirectories.end()) {
    return false;
  }
  std::string_view program = path.substr(slash + 1);
  bool is_later = std::any_of(kLaterTools.begin(), kLaterTools.end(), [&](const LaterTool &each) {
    return each.package == name && each.program == program && debian::compare_versions(version, each.since) >= 0;
  });
  bool is_named = std::find(tools->programs.begin(), tools->programs.end(), program) != tools->programs.end();
  return is_later || is_named != tools->takes_all;
}

std::string_view emulated_calls(std::string_view name, std::string_view path) noexcept {
  const auto *found = std::find_if(kDividedTools.begin(), kDividedTools.end(),
                                   [&](const DividedTool &each) { return each.package == name && each.path == path; });
  return found == kDividedTools.end() ? std::string_view() : found->emulated_calls;
}

bool is_perl_library(std::string_view name) noexcept {
  return (name.starts_with("lib") && name.ends_with("-perl")) || name.starts_with("libperl5");
}

}  // namespace debroot::twins
