/// The output of a program as it comes: kept whole, and told line by line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace debroot::base {

class LineListener {
 public:
  using OnLine = std::function<void(std::string_view)>;
  /// @param on_line called with each whole line, without its end; may be empty
  explicit LineListener(OnLine on_line) : on_line_(std::move(on_line)) {}

  void take(std::string_view chunk) {
    all_ += chunk;
    for (std::size_t end = all_.find('\n', told_); end != std::string::npos; end = all_.find('\n', told_)) {
      tell(end - told_);
      ++told_;
    }
  }

  /// The end: tells a last line that nothing ended. @return all that was taken
  [[nodiscard]] std::string finish() {
    if (told_ < all_.size()) tell(all_.size() - told_);
    return std::move(all_);
  }

 private:
  void tell(std::size_t size) {
    if (on_line_) on_line_(std::string_view(all_).substr(told_, size));
    told_ += size;
  }

  OnLine on_line_;
  std::string all_;
  std::size_t told_ = 0;
};

}  // namespace debroot::base
