#include "cli/render_error.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cli/console.hpp"

namespace debroot::cli {
namespace {

TEST(RenderError, PutsEveryPartInItsPlace) {
  Error error(ErrorKind::script, "postinst of 'x_1_all' exited with status 2");
  error.detail("output", "first\nsecond\n")
      .detail("needed by", "y_2_all")
      .detail("colour", "blue")
      .detail("got", "a\nb")
      .detail("expected", "c")
      .detail("from", "http://a.org/d");
  error.frame("configuring package 41 of 112").frame("building bookworm").hint("--verbose");
  EXPECT_EQ(render_error(error, false),
            "debroot: error: postinst of 'x_1_all' exited with status 2\n"
            "  while: configuring package 41 of 112\n"
            "  while: building bookworm\n"
            "  from: http://a.org/d\n"
            "  expected: c\n"
            "  got: a\n"
            "    b\n"
            "  needed by: y_2_all\n"
            "  output: first\n"
            "  output: second\n"
            "  colour: blue\n"
            "  try: --verbose\n");
}

TEST(RenderError, ShowsATreeFirst) {
  Error error(ErrorKind::unsatisfiable, "cannot satisfy the requested packages");
  error.tree("nginx (>= 1.24) is requested\n└─ nothing has it\n").hint("another suite");
  EXPECT_EQ(render_error(error, false),
            "debroot: error: cannot satisfy the requested packages\n"
            "  nginx (>= 1.24) is requested\n"
            "  └─ nothing has it\n"
            "  try: another suite\n");
}

TEST(RenderError, OwnsUpToItsMistakes) {
  EXPECT_EQ(render_error({ErrorKind::internal, "the pipe vanished"}, false),
            "debroot: error: internal error: the pipe vanished\n"
            "  try: this is a mistake in debroot, not in what you asked for: please report it with this text and the "
            "command line\n");
}

TEST(RenderError, ColoursLabelsOnly) {
  Error error(ErrorKind::network, "no answer");
  error.detail("from", "a").hint("b");
  EXPECT_EQ(render_error(error, true),
            "debroot: \x1b[1;31merror:\x1b[0m no answer\n  \x1b[1mfrom:\x1b[0m a\n  \x1b[1;32mtry:\x1b[0m b\n");
}

TEST(RenderError, KeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(render_error({ErrorKind::package, "bad name '\x1b[2J\x7f'"}, false),
            "debroot: error: bad name '\\x1b[2J\\x7f'\n");
}

TEST(ErrorJson, CarriesTheSameParts) {
  Error error(ErrorKind::trust, "cannot trust it");
  error.detail("got", "g").detail("from", "f").frame("w").hint("h").tree("t");
  EXPECT_EQ(error_json(error).dump(),
            R"({"kind":"trust","message":"cannot trust it","tree":"t","while":["w"],)"
            R"("details":[{"label":"from","value":"f"},{"label":"got","value":"g"}],"try":"h"})");
  EXPECT_EQ(error_json({ErrorKind::output, "m"}).dump(), R"({"kind":"output","message":"m"})");
}

TEST(ExitStatus, FollowsTheKind) {
  EXPECT_EQ(exit_status(ErrorKind::usage), 2);
  EXPECT_EQ(exit_status(ErrorKind::interrupted), 130);
  EXPECT_EQ(exit_status(ErrorKind::network), 1);
  EXPECT_EQ(exit_status(ErrorKind::internal), 1);
}

TEST(CurrentError, TakesAnyException) {
  auto of = [](auto exception) {
    try {
      throw exception;
    } catch (...) {
      return current_error();
    }
  };
  EXPECT_EQ(of(Error(ErrorKind::index, "i")).kind(), ErrorKind::index);
  EXPECT_EQ(of(std::logic_error("l")).message(), "l");
  EXPECT_EQ(of(std::logic_error("l")).kind(), ErrorKind::internal);
  EXPECT_EQ(of(std::bad_alloc()).message(), "out of memory");
  EXPECT_EQ(of(3).message(), "an exception of an unknown type");
}

}  // namespace
}  // namespace debroot::cli
