#include "stand_ins/program_file.hpp"

#include <gtest/gtest.h>

#include "debroot/error.hpp"

namespace debroot::stand_ins {
namespace {

TEST(ProgramFile, IsAnElfFile) {
  ASSERT_GT(program_bytes().size(), 1000U);
  EXPECT_EQ(program_bytes().substr(0, 4),
            "\x7f"
            "ELF");
}

TEST(ProgramFile, TakesADialectAndIsTheSameOtherwise) {
  std::string first = with_dialect(program_bytes(), Dialect::first);
  std::string back = with_dialect(first, Dialect::unset);
  EXPECT_NE(first, program_bytes());
  EXPECT_EQ(back, program_bytes());
}

TEST(ProgramFile, WithoutOnePlaceForTheDialectIsRefused) {
  std::string marker(kDialectMarker);
  EXPECT_EQ(with_dialect("a" + marker + "?b", Dialect::second), "a" + marker + "2b");
  for (const std::string &bytes : {std::string("ELF"), marker, marker + "?" + marker + "?"}) {
    EXPECT_THROW((void)with_dialect(bytes, Dialect::first), Error) << bytes;
  }
}

}  // namespace
}  // namespace debroot::stand_ins
