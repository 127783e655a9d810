/// The body of one request while it arrives: where it is stored, its running digest, and what is still wrong with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.hpp"
#include "fetch/cache.hpp"
#include "fetch/curl.hpp"

namespace debroot::fetch {

/// What is known of a body beforehand; see Request.
struct BodyExpectation {
  std::optional<std::string> sha256 = {};
  std::uint64_t size_bytes = 0;
  std::uint64_t limit_bytes = 0;

  /// The most bytes that may come.
  [[nodiscard]] std::uint64_t ceiling_bytes() const noexcept;
};

/// What `Download::check` found.
struct BodyVerdict {
  Failure failure = Failure::none;
  std::string cause = {};       ///< end of a sentence: "larger than 10 bytes"
  std::string got_sha256 = {};  ///< of a whole body with another digest than expected
};

/// Receives one body, over several attempts if need be. What was received is continued only where a digest will tell
/// whether the pieces fit together.
class Download final : public HttpSink {
 public:
  /// `file` may hold the beginning of the body. @param network_bytes counts all that arrives, also elsewhere
  /// @throws Error of kind output
  Download(PartialFile file, BodyExpectation expected, std::atomic<std::uint64_t> &network_bytes);

  /// Readies an attempt. @return the offset it must begin at @throws Error of kind output
  [[nodiscard]] std::uint64_t prepare_attempt();
  bool begin(const HttpHead &head) override;
  bool write(std::string_view bytes) override;
  /// Forgets what is held. @throws Error of kind output
  void start_over();

  /// Judges the body of an attempt that ended well, or that this class broke off. May be called once per attempt.
  [[nodiscard]] BodyVerdict check();

  /// Whether the running attempt continues earlier bytes.
  [[nodiscard]] bool was_resumed() const noexcept { return attempt_start_ > 0; }
  /// Whether a file without transfer may already be the whole body.
  [[nodiscard]] bool is_full() const noexcept;
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  [[nodiscard]] std::uint64_t network_bytes() const noexcept { return own_network_bytes_; }
  [[nodiscard]] const PartialFile &file() const noexcept { return file_; }
  [[nodiscard]] PartialFile take_file() &&noexcept { return std::move(file_); }

 private:
  void hash_held();

  PartialFile file_;
  BodyExpectation expected_;
  std::atomic<std::uint64_t> &network_bytes_;
  base::Hasher hasher_{base::HashKind::sha256};
  std::uint64_t size_bytes_ = 0;
  std::uint64_t attempt_start_ = 0;
  std::uint64_t own_network_bytes_ = 0;
  BodyVerdict verdict_;
};

}  // namespace debroot::fetch
