/// Base states: a build that begins with what earlier ones made has the bytes of one that does not, and no build begins
/// with what it must not.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

namespace fs = std::filesystem;

/// What is to be known of a build.
struct Built {
  std::string bytes;
  bool is_from_state = false;
  std::vector<std::string> notes;
};

struct BaseStates : WorldAs {
  void SetUp() override {
    WorldAs::SetUp();
    if (IsSkipped()) return;
    add(package("witness")
            .field("Priority", "important")
            .depends("hello")
            .triggers("interest-noawait /usr/share/hello\n")
            .conffile("etc/witness.conf", "a=1\n")
            .file("usr/lib/witness/suid", "x", {.mode = 04755, .gid = 42})
            .file("usr/lib/witness/" + std::string(110, 'l'), "a long name")
            .file("usr/lib/witness/empty", "")
            .fifo("usr/lib/witness/pipe")
            .symlink("usr/lib/witness/link", "suid")
            .hard_link("usr/lib/witness/hard", "usr/lib/witness/suid")
            .script("postinst",
                    "#!/bin/sh\nset -e\n{ echo \"$@\"; env | sort; umask; hostname; ls / /etc; } >>/var/log/witness\n"
                    "mkdir -p /var/lib/witness/made; touch /var/lib/witness/made/now\n"
                    "chown 42:42 /var/lib/witness/made; chmod 2770 /var/lib/witness/made\n"
                    "head -c 16 /dev/urandom >/etc/machine-id; head -c 16 /dev/urandom >/var/log/dpkg.log\n"));
  }

