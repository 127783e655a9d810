#include "cache/state_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.hpp"

namespace debroot::cache {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class StateStoreTest : public ::testing::Test {
 protected:
  StateStoreTest() : directory_(fs::canonical(fs::temp_directory_path()).string() + "/state-store.XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "cannot make a directory";
  }
  ~StateStoreTest() override { fs::remove_all(directory_); }

  [[nodiscard]] StateStore store() const {
    std::string why;
    std::optional<StateStore> out = StateStore::open(directory_, why);
    EXPECT_EQ(why, "");
    return std::move(out.value());
  }
  /// What a build that ran from `begun` for 10 milliseconds saw.
  static Observation seen(const std::string &key, const std::string &digest, std::int64_t begun) {
    return {key,       {"sid", "amd64", "important", 7}, {digest, 3, "extras", 2, "like " + digest}, false, begun,
            begun + 10};
  }
  std::optional<StateFile> file(const std::string &content = "tarex") const {
    std::optional<StateFile> out = store().make_file(content.size(), kBounds);
    base::write_all(out.value().fd(), content);
    return out;
  }
  /// By two builds that are alike.
  void keep(const std::string &key) const {
    EXPECT_EQ(store().settle(seen(key, "D", 100), std::nullopt, kBounds), Standing::seen);
    EXPECT_EQ(store().settle(seen(key, "D", 200), file(), kBounds), Standing::kept);
  }
  void set_use(const std::string &key, std::int64_t seconds) const {
    timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, (directory_ + "/states/" + key + ".json").c_str(), times, 0);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto &entry : fs::directory_iterator(directory_ + "/states")) out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }

  static constexpr Bounds kBounds{1000, 0};
  std::string directory_;
};

TEST_F(StateStoreTest, KnowsNothingOfANewKey) {
  EXPECT_FALSE(store().find("k"));
  EXPECT_FALSE(store().take("k"));
  EXPECT_THAT(store().list(), ::testing::IsEmpty());
}

TEST_F(StateStoreTest, KeepsAStateThatTwoBuildsHad) {
  keep("k");
  std::optional<KeptState> kept = store().take("k");
  ASSERT_TRUE(kept);
  EXPECT_EQ(base::read_all(kept->file.get()), "tarex");
  EXPECT_EQ(kept->parts.tar_digest, "D");
  EXPECT_EQ(kept->parts.tar_bytes, 3U);
  EXPECT_EQ(kept->parts.extras_digest, "extras");
  std::vector<StateRecord> records = store().list();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, "k");
  EXPECT_EQ(records[0].facts.suite, "sid");
  EXPECT_EQ(records[0].facts.packages, 7U);
  EXPECT_EQ(StateStore::kept_bytes(records), 5U);
  EXPECT_THAT(names(), ElementsAre("k.json", "k.state", "lock"));
}

TEST_F(StateStoreTest, DoesNotTakeBuildsAtTheSameTimeForTwo) {
  EXPECT_EQ(store().settle(seen("k", "D", 100), std::nullopt, kBounds), Standing::seen);
  EXPECT_EQ(store().settle(seen("k", "D", 105), file(), kBounds), Standing::seen);
  EXPECT_EQ(store().settle(seen("k", "D", 111), file(), kBounds), Standing::kept) << "the first had ended at 110";
}

TEST_F(StateStoreTest, NeverKeepsWhatDiffers) {
  EXPECT_EQ(store().settle(seen("k", "D", 100), std::nullopt, kBounds), Standing::seen);
  EXPECT_EQ(store().settle(seen("k", "E", 200), file(), kBounds), Standing::random);
  EXPECT_EQ(store().settle(seen("k", "E", 300), file(), kBounds), Standing::random);
  EXPECT_FALSE(store().take("k"));
  EXPECT_THAT(names(), ElementsAre("k.json", "lock"));
}

TEST_F(StateStoreTest, NeverKeepsWhatIsKnownToBeRandom) {
  Observation random = seen("k", "", 100);
  random.has_random_files = true;
  EXPECT_EQ(store().settle(random, std::nullopt, kBounds), Standing::random);
  EXPECT_EQ(store().find("k")->standing, Standing::random);
}

