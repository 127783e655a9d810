#include "twins/script_view.hpp"

#include <gmock/gmock.h>

namespace debroot::twins {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const CoveredPaths kCovered = {{"/bin/dash", "/bin/dash"}, {"/bin/perl", "/usr/bin/perl"}, {"/bin/cp", "/bin/cp"}};

ScriptView view(std::string_view script, bool has_copiers = true) { return view_for(script, kCovered, has_copiers); }

TEST(ScriptView, IsWholeForMostScripts) {
  for (const char *script :
       {"", "#!/bin/dash\nset -e\nrm -f /etc/x\n", "#!/usr/bin/perl\nsystem('dpkg-divert --rename');\n",
        "# chmod /bin/dash\n/bin/cp a b\n", "chmod 4755 /usr/bin/sudo\n"}) {
    ScriptView seen = view(script);
    EXPECT_FALSE(seen.is_bare) << script;
    EXPECT_FALSE(seen.is_led_by_path) << script;
    EXPECT_THAT(seen.uncovered, IsEmpty()) << script;
  }
}

TEST(ScriptView, IsBareForWhatCopiesPrograms) {
  for (const char *script : {"update-initramfs -u\n", "dracut --force\n", "run-parts /etc/kernel/postinst.d\n"}) {
    EXPECT_TRUE(view(script).is_bare) << script;
    EXPECT_FALSE(view(script, false).is_bare) << script;
  }
  EXPECT_FALSE(view("# update-initramfs is for others\n").is_bare);
}

TEST(ScriptView, UncoversWhatIsDivertedAnywhere) {
  EXPECT_THAT(view("f=/bin/dash\ndpkg-divert --rename --add $f\n").uncovered, ElementsAre("/bin/dash"));
  EXPECT_THAT(view("dpkg-statoverride --update --add root x 2755 /usr/bin/dash\n").uncovered, ElementsAre("/bin/dash"));
}

TEST(ScriptView, KeepsWhatIsOnlyRegistered) {
  EXPECT_THAT(view("dpkg-divert --no-rename --divert /bin/sh.distrib --add /bin/sh; add-shell /bin/dash\n").uncovered,
              IsEmpty());
}

TEST(ScriptView, UncoversWhatIsChangedOnTheSameLine) {
  EXPECT_THAT(view("chmod 4755 \\\n  \"/bin/perl\"\n/bin/cp a b\n").uncovered, ElementsAre("/usr/bin/perl"));
  EXPECT_THAT(view("mv /bin/cp /bin/cp.x; mv /bin/dash /bin/cp\n").uncovered, ElementsAre("/bin/cp", "/bin/dash"));
}

TEST(ScriptView, LetsUsrmergeMeetTheFilesItMoves) {
  ScriptView seen = view("/usr/lib/usrmerge/convert-usrmerge || return 1\n");
  EXPECT_TRUE(seen.is_led_by_path);
  EXPECT_THAT(seen.uncovered, ElementsAre("/bin/cp", "/bin/dash"));
}

}  // namespace
}  // namespace debroot::twins
