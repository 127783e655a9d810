#include "base/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/wire.hpp"
#include "support/thrown_error.hpp"

namespace debroot::base {
namespace {

TEST(Channel, CarriesBytesAndDescriptors) {
  auto [left, right] = Channel::make_pair();
  auto [reader, writer] = make_pipe();
  left.send("message", {writer.get()});
  left.send("");
  std::optional<ChannelMessage> first = right.receive();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, "message");
  ASSERT_EQ(first->fds.size(), 1U);
  EXPECT_NE(::fcntl(first->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  write_all(first->fds[0].get(), "through");
  writer.reset();
  first->fds.clear();
  EXPECT_EQ(read_all(reader.get()), "through");
  EXPECT_EQ(right.receive()->bytes, "");
}

TEST(Channel, MessagesLargerThanASocketBuffer) {
  auto [left, right] = Channel::make_pair();
  std::string large(5'000'000, 'x');
  large[4'999'999] = 'y';
  std::thread sender([&, &from = left] { from.send(large); });
  std::optional<ChannelMessage> message = right.receive();
  sender.join();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->bytes == large);
}

TEST(Channel, AClosedPeerIsTheEnd) {
  auto [left, right] = Channel::make_pair();
  left.close();
  EXPECT_FALSE(right.receive());
  ErrorKind kind = ErrorKind::usage;
  EXPECT_EQ(test::thrown_by(
                [&, &to = right] {
                  to.send("x");
                  return 0;
                },
                &kind),
            "cannot send to another process of debroot: broken pipe");
  EXPECT_EQ(kind, ErrorKind::internal);
}

TEST(Channel, AHalfMessageIsAnError) {
  for (std::string_view part : {std::string_view("\x04\0\0", 3), std::string_view("\x04\0\0\0\0\0\0\0", 8),
                                std::string_view("\x04\0\0\0\0\0\0\0ab", 10)}) {
    auto [left, right] = Channel::make_pair();
    write_all(left.fd(), part);
    left.close();
    EXPECT_EQ(test::thrown_by([&, &from = right] { return from.receive(); }),
              "another process of debroot stopped in the middle of a message")
        << part.size();
  }
}

TEST(Channel, LostAndTooManyDescriptorsAreErrors) {
  auto [left, right] = Channel::make_pair();
  write_all(left.fd(), std::string_view("\0\0\0\0\x01\0\0\0", 8));
  EXPECT_EQ(test::thrown_by([&, &from = right] { return from.receive(); }), "file descriptors were lost on the way");
  EXPECT_EQ(test::thrown_by([&, &from = left] {
              from.send("x", std::vector<int>(17, 0));
              return 0;
            }),
            "too many file descriptors for one message");
}

enum class Colour : std::uint8_t { red, green };
struct Inner {
  std::string name;
  std::optional<std::int64_t> number;
};
template <class Wire>
void fields(Wire &wire, Inner &inner) {
  wire(inner.name, inner.number);
}
struct Outer {
  Colour colour = Colour::red;
  bool is_set = false;
  std::vector<Inner> items;
  std::vector<std::string> words;
  std::pair<std::uint32_t, std::string> pair;
};
template <class Wire>
void fields(Wire &wire, Outer &outer) {
  wire(outer.colour, outer.is_set, outer.items, outer.words, outer.pair);
}

TEST(Wire, ComesBackAsItWent) {
  Outer outer{Colour::green, true, {{"a", -5}, {std::string("\0b", 2), std::nullopt}}, {"", "w"}, {7, "seven"}};
  auto back = from_wire<Outer>(to_wire(outer));
  EXPECT_EQ(back.colour, Colour::green);
  EXPECT_TRUE(back.is_set);
  ASSERT_EQ(back.items.size(), 2U);
  EXPECT_EQ(back.items[0].number, -5);
  EXPECT_EQ(back.items[1].name, std::string("\0b", 2));
  EXPECT_EQ(back.items[1].number, std::nullopt);
  EXPECT_EQ(back.words, outer.words);
  EXPECT_EQ(back.pair, outer.pair);
}

TEST(Wire, EveryCutIsAnError) {
  std::string bytes = to_wire(Outer{Colour::green, true, {{"a", 1}}, {"w"}, {1, "x"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(test::thrown_by([&] { return from_wire<Outer>(std::string_view(bytes).substr(0, size)); }),
              "a message between processes of debroot ends early")
        << size;
  }
}

}  // namespace
}  // namespace debroot::base
