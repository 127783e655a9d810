/// The one error type of debroot.
///
/// An Error is data, not text on a screen: a plain sentence, labelled details, the frames of what was being done, and
/// what to try. Only cli/ renders it (see docs of `render` there), so that tests can pin every part.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace debroot {

/// What kind of thing went wrong; decides nothing but the exit status and grouping in reports.
enum class ErrorKind {
  usage,          ///< the command line contradicts itself or names something that does not exist (exit status 2)
  network,        ///< a transfer failed
  trust,          ///< a signature, digest or date did not hold
  index,          ///< an index file of the archive is malformed
  unsatisfiable,  ///< the requested packages cannot be installed together
  package,        ///< a .deb is malformed or cannot be unpacked
  script,         ///< a maintainer script or a hook failed
  sandbox,        ///< the host does not allow what the build needs
  output,         ///< the image cannot be written
  interrupted,    ///< a signal asked to stop
  internal,       ///< a mistake in debroot itself
};

/// One labelled line below the sentence. Labels in use, in the order they are shown:
/// `while` (added by `frame`), `from`, `expected`, `got`, `needed by`, `output`, `try` (added by `hint`).
struct ErrorDetail {
  std::string label;
  std::string value;
};

/// Ends a build. Message form: lower case, subject in single quotes, cause last, no final stop:
/// "cannot read 'X': permission denied".
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  /// Adds a labelled line; several of one label are shown in the order they were added.
  Error &detail(std::string label, std::string value) & {
    details_.push_back({std::move(label), std::move(value)});
    return *this;
  }
  Error &&detail(std::string label, std::string value) && {
    detail(std::move(label), std::move(value));
    return std::move(*this);
  }

  /// Sets what the user can do about it; leave it out unless an action is known to help.
  Error &hint(std::string text) & {
    hint_ = std::move(text);
    return *this;
  }
  Error &&hint(std::string text) && {
    hint(std::move(text));
    return std::move(*this);
  }

  /// Adds what was being done, innermost first; called where a phase or an item begins, by catch sites that rethrow.
  Error &frame(std::string text) & {
    frames_.push_back(std::move(text));
    return *this;
  }
  Error &&frame(std::string text) && {
    frame(std::move(text));
    return std::move(*this);
  }

  /// Sets a block of already laid out lines (the resolver's tree), shown before the details.
  Error &tree(std::string text) & {
    tree_ = std::move(text);
    return *this;
  }
  Error &&tree(std::string text) && {
    tree(std::move(text));
    return std::move(*this);
  }

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string &message() const noexcept { return message_; }
  [[nodiscard]] const std::vector<ErrorDetail> &details() const noexcept { return details_; }
  [[nodiscard]] const std::vector<std::string> &frames() const noexcept { return frames_; }
  [[nodiscard]] const std::string &hint() const noexcept { return hint_; }
  [[nodiscard]] const std::string &tree() const noexcept { return tree_; }
  [[nodiscard]] const char *what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::vector<ErrorDetail> details_;
  std::vector<std::string> frames_;
  std::string hint_;
  std::string tree_;
};

}  // namespace debroot
