/// Names and numbers in /etc/passwd and /etc/group, where nothing else is asked for them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::stand_ins {

struct Account {
  std::string name;
  unsigned long id = 0;
};

struct Accounts {
  std::vector<Account> users;
  std::vector<Account> groups;
};

/// Nothing when nsswitch.conf names another source than the files, or a line is not of the usual form.
[[nodiscard]] std::optional<Accounts> read_accounts();

[[nodiscard]] const Account *find_account(const std::vector<Account> &accounts, std::string_view name) noexcept;
[[nodiscard]] const Account *find_account(const std::vector<Account> &accounts, unsigned long id) noexcept;

/// A number of one to seven digits.
[[nodiscard]] std::optional<unsigned long> read_number(std::string_view text) noexcept;

}  // namespace debroot::stand_ins
