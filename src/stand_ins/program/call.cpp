#include "stand_ins/program/call.hpp"

#include <unistd.h>

#include <cstdlib>

#include "stand_ins/program/files.hpp"

namespace debroot::stand_ins {
namespace {

bool is_locale_variable(std::string_view name) noexcept { return name == "LANG" || name.substr(0, 3) == "LC_"; }

bool is_safe_locale(std::string_view value) noexcept {
  return value.empty() || value == "C" || value == "POSIX" || value == "C.UTF-8";
}

}  // namespace

std::string_view variable(const char *name) noexcept {
  const char *value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool is_plain_for_perl() noexcept {
  for (char **each = environ; *each != nullptr; ++each) {
    std::string_view setting(*each);
    std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view name = setting.substr(0, equals);
    if (is_locale_variable(name) && !is_safe_locale(setting.substr(equals + 1))) return false;
    if (name == "PERL5OPT" || name == "PERL5LIB" || name == "PERL_UNICODE") return false;
  }
  return true;
}

bool is_plain_name(std::string_view text) noexcept {
  for (char c : text) {
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_letter && std::string_view("_-.@:+\\").find(c) == std::string_view::npos) return false;
  }
  return !text.empty() && text != "." && text != "..";
}

bool is_systemd_running() noexcept { return is_directory("/run/systemd/system"); }

}  // namespace debroot::stand_ins
