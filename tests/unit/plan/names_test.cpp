#include "plan/names.hpp"

#include <gmock/gmock.h>

#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

using ::testing::ElementsAre;

TEST(NearestName, FindsMisspellingsAndNothingElse) {
  constexpr std::string_view kWords[] = {"bookworm", "bullseye", "sid"};
  EXPECT_EQ(nearest_name("bulseye", kWords), "bullseye");
  EXPECT_EQ(nearest_name("bokworn", kWords), "bookworm");
  EXPECT_EQ(nearest_name("sdi", kWords), "sid");
  EXPECT_EQ(nearest_name("sxx", kWords), std::nullopt);
  EXPECT_EQ(nearest_name("x", kWords), std::nullopt);
  EXPECT_EQ(nearest_name("corp", kWords), std::nullopt);
}

TEST(Variant, TakesMmdebstrapsAliases) {
  EXPECT_EQ(parse_variant("minbase"), Variant::required);
  EXPECT_EQ(parse_variant("-"), Variant::important);
  EXPECT_EQ(parse_variant("debootstrap"), Variant::important);
  EXPECT_EQ(variant_name(parse_variant("minbase")), "required");
  EXPECT_EQ(variant_name(Variant::standard), "standard");
}

TEST(Variant, RefusesOthers) {
  EXPECT_EQ(refusal([] { (void)parse_variant("minbas"); }), "unknown variant 'minbas'\ntry: did you mean 'minbase'?");
  EXPECT_EQ(refusal([] { (void)parse_variant("tiny-one"); }),
            "unknown variant 'tiny-one'\nexpected: extract, custom, essential, apt, required, minbase, buildd, "
            "important, debootstrap, -, standard");
}

TEST(Mode, IsRootOnlyForRoot) {
  EXPECT_EQ(parse_mode("auto", false), Mode::automatic);
  EXPECT_EQ(parse_mode("sudo", true), Mode::root);
  EXPECT_EQ(parse_mode("unshare", false), Mode::unshare);
  EXPECT_EQ(mode_name(Mode::unshare), "unshare");
  EXPECT_EQ(refusal([] { (void)parse_mode("root", false); }),
            "mode 'root' is only for root\ntry: --mode=unshare, or run debroot by sudo");
  EXPECT_EQ(refusal([] { (void)parse_mode("fakechroot", false); }),
            "mode 'fakechroot' of mmdebstrap is not offered: debroot needs no such wrapper\n"
            "try: --mode=unshare makes the same image; where no user namespace is allowed, --mode=chrootless");
  EXPECT_EQ(parse_mode("chrootless", false), Mode::chrootless);
  EXPECT_EQ(mode_name(Mode::chrootless), "chrootless");
  EXPECT_EQ(refusal([] { (void)parse_mode("unshar", false); }), "unknown mode 'unshar'\ntry: did you mean 'unshare'?");
}

TEST(Network, HasThreeWords) {
  EXPECT_EQ(parse_network("ifupdown"), Network::ifupdown);
  EXPECT_EQ(network_name(Network::networkd), "networkd");
  EXPECT_EQ(refusal([] { (void)parse_network("dhcp"); }), "unknown network 'dhcp'\nexpected: networkd, ifupdown, none");
}

TEST(ForeignExec, HasTwoWords) {
  EXPECT_TRUE(parse_foreign_exec("native"));
  EXPECT_FALSE(parse_foreign_exec("emulate"));
  EXPECT_EQ(refusal([] { (void)parse_foreign_exec("emulated"); }),
            "unknown way to run foreign programs 'emulated'\ntry: did you mean 'emulate'?");
  EXPECT_EQ(refusal([] { (void)parse_foreign_exec("qemu"); }),
            "unknown way to run foreign programs 'qemu'\nexpected: native, emulate");
}

