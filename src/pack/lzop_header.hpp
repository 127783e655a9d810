/// The beginning of a file of lzop's, which tells when it was made: with that, no two images would be the same.
#pragma once

#include <string>
#include <string_view>

namespace debroot::pack {

class LzopHeader {
 public:
  /// Takes the bytes of a file in order. @return those that can go on: nothing until the header is complete, then with
  /// its time as zero and its checksum anew
  [[nodiscard]] std::string pass(std::string_view bytes);
  [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }

 private:
  std::string held_;
  bool is_complete_ = false;
};

}  // namespace debroot::pack
