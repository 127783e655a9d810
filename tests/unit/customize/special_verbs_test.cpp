#include "customize/special_verbs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "customize/hook_listener.hpp"
#include "customize/tar_copy.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::customize {
namespace {

using Names = std::vector<std::string>;

TEST(IsSpecialVerb, AWordAndABlank) {
  EXPECT_TRUE(is_special_verb("copy-in a b"));
  EXPECT_TRUE(is_special_verb("download "));
  EXPECT_FALSE(is_special_verb("copy-in"));
  EXPECT_FALSE(is_special_verb("copy-inn a b"));
  EXPECT_FALSE(is_special_verb(" copy-in a b"));
}

/// Both halves in one process: the outside serves from a thread.
class SpecialVerbs : public ::testing::Test {
 protected:
  SpecialVerbs() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no sockets");
    inner_ = base::Fd(ends[0]);
    outer_ = base::Fd(ends[1]);
    listener_ = std::jthread([this] {
      HookWire wire(outer_.get(), outer_.get());
      serve_hook_requests(wire, [this](const Error &error) { told_.push_back(error.message()); });
    });
    inside_->make_directories("/etc");
    inside_->make_directories("/sub");
    inside_->write("/etc/f", "hi\n");
  }
  ~SpecialVerbs() override { ::shutdown(inner_.get(), SHUT_RDWR); }

  void run(const Names &words) {
    HookWire wire(inner_.get(), inner_.get());
    run_special_verb({*inside_, wire, skips_, [this](const std::string &text) { warnings_.push_back(text); }}, words);
  }
  std::string refusal(const Names &words) {
    return test::thrown_by([&] {
      run(words);
      return 0;
    });
  }
  std::string out(const std::string &name) const { return outside_.at(name); }
  /// The path of the directory outside left out of a message.
  std::string normal(std::string text) const {
    for (std::size_t at = text.find(outside_.path()); at != std::string::npos; at = text.find(outside_.path())) {
      text.replace(at, outside_.path().size(), "OUT");
    }
    return text;
  }

  test::ScratchRoot inside_;
  test::ScratchRoot outside_;
  Names skips_;
  Names warnings_;
  Names told_;
  base::Fd inner_;
  base::Fd outer_;
  std::jthread listener_;
};

TEST_F(SpecialVerbs, UploadAndDownloadMoveBytes) {
  std::string big(10000, 'x');
  outside_->write("/big", big, 0750);
  run({"upload", out("big"), "/sub/big"});
  EXPECT_EQ(inside_->read("/sub/big"), big);
  EXPECT_EQ(inside_->status("/sub/big")->st_mode & 07777, 0644U);
  run({"upload", out("big"), "sub/../etc/f"});
  EXPECT_EQ(inside_->read("/etc/f"), big);
  inside_->make_link("/link", "/etc/f");
  run({"download", "/link", out("new/deep/f")});
  EXPECT_EQ(outside_->read("/new/deep/f"), big);
  outside_->write("/empty", "");
  run({"upload", out("empty"), "/etc/f"});
  EXPECT_EQ(inside_->read("/etc/f"), "");
}

TEST_F(SpecialVerbs, CopiesKeepWhatTarKeeps) {
  outside_->make_directories("/tree/below", 0711);
  outside_->write("/tree/below/file", "content", 0640);
  outside_->make_link("/tree/link", "/anywhere");
  ASSERT_EQ(::link(out("tree/below/file").c_str(), out("tree/again").c_str()), 0);
  ASSERT_EQ(::mkfifo(out("tree/fifo").c_str(), 0600), 0);
  timespec times[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, out("tree/below/file").c_str(), times, 0), 0);
  ASSERT_EQ(::utimensat(AT_FDCWD, out("tree/below").c_str(), times, 0), 0);
  bool has_attributes = ::setxattr(out("tree/below/file").c_str(), "user.note", "abc", 3, 0) == 0;
  outside_->write("/single", "one");
  run({"copy-in", out("tree"), out("single"), "/sub"});
  EXPECT_EQ(inside_->list("/sub"), (Names{"single", "tree"}));
  EXPECT_EQ(inside_->list("/sub/tree"), (Names{"again", "below", "fifo", "link"}));
  EXPECT_EQ(inside_->read("/sub/tree/below/file"), "content");
  EXPECT_EQ(inside_->link_target("/sub/tree/link"), "/anywhere");
  struct stat file = *inside_->status("/sub/tree/below/file");
  EXPECT_EQ(file.st_mode & 07777, 0640U);
  EXPECT_EQ(file.st_mtim.tv_sec, 1000);
  EXPECT_EQ(file.st_ino, inside_->status("/sub/tree/again")->st_ino);
  EXPECT_EQ(inside_->status("/sub/tree/below")->st_mode & 07777, 0711U);
  EXPECT_EQ(inside_->status("/sub/tree/below")->st_mtim.tv_sec, 1000);
  std::array<char, 8> value{};
  if (has_attributes) {
    EXPECT_EQ(::getxattr(inside_.at("sub/tree/below/file").c_str(), "user.note", value.data(), value.size()), 3);
  }
  run({"copy-out", "/sub/tree", "/etc/f", out("back/to")});
  EXPECT_EQ(outside_->list("/back/to"), (Names{"f", "tree"}));
  EXPECT_EQ(outside_->read("/back/to/tree/again"), "content");
  EXPECT_EQ(warnings_, Names{});
}