TEST(StandIns, HasTwoWords) {
  EXPECT_TRUE(parse_stand_ins("yes"));
  EXPECT_FALSE(parse_stand_ins("no"));
  EXPECT_EQ(refusal([] { (void)parse_stand_ins("some"); }), "unknown choice of stand-ins 'some'\nexpected: yes, no");
}

TEST(Hostname, FollowsRfc1123) {
  for (const char *name : {"a", "web-1", "3com", "db.example.org"}) EXPECT_NO_THROW(check_hostname(name)) << name;
  EXPECT_EQ(refusal([] { check_hostname(""); }), "'' is no host name: it is empty");
  EXPECT_EQ(refusal([] { check_hostname("a..b"); }), "'a..b' is no host name: a label between dots is empty");
  EXPECT_EQ(refusal([] { check_hostname("-a"); }), "'-a' is no host name: a label begins or ends with a hyphen");
  EXPECT_EQ(refusal([] { check_hostname("a_b"); }),
            "'a_b' is no host name: only letters, digits, hyphens and dots are allowed");
  std::string label(64, 'a');
  EXPECT_EQ(refusal([&] { check_hostname(label); }),
            "'" + label + "' is no host name: a label is longer than 63 bytes");
  std::string name = std::string(40, 'a') + "." + std::string(40, 'b');
  EXPECT_EQ(refusal([&] { check_hostname(name); }), "'" + name + "' is no host name: it is longer than 64 bytes");
}

TEST(Architecture, KnowsWhatOthersCallIt) {
  EXPECT_NO_THROW(check_architecture("riscv64"));
  EXPECT_EQ(refusal([] { check_architecture("x86_64"); }),
            "unknown architecture 'x86_64'\ntry: Debian calls it 'amd64'");
  EXPECT_EQ(refusal([] { check_architecture("amd46"); }), "unknown architecture 'amd46'\ntry: did you mean 'amd64'?");
  EXPECT_EQ(
      refusal([] { check_architecture("vaxen"); }),
      "unknown architecture 'vaxen'\nexpected: alpha, amd64, arm64, armel, armhf, hppa, i386, loong64, m68k, mips, "
      "mips64el, mipsel, powerpc, ppc64, ppc64el, riscv64, s390x, sh4, sparc64, x32");
}

TEST(Jobs, AreANumber) {
  EXPECT_EQ(parse_jobs("8"), 8U);
  for (const char *text : {"0", "-1", "many", "", "1025"}) {
    EXPECT_EQ(refusal([&] { (void)parse_jobs(text); }),
              std::string("'--jobs' takes a number from 1 to 1024, not '") + text + "'");
  }
}

TEST(SourceDateEpoch, IsSeconds) {
  EXPECT_EQ(parse_source_date_epoch("0"), 0);
  EXPECT_EQ(parse_source_date_epoch("1700000000"), 1700000000);
  for (const char *text : {"", "-5", "yesterday", "9223372036854775808"}) {
    EXPECT_EQ(refusal([&] { (void)parse_source_date_epoch(text); }),
              std::string("SOURCE_DATE_EPOCH is no number of seconds: '") + text +
                  "'\ntry: unset it, or set it to a time such as the output of 'date +%s'");
  }
}

TEST(Skips, AreKnownStages) {
  EXPECT_THAT(parse_skips({"cleanup/apt,output/dev", "check/empty cleanup/apt"}),
              ElementsAre("cleanup/apt", "output/dev", "check/empty"));
  EXPECT_EQ(refusal([] { (void)parse_skips({"cleanup/atp"}); }),
            "unknown stage 'cleanup/atp' in '--skip'\ntry: did you mean 'cleanup/apt'?");
  EXPECT_THAT(refusal([] { (void)parse_skips({"everything"}); }),
              ::testing::StartsWith("unknown stage 'everything' in '--skip'\nexpected: check/empty, check/qemu, "));
}

TEST(SplitList, DropsRepetitions) { EXPECT_THAT(split_list({"a, b,,a", "c b"}), ElementsAre("a", "b", "c")); }

}  // namespace
}  // namespace debroot::plan
