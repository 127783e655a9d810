#include "fetch/cache.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "unit/fetch/fetch_fixture.hpp"

namespace debroot::fetch {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class CacheTest : public FetchTest {
 protected:
  [[nodiscard]] Cache make(bool is_offline = false) const {
    return {CachePlan{.directory = scratch + "/deep/below/cache", .is_offline = is_offline}, scratch};
  }
  [[nodiscard]] std::string path(const std::string &name) const { return scratch + "/deep/below/cache/" + name; }
};

mode_t mode_of(const std::string &path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

TEST_F(CacheTest, MakesMissingParentsForTheUserAlone) {
  Cache cache = make();
  EXPECT_EQ(mode_of(scratch + "/deep"), 0700U);
  EXPECT_EQ(mode_of(path("files/sha256")), 0700U);
  EXPECT_THAT(names_in(path("")), ElementsAre("files", "partial", "releases"));
}

TEST_F(CacheTest, OfflineMakesNothing) {
  Cache cache = make(true);
  EXPECT_FALSE(cache.take(sha256_of("x"), nullptr));
  EXPECT_FALSE(fs::exists(scratch + "/deep"));
}

TEST_F(CacheTest, UnusableDirectoryIsOneClearError) {
  write_file(scratch + "/file", "");
  try {
    Cache cache(CachePlan{.directory = scratch + "/file/cache", .is_offline = false}, scratch);
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_EQ(text_of(error), "cannot use the cache directory '" + scratch + "/file/cache': not a directory\n" +
                                  "try: --cache=DIR with a directory that can be written, or --no-cache");
  }
}

TEST_F(CacheTest, PublishedFileIsTaken) {
  Cache cache = make();
  std::string digest = sha256_of("body");
  auto partial = cache.try_lock_partial(digest);
  ASSERT_TRUE(partial);
  base::write_all(partial->fd().get(), "body");
  base::Fd published = cache.publish(std::move(*partial), digest);
  EXPECT_EQ(base::read_all(published.get()), "body");
  EXPECT_LT(::write(published.get(), "x", 1), 0);
  EXPECT_THAT(names_in(path("partial")), IsEmpty());
  std::uint64_t size = 0;
  auto taken = cache.take(digest, &size);
  ASSERT_TRUE(taken);
  EXPECT_EQ(base::read_all(taken->get()), "body");
  EXPECT_EQ(size, 4U);
}

TEST_F(CacheTest, UnnamedFileIsPublishedToo) {
  Cache cache = make();
  std::string digest = sha256_of("body");
  for (int i = 0; i < 2; ++i) {  // the second time it is already there
    PartialFile file = cache.make_unnamed();
    base::write_all(file.fd().get(), "body");
    EXPECT_EQ(base::read_all(cache.publish(std::move(file), digest).get()), "body");
  }
  EXPECT_EQ(base::read_file(path("files/sha256/" + digest.substr(0, 2) + "/" + digest)), "body");
}

TEST_F(CacheTest, CorruptFileIsRemoved) {
  Cache cache = make();
  std::string digest = sha256_of("body");
  std::string file = path("files/sha256/" + digest.substr(0, 2) + "/" + digest);
  write_file(file, "bodx");
  EXPECT_FALSE(cache.take(digest, nullptr));
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(CacheTest, PartialFileBelongsToOneAtATime) {
  Cache cache = make();
  std::string digest = sha256_of("body");
  {
    auto first = cache.try_lock_partial(digest);
    ASSERT_TRUE(first);
    base::write_all(first->fd().get(), "bo");
    EXPECT_FALSE(make().try_lock_partial(digest));
    EXPECT_EQ(cache.partial_size(digest), 2U);
  }
  auto second = cache.try_lock_partial(digest);
  ASSERT_TRUE(second);
  EXPECT_EQ(base::read_all(second->fd().get()), "bo");
}

TEST_F(CacheTest, EmptyPartialFileDoesNotStay) {
  Cache cache = make();
  { ASSERT_TRUE(cache.try_lock_partial(sha256_of("body"))); }
  EXPECT_THAT(names_in(path("partial")), IsEmpty());
}

TEST_F(CacheTest, ReleaseKeepsBodyAndValidators) {
  Cache cache = make();
  PartialFile body = cache.make_unnamed();
  base::write_all(body.fd().get(), "Suite: stable\n");
  cache.publish_release("http://me:secret@x/InRelease", body.fd().get(), {"\"tag\"", "Sat\r\nsha256: 0"});
  auto kept = cache.take_release("http://me:secret@x/InRelease");
  ASSERT_TRUE(kept);
  EXPECT_EQ(base::read_all(kept->body.get()), "Suite: stable\n");
  EXPECT_EQ(kept->size_bytes, 14U);
  EXPECT_EQ(kept->validators.etag, "\"tag\"");
  EXPECT_EQ(kept->validators.last_modified, "Sat");
  EXPECT_FALSE(cache.take_release("http://x/InRelease"));
  std::vector<std::string> names = names_in(path("releases"));
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[1], names[0] + ".validators");
  EXPECT_THAT(base::read_file(path("releases/" + names[1])), testing::Not(testing::HasSubstr("secret")));
}

TEST_F(CacheTest, ReleaseWhoseBodyDoesNotFitItsValidatorsIsNotTaken) {
  Cache cache = make();
  PartialFile body = cache.make_unnamed();
  base::write_all(body.fd().get(), "one");
  cache.publish_release("http://x/InRelease", body.fd().get(), {"\"tag\"", {}});
  write_file(path("releases/" + names_in(path("releases"))[0]), "two");
  EXPECT_FALSE(cache.take_release("http://x/InRelease"));
}

TEST_F(CacheTest, DroppedReleaseIsGone) {
  Cache cache = make();
  PartialFile body = cache.make_unnamed();
  cache.publish_release("http://x/InRelease", body.fd().get(), {});
  ASSERT_TRUE(cache.take_release("http://x/InRelease"));
  cache.drop_release("http://x/InRelease");
  EXPECT_THAT(names_in(path("releases")), IsEmpty());
}

TEST_F(CacheTest, ServesWhatWasPrunedMeanwhile) {
  Cache cache = make();
  std::string digest = sha256_of("body");
  auto partial = cache.try_lock_partial(digest);
  ASSERT_TRUE(partial);
  base::write_all(partial->fd().get(), "body");
  std::filesystem::remove_all(path("partial"));
  EXPECT_EQ(base::read_all(cache.publish(std::move(*partial), digest).get()), "body");
  EXPECT_FALSE(cache.take(digest, nullptr));

  PartialFile body = make().make_unnamed();
  base::write_all(body.fd().get(), "Suite: stable\n");
  std::filesystem::remove_all(path("releases"));
  cache.publish_release("http://x/InRelease", body.fd().get(), {});
  EXPECT_FALSE(cache.take_release("http://x/InRelease"));
}

TEST_F(CacheTest, WithoutDirectoryNothingHasAName) {
  Cache cache(CachePlan{}, scratch);
  std::string digest = sha256_of("body");
  auto file = cache.try_lock_partial(digest);
  ASSERT_TRUE(file);
  base::write_all(file->fd().get(), "body");
  EXPECT_EQ(base::read_all(cache.publish(std::move(*file), digest).get()), "body");
  EXPECT_FALSE(cache.take(digest, nullptr));
  EXPECT_THAT(names_in(scratch), IsEmpty());
}

TEST_F(CacheTest, UnusableTemporaryDirectoryIsNamed) {
  Cache cache(CachePlan{}, scratch + "/absent");
  try {
    static_cast<void>(cache.make_unnamed());
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_EQ(error.message(), "cannot make a temporary file in '" + scratch + "/absent': no such file or directory");
  }
}

}  // namespace
}  // namespace debroot::fetch
