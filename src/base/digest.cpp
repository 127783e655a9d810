#include "base/digest.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/fd.hpp"

namespace debroot::base {

namespace {

const EVP_MD *algorithm_of(HashKind kind) {
  switch (kind) {
    case HashKind::sha256:
      return EVP_sha256();
    case HashKind::sha1:
      return EVP_sha1();
    case HashKind::md5:
      return EVP_md5();
  }
  return nullptr;
}

}  // namespace

struct Hasher::Context {
  EVP_MD_CTX *handle = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  ~Context() { EVP_MD_CTX_free(handle); }
};

Hasher::Hasher(HashKind kind) : context_(std::make_unique<Context>()) {
  if (context_->handle == nullptr || EVP_DigestInit_ex(context_->handle, algorithm_of(kind), nullptr) != 1) {
    throw Error(ErrorKind::internal, "cannot start a hash");
  }
}
Hasher::Hasher(Hasher &&) noexcept = default;
Hasher &Hasher::operator=(Hasher &&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view bytes) {
  if (EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) != 1) {
    throw Error(ErrorKind::internal, "cannot continue a hash");
  }
}

std::string Hasher::finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  if (EVP_DigestFinal_ex(context_->handle, raw.data(), &length) != 1) {
    throw Error(ErrorKind::internal, "cannot finish a hash");
  }
  std::string hex;
  hex.reserve(std::size_t{length} * 2);
  for (unsigned i = 0; i < length; ++i) {
    hex += kDigits[raw[i] >> 4];
    hex += kDigits[raw[i] & 15];
  }
  return hex;
}

std::string hash_of(HashKind kind, std::string_view bytes) {
  Hasher hasher(kind);
  hasher.update(bytes);
  return hasher.finish();
}

std::string hash_of_file(HashKind kind, int fd, std::uint64_t *size) {
  Hasher hasher(kind);
  std::vector<char> chunk(std::size_t{256} * 1024);
  off_t at = 0;
  while (true) {
    ssize_t got = ::pread(fd, chunk.data(), chunk.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw os_error(ErrorKind::output, errno, "cannot read a file");
    if (got == 0) break;
    hasher.update({chunk.data(), static_cast<std::size_t>(got)});
    at += got;
  }
  if (size != nullptr) *size = static_cast<std::uint64_t>(at);
  return hasher.finish();
}

}  // namespace debroot::base
