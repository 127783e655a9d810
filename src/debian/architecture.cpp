#include "debian/architecture.hpp"

#include <algorithm>
#include <array>

namespace debroot::debian {
namespace {

constexpr std::array kKnown = {
    ArchitectureInfo{"alpha", "alpha"},       ArchitectureInfo{"amd64", "x86_64"},
    ArchitectureInfo{"arm64", "aarch64"},     ArchitectureInfo{"armel", "arm"},
    ArchitectureInfo{"armhf", "arm"},         ArchitectureInfo{"hppa", "hppa"},
    ArchitectureInfo{"i386", "i386"},         ArchitectureInfo{"loong64", "loongarch64"},
    ArchitectureInfo{"m68k", "m68k"},         ArchitectureInfo{"mips", "mips"},
    ArchitectureInfo{"mips64el", "mips64el"}, ArchitectureInfo{"mipsel", "mipsel"},
    ArchitectureInfo{"powerpc", "ppc"},       ArchitectureInfo{"ppc64", "ppc64"},
    ArchitectureInfo{"ppc64el", "ppc64le"},   ArchitectureInfo{"riscv64", "riscv64"},
    ArchitectureInfo{"s390x", "s390x"},       ArchitectureInfo{"sh4", "sh4"},
    ArchitectureInfo{"sparc64", "sparc64"},   ArchitectureInfo{"x32", "x86_64"},
};

}  // namespace

std::span<const ArchitectureInfo> known_architectures() noexcept { return kKnown; }

std::optional<ArchitectureInfo> find_architecture(std::string_view name) noexcept {
  const auto *found = std::find_if(kKnown.begin(), kKnown.end(), [&](const auto &info) { return info.name == name; });
  if (found == kKnown.end()) return std::nullopt;
  return *found;
}

std::string_view host_architecture() noexcept {
#if defined(__x86_64__) && defined(__ILP32__)
  return "x32";
#elif defined(__x86_64__)
  return "amd64";
#elif defined(__i386__)
  return "i386";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__arm__) && defined(__ARM_PCS_VFP)
  return "armhf";
#elif defined(__arm__)
  return "armel";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return "ppc64el";
#elif defined(__powerpc64__)
  return "ppc64";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#elif defined(__s390x__)
  return "s390x";
#elif defined(__loongarch64)
  return "loong64";
#elif defined(__mips64) && defined(__MIPSEL__)
  return "mips64el";
#else
#error "name this architecture here as dpkg --print-architecture does"
#endif
}

MultiArch parse_multi_arch(std::string_view value) noexcept {
  if (value == "same") return MultiArch::same;
  if (value == "foreign") return MultiArch::foreign;
  if (value == "allowed") return MultiArch::allowed;
  return MultiArch::no;
}

}  // namespace debroot::debian
