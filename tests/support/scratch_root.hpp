/// An empty directory that serves as a root, gone with the object.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/beneath.hpp"

namespace debroot::test {

class ScratchRoot {
 public:
  ScratchRoot() {
    std::string pattern = (std::filesystem::temp_directory_path() / "debroot-root-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a scratch directory");
    path_ = pattern;
    root_ = base::RootDirectory::open(path_);
  }
  ScratchRoot(const ScratchRoot &) = delete;
  ScratchRoot &operator=(const ScratchRoot &) = delete;
  ~ScratchRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] const base::RootDirectory &operator*() const { return root_; }
  [[nodiscard]] const base::RootDirectory *operator->() const { return &root_; }
  /// Path of the host for one inside.
  [[nodiscard]] std::string at(const std::string &inside) const { return path_ + "/" + inside; }
  /// Writes a file, its directories too.
  void file(const std::string &path, const std::string &content, unsigned mode = 0644) const {
    std::size_t slash = path.rfind('/');
    if (slash != std::string::npos && slash > 0) root_.make_directories(path.substr(0, slash));
    root_.write(path, content, mode);
  }

 private:
  std::string path_;
  base::RootDirectory root_;
};

}  // namespace debroot::test
