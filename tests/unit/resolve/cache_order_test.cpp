#include "resolve/cache_order.hpp"

#include <algorithm>

#include "world.hpp"

namespace debroot::resolve::test {
namespace {

TEST(CacheOrder, WalksByBucketThenLengthThenBytes) {
  // 5381 * 33 + 'a' = 177670 and 5381 * 33 + 'b' = 177671 are below the number of buckets.
  EXPECT_EQ(cache_bucket("a"), 177670u);
  EXPECT_TRUE(precedes_in_cache("a", "b"));
  EXPECT_FALSE(precedes_in_cache("a", "a"));
  EXPECT_EQ(cache_bucket("aa"), (177670u * 33 + 'a') % 196613);
  EXPECT_EQ(precedes_in_cache("aa", "a"), cache_bucket("aa") < cache_bucket("a"));
}

TEST(CacheOrder, NumbersPackagesWhenTheyAreFirstMentioned) {
  World world;
  world.add("x 1", "Suggests: s1\nDepends: d1, d2 (>= 2) | d3,\n d4:any\nPre-Depends: p\nProvides: v (= 1)");
  world.add("d2 1", "Description: Depends: fake\nConflicts: c");
  MentionOrder order(world.index(), {"amd64"});
  std::vector<std::string> names{"s1", "d1", "d2", "d3", "p", "v", "x", "c"};
  std::sort(names.begin(), names.end(), [&](const auto &a, const auto &b) { return order.of(a, 0) < order.of(b, 0); });
  EXPECT_EQ(names, (std::vector<std::string>{"x", "p", "d1", "d2", "d3", "s1", "v", "c"}));
  EXPECT_EQ(order.of("fake", 0), order.of("never", 0));
  EXPECT_EQ(order.of("d4", 0), order.of("never", 0));
}

TEST(CacheOrder, KeepsArchitecturesApart) {
  World world;
  world.add("a 1 arm64", "Depends: b\nConflicts: c").add("b 1").add("c 1").add("a 1");
  MentionOrder order(world.index(), {"amd64", "arm64"});
  EXPECT_LT(order.of("b", 1), order.of("b", 0));
  EXPECT_LT(order.of("a", 1), order.of("a", 0));
  EXPECT_LT(order.of("c", 1), order.of("b", 0)) << "a conflict makes the package known for its own architecture";
}

TEST(CacheOrder, SurvivesMoreNamesThanExpected) {
  World world;
  std::string many = "Suggests: n0";
  for (int i = 1; i < 1000; ++i) many += ", n" + std::to_string(i);
  world.add("a 1", many);
  MentionOrder order(world.index(), {"amd64"});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order.of("n" + std::to_string(i), 0), static_cast<std::uint32_t>(i + 1));
}

}  // namespace
}  // namespace debroot::resolve::test
