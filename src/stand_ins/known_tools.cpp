#include "stand_ins/known_tools.hpp"

#include <algorithm>
#include <array>

namespace debroot::stand_ins {
namespace {

constexpr std::string_view kMaintscriptHelper = "/usr/bin/dpkg-maintscript-helper";
constexpr std::string_view kSystemdHelper = "/usr/bin/deb-systemd-helper";
constexpr std::string_view kUpdateRcD = "/usr/sbin/update-rc.d";
constexpr std::string_view kAdduser = "/usr/sbin/adduser";  // addgroup is a link to it
constexpr std::string_view kUpdateCaCertificates = "/usr/sbin/update-ca-certificates";
constexpr std::array kPlaces = {ToolPlace{kMaintscriptHelper, "/usr/share/dpkg/sh/dpkg-error.sh"},
                                ToolPlace{kSystemdHelper, {}}, ToolPlace{kUpdateRcD, {}},
                                ToolPlace{kAdduser, "/usr/share/perl5/Debian/AdduserCommon.pm"},
                                ToolPlace{kUpdateCaCertificates, {}}};

// dpkg-error.sh of several versions
constexpr std::string_view kError120 = "c06df2491e7d12dbdb63042d9710748ac93d81b231f01b493a095ef67adfe718";
constexpr std::string_view kError121 = "ee1c4bfdd26d2d22f6af3aa1123e7f30e0c5983a5cc3af5bc3aaacab1da7bac1";
constexpr std::string_view kError122 = "d4d4fd7712da692dbb21a10795f7e62046c90b506338768b5a93cf9f1897f528";

constexpr std::array kKnownTools = {
    KnownTool{kMaintscriptHelper, "dpkg 1.20.13", "83fe1d199874d2a1e332a13111bc38210e61eeb375ab4a1795b9e7a110783701",
              kError120, Dialect::unset},
    KnownTool{kMaintscriptHelper, "dpkg 1.20.14", "5ffdd644c136f80198407e83ce90c170d8d86e360a4169b2977e97a9776a133c",
              kError120, Dialect::unset},
    KnownTool{kMaintscriptHelper, "dpkg 1.21.22", "aa4036297b2b85b7dce70653e3f41437f771c1b5c78f8d3646914a2333e6d32e",
              kError121, Dialect::unset},
    KnownTool{kMaintscriptHelper, "dpkg 1.21.23", "ab44bb8f3454a2ef0991dcfd832c99e89747f6a9624ffc7095786530f627e2ff",
              kError121, Dialect::unset},
    KnownTool{kMaintscriptHelper, "dpkg 1.22.22", "164ae6cd468674eea2f5dd7208f9ebac191b20bb0c0ac726560eb313b798d577",
              kError122, Dialect::unset},
    KnownTool{kSystemdHelper,
              "init-system-helpers 1.60",
              "ff5c494922224cf488b1bcbfb2e8edace268f6b043bfc491733db62606ecadbe",
              {},
              Dialect::first},
    // the same file up to 1.69+nmu3
    KnownTool{kSystemdHelper,
              "init-system-helpers 1.65.2",
              "a895d5f077651960b6ca4ed9c53f8b36eae422ae170f61c972d0c6579e9f8732",
              {},
              Dialect::second},
    KnownTool{kUpdateRcD,
              "init-system-helpers 1.60",
              "718ff57f27652ccaf5835e14376f9e1b405b168fa0458b94f73252be03317102",
              {},
              Dialect::unset},
    KnownTool{kUpdateRcD,
              "init-system-helpers 1.65.2+deb12u1",
              "89667635d9a6796bcf64e0fabde441f094fe15f566cd2ca02961a5081f5c1813",
              {},
              Dialect::unset},
    KnownTool{kUpdateRcD,
              "init-system-helpers 1.69~deb13u1",
              "9a85792c1ee2714d34ad2f0dac9becd987cbaedbfe25519dede7378e6c9ebbf1",
              {},
              Dialect::unset},
    KnownTool{kAdduser, "adduser 3.118+deb11u1", "7fc88c374bba11f5f0de40f496487bf7f023c000490783c4af94101d729b06f6",
              "94551d94231a98889d4fe7559c990cd5b26abf14c53a5ed8d072287e66b637d1", Dialect::unset},
    KnownTool{kUpdateCaCertificates,
              "ca-certificates 20210119",
              "7ad4af5c16cfe26de17f76a3b2217f011a651fe1f25ed1608584765aeeffb7f9",
              {},
              Dialect::first},
    KnownTool{kUpdateCaCertificates,
              "ca-certificates 20230311+deb12u1",
              "395364bffc7ce85ccbe2de71215f9c6c85c024af3bbd991c75a01c2d2aa3080a",
              {},
              Dialect::second},
    KnownTool{kUpdateCaCertificates,
              "ca-certificates 20250419",
              "2cb06c85b5f01c4f6b72c3983d9f66d44aac0a7ac997ee55e7e429aedbc3934d",
              {},
              Dialect::second},
};

// runs fc-cache and nothing else, which sleeps for two seconds at its end; the same file from 2.13.1-4.2 to 2.15.0-2.3
constexpr std::string_view kSleepyScript = "/var/lib/dpkg/info/fontconfig.postinst";
constexpr std::string_view kSleepyDigest = "1b68e5108dd99bb1f05c9f2eb6060315124b4c595a5b7fc5b17239d1919c6cc6";

}  // namespace

std::span<const KnownTool> known_tools() noexcept { return kKnownTools; }

const KnownTool *find_known_tool(std::string_view path, std::string_view sha256,
                                 std::string_view companion_sha256) noexcept {
  const auto *found = std::find_if(kKnownTools.begin(), kKnownTools.end(), [&](const KnownTool &each) {
    return each.path == path && each.sha256 == sha256 && each.companion_sha256 == companion_sha256;
  });
  return found == kKnownTools.end() ? nullptr : found;
}

std::span<const ToolPlace> tool_places() noexcept { return kPlaces; }

std::string_view script_that_sleeps_in_vain(std::string_view path) noexcept {
  return path == kSleepyScript ? kSleepyDigest : std::string_view();
}

}  // namespace debroot::stand_ins
