#include <gmock/gmock.h>

#include "cli/cache_text.hpp"
#include "cli/console.hpp"
#include "cli/doctor.hpp"
#include "cli/plan_text.hpp"
#include "cli/summary.hpp"
#include "support/thrown_error.hpp"

namespace debroot::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Doctor, ShowsRemediesAndAVerdict) {
  std::vector<DoctorCheck> checks = {
      {"user namespaces", DoctorState::fine, "allowed", ""},
      {"subordinate ids", DoctorState::broken, "'joe' has no line in /etc/subuid",
       "usermod --add-subuids joe\nlog in again"},
      {"emulator for arm64", DoctorState::limited, "none", "apt install qemu-user-static"}};
  EXPECT_EQ(doctor_text(checks, false),
            "ok       user namespaces     allowed\n"
            "broken   subordinate ids     'joe' has no line in /etc/subuid\n"
            "                             try: usermod --add-subuids joe\n"
            "                                  log in again\n"
            "limited  emulator for arm64  none\n"
            "                             try: apt install qemu-user-static\n"
            "\nThis host cannot build images until one thing is mended.\n");
  EXPECT_EQ(doctor_status(checks), 1);
  checks.push_back(checks[1]);
  EXPECT_THAT(doctor_text(checks, false), HasSubstr("until 2 things are mended."));
  checks = {checks[0], checks[2]};
  EXPECT_THAT(doctor_text(checks, true), HasSubstr("\x1b[32mok      \x1b[0m user namespaces"));
  EXPECT_THAT(doctor_text(checks, false), ::testing::EndsWith("\n\nThis host can build images.\n"));
  EXPECT_EQ(doctor_status(checks), 0);
}

TEST(CacheText, ShowsWhatIsThere) {
  cache::Inventory all;
  all.downloads = {2, 1'500'000};
  all.releases = {1, 100};
  all.plans = {0, 0};
  cache::StateRecord record{
      std::string(64, 'a'), cache::Standing::kept, {"bookworm", "amd64", "important", 167}, {}, 0, 0};
  record.parts.tar_bytes = 190'000'000;
  record.used_seconds = 1'700'000'000;
  all.states.push_back(record);
  record.key = std::string(64, 'b');
  record.facts.suite = "sid";
  record.used_seconds += 60;
  all.states.push_back(record);
  record.standing = cache::Standing::seen;
  all.states.push_back(record);
  record.standing = cache::Standing::random;
  all.states.push_back(record);
  EXPECT_EQ(inventory_text("/cache", all),
            "/cache\n"
            "  downloads      2 files, 1.5 MB\n"
            "  signed indexes 1 file, 100 B\n"
            "  chosen plans   0 files, 0 B\n"
            "  base states    2, 380 MB of at most 4.3 GB\n"
            "                 1 more, to be kept when another build is alike\n"
            "                 1 that are never kept: something in them is drawn at random\n"
            "\n"
            "  KEY           SUITE     ARCH   VARIANT    PACKAGES  SIZE    LAST USED\n"
            "  bbbbbbbbbbbb  sid       amd64  important  167       190 MB  2023-11-14 22:14 UTC\n"
            "  aaaaaaaaaaaa  bookworm  amd64  important  167       190 MB  2023-11-14 22:13 UTC\n");
}

TEST(CacheText, SaysWhyThereAreNoStates) {
  cache::Inventory none;
  none.partial = {1, 5};
  none.why_no_states = "'/cache' belongs to another user";
  EXPECT_EQ(inventory_text("/cache", none),
            "/cache\n"
            "  downloads      0 files, 0 B\n"
            "  begun          1 file, 5 B\n"
            "  signed indexes 0 files, 0 B\n"
            "  chosen plans   0 files, 0 B\n"
            "  base states    none: '/cache' belongs to another user\n");
}

TEST(CacheText, SaysWhatWasRemoved) {
  EXPECT_EQ(pruned_text("/cache", {1, 2, 3000}), "removed 1 file and 2 base states from /cache, 3.0 kB\n");
}