TEST_F(SpecialVerbs, SyncsTheContentOfDirectories) {
  outside_->make_directories("/from/d");
  outside_->write("/from/d/x", "x");
  outside_->write("/from/f", "new");
  inside_->write("/etc/kept", "kept");
  run({"sync-in", out("from"), "/etc"});
  EXPECT_EQ(inside_->list("/etc"), (Names{"d", "f", "kept"}));
  EXPECT_EQ(inside_->read("/etc/f"), "new");
  run({"sync-out", "/etc", out("to/new")});
  EXPECT_EQ(outside_->list("/to/new"), (Names{"d", "f", "kept"}));
}

TEST_F(SpecialVerbs, TarsGoInAndOut) {
  run({"tar-out", "/etc/.", out("t.tar")});
  run({"tar-in", out("t.tar"), "/sub"});
  EXPECT_EQ(inside_->read("/sub/etc/f"), "hi\n");
  inside_->make_link("/link", "/etc/f");
  run({"tar-out", "/link", out("t.tar")});
  run({"tar-in", out("t.tar"), "/"});
  EXPECT_EQ(inside_->read("/f"), "hi\n");
  run({"tar-out", "/", out("whole.tar")});
  inside_->make_directories("/copy");
  run({"tar-in", out("whole.tar"), "/copy"});
  EXPECT_EQ(inside_->list("/copy"), (Names{"etc", "f", "link", "sub"}));
}

TEST_F(SpecialVerbs, NamesAreBytes) {
  std::string name = "n\xc3\xa4me \xff" + std::string(120, 'l');
  inside_->write("/sub/" + name, "x");
  run({"tar-out", "/sub", out("t.tar")});
  run({"tar-in", out("t.tar"), "/etc"});
  EXPECT_EQ(inside_->list("/etc/sub"), (Names{name}));
}

TEST_F(SpecialVerbs, NothingLeavesTheRoot) {
  outside_->make_directories("/target");
  outside_->write("/mine", "mine");
  inside_->make_link("/escape", out("target"));
  inside_->make_link("/up", "../../../../../../etc");
  EXPECT_EQ(normal(refusal({"copy-in", out("mine"), "/escape"})),
            "cannot copy-in '/escape': there is no such directory in the root");
  run({"copy-in", out("mine"), "/up/../../up"});
  EXPECT_EQ(inside_->read("/etc/mine"), "mine");
  EXPECT_EQ(outside_->list("/target"), Names{});
  // a link that a tar brings is no way out for what follows
  outside_->make_directories("/one");
  outside_->make_link("/one/d", out("target"));
  run({"sync-in", out("one"), "/sub"});
  EXPECT_EQ(normal(refusal({"upload", out("mine"), "/sub/d/x"})),
            "cannot upload '/sub/d/x': its directory does not exist in the root");
  EXPECT_EQ(outside_->list("/target"), Names{});
}

TEST_F(SpecialVerbs, WhatStandsInTheWayIsReplaced) {
  outside_->make_directories("/tree/d");
  outside_->write("/tree/d/x", "x");
  outside_->write("/tree/f", "f");
  inside_->make_link("/sub/d", "/etc");
  inside_->make_link("/sub/f", "/etc/f");
  run({"sync-in", out("tree"), "/sub"});
  EXPECT_FALSE(inside_->link_target("/sub/d"));
  EXPECT_FALSE(inside_->link_target("/sub/f"));
  EXPECT_EQ(inside_->list("/etc"), Names{"f"});
  inside_->remove_file("/sub/f");
  inside_->make_directories("/sub/f/filled");
  EXPECT_EQ(refusal({"sync-in", out("tree"), "/sub"}), "cannot replace 'f': directory not empty");
}

