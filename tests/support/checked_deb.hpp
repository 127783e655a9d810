/// A DebBuilder's package as the type that parsers of packages accept.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <string>

#include "base/digest.hpp"
#include "support/deb_builder.hpp"
#include "verify/digest_check.hpp"

namespace debroot::test {

[[nodiscard]] inline base::VerifiedFile checked(const std::string &bytes) {
  base::Fd file(::memfd_create("package", MFD_CLOEXEC));
  base::write_all(file.get(), bytes);
  std::string digest = base::hash_of(base::HashKind::sha256, bytes);
  return verify::check_file(base::UntrustedFile(std::move(file)), digest, bytes.size(), "package");
}

[[nodiscard]] inline base::VerifiedFile checked(const DebBuilder &builder) { return checked(builder.bytes()); }

}  // namespace debroot::test
