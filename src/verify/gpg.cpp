#include "verify/gpg.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gpgme.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::verify {
namespace {

struct ContextDeleter {
  void operator()(gpgme_ctx_t context) const noexcept { gpgme_release(context); }
};
using Context = std::unique_ptr<gpgme_context, ContextDeleter>;

struct DataDeleter {
  void operator()(gpgme_data_t data) const noexcept { gpgme_data_release(data); }
};
using Data = std::unique_ptr<gpgme_data, DataDeleter>;

[[noreturn]] void refuse(gpgme_error_t failure) {
  char text[256] = "";
  gpgme_strerror_r(failure, text, sizeof text);
  throw Error(ErrorKind::sandbox, fmt::format("cannot run gpg: {}", text));
}

void demand(gpgme_error_t failure) {
  if (failure != 0) refuse(failure);
}

/// gpg of $PATH, since gpgme's own search starts two programs more.
std::string find_gpg() {
  const char *path = ::getenv("PATH");
  for (std::string_view directory : base::split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    std::string candidate = fmt::format("{}/gpg", directory);
    if (directory.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

[[noreturn]] void refuse_without_gpg() {
  throw Error(ErrorKind::sandbox, "cannot check signatures: the program gpg is missing")
      .hint("install gpg (on Debian: apt-get install gpg)");
}

/// GNUPGHOME of one verification, gone with the object. gpg finds the keys, and nothing that a user configured.
class PrivateHome {
 public:
  PrivateHome(const std::string &parent, const Keyring &keyring) : path_(parent + "/debroot-gpg-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot make a directory in '{}'", parent));
    }
    try {
      write("keys.gpg", keyring.bytes());
      // a file name without slash is sought in the home; `always`: being in this file is what makes a key trusted
      write("gpg.conf",
            "no-default-keyring\nkeyring keys.gpg\ntrust-model always\nno-auto-check-trustdb\nno-autostart\n"
            "no-auto-key-retrieve\nno-random-seed-file\nlock-never\nno-greeting\nno-permission-warning\n");
    } catch (...) {
      remove();
      throw;
    }
  }
  PrivateHome(const PrivateHome &) = delete;
  PrivateHome &operator=(const PrivateHome &) = delete;
  ~PrivateHome() { remove(); }

  [[nodiscard]] const std::string &path() const noexcept { return path_; }

 private:
  void write(const char *name, std::string_view content) const {
    std::string path = fmt::format("{}/{}", path_, name);
    base::write_all(base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600).get(), content, path);
  }
  void remove() const noexcept {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path_;
};

/// gpgme's own start, once a process. It also sets SIGPIPE to be ignored, which gpgme needs while it feeds gpg.
void start_gpgme() {
  static const bool is_started = [] {
    gpgme_set_global_flag("disable-gpgconf", "1");  // else gpgconf and gpgsm are run too, 20 ms
    return gpgme_check_version("1.10.0") != nullptr;
  }();
  if (!is_started) throw Error(ErrorKind::sandbox, "cannot run gpg: gpgme is too old");
}

Context make_context(const std::string &program, const std::string &home) {
  start_gpgme();
  gpgme_ctx_t raw = nullptr;
  demand(gpgme_new(&raw));
  Context context(raw);
  demand(gpgme_ctx_set_engine_info(context.get(), GPGME_PROTOCOL_OpenPGP, program.c_str(), home.c_str()));
  gpgme_set_offline(context.get(), 1);
  return context;
}

Data borrow(std::string_view bytes) {
  gpgme_data_t raw = nullptr;
  demand(gpgme_data_new_from_mem(&raw, bytes.data(), bytes.size(), 0));
  return Data(raw);
}

Data make_sink() {
  gpgme_data_t raw = nullptr;
  demand(gpgme_data_new(&raw));
  return Data(raw);
}

std::string take_text(Data data) {
  std::size_t size = 0;
  char *bytes = gpgme_data_release_and_get_mem(data.release(), &size);
  std::string out(bytes == nullptr ? "" : bytes, bytes == nullptr ? 0 : size);
  gpgme_free(bytes);
  return out;
}

/// SHA-2 is what counts, as for apt.
bool is_strong(gpgme_hash_algo_t digest) noexcept {
  return digest == GPGME_MD_SHA224 || digest == GPGME_MD_SHA256 || digest == GPGME_MD_SHA384 ||
         digest == GPGME_MD_SHA512;
}

bool is_weak(gpgme_hash_algo_t digest) noexcept {
  return digest == GPGME_MD_MD5 || digest == GPGME_MD_SHA1 || digest == GPGME_MD_RMD160;
}

Signature judge(const _gpgme_signature &from) {
  Signature out;
  out.key = from.fpr == nullptr ? "" : from.fpr;
  switch (gpgme_err_code(from.status)) {
    case GPG_ERR_NO_ERROR:
      out.state = is_strong(from.hash_algo) ? Signature::State::good : Signature::State::weak_digest;
      break;
    case GPG_ERR_BAD_SIGNATURE:
      out.state = Signature::State::bad;
      break;
    case GPG_ERR_NO_PUBKEY:
      out.state = Signature::State::unknown_key;
      break;
    case GPG_ERR_KEY_EXPIRED:
      out.state = Signature::State::expired_key;
      break;
    case GPG_ERR_CERT_REVOKED:
      out.state = Signature::State::revoked_key;
      break;
    case GPG_ERR_SIG_EXPIRED:
      out.state = Signature::State::expired_signature;
      out.expires_at = static_cast<std::int64_t>(from.exp_timestamp);
      break;
    default: {
      if (is_weak(from.hash_algo)) {  // gpg refuses MD5 itself, saying no more than that it cannot check
        out.state = Signature::State::weak_digest;
        break;
      }
      char text[256] = "";
      gpgme_strerror_r(from.status, text, sizeof text);
      out.cause = text;
    }
  }
  return out;
}

}  // namespace

GpgResult run_gpg(std::string_view message, const std::string_view *detached, const Keyring &keyring,
                  const GpgSettings &settings) {
  std::string program = settings.program.empty() ? find_gpg() : settings.program;
  if (program.empty() || ::access(program.c_str(), X_OK) != 0) refuse_without_gpg();
  PrivateHome home(settings.temporary_directory, keyring);
  Context context = make_context(program, home.path());
  Data signed_text = borrow(message);
  Data signature = borrow(detached == nullptr ? std::string_view() : *detached);
  Data sink = make_sink();
  gpgme_error_t failure = detached == nullptr
                              ? gpgme_op_verify(context.get(), signed_text.get(), nullptr, sink.get())
                              : gpgme_op_verify(context.get(), signature.get(), signed_text.get(), nullptr);
  gpgme_err_code_t code = gpgme_err_code(failure);
  if (code == GPG_ERR_NO_DATA || code == GPG_ERR_BAD_DATA) throw Error(ErrorKind::trust, "its signature is damaged");
  if (code == GPG_ERR_INV_ENGINE) refuse_without_gpg();
  demand(failure);
  GpgResult out;
  gpgme_verify_result_t result = gpgme_op_verify_result(context.get());
  if (result != nullptr) {
    for (auto *each = result->signatures; each != nullptr; each = each->next) out.signatures.push_back(judge(*each));
  }
  if (detached == nullptr) out.text = take_text(std::move(sink));
  return out;
}

}  // namespace debroot::verify
