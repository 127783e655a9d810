#include "twins/choice.hpp"

#include <gmock/gmock.h>

#include <memory>

#include "debian/package_index.hpp"

namespace debroot::twins {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Packages of an image and of the host's architecture, written down in the test.
class ChooseTwins : public ::testing::Test {
 protected:
  static void add(debian::PackageIndex &index, const std::string &id, const std::string &fields) {
    std::size_t first = id.find(' ');
    std::size_t second = id.find(' ', first + 1);
    auto text = std::make_shared<const std::string>(
        "Package: " + id.substr(0, first) + "\nVersion: " + id.substr(first + 1, second - first - 1) +
        "\nArchitecture: " + id.substr(second + 1) + "\nSHA256: " + id + "\n" + fields);
    index.keep(text);
    debian::BinaryPackage package;
    package.stanza = deb822::StanzaView(*text);
    package.name = package.stanza.get("Package");
    package.version = package.stanza.get("Version");
    package.architecture = package.stanza.get("Architecture");
    package.multi_arch = debian::parse_multi_arch(package.stanza.get("Multi-Arch"));
    package.sources = {0};
    index.add(std::move(package));
  }

  void image(const std::string &id, const std::string &fields = {}) { add(image_, id, fields); }
  void native(const std::string &id, const std::string &fields = {}) { add(native_, id, fields); }

  /// "dash_1_amd64 with 0", and " for perl" behind.
  std::vector<std::string> chosen() {
    image_.seal();
    native_.seal();
    std::vector<const debian::BinaryPackage *> packages;
    for (const debian::BinaryPackage &package : image_.packages()) packages.push_back(&package);
    Choice choice = choose_twins(packages, native_, "amd64");
    emulated_ = choice.emulated;
    std::vector<std::string> out;
    for (const Twin &twin : choice.twins) {
      std::string text = to_string(native_.at(twin.package).id()) + " with " + std::to_string(twin.with);
      if (twin.is_perl_library) text += " for perl";
      out.push_back(text);
    }
    return out;
  }

  debian::PackageIndex image_;
  debian::PackageIndex native_;
  std::vector<std::string> emulated_;
};

TEST_F(ChooseTwins, TakesToolsOfTheSameSourceVersion) {
  image("bash 5.2-1+b7 arm64", "Source: bash (5.2-1)\n");
  image("sed 4.9-1 arm64");
  image("openssl 3.0-1 arm64");
  native("bash 5.2-1+b2 amd64", "Source: bash (5.2-1)\n");
  native("bash 5.2-1+b2 i386", "Source: bash (5.2-1)\n");
  native("sed 4.9-2 amd64");
  native("openssl 3.0-1 amd64");
  EXPECT_THAT(chosen(), ElementsAre("bash_5.2-1+b2_amd64 with 0"));
  EXPECT_THAT(emulated_, ElementsAre("sed_4.9-1_arm64"));
}

TEST_F(ChooseTwins, TellsSourcesApartByName) {
  image("tar 1.35-1 arm64", "Source: gnu-tar\n");
  native("tar 1.35-1 amd64");
  EXPECT_THAT(chosen(), IsEmpty());
}

TEST_F(ChooseTwins, FollowsDependenciesOnLibrariesOnly) {
  image("dash 1 arm64");
  image("libc6 2.36-1 arm64");
  native("dash 1 amd64", "Pre-Depends: libc6 (>= 2.36)\nDepends: debianutils, libnone | libz (>= 2)\n");
  native("debianutils 5 amd64");
  native("libc6 2.36-1 amd64", "Multi-Arch: same\nDepends: libgcc\n");
  native("libc6 2.37-1 amd64", "Multi-Arch: same\n");
  native("libgcc 12 amd64", "Multi-Arch: same\nDepends: libc6\n");
  native("libz 1 amd64", "Multi-Arch: same\n");
  native("libz 3 amd64", "Multi-Arch: same\n");
  native("libz 2 amd64", "Multi-Arch: same\n");
  image("sed 1 arm64");
  native("sed 1 amd64", "Depends: libc6, libacl\n");
  native("libacl 1 amd64", "Multi-Arch: same\n");
  EXPECT_THAT(chosen(), ElementsAre("dash_1_amd64 with 0", "libc6_2.36-1_amd64 with 0", "libgcc_12_amd64 with 0",
                                    "libz_3_amd64 with 0", "sed_1_amd64 with 2", "libacl_1_amd64 with 2"));
}

TEST_F(ChooseTwins, TakesWhatPerlLoads) {
  image("perl-base 5.36-1 arm64");
  image("liblocale-gettext-perl 1.07-5 arm64");
  image("libio-stringy-perl 2.1-1 all");
  native("perl-base 5.36-1 amd64");
  native("liblocale-gettext-perl 1.07-5 amd64");
  EXPECT_THAT(chosen(),
              ElementsAre("perl-base_5.36-1_amd64 with 0", "liblocale-gettext-perl_1.07-5_amd64 with 1 for perl"));
}

TEST_F(ChooseTwins, EmulatesAPerlThatWouldLackALibrary) {
  image("perl-base 5.36-1 arm64");
  image("libtext-iconv-perl 1.7-8 arm64");
  native("perl-base 5.36-1 amd64");
  EXPECT_THAT(chosen(), IsEmpty());
  EXPECT_THAT(emulated_, ElementsAre("perl-base_5.36-1_arm64"));
}

}  // namespace
}  // namespace debroot::twins
