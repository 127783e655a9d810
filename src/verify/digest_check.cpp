#include "verify/digest_check.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "debroot/error.hpp"
#include "verify/seal.hpp"

namespace debroot::verify {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char &c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void check_size(std::uint64_t expected, std::uint64_t got, std::string_view subject) {
  if (expected == got) return;
  throw Error(ErrorKind::trust, fmt::format("size of '{}' is wrong", base::without_credentials(subject)))
      .detail("expected", fmt::format("{} bytes", expected))
      .detail("got", fmt::format("{} bytes", got));
}

void check_digest(const std::string &expected, const std::string &got, std::string_view subject) {
  if (lower(expected) == got) return;
  throw Error(ErrorKind::trust, fmt::format("digest of '{}' is wrong", base::without_credentials(subject)))
      .detail("expected", fmt::format("SHA-256 {}", lower(expected)))
      .detail("got", fmt::format("SHA-256 {}", got));
}

}  // namespace

base::VerifiedBytes check_bytes(base::UntrustedBytes bytes, const std::string &sha256, std::uint64_t size_bytes,
                                std::string_view subject) {
  check_size(size_bytes, bytes.unchecked().size(), subject);
  check_digest(sha256, base::hash_of(base::HashKind::sha256, bytes.unchecked()), subject);
  return Seal::bytes(std::move(bytes).take_unchecked());
}

base::VerifiedFile check_file(base::UntrustedFile file, const std::string &sha256, std::uint64_t size_bytes,
                              std::string_view subject) {
  struct stat info {};
  if (::fstat(file.unchecked().get(), &info) != 0) {
    throw base::os_error(ErrorKind::output, errno, fmt::format("cannot read '{}'", base::without_credentials(subject)));
  }
  check_size(size_bytes, static_cast<std::uint64_t>(info.st_size), subject);
  std::uint64_t read_bytes = 0;
  std::string digest = base::hash_of_file(base::HashKind::sha256, file.unchecked().get(), &read_bytes);
  check_size(size_bytes, read_bytes, subject);
  check_digest(sha256, digest, subject);
  return Seal::file(std::move(file).take_unchecked(), size_bytes);
}

}  // namespace debroot::verify
