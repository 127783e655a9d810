/// Hooks: the user's own programs beside the build.

#include <filesystem>

#include "base/text.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Hooks : WorldAs {
  const std::vector<std::string> kSmall = {"--variant", "essential", "--include", "hello"};
  std::string note() { return place().out("note"); }
  /// Builds with one hook of each option, then gives what the hooks wrote to "$NOTE".
  std::string noted(std::vector<std::string> arguments, bool is_wanted_to_fail = false) {
    arguments.insert(arguments.end(), kSmall.begin(), kSmall.end());
    arguments.insert(arguments.end(), {"-o", "image.tar"});
    Command line = build_command(place(), arguments);
    line.environment["NOTE"] = note();
    line.environment["MINE"] = "inherited";
    Finished finished = finish(place(), line);
    EXPECT_EQ(finished.status, is_wanted_to_fail ? 1 : 0) << finished.err;
    return bytes_of(note());
  }
};
DEBROOT_AS_BOTH(Hooks);

TEST_P(Hooks, RunInTheOrderOfTheirStages) {
  std::string what = "ls \"$1\"/bin/sh \"$1\"/usr/share/hello/greeting 2>/dev/null | sed \"s,$1,,\" >>\"$NOTE\"";
  EXPECT_EQ(
      noted({"--customize-hook", "echo customize 1 >>\"$NOTE\"; " + what, "--customize-hook",
             "echo customize 2 >>\"$NOTE\"", "--essential-hook", "echo essential >>\"$NOTE\"; " + what,
             "--extract-hook", "echo extract >>\"$NOTE\"; " + what, "--setup-hook", "echo setup >>\"$NOTE\"; " + what}),
      "setup\n"
      "extract\n/bin/sh\n"
      "essential\n/bin/sh\n"
      "customize 1\n/bin/sh\n/usr/share/hello/greeting\n"
      "customize 2\n");
}

TEST_P(Hooks, GetTheCallersEnvironment) {
  std::string text = noted({"--customize-hook", "env | sort | grep -v ^NOTE= >\"$NOTE\""});
  EXPECT_EQ(normal(text),
            "DEBCONF_NONINTERACTIVE_SEEN=true\n"
            "DEBIAN_FRONTEND=noninteractive\n"
            "HOME=PLACE/home\n"
            "LANG=C.UTF-8\n"
            "LANGUAGE=C.UTF-8\n"
            "LC_ALL=C.UTF-8\n"
            "MINE=inherited\n"
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "PWD=PLACE/out\n"
            "SOURCE_DATE_EPOCH=1577836800\n"
            "XDG_CACHE_HOME=PLACE/cache\n");
}

TEST_P(Hooks, MayBeAProgram) {
  put_file(place().out("hook"), "#!/bin/sh\necho \"$#\" >\"$NOTE\"\ntest -d \"$1/etc\" && echo root >>\"$NOTE\"\n",
           0755);
  EXPECT_EQ(noted({"--customize-hook", place().out("hook")}), "1\nroot\n");
}

TEST_P(Hooks, WriteIntoTheImage) {
  noted({"--customize-hook", "echo mine >\"$1\"/etc/mine", "--customize-hook",
         "chroot \"$1\" sh -c 'echo inside >/etc/inside'"});
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_EQ(made["/etc/mine"].content, "mine\n");
  EXPECT_EQ(made["/etc/mine"].uid, 0U);
  EXPECT_EQ(made["/etc/inside"].content, "inside\n");
}

TEST_P(Hooks, SeeTheIndexesAndTheHostsResolver) {
  add(package("looker").script("postinst", "#!/bin/sh\nls /var/lib/apt/lists /etc/resolv.conf >/seen 2>&1\nexit 0\n"));
  std::string text = noted({"--include", "looker", "--customize-hook",
                            "{ ls \"$1\"/var/lib/apt/lists; cmp /etc/resolv.conf \"$1\"/etc/resolv.conf; "
                            "cat \"$1\"/seen; } >\"$NOTE\""});
  std::string list = "127.0.0.1:" + std::to_string(server().port()) + "_dists_tiny_";
  EXPECT_EQ(text, list + "InRelease\n" + list + "main_binary-" + architecture() +
                      "_Packages.gz\nlock\npartial\nls: /etc/resolv.conf: No such file or directory\n"
                      "/var/lib/apt/lists:\npartial\n");
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_FALSE(made.contains("/etc/resolv.conf"));
  EXPECT_EQ(made.count("/var/lib/apt/lists/" + list + "InRelease"), 0U);
}

TEST_P(Hooks, ResolverOfTheImageComesBack) {
  add(package("resolver").file("etc/resolv.conf", "nameserver 192.0.2.1\n"));
  noted({"--include", "resolver", "--customize-hook", "cmp /etc/resolv.conf \"$1\"/etc/resolv.conf"});
  EXPECT_EQ(read_tar(bytes_of(place().out("image.tar")))["/etc/resolv.conf"].content, "nameserver 192.0.2.1\n");
}

TEST_P(Hooks, FailingHookFailsTheBuild) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), {"-o", "x.tar", "--customize-hook", "echo told; echo more >&2; exit 7"});
  EXPECT_EQ(failure(place(), arguments),
            "debroot: error: customize hook 'echo told; echo more >&2; exit 7' exited with status 7\n"
            "  output: told\n"
            "  output: more\n");
}

TEST_P(Hooks, ProgramThatIsNotThere) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), {"-o", "x.tar", "--customize-hook", "/nonexistent/hook"});
  EXPECT_EQ(failure(place(), arguments),
            "debroot: error: cannot start the hook '/nonexistent/hook': no such file or directory\n");
}

TEST_P(Hooks, ProcessesLeftBehindAreEnded) { noted({"--customize-hook", "sleep 600 >/dev/null 2>&1 </dev/null &"}); }

}  // namespace
}  // namespace debroot::e2e
