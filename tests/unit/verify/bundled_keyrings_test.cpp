#include "bundled_keyrings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot {
namespace {

/// keyrings/ of the source tree.
std::string keyrings_directory() { return DEBROOT_KEYRINGS; }

/// The table of README.md: file name → digest.
std::map<std::string, std::string> documented_digests() {
  std::map<std::string, std::string> out;
  std::string text = base::read_file(keyrings_directory() + "/README.md");
  for (std::string_view line : base::split(text, '\n')) {
    std::vector<std::string_view> cells = base::split_words(line, "|` ");
    if (cells.size() > 2 && cells.front().ends_with(".gpg") && cells.back().size() == 64) {
      out.emplace(cells.front(), cells.back());
    }
  }
  return out;
}

TEST(BundledKeyrings, ReadmeGivesTheDigestOfEachFile) {
  std::map<std::string, std::string> actual;
  for (const auto &file : std::filesystem::directory_iterator(keyrings_directory())) {
    if (file.path().extension() != ".gpg") continue;
    actual[file.path().filename().string()] =
        base::hash_of(base::HashKind::sha256, base::read_file(file.path().string()));
  }
  EXPECT_EQ(documented_digests(), actual);
}

TEST(BundledKeyrings, TheProgramHoldsThoseFiles) {
  std::map<std::string, std::string> built_in;
  std::vector<std::string> names;
  for (const BundledKeyring &keyring : bundled_keyrings()) {
    names.emplace_back(keyring.name);
    built_in[std::string(keyring.name) + ".gpg"] = base::hash_of(base::HashKind::sha256, keyring.bytes);
  }
  EXPECT_EQ(built_in, documented_digests());
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

}  // namespace
}  // namespace debroot
