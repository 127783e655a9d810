#include "build/extended_states.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace debroot::build {
namespace {

std::string stanza(const std::string &name, const std::string &mark, const std::string &more = {}) {
  return "Package: " + name + "\nArchitecture: amd64\nAuto-Installed: " + mark + "\n" + more + "\n";
}

/// The packages named are installed.
IsInstalled installed(std::vector<std::string> names) {
  return [names = std::move(names)](std::string_view name, std::string_view) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
}

TEST(ExtendedStates, HoldWhatNobodyAskedForInItsOrder) {
  std::vector<MarkedPackage> marked{{"libz", "amd64", true}, {"liba", "amd64", true}, {"tool", "amd64", false}};
  EXPECT_EQ(merged_extended_states("", marked, installed({})), stanza("libz", "1") + stanza("liba", "1"));
}

TEST(ExtendedStates, KeepWhatAHooksAptHasLeft) {
  std::string before = stanza("libz", "1") + stanza("other", "1");
  std::vector<MarkedPackage> marked{{"libz", "amd64", true}, {"liba", "amd64", true}};
  EXPECT_EQ(merged_extended_states(before, marked, installed({"libz", "other"})), before + stanza("liba", "1"))
      << "no stanza twice";
}

TEST(ExtendedStates, LoseTheMarkOfWhatIsAskedForNow) {
  std::string before = stanza("tool", "1") + stanza("more", "1", "X-More: y\n") + stanza("libz", "1");
  std::vector<MarkedPackage> marked{{"tool", "amd64", false}, {"more", "amd64", false}};
  EXPECT_EQ(merged_extended_states(before, marked, installed({"tool", "more", "libz"})),
            stanza("more", "0", "X-More: y\n") + stanza("libz", "1"));
}

TEST(ExtendedStates, DoNotMarkWhatAHookAskedFor) {
  std::vector<MarkedPackage> marked{{"libz", "amd64", true}};
  EXPECT_EQ(merged_extended_states("", marked, installed({"libz"})), "");
}

TEST(ExtendedStates, ForgetWhatIsNotInstalled) {
  std::string before = stanza("gone", "1") + stanza("libz", "0");
  std::vector<MarkedPackage> marked{{"libz", "amd64", true}};
  EXPECT_EQ(merged_extended_states(before, marked, installed({})), stanza("libz", "1"));
}

}  // namespace
}  // namespace debroot::build
