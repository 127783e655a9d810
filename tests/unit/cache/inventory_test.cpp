#include "cache/inventory.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"

namespace debroot::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kDay = 86'400;

class InventoryTest : public ::testing::Test {
 protected:
  InventoryTest() : directory_(fs::canonical(fs::temp_directory_path()).string() + "/inventory.XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "cannot make a directory";
  }
  ~InventoryTest() override { fs::remove_all(directory_); }

  void file(const std::string &name, std::size_t size, std::int64_t days_ago = 0) const {
    std::string path = directory_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    base::write_all(base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC).get(), std::string(size, 'x'));
    set_use(path, days_ago);
  }
  void state(const std::string &key, std::size_t size, std::int64_t days_ago) const {
    std::string why;
    StateStore store = StateStore::open(directory_, why).value();
    Observation seen{key, {"sid", "amd64", "important", 7}, {"D", size, "E", 0, {}}, false, 100, 110};
    static_cast<void>(store.settle(seen, std::nullopt, {1000, 0}));
    std::optional<StateFile> file = store.make_file(size, {1000, 0});
    base::write_all(file.value().fd(), std::string(size, 'x'));
    seen.begun_milliseconds = 200;
    EXPECT_EQ(store.settle(seen, std::move(file), {1000, 0}), Standing::kept);
    set_use(directory_ + "/states/" + key + ".json", days_ago);
  }
  static void set_use(const std::string &path, std::int64_t days_ago) {
    timespec time{kNow - days_ago * kDay, 0};
    timespec times[2] = {time, time};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  }
  /// Files that are left, locks aside.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto &entry : fs::recursive_directory_iterator(directory_)) {
      if (entry.is_regular_file() && entry.path().filename() != "lock") {
        out.push_back(fs::relative(entry.path(), directory_));
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  void fill() const {
    file("files/sha256/aa/aa1", 10, 40);
    file("files/sha256/bb/bb1", 20, 5);
    file("releases/url", 3, 50);
    file("releases/url.validators", 1, 50);
    file("plans/p", 4, 60);
    file("partial/begun", 7, 0);
    state("old", 100, 35);
    state("new", 50, 1);
  }
  std::string directory_;
};

TEST_F(InventoryTest, CountsWhatIsThere) {
  fill();
  Inventory all = take_inventory(directory_);
  EXPECT_EQ(all.downloads.files, 2U);
  EXPECT_EQ(all.downloads.bytes, 30U);
  EXPECT_EQ(all.partial.files, 1U);
  EXPECT_EQ(all.releases.bytes, 4U);
  EXPECT_EQ(all.plans.files, 1U);
  ASSERT_EQ(all.states.size(), 2U);
  EXPECT_EQ(all.states[0].key, "old");
  EXPECT_EQ(all.states[1].key, "new");
}

TEST_F(InventoryTest, OfADirectoryThatIsMissing) {
  Inventory all = take_inventory(directory_ + "/none");
  EXPECT_EQ(all.downloads.files, 0U);
  EXPECT_THAT(all.states, ::testing::IsEmpty());
  EXPECT_EQ(prune(directory_ + "/none", {true, {}, {}}, kNow).files, 0U);
  EXPECT_FALSE(fs::exists(directory_ + "/none"));
}

TEST_F(InventoryTest, PrunesByAge) {
  fill();
  Pruned pruned = prune(directory_, {false, {}, 30}, kNow);
  EXPECT_THAT(names(), ::testing::ElementsAre("files/sha256/bb/bb1", "states/new.json", "states/new.state"));
  EXPECT_EQ(pruned.files, 5U);
  EXPECT_EQ(pruned.states, 1U);
  EXPECT_EQ(pruned.bytes, 10U + 3 + 1 + 4 + 7 + 100);
}

TEST_F(InventoryTest, PrunesToASizeTheLeastRecentlyUsedFirst) {
  fill();
  prune(directory_, {false, 75, {}}, kNow);
  EXPECT_THAT(names(), ::testing::ElementsAre("files/sha256/bb/bb1", "states/new.json", "states/new.state"));
}

TEST_F(InventoryTest, PrunesEverything) {
  fill();
  prune(directory_, {true, {}, {}}, kNow);
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_F(InventoryTest, LeavesWhatSomebodyIsWriting) {
  file("partial/mine", 7);
  base::Fd held = base::open_file(directory_ + "/partial/mine", O_RDWR);
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  prune(directory_, {true, {}, {}}, kNow);
  EXPECT_THAT(names(), ::testing::ElementsAre("partial/mine"));
}

}  // namespace
}  // namespace debroot::cache
