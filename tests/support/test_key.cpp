#include "support/test_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "base/fd.hpp"

namespace debroot::test {
namespace {

void write_file(const std::string &path, std::string_view content) {
  base::Fd fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  base::write_all(fd.get(), content);
}

/// Runs `arguments` with nothing on stdin and returns the exit status; its messages go to `log`.
int run(std::vector<std::string> arguments, const std::string &log) {
  std::vector<char *> argv;
  for (std::string &argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  int failure = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return 127;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// gpg in `home` with its results written to a file; the content of that file.
std::string gpg(const std::string &home, std::vector<std::string> arguments) {
  const std::string result = home + "/result";
  const std::string log = home + "/log";
  std::filesystem::remove(result);
  std::vector<std::string> all = {
      "gpg", "--homedir",       home,       "--batch",  "--yes", "--quiet", "--no-auto-check-trustdb", "--passphrase",
      "",    "--pinentry-mode", "loopback", "--output", result};
  all.insert(all.end(), arguments.begin(), arguments.end());
  if (int status = run(all, log); status != 0) {
    throw std::runtime_error(fmt::format("gpg ended with status {}:\n{}", status, base::read_file(log)));
  }
  return std::filesystem::exists(result) ? base::read_file(result) : std::string();
}

/// "20200101T000000", as gpg's options take a time in UTC.
std::string gpg_time(std::int64_t when) {
  std::time_t seconds = when;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::vector<std::string> signing_options(const SignatureSettings &settings) {
  std::vector<std::string> out = {"--faked-system-time", gpg_time(settings.signed_at), "--digest-algo", settings.digest,
                                  "--allow-weak-digest-algos"};
  if (settings.expires_at) {
    out.insert(out.end(),
               {"--default-sig-expire", fmt::format("seconds={}", *settings.expires_at - settings.signed_at)});
  }
  return out;
}

std::string make_home() {
  std::string home = "/tmp/dkXXXXXX";  // short: the agent's socket lies in it
  if (::mkdtemp(home.data()) == nullptr) throw base::os_error(ErrorKind::internal, errno, "cannot make a directory");
  return home;
}

void remove_home(const std::string &home) noexcept {
  run({"gpgconf", "--homedir", home, "--kill", "gpg-agent"}, "/dev/null");
  run({"gpgconf", "--homedir", home, "--remove-socketdir"}, "/dev/null");
  std::error_code ignored;
  std::filesystem::remove_all(home, ignored);
}

}  // namespace

TestKey::TestKey(const KeySettings &settings) : home_(make_home()) {
  try {
    std::string lifetime = settings.expires_at ? fmt::format("seconds={}", *settings.expires_at - settings.created_at)
                                               : std::string("never");
    gpg(home_, {"--faked-system-time", gpg_time(settings.created_at), "--quick-generate-key", settings.user_id,
                settings.algorithm, "sign", lifetime});
    for (const auto &file : std::filesystem::directory_iterator(home_ + "/openpgp-revocs.d")) {
      fingerprint_ = file.path().stem().string();
    }
  } catch (...) {
    remove_home(home_);
    throw;
  }
}

TestKey::~TestKey() { remove_home(home_); }

std::string TestKey::public_key() const { return gpg(home_, {"--export", fingerprint_}); }

std::string TestKey::armored_public_key() const { return gpg(home_, {"--armor", "--export", fingerprint_}); }

std::string TestKey::keybox() const {
  const std::string key = home_ + "/key";
  const std::string box = home_ + "/box.kbx";
  write_file(key, public_key());
  std::filesystem::remove(box);
  gpg(home_, {"--no-default-keyring", "--keyring", "gnupg-kbx:" + box, "--import", key});
  return base::read_file(box);
}

std::string TestKey::sign_clear(std::string_view text, const SignatureSettings &settings) const {
  const std::string input = home_ + "/input";
  write_file(input, text);
  std::vector<std::string> arguments = signing_options(settings);
  arguments.insert(arguments.end(), {"--local-user", fingerprint_ + "!", "--clear-sign", input});
  return gpg(home_, arguments);
}

std::string TestKey::sign_detached(std::string_view text, const SignatureSettings &settings) const {
  const std::string input = home_ + "/input";
  write_file(input, text);
  std::vector<std::string> arguments = signing_options(settings);
  arguments.insert(arguments.end(), {"--local-user", fingerprint_ + "!", "--armor", "--detach-sign", input});
  return gpg(home_, arguments);
}

std::string TestKey::sign_clear_with(const TestKey &other, std::string_view text) const {
  const std::string input = home_ + "/input";
  write_file(input, gpg(other.home_, {"--export-secret-keys", other.fingerprint_}));
  gpg(home_, {"--import", input});
  write_file(input, text);
  std::vector<std::string> arguments = signing_options({});
  arguments.insert(arguments.end(), {"--local-user", fingerprint_ + "!", "--local-user", other.fingerprint_ + "!",
                                     "--clear-sign", input});
  return gpg(home_, arguments);
}

void TestKey::expire_at(std::int64_t when) {
  // a later self-signature wins, so it is dated a day after the key's creation
  constexpr std::int64_t kDay = 86400;
  std::int64_t at = 1577836800 + kDay;
  gpg(home_,
      {"--faked-system-time", gpg_time(at), "--quick-set-expire", fingerprint_, fmt::format("seconds={}", when - at)});
}

void TestKey::revoke() {
  // gpg keeps a revocation certificate beside each new key, its armor disabled by a colon
  std::string text = base::read_file(fmt::format("{}/openpgp-revocs.d/{}.rev", home_, fingerprint_));
  std::size_t armor = text.find(":-----BEGIN");
  if (armor == std::string::npos) throw std::runtime_error("no revocation certificate beside the key");
  const std::string input = home_ + "/input";
  write_file(input, std::string_view(text).substr(armor + 1));
  gpg(home_, {"--import", input});
}

}  // namespace debroot::test
