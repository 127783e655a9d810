#include "verify/clear_signed.hpp"

#include <gtest/gtest.h>

#include "support/thrown_error.hpp"

namespace debroot::verify {
namespace {

const std::string kHead = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n";
const std::string kTail = "-----BEGIN PGP SIGNATURE-----\n\niHUEABYI\n=abcd\n-----END PGP SIGNATURE-----\n";

std::string cause(const std::string &message) {
  return test::thrown_by([&] { return clear_signed_text(message); });
}

TEST(ClearSignedText, FrameIsTakenOffAndDashesUnescaped) {
  EXPECT_EQ(clear_signed_text(kHead + "Suite: x\n- -dash\n- plain\n" + kTail), "Suite: x\n-dash\nplain\n");
}

TEST(ClearSignedText, BlankLinesBehindTheBlockAreHarmless) {
  EXPECT_EQ(clear_signed_text(kHead + "a\n" + kTail + "\n \n"), "a\n");
}

TEST(ClearSignedText, WindowsLineEndsAreTakenOff) {
  EXPECT_EQ(clear_signed_text("-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\na\r\n-----BEGIN PGP SIGNATURE-----\r\n"
                              "-----END PGP SIGNATURE-----\r\n"),
            "a\n");
}

TEST(ClearSignedText, WhatStandsOutsideIsRefused) {
  const std::string outside = "text outside the signed block";
  EXPECT_EQ(cause("Suite: y\n" + kHead + "a\n" + kTail), outside);
  EXPECT_EQ(cause("\n" + kHead + "a\n" + kTail), outside);
  EXPECT_EQ(cause(kHead + "a\n" + kTail + "Suite: y\n"), outside);
  EXPECT_EQ(cause(kHead + "a\n" + kTail + kHead + "b\n" + kTail), outside);
}

TEST(ClearSignedText, OddFramesAreRefused) {
  EXPECT_EQ(cause("Suite: y\n"), "it is not signed");
  EXPECT_EQ(cause("-----BEGIN PGP SIGNED MESSAGE-----\nSuite: y\n\na\n" + kTail), "unknown header in the signed block");
  EXPECT_EQ(cause(kHead + "-dash\n" + kTail), "unescaped dash in the signed block");
  EXPECT_EQ(cause(kHead + kHead + "a\n" + kTail), "unescaped dash in the signed block");
  EXPECT_EQ(cause(kHead + "a\n-----BEGIN PGP SIGNATURE-----\n" + kTail), "its signature armor is damaged");
}

TEST(ClearSignedText, EveryCutIsNoticed) {
  const std::string whole = kHead + "a\n" + kTail;
  for (std::size_t size = 35; size + 1 < whole.size(); ++size) {
    EXPECT_NE(cause(whole.substr(0, size)), "nothing was thrown") << size;
  }
  EXPECT_EQ(cause(kHead + "a\n"), "it is cut off");
}

}  // namespace
}  // namespace debroot::verify
