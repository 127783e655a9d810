/// Starts programs as a user would: with an environment, an account, a directory and streams of their own.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace debroot::e2e {

/// Who runs the program.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// The account of the tests themselves.
[[nodiscard]] Account own_account();
/// An ordinary account with at least 65536 subordinate ids that this process is or can become.
[[nodiscard]] std::optional<Account> ordinary_account();

struct Command {
  std::vector<std::string> argv;                   ///< argv[0] is the path of the program
  std::map<std::string, std::string> environment;  ///< all of it
  std::string directory = "/";
  Account account = own_account();
  int output_fd = -1;                  ///< standard output; negative: kept in a file for `Finished::out`
  int error_fd = -1;                   ///< the same for standard error
  std::function<void()> in_the_child;  ///< called before the account changes; what it throws ends the child
};

/// How a program ended.
struct Finished {
  int status = -1;  ///< exit status, or 128 plus the signal that killed it; -1: it had to be killed after a minute
  std::string out;
  std::string err;
};

/// A running program. One that is not waited for is killed.
class Process {
 public:
  explicit Process(const Command &command);
  Process(const Process &) = delete;
  Process &operator=(const Process &) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void signal(int number) const noexcept;
  /// What it has written to standard error so far.
  [[nodiscard]] std::string err_so_far() const;
  [[nodiscard]] Finished wait();

 private:
  pid_t pid_ = -1;
  base::Fd out_;
  base::Fd err_;
};

[[nodiscard]] Finished run(const Command &command);

/// Children of this process; with `adopt_orphans`, also what its children left behind.
[[nodiscard]] std::vector<pid_t> children();
/// Makes processes whose parent ends children of this one, so that none gets out of sight.
void adopt_orphans();

/// Asks `is_true` every few milliseconds. @return whether it came true in time
[[nodiscard]] bool wait_until(const std::function<bool()> &is_true, int limit_ms);

}  // namespace debroot::e2e
