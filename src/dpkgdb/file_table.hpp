/// Which packages own which paths: what info/*.list say, in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/beneath.hpp"

namespace debroot::dpkgdb {

/// Owners of every packaged path. Packages are named as their info files are ("dash", "libc6:amd64").
class FileTable {
 public:
  /// Reads every info/*.list of the root.
  [[nodiscard]] static FileTable read(const base::RootDirectory &root);

  void add(const std::string &path, const std::string &package);
  void remove(const std::string &path, const std::string &package);
  /// Owners of `path` in the order they were added; empty when no package ships it.
  [[nodiscard]] std::vector<std::string_view> owners(const std::string &path) const;

 private:
  std::uint32_t number_of(const std::string &package);

  std::vector<std::string> packages_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> owners_;
};

}  // namespace debroot::dpkgdb