TEST_F(StateStoreTest, GivesUpAStateOnceABuildDiffers) {
  keep("k");
  EXPECT_EQ(store().settle(seen("k", "E", 300), std::nullopt, kBounds), Standing::random);
  EXPECT_FALSE(store().take("k"));
}

TEST_F(StateStoreTest, LeavesAKeptStateAsItIs) {
  keep("k");
  EXPECT_EQ(store().settle(seen("k", "D", 300), file("other"), kBounds), Standing::kept);
  EXPECT_EQ(base::read_all(store().take("k")->file.get()), "tarex");
}

TEST_F(StateStoreTest, ForgetsAStateThatIsCutOff) {
  keep("k");
  fs::resize_file(directory_ + "/states/k.state", 4);
  EXPECT_FALSE(store().take("k"));
  EXPECT_FALSE(store().find("k"));
}

TEST_F(StateStoreTest, ForgetsADamagedStateButNotItsSuccessor) {
  keep("k");
  store().drop("k", "another");
  EXPECT_TRUE(store().take("k"));
  store().drop("k", "D");
  EXPECT_FALSE(store().find("k"));
}

TEST_F(StateStoreTest, TakesARecordThatCannotBeReadForNone) {
  keep("k");
  for (const char *text : {"", "{}", "[", "{\"standing\": 1}"}) {
    base::write_all(base::open_file(directory_ + "/states/k.json", O_WRONLY | O_TRUNC).get(), text);
    EXPECT_FALSE(store().take("k")) << text;
  }
}

TEST_F(StateStoreTest, LetsTheLeastRecentlyUsedGoWhenTheyAreTooMany) {
  for (const char *key : {"a", "b", "c"}) keep(key);
  set_use("a", 1000);
  set_use("b", 3000);
  set_use("c", 2000);
  EXPECT_TRUE(store().take("a"));  // which is a use
  EXPECT_EQ(store().settle(seen("d", "D", 100), std::nullopt, kBounds), Standing::seen);
  EXPECT_EQ(store().settle(seen("d", "D", 200), file(), {15, 0}), Standing::kept);
  EXPECT_TRUE(store().take("a"));
  EXPECT_TRUE(store().take("b"));
  EXPECT_FALSE(store().take("c"));
  EXPECT_TRUE(store().take("d"));
  EXPECT_EQ(store().find("c")->standing, Standing::seen) << "one build more keeps it again";
}

TEST_F(StateStoreTest, MakesNoFileWhereThereIsNoRoom) {
  EXPECT_FALSE(store().make_file(1001, kBounds));
  EXPECT_FALSE(store().make_file(1, {1000, std::uint64_t{1} << 62}));
}

TEST_F(StateStoreTest, LeavesNothingOfAFileThatIsNotKept) {
  file();
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_F(StateStoreTest, RemovesAKey) {
  keep("k");
  store().remove("k");
  EXPECT_THAT(names(), ElementsAre("lock"));
}

TEST_F(StateStoreTest, BelievesNoDirectoryThatOthersMayWriteTo) {
  keep("k");
  fs::permissions(directory_ + "/states", fs::perms(0777));
  std::string why;
  EXPECT_FALSE(StateStore::open(directory_, why));
  EXPECT_EQ(why, "others may write to '" + directory_ + "/states'");
  fs::permissions(directory_ + "/states", fs::perms(0700));
  fs::permissions(directory_, fs::perms(0770));
  EXPECT_FALSE(StateStore::open(directory_, why));
  EXPECT_EQ(why, "others may write to '" + directory_ + "'");
}

TEST_F(StateStoreTest, BelievesNoDirectoryOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  keep("k");
  ASSERT_EQ(::chown((directory_ + "/states").c_str(), 1, 1), 0);
  std::string why;
  EXPECT_FALSE(StateStore::open(directory_, why));
  EXPECT_EQ(why, "'" + directory_ + "/states' belongs to another user");
}

}  // namespace
}  // namespace debroot::cache