TEST(ParseSize, TakesPowersOfThousandAndOf1024) {
  EXPECT_EQ(parse_size("0", "--max-size"), 0U);
  EXPECT_EQ(parse_size("12", "--max-size"), 12U);
  EXPECT_EQ(parse_size("12B", "--max-size"), 12U);
  EXPECT_EQ(parse_size("3k", "--max-size"), 3'000U);
  EXPECT_EQ(parse_size("500M", "--max-size"), 500'000'000U);
  EXPECT_EQ(parse_size("4GB", "--max-size"), 4'000'000'000U);
  EXPECT_EQ(parse_size("2GiB", "--max-size"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_size("1T", "--max-size"), 1'000'000'000'000U);
}

TEST(ParseSize, RefusesEverythingElse) {
  for (const char *text : {"", "M", "-1", "1.5G", "4X", "4MM", "4iB", "4 G", "99999999999999999999", "99999999999T"}) {
    EXPECT_EQ(test::thrown_by([&] { return parse_size(text, "--max-size"); }),
              "'--max-size' is no size: '" + std::string(text) + "'\n  try: a number such as 500M or 4G");
  }
}

TEST(MachineName, IsTheFilesNameWithoutSuffixes) {
  EXPECT_EQ(machine_name("./bookworm-amd64.tar"), "bookworm-amd64");
  EXPECT_EQ(machine_name("/a/b/web.tar.xz"), "web");
  EXPECT_EQ(machine_name("web.tar.bz2"), "web");
  EXPECT_EQ(machine_name("web.squashfs"), "web");
  EXPECT_EQ(machine_name("rootfs/"), "rootfs");
  EXPECT_EQ(machine_name("a_b.tar"), std::nullopt);
  EXPECT_EQ(machine_name("-"), std::nullopt);
}

class Summary : public ::testing::Test {
 protected:
  Summary() {
    plan_.outputs = {{"./bookworm-amd64.tar", Format::tar, Compression::none}};
    report_.packages.resize(167);
    report_.download_bytes = 54'000'000;
    report_.output_bytes = 184'000'000;
    report_.milliseconds = 9'800;
    report_.times = {{Phase::indexes, 900}, {Phase::resolve, 100}};
  }
  BuildPlan plan_;
  BuildReport report_;
};

TEST_F(Summary, SaysWhatWasMadeAndOnATerminalHowToUseIt) {
  report_.random_paths = {"/etc/a", "/etc/b"};
  std::string piped =
      "debroot: made ./bookworm-amd64.tar (184 MB): 167 packages, 54 MB downloaded, 9.8 s\n"
      "  time: indexes 0.9 s, resolve 0.1 s\n"
      "  different in every build: /etc/a, /etc/b\n";
  EXPECT_EQ(summary_text(plan_, report_, false), piped);
  EXPECT_EQ(summary_text(plan_, report_, true),
            piped +
                "  use it: machinectl import-tar ./bookworm-amd64.tar bookworm-amd64\n"
                "          machinectl start bookworm-amd64\n"
                "          machinectl shell bookworm-amd64\n");
}

TEST_F(Summary, FitsTheOutput) {
  plan_.outputs = {{"-", Format::tar, Compression::none}, {"my images/web.tar.zst", Format::tar, Compression::zstd}};
  EXPECT_THAT(
      summary_text(plan_, report_, true),
      ::testing::AllOf(HasSubstr("made standard output, my images/web.tar.zst (184 MB)"),
                       HasSubstr("  use it: zstd -dc 'my images/web.tar.zst' | machinectl import-tar - web\n")));
  plan_.outputs = {{"root'fs", Format::directory, Compression::none}};
  EXPECT_THAT(summary_text(plan_, report_, true), Not(HasSubstr("use it")));
  plan_.outputs = {{"tree", Format::directory, Compression::none}};
  EXPECT_THAT(summary_text(plan_, report_, true), HasSubstr("  use it: systemd-nspawn --boot -D tree\n"));
  plan_.outputs = {{"/dev/null", Format::null, Compression::none}};
  EXPECT_THAT(summary_text(plan_, report_, true), HasSubstr("made nothing, as asked"));
}

TEST_F(Summary, TellsNobodyToStartATreeWithoutInit) {
  plan_.variant = Variant::required;
  EXPECT_THAT(summary_text(plan_, report_, true), Not(HasSubstr("use it")));
}

BuildReport planned() {
  BuildReport report;
  report.source_date_epoch = 12;
  report.releases = {{"http://a.org/d/dists/sid/InRelease", "unstable", "sid", "Sat, 01 Jan 2022 00:00:00 UTC", "ab"}};
  report.packages = {
      {{"base-files", "12.4", "amd64"}, false, 70'700, "cd", "pool/b.deb", "http://a.org/d sid/main", "essential"},
      {{"libc6", "2.36-9", "amd64"}, true, 2'700'000, "ef", "pool/l.deb", "http://a.org/d sid/main", "needed by \x1b"}};
  return report;
}

BuildPlan a_plan() {
  BuildPlan plan;
  plan.suite = "sid";
  plan.architecture = "amd64";
  plan.hostname = "web";
  plan.outputs = {{"x.tar.xz", Format::tar, Compression::xz}};
  return plan;
}

TEST(PlanTable, IsAligned) {
  EXPECT_EQ(plan_table(a_plan(), planned()),
            "PACKAGE     VERSION  ARCH     SIZE  ARCHIVE                  REASON\n"
            "base-files  12.4     amd64   71 kB  http://a.org/d sid/main  essential\n"
            "libc6       2.36-9   amd64  2.7 MB  http://a.org/d sid/main  needed by \\x1b\n"
            "\nsid amd64 (important): 2 packages, 2.8 MB\n");
}

TEST(PlanJson, HasTheDocumentedKeys) {
  BuildReport report = planned();
  report.packages.resize(1);
  EXPECT_EQ(plan_json(a_plan(), report), R"({
  "suite": "sid",
  "architecture": "amd64",
  "foreign_architectures": [],
  "variant": "important",
  "source_date_epoch": 12,
  "plain": false,
  "hostname": "web",
  "network": "networkd",
  "outputs": [
    {
      "path": "x.tar.xz",
      "format": "tar",
      "compression": "xz"
    }
  ],
  "releases": [
    {
      "url": "http://a.org/d/dists/sid/InRelease",
      "suite": "unstable",
      "codename": "sid",
      "date": "Sat, 01 Jan 2022 00:00:00 UTC",
      "sha256": "ab"
    }
  ],
  "packages": [
    {
      "name": "base-files",
      "version": "12.4",
      "architecture": "amd64",
      "automatic": false,
      "size": 70700,
      "sha256": "cd",
      "pool_path": "pool/b.deb",
      "archive": "http://a.org/d sid/main",
      "reason": "essential"
    }
  ]
}
)");
}

TEST(Console, FollowsTheEnvironment) {
  plan::HostFacts host;
  EXPECT_FALSE(make_console(host).is_err_terminal);
  EXPECT_FALSE(make_console(host).uses_unicode);
  host.environment["LANG"] = "de_DE.UTF-8";
  EXPECT_TRUE(make_console(host).uses_unicode);
  host.environment["LC_ALL"] = "C";
  EXPECT_FALSE(make_console(host).uses_unicode);
  host.environment["LC_ALL"] = "C.utf8";
  EXPECT_TRUE(make_console(host).uses_unicode);
}

TEST(Console, ClockOnlyGoesForward) {
  Console console = make_console({});
  std::uint64_t first = console.now_ms();
  EXPECT_LE(first, console.now_ms());
  EXPECT_GT(first, 0U);
}

}  // namespace
}  // namespace debroot::cli
