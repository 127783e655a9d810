/// One call of a stand-in, and what may be asked about it before anything is done.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stand_ins/dialect.hpp"

namespace debroot::stand_ins {

struct Call {
  std::string path;                         ///< as the kernel was given it: "/usr/bin/deb-systemd-helper"
  std::vector<std::string_view> arguments;  ///< without the program's name
  Dialect dialect = Dialect::unset;
};

/// Value of an environment variable; empty when it is unset.
[[nodiscard]] std::string_view variable(const char *name) noexcept;

/// Whether perl would start without a word about its locale, and without anything else loaded.
[[nodiscard]] bool is_plain_for_perl() noexcept;

/// Whether all of `text` are characters that names of units, packages and scripts consist of.
[[nodiscard]] bool is_plain_name(std::string_view text) noexcept;

/// Whether systemd runs here: then tools speak to it.
[[nodiscard]] bool is_systemd_running() noexcept;

}  // namespace debroot::stand_ins
