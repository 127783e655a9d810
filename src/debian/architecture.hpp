/// Architecture names (Policy section 11.1) and what can run what.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace debroot::debian {

/// What debroot knows of one Debian architecture.
struct ArchitectureInfo {
  std::string_view name;  ///< "arm64"
  std::string_view qemu;  ///< suffix of the qemu-user program, "aarch64"
};

/// Every architecture that Debian or its ports build for Linux.
[[nodiscard]] std::span<const ArchitectureInfo> known_architectures() noexcept;

/// The entry of `name`, nothing if there is none.
[[nodiscard]] std::optional<ArchitectureInfo> find_architecture(std::string_view name) noexcept;

/// The architecture this program was built for, which is that of the host's userland.
[[nodiscard]] std::string_view host_architecture() noexcept;

/// `Multi-Arch` field (deb-control(5)).
enum class MultiArch { no, same, foreign, allowed };
[[nodiscard]] MultiArch parse_multi_arch(std::string_view value) noexcept;

}  // namespace debroot::debian
