#include "resolve/order.hpp"

#include "world.hpp"

namespace debroot::resolve::test {
namespace {

TEST(Order, UnpacksAllAndConfiguresLast) {
  World world;
  world.add("b 1").add("a 1").add("c 1");
  EXPECT_EQ(world.runs({"c_1_amd64", "a_1_amd64", "b_1_amd64"}), "unpack a b c | pending");
  EXPECT_EQ(world.runs({}), "");
}

TEST(Order, PutsWhatIsNeededFirst) {
  World world;
  world.add("a 1", "Depends: z").add("z 1").add("b 1");
  EXPECT_EQ(world.runs({"a_1_amd64", "b_1_amd64", "z_1_amd64"}), "unpack z a b | pending");
}

TEST(Order, SortsByPriorityBeforeName) {
  World world;
  world.add("a 1", "Priority: optional").add("b 1", "Priority: important").add("c 1", "Priority: required");
  EXPECT_EQ(world.runs({"a_1_amd64", "b_1_amd64", "c_1_amd64"}), "unpack c b a | pending");
}

TEST(Order, ConfiguresPreDependsBeforeUnpacking) {
  World world;
  world.add("a 1", "Pre-Depends: p").add("p 1", "Depends: q").add("q 1").add("z 1");
  EXPECT_EQ(world.runs({"a_1_amd64", "p_1_amd64", "q_1_amd64", "z_1_amd64"}),
            "unpack q p | configure q p | unpack a z | pending");
}

TEST(Order, ConfiguresEssentialPackagesAndTheirNeedsAtOnce) {
  World world;
  world.add("base 1", "Essential: yes\nDepends: lib").add("lib 1").add("a 1");
  EXPECT_EQ(world.runs({"base_1_amd64", "lib_1_amd64", "a_1_amd64"}),
            "unpack lib | configure lib | unpack base | configure base | unpack a | pending");
}

TEST(Order, BreaksACycleOfDepends) {
  World world;
  world.add("a 1", "Depends: b\nEssential: yes").add("b 1", "Depends: a");
  EXPECT_EQ(world.runs({"a_1_amd64", "b_1_amd64"}), "unpack a b | configure b a | pending");
}

TEST(Order, KeepsToInstalledPreDepends) {
  World world;
  world.add("a 1", "Pre-Depends: p | q").add("p 1").add("q 1");
  world.installed("q_1_amd64");
  EXPECT_EQ(world.runs({"a_1_amd64"}), "unpack a | pending");
}

TEST(Order, RefusesACycleOfPreDepends) {
  World world;
  world.add("a 1", "Pre-Depends: b").add("b 1", "Pre-Depends: a");
  try {
    static_cast<void>(world.runs({"a_1_amd64", "b_1_amd64"}));
    FAIL() << "accepted";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsatisfiable);
    EXPECT_EQ(error.message(), "cannot find an order to unpack 'a_1_amd64': its Pre-Depends lead back to it");
  }
}

TEST(Order, ListsTheUnpackedPackagesOfAllRuns) {
  using Kind = DpkgRun::Kind;
  std::vector<DpkgRun> runs{
      {Kind::unpack, {3, 1}}, {Kind::configure, {3}}, {Kind::unpack, {2}}, {Kind::configure_pending, {}}};
  EXPECT_EQ(unpack_order(runs), (std::vector<debian::PackageRef>{3, 1, 2}));
}

TEST(Order, ReplacesAnInstalledPackageThatWouldBreak) {
  World world;
  world.add("a 2", "Breaks: b (<< 2)").add("b 1").add("b 2");
  world.installed("b_1_amd64");
  EXPECT_EQ(world.runs({"a_2_amd64", "b_2_amd64"}), "unpack b a | pending");
}

}  // namespace
}  // namespace debroot::resolve::test
