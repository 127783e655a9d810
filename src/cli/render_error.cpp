#include "cli/render_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.hpp"
#include "cli/console.hpp"

namespace debroot::cli {
namespace {

constexpr std::array<std::string_view, 5> kLabels = {"from", "expected", "got", "needed by", "output"};
constexpr std::string_view kBugHint =
    "this is a mistake in debroot, not in what you asked for: please report it with this text and the command line";

std::string_view hint_of(const Error &error) {
  return error.hint().empty() && error.kind() == ErrorKind::internal ? kBugHint : std::string_view(error.hint());
}

std::string message_of(const Error &error) {
  return error.kind() == ErrorKind::internal ? fmt::format("internal error: {}", error.message()) : error.message();
}

class ErrorText {
 public:
  explicit ErrorText(bool uses_colour) : uses_colour_(uses_colour) {}

  void headline(std::string_view message) {
    text_ = fmt::format("debroot: {} {}\n", coloured("error:", "1;31"), printable(message));
  }
  void headline_as_mmdebstrap(std::string_view message) { text_ = fmt::format("E: {}\n", printable(message)); }
  void tree(std::string_view tree) {
    while (tree.ends_with('\n')) tree.remove_suffix(1);
    if (tree.empty()) return;
    for (std::string_view line : base::split(tree, '\n')) text_ += fmt::format("  {}\n", printable(line));
  }
  /// A value of several lines: output gets a label on each, as log lines; anything else is indented below the first.
  void line(std::string_view label, std::string_view value) {
    while (value.ends_with('\n')) value.remove_suffix(1);
    std::string head = coloured(fmt::format("{}:", label), label == "try" ? "1;32" : "1");
    bool is_first = true;
    for (std::string_view part : base::split(value, '\n')) {
      bool has_label = is_first || label == "output";
      text_ += has_label ? fmt::format("  {} {}\n", head, printable(part)) : fmt::format("    {}\n", printable(part));
      is_first = false;
    }
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  [[nodiscard]] std::string coloured(std::string_view text, std::string_view code) const {
    return uses_colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  bool uses_colour_;
  std::string text_;
};

std::vector<ErrorDetail> sorted_details(const Error &error) {
  auto rank = [](const ErrorDetail &detail) {
    return std::find(kLabels.begin(), kLabels.end(), detail.label) - kLabels.begin();
  };
  std::vector<ErrorDetail> details = error.details();
  std::stable_sort(details.begin(), details.end(), [&](auto &a, auto &b) { return rank(a) < rank(b); });
  return details;
}

}  // namespace

int exit_status(ErrorKind kind) noexcept {
  if (kind == ErrorKind::usage) return kExitUsage;
  return kind == ErrorKind::interrupted ? kExitInterrupted : kExitFailed;
}

std::string_view kind_name(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::network:
      return "network";
    case ErrorKind::trust:
      return "trust";
    case ErrorKind::index:
      return "index";
    case ErrorKind::unsatisfiable:
      return "unsatisfiable";
    case ErrorKind::package:
      return "package";
    case ErrorKind::script:
      return "script";
    case ErrorKind::sandbox:
      return "sandbox";
    case ErrorKind::output:
      return "output";
    case ErrorKind::interrupted:
      return "interrupted";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

namespace {

void add_rest(const Error &error, ErrorText &text) {
  text.tree(error.tree());
  for (const std::string &frame : error.frames()) text.line("while", frame);
  for (const ErrorDetail &detail : sorted_details(error)) text.line(detail.label, detail.value);
  if (std::string_view hint = hint_of(error); !hint.empty()) text.line("try", hint);
}

}  // namespace

std::string render_error(const Error &error, bool uses_colour) {
  ErrorText text(uses_colour);
  text.headline(message_of(error));
  add_rest(error, text);
  return text.take();
}

std::string render_error_as_mmdebstrap(const Error &error) {
  ErrorText text(false);
  text.headline_as_mmdebstrap(message_of(error));
  add_rest(error, text);
  return text.take();
}

nlohmann::ordered_json error_json(const Error &error) {
  nlohmann::ordered_json json;
  json["kind"] = kind_name(error.kind());
  json["message"] = message_of(error);
  if (!error.tree().empty()) json["tree"] = error.tree();
  if (!error.frames().empty()) json["while"] = error.frames();
  for (const ErrorDetail &detail : sorted_details(error)) {
    json["details"].push_back({{"label", detail.label}, {"value", detail.value}});
  }
  if (std::string_view hint = hint_of(error); !hint.empty()) json["try"] = hint;
  return json;
}

Error current_error() {
  try {
    throw;
  } catch (const Error &error) {
    return error;
  } catch (const std::bad_alloc &) {
    return {ErrorKind::output, "out of memory"};
  } catch (const std::exception &error) {
    return {ErrorKind::internal, error.what()};
  } catch (...) {
    return {ErrorKind::internal, "an exception of an unknown type"};
  }
}

}  // namespace debroot::cli
