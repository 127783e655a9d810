#include "debian/package_index.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace debroot::debian {
namespace {

BinaryPackage package(std::string_view name, std::string_view version, std::string_view stanza, std::uint32_t source,
                      std::string_view provides = {}) {
  BinaryPackage out;
  out.name = name;
  out.version = version;
  out.architecture = "amd64";
  out.provides = provides;
  out.stanza = deb822::StanzaView(stanza);
  out.sources = {source};
  return out;
}

std::vector<PackageRef> refs(std::span<const PackageRef> span) { return {span.begin(), span.end()}; }

TEST(PackageIndex, FindsByNameInTheOrderRead) {
  PackageIndex index;
  std::uint32_t source = index.add_source({});
  index.add(package("a", "1", "SHA256: x\n", source));
  index.add(package("b", "1", "SHA256: y\n", source));
  index.add(package("a", "2", "SHA256: z\n", source));
  index.seal();
  EXPECT_EQ(refs(index.named("a")), (std::vector<PackageRef>{0, 2}));
  EXPECT_TRUE(index.named("c").empty());
  EXPECT_EQ(std::vector<std::string_view>(index.names().begin(), index.names().end()),
            (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(to_string(index.at(2).id()), "a_2_amd64");
}

TEST(PackageIndex, TheSamePackageOfTwoSourcesIsOne) {
  PackageIndex index;
  std::uint32_t first = index.add_source({});
  std::uint32_t second = index.add_source({});
  index.add(package("a", "1", "SHA256: x\n", first));
  index.add(package("a", "1", "SHA256: x\n", second));
  index.add(package("a", "1", "SHA256: other\n", second));
  index.seal();
  EXPECT_EQ(refs(index.named("a")), (std::vector<PackageRef>{0, 1}));
  EXPECT_EQ(index.at(0).sources, (std::vector<std::uint32_t>{first, second}));
  EXPECT_EQ(index.at(1).sources, (std::vector<std::uint32_t>{second}));
}

TEST(PackageIndex, FindsByWhatIsProvided) {
  PackageIndex index;
  std::uint32_t source = index.add_source({});
  index.add(package("exim4", "1", "", source, "mail-transport-agent, x (= 1), x (= 2), y:any"));
  index.add(package("postfix", "1", "", source, "mail-transport-agent"));
  index.seal();
  EXPECT_EQ(refs(index.providing("mail-transport-agent")), (std::vector<PackageRef>{0, 1}));
  EXPECT_EQ(refs(index.providing("x")), (std::vector<PackageRef>{0}));
  EXPECT_EQ(refs(index.providing("y")), (std::vector<PackageRef>{0}));
  EXPECT_TRUE(index.providing("exim4").empty());
}

TEST(Vocabulary, WordsOfFields) {
  EXPECT_EQ(parse_priority("required"), Priority::required);
  EXPECT_EQ(parse_priority("important"), Priority::important);
  EXPECT_EQ(parse_priority("standard"), Priority::standard);
  EXPECT_EQ(parse_priority("extra"), Priority::extra);
  EXPECT_EQ(parse_priority("source"), Priority::optional);
  EXPECT_EQ(parse_multi_arch("same"), MultiArch::same);
  EXPECT_EQ(parse_multi_arch("foreign"), MultiArch::foreign);
  EXPECT_EQ(parse_multi_arch("allowed"), MultiArch::allowed);
  EXPECT_EQ(parse_multi_arch(""), MultiArch::no);
}

TEST(Architectures, AreKnownByName) {
  EXPECT_EQ(find_architecture("arm64")->qemu, "aarch64");
  EXPECT_FALSE(find_architecture("aarch64").has_value());
  EXPECT_TRUE(find_architecture(host_architecture()).has_value());
}

}  // namespace
}  // namespace debroot::debian
