/// What the tests of fetch/ share: a scratch directory, a server, short delays, and words for what came out.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "fetch/fetcher.hpp"
#include "support/fake_server.hpp"

namespace debroot::fetch {

inline std::string sha256_of(const std::string &body) { return base::hash_of(base::HashKind::sha256, body); }

/// Text of that length which differs from place to place.
inline std::string body_of(std::size_t size, unsigned seed = 1) {
  std::string body;
  body.reserve(size + 16);
  for (unsigned i = seed; body.size() < size; i = i * 1664525 + 1013904223) body += std::to_string(i) + "\n";
  body.resize(size);
  return body;
}

/// What a fetched file holds, read from the offset at which it was handed out.
inline std::string text_of(const Fetched &fetched) { return base::read_all(fetched.file.unchecked().get()); }

/// An error as one text: the sentence, then "label: value" lines, then "try: hint".
inline std::string text_of(const Error &error) {
  std::string text = error.message();
  for (const ErrorDetail &detail : error.details()) text += "\n" + detail.label + ": " + detail.value;
  if (!error.hint().empty()) text += "\ntry: " + error.hint();
  return text;
}

/// The error of a request that must have failed.
inline std::string failure_of(const Completion &completion) {
  const Error *error = std::get_if<Error>(&completion.outcome);
  return error != nullptr ? text_of(*error) : "no error";
}

inline ErrorKind kind_of(const Completion &completion) {
  const Error *error = std::get_if<Error>(&completion.outcome);
  return error != nullptr ? error->kind() : ErrorKind::internal;
}

class FetchTest : public testing::Test {
 protected:
  FetchTest() {
    std::string pattern = testing::TempDir() + "debroot-fetch-XXXXXX";
    scratch = ::mkdtemp(pattern.data());
    // a proxy of the host must not come between the tests and their server
    for (const char *name :
         {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
      ::unsetenv(name);
    }
  }
  ~FetchTest() override { std::filesystem::remove_all(scratch); }

  /// Options with a cache below the scratch directory and delays of a millisecond.
  [[nodiscard]] FetchOptions options() const {
    FetchOptions out;
    out.cache.directory = scratch + "/cache";
    out.temporary_directory = scratch;
    out.retry = {.first_delay = std::chrono::milliseconds(1),
                 .longest_delay = std::chrono::milliseconds(4),
                 .longest_retry_after = std::chrono::milliseconds(20)};
    return out;
  }
  [[nodiscard]] FetchOptions options_without_cache() const {
    FetchOptions out = options();
    out.cache.directory.clear();
    return out;
  }
  [[nodiscard]] FetchOptions options_offline() const {
    FetchOptions out = options();
    out.cache.is_offline = true;
    return out;
  }

  /// Puts `body` on the server. @return a request for it as an index would give
  Request serve(const std::string &path, const std::string &body) {
    server.put(path, body);
    return {.url = server.url(path), .sha256 = sha256_of(body), .size_bytes = body.size()};
  }

  /// Gets one file with a Fetcher of its own.
  static Completion get(FetchOptions with, Request request) {
    Fetcher fetcher(std::move(with));
    return fetcher.wait(fetcher.submit(std::move(request)));
  }

  [[nodiscard]] std::string cached_path(const std::string &body) const {
    std::string digest = sha256_of(body);
    return scratch + "/cache/files/sha256/" + digest.substr(0, 2) + "/" + digest;
  }
  [[nodiscard]] std::string partial_path(const std::string &body) const {
    return scratch + "/cache/partial/" + sha256_of(body);
  }
  /// Names in a directory, sorted.
  static std::vector<std::string> names_in(const std::string &directory) {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  static void write_file(const std::string &path, const std::string &text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    base::Fd fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    base::write_all(fd.get(), text);
  }

  test::FakeServer server;
  std::string scratch;
};

}  // namespace debroot::fetch
