/// What the tests of planning share: made-up host facts, a directory of their own, errors as text.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "debroot/error.hpp"
#include "plan/host_facts.hpp"

namespace debroot::plan {

/// A fresh directory that is removed with everything in it.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "debroot-plan-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ScratchDirectory(const ScratchDirectory &) = delete;
  ScratchDirectory &operator=(const ScratchDirectory &) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string &name) const { return path_ + "/" + name; }
  void write(const std::string &name, const std::string &text, bool is_executable = false) const {
    std::ofstream(*this / name) << text;
    if (is_executable) std::filesystem::permissions(*this / name, std::filesystem::perms::owner_all);
  }
  void make(const std::string &name) const { std::filesystem::create_directories(*this / name); }

 private:
  std::string path_;
};

/// An ordinary user of an amd64 machine with four CPUs, at work in `directory`.
inline HostFacts make_host(const std::string &directory) {
  HostFacts host;
  host.architecture = "amd64";
  host.user_id = 1000;
  host.cpus = 4;
  host.working_directory = directory;
  host.environment = {{"HOME", directory}, {"TMPDIR", directory}};
  return host;
}

/// "message", then "\nlabel: value" for details and the hint, of the usage error that `action` throws.
inline std::string refusal(const std::function<void()> &action, ErrorKind kind = ErrorKind::usage) {
  try {
    action();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), kind);
    std::string text = error.message();
    for (const ErrorDetail &detail : error.details()) text += "\n" + detail.label + ": " + detail.value;
    if (!error.hint().empty()) text += "\ntry: " + error.hint();
    return text;
  }
  return "nothing was refused";
}

}  // namespace debroot::plan
