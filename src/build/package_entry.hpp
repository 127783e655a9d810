/// A package of the index from a stanza that no archive has: a .deb given as a file, or one that is installed.
#pragma once

#include <cstdint>
#include <string_view>

#include "debian/package_index.hpp"

namespace debroot::build {

/// `text` must live as long as the index. @param shown what errors call the place it is from. @throws Error of kind
/// package
[[nodiscard]] debian::BinaryPackage package_entry(std::string_view text, std::uint32_t source, std::string_view shown);

}  // namespace debroot::build
