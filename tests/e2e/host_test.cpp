/// Hosts that lack something: programs, user namespaces, subordinate ids.

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Host : World {
  const std::vector<std::string> kSmall = {"-o", "x.tar", "--variant", "essential"};
};

TEST_F(Host, NeedsNoneOfTheHostsTools) {
  std::filesystem::create_directory(scratch("bin"));
  for (const char *name : {"gpg", "newuidmap", "newgidmap"}) {
    std::filesystem::create_symlink(std::string("/usr/bin/") + name, scratch("bin/") + name);
  }
  std::vector<Account> accounts = {own_account()};
  if (::geteuid() == 0 && ordinary_account()) accounts.push_back(*ordinary_account());
  for (const Account &account : accounts) {
    Place &place = place_of(account);
    Command line = build_command(place, {"-o", "x.tar", "--plain"});
    line.environment["PATH"] = scratch("bin");
    Finished finished = finish(place, line);
    EXPECT_EQ(finished.status, 0) << account.name;
    EXPECT_EQ(finished.err, "") << account.name;
  }
}

bool is_open_to_all(std::filesystem::path path) {
  using std::filesystem::perms;
  for (; path.has_relative_path(); path = path.parent_path()) {
    if ((std::filesystem::status(path).permissions() & perms::others_exec) == perms::none) return false;
  }
  return true;
}

TEST_F(Host, AccountWithoutSubordinateIds) {
  const passwd *nobody = ::getpwnam("nobody");
  if (::geteuid() != 0 || nobody == nullptr) GTEST_SKIP() << "needs root and an account 'nobody'";
  if (!is_open_to_all(DEBROOT_PROGRAM)) GTEST_SKIP() << "the account 'nobody' may not go where debroot was built";
  Place &place = place_of({"nobody", nobody->pw_uid, nobody->pw_gid});
  EXPECT_EQ(failure(place, kSmall),
            "debroot: error: user 'nobody' has no subordinate user ids\n"
            "  expected: a line 'nobody:165536:65536' in /etc/subuid\n"
            "  try: as root: usermod --add-subuids 165536-231071 --add-subgids 165536-231071 nobody\n");
}

/// In a user namespace that maps all ids and allows no further ones.
void forbid_user_namespaces() {
  auto [read_end, write_end] = base::make_pipe();
  pid_t child = ::getpid();
  pid_t helper = ::fork();
  if (helper == 0) {
    // a map of several ids is written from outside
    char go = 0;
    bool is_told = ::read(read_end.get(), &go, 1) == 1;
    for (const char *map : {"/uid_map", "/gid_map"}) {
      base::Fd file(::open(("/proc/" + std::to_string(child) + map).c_str(), O_WRONLY | O_CLOEXEC));
      if (::write(file.get(), "0 0 4294967295\n", 15) != 15) is_told = false;
    }
    ::_exit(is_told ? 0 : 1);
  }
  int status = 1;
  bool is_apart = ::unshare(CLONE_NEWUSER) == 0 && ::write(write_end.get(), "x", 1) == 1;
  write_end.reset();
  ::waitpid(helper, &status, 0);
  base::Fd limit(::open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC));
  if (!is_apart || status != 0 || ::write(limit.get(), "0\n", 2) != 2) throw std::runtime_error("cannot forbid");
}

TEST_F(Host, UserNamespacesForbidden) {
  auto user = ordinary_account();
  if (::geteuid() != 0 || !user) GTEST_SKIP() << "needs root and an ordinary account with subordinate ids";
  Place &place = place_of(*user);
  Command line = build_command(place, kSmall);
  line.in_the_child = forbid_user_namespaces;
  EXPECT_EQ(failure_of(place, line),
            "debroot: error: user namespaces are switched off on this host\n"
            "  got: user.max_user_namespaces = 0\n"
            "  try: as root: sysctl -w user.max_user_namespaces=15000\n");
}

TEST_F(Host, TemporaryDirectoryThatIsNotThere) {
  Command line = build_command(here(), kSmall);
  line.environment["TMPDIR"] = "/nonexistent";
  EXPECT_EQ(failure_of(here(), line, 2), "debroot: error: TMPDIR names no directory: '/nonexistent'\n");
}

}  // namespace
}  // namespace debroot::e2e
