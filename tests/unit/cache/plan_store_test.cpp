#include "cache/plan_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.hpp"

namespace debroot::cache {
namespace {

namespace fs = std::filesystem;

class PlanStoreTest : public ::testing::Test {
 protected:
  PlanStoreTest() : directory_(fs::canonical(fs::temp_directory_path()).string() + "/plan-store.XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "cannot make a directory";
  }
  ~PlanStoreTest() override { fs::remove_all(directory_); }
  [[nodiscard]] PlanStore store() const { return PlanStore::open(directory_).value(); }
  [[nodiscard]] std::string path(const std::string &key) const { return directory_ + "/plans/" + key; }
  std::string directory_;
};

TEST_F(PlanStoreTest, GivesWhatWasKept) {
  EXPECT_FALSE(store().take("k"));
  store().keep("k", std::string("a\0b", 3));
  EXPECT_EQ(store().take("k"), std::string("a\0b", 3));
  store().keep("k", "another");
  EXPECT_EQ(store().take("k"), "another");
}

TEST_F(PlanStoreTest, GivesNothingThatIsDamaged) {
  store().keep("k", "answer");
  std::string text = base::read_file(path("k"));
  for (const std::string &bad : {text.substr(0, text.size() - 1), text + "x", std::string(), std::string("x")}) {
    base::write_all(base::open_file(path("k"), O_WRONLY | O_TRUNC).get(), bad);
    EXPECT_FALSE(store().take("k")) << bad;
  }
}

TEST_F(PlanStoreTest, LetsTheLeastRecentlyUsedGo) {
  for (const char *key : {"a", "b", "c"}) {
    store().keep(key, key);
    timespec times[2] = {{1000, 0}, {1000 + key[0], 0}};
    ::utimensat(AT_FDCWD, path(key).c_str(), times, 0);
  }
  EXPECT_TRUE(store().take("a"));  // which is a use
  store().keep("d", "d", 3);
  EXPECT_TRUE(store().take("a"));
  EXPECT_FALSE(store().take("b"));
  EXPECT_TRUE(store().take("c"));
  EXPECT_TRUE(store().take("d"));
}

TEST_F(PlanStoreTest, IsNotUsedWhereOthersMayWrite) {
  store().keep("k", "answer");
  fs::permissions(directory_ + "/plans", fs::perms(0770));
  EXPECT_FALSE(PlanStore::open(directory_));
}

}  // namespace
}  // namespace debroot::cache
