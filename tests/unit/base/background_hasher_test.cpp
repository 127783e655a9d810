#include "base/background_hasher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace debroot::base {
namespace {

TEST(BackgroundHasher, HashesBuffersInTheirOrder) {
  BackgroundHasher hasher(HashKind::sha256, 4);
  std::string whole;
  std::vector<char> buffer(4);
  for (char c = 'a'; c <= 'z'; ++c) {
    std::fill(buffer.begin(), buffer.end(), c);
    std::size_t used = static_cast<std::size_t>(c % 4) + 1;
    whole += std::string(used, c);
    buffer = hasher.exchange(std::move(buffer), used);
    ASSERT_EQ(buffer.size(), 4U);
  }
  EXPECT_EQ(hasher.finish(), hash_of(HashKind::sha256, whole));
}

TEST(BackgroundHasher, OfNothing) {
  EXPECT_EQ(BackgroundHasher(HashKind::sha256, 1).finish(), hash_of(HashKind::sha256, ""));
}

TEST(BackgroundHasher, MayBeGivenUp) {
  BackgroundHasher hasher(HashKind::sha256, 1 << 20);
  static_cast<void>(hasher.exchange(std::vector<char>(1 << 20), 1 << 20));
}

}  // namespace
}  // namespace debroot::base
