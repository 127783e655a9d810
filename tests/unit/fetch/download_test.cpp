#include "fetch/download.hpp"

#include "unit/fetch/fetch_fixture.hpp"

namespace debroot::fetch {
namespace {

class DownloadTest : public FetchTest {
 protected:
  PartialFile file() { return Cache(CachePlan{}, scratch).make_unnamed(); }
  std::atomic<std::uint64_t> network_bytes{0};
};

TEST_F(DownloadTest, CeilingIsTheSmallestThatIsKnown) {
  EXPECT_EQ((BodyExpectation{{}, 10, 20}.ceiling_bytes()), 10U);
  EXPECT_EQ((BodyExpectation{{}, 20, 10}.ceiling_bytes()), 10U);
  EXPECT_EQ((BodyExpectation{{}, 10, 0}.ceiling_bytes()), 10U);
  EXPECT_EQ((BodyExpectation{{}, 0, 10}.ceiling_bytes()), 10U);
  EXPECT_EQ((BodyExpectation{{}, 0, 0}.ceiling_bytes()), kDefaultLimitBytes);
}

TEST_F(DownloadTest, AnotherRangeThanAskedForIsABadRange) {
  Download download(file(), {sha256_of("abcdef"), 6, 0}, network_bytes);
  EXPECT_EQ(download.prepare_attempt(), 0U);
  ASSERT_TRUE(download.begin({.status = 200}));
  ASSERT_TRUE(download.write("abc"));
  EXPECT_EQ(download.prepare_attempt(), 3U);
  EXPECT_TRUE(download.was_resumed());
  EXPECT_FALSE(download.begin({.status = 206, .range_start = 2}));
  BodyVerdict verdict = download.check();
  EXPECT_EQ(verdict.failure, Failure::bad_range);
  EXPECT_EQ(verdict.cause, "the server sends another range than was asked for");
  EXPECT_EQ(download.prepare_attempt(), 3U);
  ASSERT_TRUE(download.begin({.status = 206, .range_start = 3}));
  ASSERT_TRUE(download.write("def"));
  EXPECT_EQ(download.check().failure, Failure::none);
  EXPECT_EQ(network_bytes, 6U);
}

TEST_F(DownloadTest, CeilingOfTheIndexIsAWrongBodyAnyOtherTooLarge) {
  Download of_index(file(), {{}, 3, 10}, network_bytes);
  EXPECT_TRUE(of_index.write("abc"));
  EXPECT_FALSE(of_index.write("d"));
  EXPECT_EQ(of_index.check().failure, Failure::wrong_body);
  Download of_limit(file(), {{}, 0, 3}, network_bytes);
  EXPECT_FALSE(of_limit.write("abcd"));
  EXPECT_EQ(of_limit.check().failure, Failure::too_large);
  EXPECT_EQ(of_limit.size_bytes(), 0U);
}

TEST_F(DownloadTest, FullDiskIsAnErrorOfThisMachine) {
  Download download(PartialFile(base::open_file("/dev/full", O_RDWR), {}), {{}, 3, 0}, network_bytes);
  try {
    download.write("abc");
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_EQ(error.message(), "cannot keep a download: no space left on device");
  }
}

}  // namespace
}  // namespace debroot::fetch
