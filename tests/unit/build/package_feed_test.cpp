#include "build/package_feed.hpp"

#include <gmock/gmock.h>

#include "base/wire.hpp"
#include "build/error_wire.hpp"
#include "support/thrown_error.hpp"

namespace debroot::build {
namespace {

std::string event(FromBuilder::Kind kind, const std::string &text) {
  FromBuilder message;
  message.kind = kind;
  message.text = text;
  return base::to_wire(std::move(message));
}

TEST(TellBuilder, SaysWhyTheBuilderStoppedRatherThanThatItsChannelBroke) {
  auto [outside, inside] = base::Channel::make_pair();
  inside.send(event(FromBuilder::Kind::script_output, "a line"));
  Error cause(ErrorKind::output, "cannot write '/x': no space left on device");
  inside.send(event(FromBuilder::Kind::failed, error_to_bytes(cause)));
  inside.close();
  ErrorKind kind{};
  EXPECT_EQ(test::thrown_by(
                [&, &channel = outside] {
                  tell_builder(channel, "package");
                  return 0;
                },
                &kind),
            "cannot write '/x': no space left on device");
  EXPECT_EQ(kind, ErrorKind::output);
}

TEST(TellBuilder, ReportsABuilderThatEndedWithoutAWord) {
  auto [outside, inside] = base::Channel::make_pair();
  inside.close();
  EXPECT_EQ(test::thrown_by([&channel = outside] {
              tell_builder(channel, "package");
              return 0;
            }),
            "the builder process ended unexpectedly");
}

}  // namespace
}  // namespace debroot::build
