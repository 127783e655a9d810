#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "index/packages_files.hpp"
#include "index/packages_scan.hpp"
#include "support/archive_builder.hpp"
#include "support/thrown_error.hpp"
#include "verify/digest_check.hpp"
#include "verify/signature.hpp"

namespace debroot::index {
namespace {

using test::Packing;
using test::thrown_by;
using testing::ElementsAre;

base::VerifiedBytes verified(const std::string &bytes) {
  return verify::check_bytes(base::UntrustedBytes(bytes), base::hash_of(base::HashKind::sha256, bytes), bytes.size(),
                             "x");
}

const std::string kDigest(64, 'a');

/// A stanza with everything that is demanded; `more` goes before the pool path.
std::string stanza(const std::string &name, const std::string &version = "1.0",
                   const std::string &architecture = "amd64", const std::string &more = {}) {
  return "Package: " + name + "\nVersion: " + version + "\nArchitecture: " + architecture + "\n" + more +
         "Filename: pool/" + name + ".deb\nSize: 10\nSHA256: " + kDigest + "\n";
}

debian::PackageIndex index_of(const std::string &text, const std::vector<std::string> &architectures = {"amd64"}) {
  debian::PackageIndex index;
  add_packages(index, verified(text), {}, architectures, "x");
  index.seal();
  return index;
}

debian::PackageSource source_of(std::string component) {
  debian::PackageSource out;
  out.component = std::move(component);
  return out;
}

std::vector<std::string> ids(const debian::PackageIndex &index) {
  std::vector<std::string> out;
  for (const auto &package : index.packages()) out.push_back(to_string(package.id()));
  return out;
}

TEST(AddPackages, TakesFieldsInAnyOrderAndCase) {
  auto index = index_of(
      "Version: 5.2\nPriority: required\nessential: yes\nArchitecture: amd64\nMulti-Arch: foreign\nPACKAGE: bash\n"
      "Provides: sh-a,\n sh-b (= 1)\nSHA256: " +
      kDigest + "\nDescription: shell\nSize: 1\nFilename: ./pool/bash.deb\n");
  ASSERT_EQ(index.packages().size(), 1u);
  const debian::BinaryPackage &bash = index.at(0);
  EXPECT_EQ(to_string(bash.id()), "bash_5.2_amd64");
  EXPECT_EQ(bash.provides, "sh-a,\n sh-b (= 1)");
  EXPECT_EQ(bash.priority, debian::Priority::required);
  EXPECT_EQ(bash.multi_arch, debian::MultiArch::foreign);
  EXPECT_TRUE(bash.is_essential);
  EXPECT_EQ(bash.stanza.get("Description"), "shell");
  EXPECT_EQ(index.named("bash").size(), 1u);
  EXPECT_EQ(index.providing("sh-b").size(), 1u);
}

TEST(AddPackages, DefaultsOfWhatIsAbsent) {
  auto index = index_of(stanza("a"));
  EXPECT_EQ(index.at(0).priority, debian::Priority::optional);
  EXPECT_EQ(index.at(0).multi_arch, debian::MultiArch::no);
  EXPECT_FALSE(index.at(0).is_essential);
  EXPECT_EQ(index.at(0).provides, "");
}

TEST(AddPackages, StanzasEndAtBlankLinesHoweverMany) {
  auto index =
      index_of("\n\n" + stanza("a") + "\n\n \n" + stanza("b") + "\r\n" + stanza("c").substr(0, stanza("c").size() - 1));
  EXPECT_THAT(ids(index), ElementsAre("a_1.0_amd64", "b_1.0_amd64", "c_1.0_amd64"));
  EXPECT_EQ(index.at(0).stanza.text(), stanza("a"));
}

TEST(AddPackages, NothingGivesNothing) {
  EXPECT_TRUE(index_of("").packages().empty());
  EXPECT_TRUE(index_of("\n# nothing here\n\n").packages().empty());
}

TEST(AddPackages, OnlyArchitecturesOfTheImage) {
  std::string text = stanza("a", "1", "amd64") + "\n" + stanza("b", "1", "i386") + "\n" + stanza("c", "1", "all") +
                     "\n" + stanza("d", "1", "armhf");
  EXPECT_THAT(ids(index_of(text)), ElementsAre("a_1_amd64", "c_1_all"));
  EXPECT_THAT(ids(index_of(text, {"amd64", "i386"})), ElementsAre("a_1_amd64", "b_1_i386", "c_1_all"));
}

TEST(AddPackages, EveryCompressionIsRead) {
  std::string text = stanza("a") + "\n";
  for (Packing packing : {Packing::none, Packing::gzip, Packing::xz, Packing::zstd}) {
    EXPECT_THAT(ids(index_of(test::pack_bytes(text, packing))), ElementsAre("a_1.0_amd64"))
        << test::packing_suffix(packing);
  }
}

TEST(AddPackages, SourcesAreNumberedAndRepeatedPackagesJoined) {
  debian::PackageIndex index;
  EXPECT_EQ(add_packages(index, verified(stanza("a") + "\n" + stanza("b")), source_of("main"), {"amd64"}, "x"), 2u);
  EXPECT_EQ(add_packages(index, verified(stanza("a")), source_of("updates"), {"amd64"}, "y"), 1u);
  EXPECT_THAT(ids(index), ElementsAre("a_1.0_amd64", "b_1.0_amd64"));
  EXPECT_THAT(index.at(0).sources, ElementsAre(0u, 1u));
  EXPECT_EQ(index.sources()[1].component, "updates");
}

std::string refusal(const std::string &text) {
  ErrorKind kind = ErrorKind::internal;
  std::string out = thrown_by([&] { return index_of(text); }, &kind);
  EXPECT_TRUE(out == "nothing was thrown" || kind == ErrorKind::index);
  return out;
}

std::string with(const std::string &field, const std::string &value) {
  std::string text = stanza("a");
  std::size_t at = text.find(field + ": ") + field.size() + 2;
  return text.replace(at, text.find('\n', at) - at, value);
}

TEST(AddPackages, MalformedLinesAreNamed) {
  EXPECT_EQ(refusal(stanza("a") + "rubbish\n"), "cannot read 'x': line 7: it is no field");
  EXPECT_EQ(refusal(stanza("a") + "\n folded\n"), "cannot read 'x': line 8: it continues no field");
  EXPECT_EQ(refusal(stanza("a") + "Size: 11\n"), "cannot read 'x': line 7: the field stands there twice");
  EXPECT_EQ(refusal("Package: a\n"), "cannot read 'x': line 1: stanza without Architecture");
}

TEST(AddPackages, MissingFieldsAreNamed) {
  for (const char *field : {"Version", "Filename", "Size", "SHA256"}) {
    std::string text = stanza("a");
    std::size_t at = text.find(std::string(field) + ": ");
    text.erase(at, text.find('\n', at) + 1 - at);
    EXPECT_EQ(refusal(stanza("z") + "\n" + text),
              "cannot read 'x': line 8: stanza of 'a' has no " + std::string(field));
  }
  EXPECT_EQ(refusal("Architecture: all\n"), "cannot read 'x': line 1: stanza of '' has no Package");
}

TEST(AddPackages, ValuesThatPathsAreMadeOfAreChecked) {
  EXPECT_EQ(refusal(with("Package", "../a")), "cannot read 'x': line 1: '../a' is no valid Package");
  EXPECT_EQ(refusal(with("Package", ".a")), "cannot read 'x': line 1: '.a' is no valid Package");
  EXPECT_EQ(refusal(with("Package", "a b")), "cannot read 'x': line 1: 'a b' is no valid Package");
  EXPECT_EQ(refusal(with("Version", "1/2")), "cannot read 'x': line 2: '1/2' is no valid Version");
  EXPECT_EQ(refusal(with("Version", "-1")), "cannot read 'x': line 2: '-1' is no valid Version");
  EXPECT_EQ(refusal(with("Filename", "/etc/passwd")), "cannot read 'x': line 4: '/etc/passwd' is no valid Filename");
  EXPECT_EQ(refusal(with("Filename", "a/../../b")), "cannot read 'x': line 4: 'a/../../b' is no valid Filename");
  EXPECT_EQ(refusal(with("Size", "1k")), "cannot read 'x': line 5: '1k' is no valid Size");
  EXPECT_EQ(refusal(with("SHA256", "abc")), "cannot read 'x': line 6: 'abc' is no valid SHA256");
  EXPECT_EQ(refusal(with("Version", "1:2.0-1+b1~x")), "nothing was thrown");
  EXPECT_EQ(refusal(with("Package", "Corp_tool+x.y-z")), "nothing was thrown");
}

TEST(AddPackages, ForeignStanzasMayBeOdd) {
  EXPECT_TRUE(index_of("Package: a b\nArchitecture: m68k\n").packages().empty());
}

TEST(AddPackages, DamagedCompressionIsNamedWithoutCredentials) {
  std::string packed = test::pack_bytes(stanza("a"), Packing::xz);
  std::string text = thrown_by([&] {
    return scan_packages(verified(packed.substr(0, packed.size() / 2)), {"amd64"}, "http://u:p@h/Packages.xz");
  });
  EXPECT_THAT(text, testing::StartsWith("cannot decompress 'http://h/Packages.xz': "));
}

TEST(IsSafePath, Table) {
  for (const char *path : {"a", "pool/main/a.deb", "./a", "a..b/c", "...", "a//b"})
    EXPECT_TRUE(is_safe_path(path)) << path;
  for (const char *path : {"", "/", "/a", "..", "../a", "a/..", "a/../b", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(is_safe_path(path)) << path;
  }
}

TEST(MakeSource, TakesWhatTheReleaseSays) {
  ReleaseFile release;
  release.suite = "stable";
  release.codename = "bookworm";
  release.origin = "Debian";
  release.label = "Debian-Security";
  release.version = "12";
  release.is_not_automatic = true;
  release.is_but_automatic_upgrades = true;
  debian::PackageSource source = make_source(release, "http://u:p@deb.example.org:8080/debian", "stable", "main");
  EXPECT_EQ(source.archive_root, "http://u:p@deb.example.org:8080/debian");
  EXPECT_EQ(source.suite, "stable");
  EXPECT_EQ(source.codename, "bookworm");
  EXPECT_EQ(source.requested, "stable");
  EXPECT_EQ(source.component, "main");
  EXPECT_EQ(source.origin, "Debian");
  EXPECT_EQ(source.label, "Debian-Security");
  EXPECT_EQ(source.version, "12");
  EXPECT_EQ(source.site, "deb.example.org");
  EXPECT_TRUE(source.is_not_automatic);
  EXPECT_TRUE(source.is_but_automatic_upgrades);
  EXPECT_EQ(make_source(release, "file:///srv/debian", "x", "main").site, "");
  EXPECT_EQ(make_source(release, "http://[::1]:80/debian", "x", "main").site, "::1");
}

TEST(SuiteDirectory, Table) {
  EXPECT_EQ(suite_directory("bookworm"), "dists/bookworm/");
  EXPECT_EQ(suite_directory("buster/updates"), "dists/buster/updates/");
  EXPECT_EQ(suite_directory("./"), "");
  EXPECT_EQ(suite_directory("/"), "");
  EXPECT_EQ(suite_directory("sub/dir/"), "sub/dir/");
}

/// The whole way from a rendered archive: Release, its Packages files, the packages in them.
class ArchiveIndex : public testing::Test {
 protected:
  void render() { files_ = archive_.files(); }
  ReleaseFile release(const std::string &directory) {
    auto text = verify::accept_unsigned(base::UntrustedBytes(files_.at(directory + "Release"))).text;
    return parse_release(text, "archive suite");
  }
  /// Packages of every index, each read from the given form.
  std::vector<std::string> packages(const std::string &suite, const std::string &component,
                                    const std::vector<std::string> &architectures, std::size_t form) {
    std::string directory = suite_directory(suite);
    ReleaseFile parsed = release(directory);
    debian::PackageIndex index;
    for (const PackagesIndex &each : choose_packages_files(parsed, component, architectures, "archive suite")) {
      const PackagesFile &file = each.forms.at(form);
      const std::string &path = file.by_hash_path.empty() ? file.path : file.by_hash_path;
      auto bytes =
          verify::check_bytes(base::UntrustedBytes(files_.at(directory + path)), file.sha256, file.size_bytes, path);
      add_packages(index, std::move(bytes), make_source(parsed, "http://h/debian", suite, component), architectures,
                   path);
    }
    return ids(index);
  }
  test::ArchiveBuilder archive_;
  std::map<std::string, std::string> files_;
};

TEST_F(ArchiveIndex, EveryFormOfAnIndexLeadsToTheSamePackages) {
  archive_.suite("bookworm").packings = {Packing::none, Packing::gzip, Packing::xz, Packing::zstd};
  archive_.add("bookworm", "main", test::DebBuilder("a")).add("bookworm", "main", test::DebBuilder("doc", "2", "all"));
  render();
  for (std::size_t form = 0; form < 4; ++form) {
    EXPECT_THAT(packages("bookworm", "main", {"amd64"}, form), ElementsAre("a_1.0_amd64", "doc_2_all")) << form;
  }
}

TEST_F(ArchiveIndex, FormsComeBestFirstWithTheirHashes) {
  archive_.suite("bookworm").packings = {Packing::none, Packing::zstd, Packing::gzip, Packing::xz};
  render();
  auto chosen = choose_packages_files(release("dists/bookworm/"), "main", {"amd64"}, "s");
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].component, "main");
  EXPECT_EQ(chosen[0].architecture, "amd64");
  std::vector<std::string> paths;
  for (const PackagesFile &file : chosen[0].forms) {
    paths.push_back(file.path);
    EXPECT_EQ(file.by_hash_path, "main/binary-amd64/by-hash/SHA256/" + file.sha256);
  }
  EXPECT_THAT(paths, ElementsAre("main/binary-amd64/Packages.gz", "main/binary-amd64/Packages.xz",
                                 "main/binary-amd64/Packages.zst", "main/binary-amd64/Packages"));
}

TEST_F(ArchiveIndex, WithoutByHashThereIsNoSuchPath) {
  archive_.suite("bookworm").has_by_hash = false;
  archive_.add("bookworm", "main", test::DebBuilder("a"));
  render();
  EXPECT_EQ(choose_packages_files(release("dists/bookworm/"), "main", {"amd64"}, "s")[0].forms[0].by_hash_path, "");
  EXPECT_THAT(packages("bookworm", "main", {"amd64"}, 0), ElementsAre("a_1.0_amd64"));
}

TEST_F(ArchiveIndex, AnIndexOfArchitectureAllIsReadWhereThereIsOne) {
  archive_.suite("corp").no_support_for_architecture_all = "";
  archive_.add("corp", "main", test::DebBuilder("a")).add("corp", "main", test::DebBuilder("doc", "2", "all"));
  archive_.add("corp", "main", test::DebBuilder("b", "3", "arm64"));
  render();
  EXPECT_THAT(packages("corp", "main", {"amd64", "arm64"}, 0), ElementsAre("a_1.0_amd64", "b_3_arm64", "doc_2_all"));
  auto chosen = choose_packages_files(release("dists/corp/"), "main", {"amd64"}, "s");
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[1].architecture, "all");
}