TEST_F(SpecialVerbs, SayWhatIsWrong) {
  EXPECT_EQ(refusal({"upload", "/x", "/nope/x"}), "cannot upload '/nope/x': its directory does not exist in the root");
  EXPECT_EQ(refusal({"upload", "/x", "/sub"}), "cannot upload '/sub': it is a directory in the root");
  EXPECT_EQ(normal(refusal({"upload", out("x"), "/sub/x"})), "cannot read 'OUT/x': no such file or directory");
  EXPECT_EQ(normal(refusal({"upload", out(""), "/sub/x"})), "cannot read 'OUT/': is a directory");
  EXPECT_EQ(refusal({"download", "/nope", "/x"}), "cannot download '/nope': it does not exist in the root");
  EXPECT_EQ(refusal({"download", "/etc", "/x"}), "cannot download '/etc': it is not a regular file in the root");
  EXPECT_EQ(normal(refusal({"download", "/etc/f", outside_.path()})), "cannot write 'OUT': is a directory");
  EXPECT_EQ(refusal({"copy-in", "/x", "/etc/f"}), "cannot copy-in '/etc/f': it is not a directory in the root");
  EXPECT_EQ(normal(refusal({"copy-in", out("x"), "/sub"})), "cannot read 'OUT/x': no such file or directory");
  EXPECT_EQ(refusal({"copy-out", "/nope", "/x"}), "cannot copy-out '/nope': it does not exist in the root");
  outside_->write("/file", "no tar");
  EXPECT_EQ(normal(refusal({"copy-out", "/etc", out("file")})),
            "cannot make the directory 'OUT/file': not a directory");
  EXPECT_EQ(normal(refusal({"sync-in", out("file"), "/sub"})), "cannot read 'OUT/file': not a directory");
  EXPECT_EQ(refusal({"tar-in", out("file"), "/sub"}), "cannot read the tar: unrecognized archive format");
  EXPECT_EQ(refusal({"copy-in", "/x"}), "'copy-in' takes at least two paths, not 1");
  EXPECT_EQ(refusal({"upload", "/x", "/y", "/z"}), "'upload' takes two paths, not 3");
  EXPECT_EQ(refusal({"frobnicate", "/x", "/y"}), "unknown special hook 'frobnicate'");
  // the connection is as good as before
  run({"upload", out("file"), "/sub/file"});
  EXPECT_EQ(inside_->read("/sub/file"), "no tar");
}

TEST_F(SpecialVerbs, DevicesMayBeLeftOut) {
  std::string tar;
  if (::geteuid() != 0 || ::mknod(out("null").c_str(), S_IFCHR | 0666, 0x103) != 0) GTEST_SKIP() << "cannot mknod";
  base::Fd directory(::open(outside_.path().c_str(), O_RDONLY | O_DIRECTORY));
  write_tar(directory.get(), ".", "outside", [&](std::string_view bytes) { tar += bytes; });
  outside_->write("/t.tar", tar);
  run({"tar-in", out("t.tar"), "/sub"});
  EXPECT_TRUE(S_ISCHR(inside_->status("/sub/null")->st_mode));
  inside_->remove_file("/sub/null");
  skips_ = {"tar-in/mknod"};
  run({"tar-in", out("t.tar"), "/sub"});
  EXPECT_FALSE(inside_->exists("/sub/null"));
}

/// What goes over the wire, byte by byte.
TEST(HookWire, SpeaksMmdebstrapsFrames) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  base::Fd here(ends[0]);
  base::Fd there(ends[1]);
  std::string all;
  {
    std::jthread peer([&] {
      HookWire wire(there.get(), there.get());
      while (std::optional<HookFrame> frame = wire.receive()) {
        all += frame->verb + " " + std::to_string(frame->payload.size()) + "\n";
        wire.send("okthx");
      }
    });
    HookWire wire(here.get(), here.get());
    wire.request("openw", "/some/path");
    wire.send_content(std::string(5000, 'x'));
    wire.finish_content();
    ::shutdown(here.get(), SHUT_WR);
  }
  EXPECT_EQ(all, "openw 10\nwrite 4096\nwrite 904\nclose 0\n");
  HookWire(there.get(), there.get()).send("write", std::string(258, 'y'));
  std::array<char, 7> header{};
  ASSERT_EQ(::read(here.get(), header.data(), header.size()), 7);
  EXPECT_EQ(std::string(header.data(), 7), std::string("\x01\x02write", 7));
}

TEST(HookWire, AListenerEndsWithAdios) {
  HookListener listener = HookListener::start();
  HookWire wire(listener.socket(), listener.socket());
  wire.request("adios", "");
  EXPECT_FALSE(wire.receive());
}

TEST(HookWire, WhatItDoesNotKnowItRefuses) {
  HookListener listener = HookListener::start();
  HookWire wire(listener.socket(), listener.socket());
  EXPECT_EQ(test::thrown_by([&] {
              wire.request("bogus", "");
              return 0;
            }),
            "a hook asked for 'bogus', which is nothing that can be asked for");
}

}  // namespace
}  // namespace debroot::customize
