/// Twins unpacked beside the image: their programs, each a file to bind over the image's own, and one directory with
/// all their libraries, which scripts see as `kDirectory`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "base/trust.hpp"
#include "deb/archive.hpp"
#include "sandbox/elf.hpp"
#include "sandbox/runner.hpp"
#include "twins/elf_file.hpp"

namespace debroot::twins {

/// A program that can stand for one of the image.
struct Program {
  std::string path;  ///< in the image
  std::string file;  ///< in the store
  std::string interpreter;
  std::vector<std::string> needed;
  /// In the store, a file over which the image's own program is to be laid, for what `file` leaves to it; or empty.
  std::string own = {};
};

/// A library, or data that libraries and perl read beside it.
struct Library {
  std::string name;         ///< below the directory of libraries
  std::string file;         ///< in the store; empty for a link
  std::string link_target;  ///< of a link, below the directory of libraries
  std::vector<std::string> needed;
};

/// What was taken of one twin package.
struct UnpackedTwin {
  std::vector<Program> programs;
  std::vector<Library> libraries;
};

/// The image.
struct ImageRoot {
  const base::RootDirectory &root;
  std::string path;  ///< of the host's file system
  sandbox::ElfIdentity identity;
};

/// One package to be unpacked.
struct TwinPackage {
  std::string_view name;  ///< with its version decides what of it is a tool
  std::string_view version;
  std::string_view subject;  ///< for errors: "dash_0.5.12-2_amd64"
  std::string directory;     ///< of its own below the store, to be made
};

class Store {
 public:
  /// `path` is an empty directory of the host's file system, `architecture` the one of the twins. @throws Error
  Store(const std::string &path, std::string_view architecture);

  /// Takes out of a package what twins need. Safe to call from several threads with different directories.
  /// @throws Error of kind package
  [[nodiscard]] UnpackedTwin unpack(const base::VerifiedFile &package, const TwinPackage &twin) const;

  /// Puts a twin's libraries where programs find them. @throws Error
  void add_libraries(const UnpackedTwin &twin);

  /// What to lay over the image for `program`, which gets owner, mode and time of what it covers. Nothing when it lacks
  /// a library, or when there is no such program of the image. @throws Error
  [[nodiscard]] std::vector<sandbox::ReadOnlyBind> cover(const ImageRoot &image, const Program &program) const;

  /// Where the directory that scripts see lies.
  [[nodiscard]] std::string shown_path() const;

 private:
  void take(const deb::Entry &entry, const deb::BodyReader &body, const TwinPackage &twin, UnpackedTwin &out) const;
  void take_program(const deb::Entry &entry, const TwinPackage &twin, const std::string &bytes, const ElfFile &elf,
                    UnpackedTwin &out) const;
  void take_link(const deb::Entry &entry, const TwinPackage &twin, UnpackedTwin &out) const;
  [[nodiscard]] bool can_start(const Program &program) const;

  std::string path_;
  base::RootDirectory directory_;
  std::string tuple_;
  sandbox::ElfIdentity identity_;
  std::map<std::string, std::vector<std::string>, std::less<>> needed_;  ///< of libraries, by name without directory
};

}  // namespace debroot::twins
