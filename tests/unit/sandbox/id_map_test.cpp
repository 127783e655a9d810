#include "sandbox/id_map.hpp"

#include <gtest/gtest.h>

#include "debroot/error.hpp"

namespace debroot::sandbox {
namespace {

const Caller kAnna{"anna", 1000, 1000};

Error error_of(const std::string &subuid, const std::string &subgid) {
  try {
    static_cast<void>(subordinate_id_map(kAnna, subuid, subgid));
  } catch (const Error &error) {
    return error;
  }
  return {ErrorKind::internal, "no error"};
}

TEST(SubordinateRange, IsFoundByNameAndByNumber) {
  EXPECT_EQ(find_subordinate_range("bob:1:70000\nanna:100000:65536\n", kAnna), (IdRange{0, 100000, 65536}));
  EXPECT_EQ(find_subordinate_range("bob:1:70000\n1000:200000:65536", kAnna), (IdRange{0, 200000, 65536}));
  EXPECT_EQ(find_subordinate_range("annabel:1:70000\n", kAnna), std::nullopt);
}

TEST(SubordinateRange, IsTheFirstThatIsLongEnough) {
  EXPECT_EQ(find_subordinate_range("anna:1:10\nanna:100000:65536\nanna:300000:65536\n", kAnna),
            (IdRange{0, 100000, 65536}));
  EXPECT_EQ(find_subordinate_range("anna:1:10\nanna:50:20\n", kAnna), (IdRange{0, 1, 10}));
}

TEST(SubordinateRange, PassesOverLinesThatCannotBeRead) {
  EXPECT_EQ(find_subordinate_range("# anna\nanna:x:65536\nanna:1\nanna:4294967290:65536\nanna:7:65536\n", kAnna),
            (IdRange{0, 7, 65536}));
}

TEST(SubordinateIdMap, PutsTheCallerBehindTheRange) {
  IdMap map = subordinate_id_map({"anna", 1000, 1005}, "anna:100000:65536\n", "anna:500000:70000\n");
  EXPECT_EQ(map.users, (std::vector<IdRange>{{0, 100000, 65536}, {65536, 1000, 1}}));
  EXPECT_EQ(map.groups, (std::vector<IdRange>{{0, 500000, 70000}, {70000, 1005, 1}}));
  EXPECT_EQ(map.caller_uid_inside, 65536U);
  EXPECT_EQ(map.caller_gid_inside, 70000U);
  EXPECT_TRUE(map.is_subordinate);
  EXPECT_EQ(id_map_text(map.users), "0 100000 65536\n65536 1000 1\n");
}

TEST(SubordinateIdMap, NamesTheLineThatIsMissing) {
  Error error = error_of("bob:100000:65536\n", "");
  EXPECT_EQ(error.kind(), ErrorKind::sandbox);
  EXPECT_EQ(error.message(), "user 'anna' has no subordinate user ids");
  ASSERT_EQ(error.details().size(), 1U);
  EXPECT_EQ(error.details()[0].value, "a line 'anna:165536:65536' in /etc/subuid");
  EXPECT_EQ(error.hint(), "as root: usermod --add-subuids 165536-231071 --add-subgids 165536-231071 anna");
}

TEST(SubordinateIdMap, NamesTheMissingGroupLine) {
  Error error = error_of("anna:100000:65536\n", "");
  EXPECT_EQ(error.message(), "user 'anna' has no subordinate group ids");
  EXPECT_EQ(error.details().at(0).value, "a line 'anna:165536:65536' in /etc/subgid");
}

TEST(SubordinateIdMap, RefusesAShortRange) {
  Error error = error_of("anna:100000:1000\n", "anna:100000:65536\n");
  EXPECT_EQ(error.message(), "user 'anna' has too few subordinate user ids");
  ASSERT_EQ(error.details().size(), 2U);
  EXPECT_EQ(error.details()[0].value, "65536 ids in one line of /etc/subuid");
  EXPECT_EQ(error.details()[1].value, "1000 ids from 100000");
}

TEST(IdentityIdMap, MapsWhatExistsToItself) {
  IdMap map = identity_id_map("         0          0 4294967295\n", "0 100000 65536\n65536 1000 1\n");
  EXPECT_EQ(map.users, (std::vector<IdRange>{{0, 0, 4294967295U}}));
  EXPECT_EQ(map.groups, (std::vector<IdRange>{{0, 0, 65536}, {65536, 65536, 1}}));
  EXPECT_FALSE(map.is_subordinate);
}

TEST(IdentityIdMap, RefusesAContainerWithFewIds) {
  try {
    static_cast<void>(identity_id_map("0 1000 1\n1 100000 5000\n", "0 1000 1\n"));
    FAIL() << "accepted";
  } catch (const Error &error) {
    EXPECT_EQ(error.message(), "too few user and group ids exist in this container");
    EXPECT_EQ(error.details().at(1).value, "ids 0 to 0");
    EXPECT_FALSE(error.hint().empty());
  }
}

}  // namespace
}  // namespace debroot::sandbox
