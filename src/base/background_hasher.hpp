/// A digest that is computed while its bytes are still being produced.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/digest.hpp"

namespace debroot::base {

/// A Hasher on a thread of its own, fed with whole buffers that it gives back. Used by one thread.
class BackgroundHasher {
 public:
  /// All buffers have `buffer_bytes`.
  BackgroundHasher(HashKind kind, std::size_t buffer_bytes);
  BackgroundHasher(const BackgroundHasher &) = delete;
  BackgroundHasher &operator=(const BackgroundHasher &) = delete;
  /// Drops what was not hashed yet.
  ~BackgroundHasher();

  /// Hashes the first `used` bytes of `buffer` next. @return another buffer, of any content, to go on with; waits for
  /// one when the hash is behind
  [[nodiscard]] std::vector<char> exchange(std::vector<char> buffer, std::size_t used);
  /// The digest as lower-case hexadecimal, of everything given; to be called once, last.
  [[nodiscard]] std::string finish();

 private:
  void work(const std::stop_token &stop);

  Hasher hasher_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<char> waiting_;  ///< being hashed while `used_` is not 0
  std::size_t used_ = 0;
  std::jthread thread_;
};

}  // namespace debroot::base
