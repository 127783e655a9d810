#include "fetch/url.hpp"

#include <gtest/gtest.h>

namespace debroot::fetch {
namespace {

TEST(Url, SchemeIsLowerCased) {
  EXPECT_EQ(url_scheme("HTTP://x/y"), "http");
  EXPECT_EQ(url_scheme("file:/srv/debian"), "file");
  EXPECT_EQ(url_scheme("/srv/a:b"), "");
  EXPECT_EQ(url_scheme("debian"), "");
}

TEST(Url, ServerHasNoCredentials) {
  EXPECT_EQ(url_server("http://me:secret@deb.debian.org:80/debian/dists"), "http://deb.debian.org:80");
  EXPECT_EQ(url_server("https://deb.debian.org"), "https://deb.debian.org");
}

TEST(Url, LocalPathInAllItsForms) {
  EXPECT_EQ(url_local_path("file:///srv/debian"), "/srv/debian");
  EXPECT_EQ(url_local_path("file:/srv/debian"), "/srv/debian");
  EXPECT_EQ(url_local_path("file://localhost/srv"), "/srv");
  EXPECT_EQ(url_local_path("copy:/srv/a%20b%2Bc%zz"), "/srv/a b+c%zz");
  EXPECT_EQ(url_local_path("file://elsewhere/srv"), "");
  EXPECT_EQ(url_local_path("file:srv"), "");
  EXPECT_EQ(url_local_path("file:///srv%00/x"), "");
  EXPECT_EQ(url_local_path("file:///srv/100%"), "/srv/100%");
}

}  // namespace
}  // namespace debroot::fetch
