#include "fetch/http_header.hpp"

#include <gtest/gtest.h>

namespace debroot::fetch {
namespace {

TEST(HttpHeader, TakesWhatCounts) {
  HttpHead head;
  for (const char *line :
       {"HTTP/1.1 206 Partial Content\r\n", "ETag: \"abc\"\r\n", "LAST-MODIFIED:  Sat, 01 Jan 2022 \r\n",
        "content-range: bytes 17-99/100\r\n", "Retry-After: 12\r\n", "nonsense\r\n", "\r\n"}) {
    read_header_line(line, head);
  }
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.etag, "\"abc\"");
  EXPECT_EQ(head.last_modified, "Sat, 01 Jan 2022");
  EXPECT_EQ(head.range_start, 17U);
  EXPECT_EQ(head.retry_after, std::chrono::seconds(12));
}

TEST(HttpHeader, StatusLineForgetsTheAnswerBefore) {
  HttpHead head;
  read_header_line("HTTP/1.1 302 Found\r\n", head);
  read_header_line("ETag: \"of-the-redirect\"\r\n", head);
  read_header_line("HTTP/2 200\r\n", head);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.etag, "");
}

TEST(HttpHeader, PassesOverWhatMakesNoSense) {
  HttpHead head;
  for (const char *line :
       {"HTTP/1.1 abc", "Content-Range: bytes */100", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"}) {
    read_header_line(line, head);
  }
  EXPECT_EQ(head.status, 0);
  EXPECT_FALSE(head.range_start);
  EXPECT_FALSE(head.retry_after);
}

}  // namespace
}  // namespace debroot::fetch