TEST_F(ArchiveIndex, AFlatArchiveHasOneIndex) {
  archive_.add("./", "", test::DebBuilder("a")).add("./", "", test::DebBuilder("doc", "2", "all"));
  render();
  EXPECT_THAT(packages("./", "", {"amd64"}, 0), ElementsAre("a_1.0_amd64", "doc_2_all"));
}

TEST_F(ArchiveIndex, WhatTheReleaseDoesNotListIsNamed) {
  archive_.add("bookworm", "main", test::DebBuilder("a"));
  render();
  ReleaseFile parsed = release("dists/bookworm/");
  ErrorKind kind{};
  EXPECT_EQ(thrown_by(
                [&] {
                  return choose_packages_files(parsed, "main", {"amd64", "arm64"}, "http://u:p@h/d x");
                },
                &kind),
            "Release of 'http://h/d x' lists no Packages file of component 'main' for 'arm64'");
  EXPECT_EQ(kind, ErrorKind::index);
  EXPECT_EQ(thrown_by([&] { return choose_packages_files(parsed, "", {"amd64"}, "s"); }),
            "Release of 's' lists no Packages file");
}

TEST_F(ArchiveIndex, WrongDigestsOfTheArchiveAreNoticed) {
  archive_.add("bookworm", "main", test::DebBuilder("a"));
  archive_.suite("bookworm").wrong_digests = {"main/binary-amd64/Packages.gz"};
  archive_.suite("bookworm").has_by_hash = false;
  render();
  EXPECT_THAT(thrown_by([&] { return packages("bookworm", "main", {"amd64"}, 0); }),
              testing::StartsWith("digest of 'main/binary-amd64/Packages.gz' is wrong\n"));
}

}  // namespace
}  // namespace debroot::index
