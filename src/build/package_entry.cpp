#include "build/package_entry.hpp"

#include <fmt/format.h>

#include "debroot/error.hpp"

namespace debroot::build {

debian::BinaryPackage package_entry(std::string_view text, std::uint32_t source, std::string_view shown) {
  debian::BinaryPackage package;
  package.stanza = deb822::StanzaView(text);
  package.name = package.stanza.get("Package");
  package.version = package.stanza.get("Version");
  package.architecture = package.stanza.get("Architecture");
  if (package.name.empty() || package.version.empty() || package.architecture.empty()) {
    throw Error(ErrorKind::package,
                fmt::format("cannot use '{}': its control file names no package, version or architecture", shown));
  }
  package.provides = package.stanza.get("Provides");
  package.priority = debian::parse_priority(package.stanza.get("Priority"));
  package.multi_arch = debian::parse_multi_arch(package.stanza.get("Multi-Arch"));
  package.is_essential = package.stanza.get("Essential") == "yes";
  package.sources = {source};
  return package;
}

}  // namespace debroot::build