  Finished run_build(const std::vector<std::string> &more) {
    std::vector<std::string> arguments = {"--plain", "--progress", "json", "-o", "image.tar"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return build(place(), arguments);
  }

  Built read_events(const Finished &finished) {
    EXPECT_EQ(finished.status, 0) << finished.err;
    Built out;
    for (std::string_view line : base::split(finished.err, '\n')) {
      if (line.empty()) continue;
      auto event = nlohmann::json::parse(line);
      if (event["event"] == "succeeded") out.is_from_state = event["base_state"];
      if (event["event"] == "note") out.notes.push_back(event["text"]);
    }
    return out;
  }

  Built built(const std::vector<std::string> &more = {}) {
    Built out = read_events(run_build(more));
    out.bytes = bytes_of(place().out("image.tar"));
    return out;
  }

  /// Of a build that knows no states.
  std::string reference(std::vector<std::string> more = {}) {
    more.emplace_back("--no-cache");
    return built(more).bytes;
  }

  void expect_same(const std::string &bytes, const std::string &reference) {
    EXPECT_EQ(difference(listing(read_tar(reference)), listing(read_tar(bytes))), "");
    EXPECT_TRUE(bytes == reference);
  }

  /// Builds as often as it takes until a state is kept.
  void keep(const std::vector<std::string> &more = {}) {
    EXPECT_FALSE(built(more).is_from_state);
    EXPECT_FALSE(built(more).is_from_state);
    ASSERT_THAT(states(".state"), testing::SizeIs(1));
  }

  std::string directory() { return place().cache() + "/debroot/states"; }
  std::vector<std::string> states(const std::string &suffix) {
    std::vector<std::string> names = names_in(directory());
    std::erase_if(names, [&](const std::string &name) { return !name.ends_with(suffix); });
    return names;
  }

  /// Several builds must not have used one.
  void expect_never(const std::vector<std::string> &more = {}) {
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(built(more).is_from_state) << "build " << i;
    EXPECT_THAT(fs::exists(directory()) ? states(".state") : std::vector<std::string>(), testing::IsEmpty());
  }

  const std::vector<std::string> kHook = {"--customize-hook",
                                          "echo changed >\"$1\"/etc/issue; rm \"$1\"/etc/witness.conf"};
};
DEBROOT_AS_BOTH(BaseStates);

TEST_P(BaseStates, GiveTheBytesOfABuildWithoutOne) {
  std::string plain = reference();
  std::string changed = reference(kHook);
  EXPECT_FALSE(plain == changed);
  keep();
  Built third = built();
  EXPECT_TRUE(third.is_from_state);
  expect_same(third.bytes, plain);
  Built fourth = built(kHook);
  EXPECT_TRUE(fourth.is_from_state);
  expect_same(fourth.bytes, changed);
  Built fifth = built({"--jobs", "1"});
  EXPECT_TRUE(fifth.is_from_state);
  expect_same(fifth.bytes, plain);
  EXPECT_FALSE(built({"--no-cache"}).is_from_state);
}

TEST_P(BaseStates, AreToldOf) {
  keep();
  Built third = built({"-v"});
  EXPECT_THAT(third.notes, testing::Contains("begins with a base state of the cache: the same 5 packages, configured"));
  Finished finished = build(place(), {"-v", "--plain", "--progress", "plain", "-o", "image.tar"});
  EXPECT_THAT(finished.err, testing::HasSubstr("restore: done in "));
  EXPECT_THAT(finished.err, testing::HasSubstr(": 5 packages as a base state of the cache, "));
  EXPECT_THAT(finished.err, testing::HasSubstr("base state: key "));
}

TEST_P(BaseStates, NeedNoPackages) {
  keep();
  fs::remove_all(place().cache() + "/debroot/files");
  std::size_t asked = server().log().size();
  EXPECT_TRUE(built().is_from_state);
  for (std::size_t i = asked; i < server().log().size(); ++i) {
    EXPECT_THAT(server().log()[i].path, testing::Not(testing::EndsWith(".deb")));
  }
}

TEST_P(BaseStates, ServeOtherCustomisationsAndOutputs) {
  keep();
  for (const std::vector<std::string> &more : std::vector<std::vector<std::string>>{
           {"--skip", "output/dev"},
           {"--format", "tar", "--customize-hook", "chroot \"$1\" touch /etc/by-hook"},
           {"--customize-hook", "ls \"$1\"/var/lib/apt/lists >\"$1\"/etc/lists"}}) {
    std::string expected = reference(more);
    Built made = built(more);
    EXPECT_EQ(made.is_from_state, more[0] != "--skip") << "a step that is left out is part of the key";
    expect_same(made.bytes, expected);
  }
}

TEST_P(BaseStates, ServeADirectoryButAreNotMadeFromOne) {
  auto tree = [&](const std::string &name) {
    return read_events(build(place(), {"--plain", "--progress", "json", "-o", name})).is_from_state;
  };
  for (const char *name : {"a", "b", "c"}) EXPECT_FALSE(tree(name));
  EXPECT_THAT(states(".json"), testing::IsEmpty());
  keep();
  EXPECT_TRUE(tree("d"));
  EXPECT_EQ(difference(listing(read_directory(place().out("a"))), listing(read_directory(place().out("d")))), "");
}

TEST_P(BaseStates, AreNotMadeOfWhatIsDrawnAtRandom) {
  add(package("dice")
          .field("Priority", "important")
          .script("postinst", "#!/bin/sh\nhead -c 16 /dev/urandom >/usr/share/dice\n"));
  expect_never();
}

TEST_P(BaseStates, AreNotMadeOfWhatIsKnownToBeDrawn) {
  add(package("ssh").field("Priority", "important").file("etc/ssh/ssh_host_rsa_key", "always the same\n"));
  expect_never();
}

TEST_P(BaseStates, AreNotForHooksThatRunBefore) {
  keep();
  fs::remove_all(directory());
  for (const char *stage : {"--setup-hook", "--extract-hook", "--essential-hook"}) expect_never({stage, "true"});
}

TEST_P(BaseStates, AreNotForScriptsWithANetwork) { expect_never({"--script-network"}); }

TEST_P(BaseStates, AreNotForAnotherSetOfPackages) {
  keep();
  EXPECT_FALSE(built({"--include", "hello", "--variant", "essential"}).is_from_state);
  EXPECT_FALSE(built({"--dpkgopt", "path-exclude=/usr/share/hello/*"}).is_from_state);
  EXPECT_FALSE(built({"--aptopt", "APT::Get::Assume-Yes true"}).is_from_state);
  EXPECT_TRUE(built().is_from_state);
  add(package("witness", "2.0").field("Priority", "important").depends("hello"));
  republish();
  EXPECT_FALSE(built().is_from_state);
}

TEST_P(BaseStates, AreNotForAnotherTime) {
  keep();
  Command line = build_command(place(), {"--plain", "--progress", "json", "-o", "image.tar"});
  line.environment["SOURCE_DATE_EPOCH"] = "1500000000";
  EXPECT_FALSE(read_events(finish(place(), line)).is_from_state);
}

TEST_P(BaseStates, ThatAreDamagedAreMadeAnew) {
  std::string expected = reference(kHook);
  keep();
  std::string path = directory() + "/" + states(".state")[0];
  std::string bytes = bytes_of(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  put_file(path, bytes);
  std::vector<std::string> more = kHook;
  more.emplace_back("-v");
  Built made = built(more);
  EXPECT_FALSE(made.is_from_state);
  EXPECT_THAT(made.notes, testing::Contains("the base state of the cache is not used: it is damaged"));
  expect_same(made.bytes, expected);
  EXPECT_THAT(states(".state"), testing::IsEmpty());
  keep(kHook);
  expect_same(built(kHook).bytes, expected);
}

TEST_P(BaseStates, AreNotBelievedWhereOthersMayWrite) {
  keep();
  ::chmod(directory().c_str(), 0777);
  EXPECT_FALSE(built().is_from_state);
  ::chmod(directory().c_str(), 0700);
  EXPECT_TRUE(built().is_from_state);
}

TEST_P(BaseStates, OfAFailedBuildCount) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(run_build({"--customize-hook", "false"}).status, 1);
  EXPECT_TRUE(built().is_from_state);
}

TEST_P(BaseStates, AreSharedByBuildsAtOnce) {
  std::string expected = reference();
  for (int round = 0; round < 4; ++round) {
    std::vector<std::unique_ptr<Process>> builds;
    for (int i = 0; i < 3; ++i) {
      std::string name = "image" + std::to_string(i) + ".tar";
      builds.push_back(std::make_unique<Process>(build_command(place(), {"--plain", "-o", name})));
    }
    for (auto &one : builds) {
      Finished finished = one->wait();
      EXPECT_EQ(finished.status, 0) << finished.err;
    }
    for (int i = 0; i < 3; ++i) expect_same(bytes_of(place().out("image" + std::to_string(i) + ".tar")), expected);
  }
  EXPECT_TRUE(built().is_from_state);
  EXPECT_THAT(names_in(directory()), testing::SizeIs(3));  // of one key, and the lock
}

TEST_P(BaseStates, AreListedAndPruned) {
  keep();
  Finished list = finish(place(), command(place(), {"cache", "list"}));
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_THAT(normal(list.out), testing::StartsWith("PLACE/cache/debroot\n  downloads      6 files, "));
  EXPECT_THAT(list.out, testing::HasSubstr("\n  base states    1, "));
  EXPECT_THAT(list.out, testing::ContainsRegex("\n  [0-9a-f]{12}  tiny +[a-z0-9]+ +important +5 "));
  Finished none = finish(place(), command(place(), {"cache", "prune"}));
  EXPECT_EQ(normal(none.out), "removed 0 files and 0 base states from PLACE/cache/debroot, 0 B\n");
  EXPECT_TRUE(built().is_from_state);
  Finished all = finish(place(), command(place(), {"cache", "prune", "--all"}));
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.out, testing::HasSubstr(" and 1 base state from "));
  EXPECT_THAT(names_in(directory()), testing::ElementsAre("lock"));
  EXPECT_FALSE(built().is_from_state);
}

TEST_P(BaseStates, ArePrunedUnderBuildsThatGoOn) {
  std::string expected = reference();
  for (int i = 0; i < 4; ++i) {
    Process build(build_command(place(), {"--plain", "-o", "image.tar"}));
    for (int j = 0; j < 20; ++j) EXPECT_EQ(run(command(place(), {"cache", "prune", "--all"})).status, 0);
    Finished finished = build.wait();
    EXPECT_EQ(finished.status, 0) << finished.err;
    expect_same(bytes_of(place().out("image.tar")), expected);
  }
}

TEST_P(BaseStates, AreNotInTheWayOfACacheCommandWithoutACache) {
  Finished list = finish(place(), command(place(), {"cache", "list"}));
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_FALSE(fs::exists(place().cache() + "/debroot"));
  EXPECT_EQ(failure_of(place(), command(place(), {"cache", "list", "--all"}), 2),
            "debroot: error: limits are for 'debroot cache prune'\n");
}

}  // namespace
}  // namespace debroot::e2e
