#include "twins/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>

#include "debroot/error.hpp"
#include "twins/location.hpp"
#include "twins/tools.hpp"

namespace debroot::twins {
namespace {

/// The directory that scripts see, below the store.
constexpr std::string_view kShown = "shown";
/// Largest file that is taken; libcrypto, the largest in use, has 5 MB.
constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20;

std::string_view base_name(std::string_view path) noexcept { return path.substr(path.rfind('/') + 1); }

/// Name below the directory of libraries for a path of the package; nothing for what is no library. Private libraries,
/// in directories that a foreign image has too, go to the top: the loader passes over foreign ones on its way there.
std::optional<std::string> library_name(std::string_view path, std::string_view tuple) {
  if (std::optional<std::string_view> name = below_libraries(path, tuple)) return std::string(*name);
  bool is_private = path.starts_with("/lib/") || path.starts_with("/usr/lib/");
  std::string_view name = base_name(path);
  if (is_private && name.starts_with("lib") && name.find(".so") != std::string_view::npos) return std::string(name);
  return std::nullopt;
}

std::string whole_body(const deb::Entry &entry, const deb::BodyReader &body) {
  std::string bytes;
  bytes.reserve(entry.size_bytes);
  for (std::string_view piece = body(); !piece.empty(); piece = body()) bytes += piece;
  return bytes;
}

/// Where a program of the image has its twin in the store. No two tools have one name.
std::string shown_file(std::string_view directory, std::string_view path) {
  return fmt::format("{}/{}/{}", kShown, directory, base_name(path));
}

/// A script that leaves the calls for which `emulated_calls` succeeds to the image's own `program`.
std::string divider(std::string_view program, std::string_view emulated_calls) {
  return fmt::format("#!/bin/sh\nif {0}; then\n  exec {1}/{3}/{4} \"$@\"\nfi\nexec {1}/{2}/{4} \"$@\"\n",
                     emulated_calls, kDirectory, kPartial, kOwn, program);
}

/// Makes a program look like the one it covers, as far as `stat` and `test` tell.
void copy_attributes(const base::RootDirectory &directory, const std::string &file, const struct stat &covered) {
  directory.set_owner(file, covered.st_uid, covered.st_gid);
  directory.set_mode(file, covered.st_mode & 07777);
  timespec times[2] = {covered.st_mtim, covered.st_mtim};
  ::futimens(directory.open_file(file, O_RDONLY).get(), times);
}

bool begins_as(const base::RootDirectory &root, const std::string &path, const sandbox::ElfIdentity &identity) {
  constexpr std::size_t kHead = 64;
  std::array<char, kHead> head{};
  base::Fd file = root.open_file(path, O_RDONLY);
  ssize_t got = ::pread(file.get(), head.data(), head.size(), 0);
  return got > 0 && has_identity(std::string_view(head.data(), static_cast<std::size_t>(got)), identity);
}

}  // namespace

Store::Store(const std::string &path, std::string_view architecture)
    : path_(path), directory_(base::RootDirectory::open(path)) {
  std::optional<std::string_view> tuple = library_tuple(architecture);
  std::optional<sandbox::ElfIdentity> identity = sandbox::elf_identity(architecture);
  if (!tuple || !identity) throw Error(ErrorKind::internal, fmt::format("there are no twins of '{}'", architecture));
  tuple_ = *tuple;
  identity_ = *identity;
  for (std::string_view name : {kLibraries, kPrograms, kPartial, kOwn}) {
    directory_.make_directories(fmt::format("{}/{}", kShown, name));
  }
}

std::string Store::shown_path() const { return fmt::format("{}/{}", path_, kShown); }

UnpackedTwin Store::unpack(const base::VerifiedFile &package, const TwinPackage &twin) const {
  UnpackedTwin out;
  directory_.make_directories(twin.directory);
  deb::read_data(package, twin.subject, [&](const deb::Entry &entry, const deb::BodyReader &body) {
    if (entry.kind == deb::EntryKind::file) take(entry, body, twin, out);
    if (entry.kind == deb::EntryKind::symlink || entry.kind == deb::EntryKind::hard_link) take_link(entry, twin, out);
  });
  return out;
}

void Store::take(const deb::Entry &entry, const deb::BodyReader &body, const TwinPackage &twin,
                 UnpackedTwin &out) const {
  bool is_program = is_tool(twin.name, twin.version, entry.path) || !emulated_calls(twin.name, entry.path).empty();
  std::optional<std::string> library = library_name(entry.path, tuple_);
  if ((!is_program && !library) || entry.size_bytes > kLargestFile) return;
  std::string bytes = whole_body(entry, body);
  std::optional<ElfFile> elf = read_elf(bytes, identity_);
  if (is_program && (!elf || elf->interpreter.empty())) return;  // a script, or static and therefore of no need
  // a library that is a program too is known by its name, so its loader need not be found
  std::string_view interpreter = is_program ? std::string_view(elf->interpreter) : std::string_view();
  if (elf && !relocate(bytes, tuple_, interpreter)) return;
  if (is_program) {
    take_program(entry, twin, bytes, *elf, out);
    return;
  }
  std::string file = fmt::format("{}/{}", twin.directory, out.libraries.size());
  directory_.write(file, bytes, elf ? 0755 : 0644);
  out.libraries.push_back({*library, file, {}, elf ? elf->needed : std::vector<std::string>()});
}

void Store::take_program(const deb::Entry &entry, const TwinPackage &twin, const std::string &bytes, const ElfFile &elf,
                         UnpackedTwin &out) const {
  Program program{entry.path, shown_file(kPrograms, entry.path), elf.interpreter, elf.needed};
  std::string_view calls = emulated_calls(twin.name, entry.path);
  if (calls.empty()) {
    directory_.write(program.file, bytes, 0755);
  } else {
    directory_.write(shown_file(kPartial, entry.path), bytes, 0755);
    program.own = shown_file(kOwn, entry.path);
    directory_.write(program.own, "");
    directory_.write(program.file, divider(base_name(entry.path), calls), 0755);
  }
  out.programs.push_back(std::move(program));
}

void Store::take_link(const deb::Entry &entry, const TwinPackage &twin, UnpackedTwin &out) const {
  namespace fs = std::filesystem;
  if (is_tool(twin.name, twin.version, entry.path)) {
    if (entry.kind != deb::EntryKind::hard_link) return;
    auto same = std::find_if(out.programs.begin(), out.programs.end(),
                             [&](const Program &program) { return program.path == entry.link_target; });
    if (same == out.programs.end()) return;
    Program copy = *same;
    copy.path = entry.path;
    out.programs.push_back(std::move(copy));
    return;
  }
  std::optional<std::string> name = library_name(entry.path, tuple_);
  fs::path target = (fs::path(entry.path).parent_path() / entry.link_target).lexically_normal();
  std::optional<std::string> target_name = library_name(target.string(), tuple_);
  if (name && target_name) out.libraries.push_back({*name, {}, *target_name, {std::string(base_name(*target_name))}});
}

void Store::add_libraries(const UnpackedTwin &twin) {
  for (const Library &library : twin.libraries) {
    std::string path = fmt::format("{}/{}/{}", kShown, kLibraries, library.name);
    directory_.make_directories(path.substr(0, path.rfind('/')));
    if (library.file.empty()) {
      directory_.remove_file(path);
      directory_.make_link(path, fmt::format("{}/{}/{}", kDirectory, kLibraries, library.link_target));
    } else {
      directory_.rename(library.file, path);
    }
    needed_.insert_or_assign(std::string(base_name(library.name)), library.needed);
  }
}

bool Store::can_start(const Program &program) const {
  std::set<std::string_view> seen;
  std::vector<std::string_view> wanted(program.needed.begin(), program.needed.end());
  wanted.push_back(base_name(program.interpreter));
  while (!wanted.empty()) {
    std::string_view name = wanted.back();
    wanted.pop_back();
    if (!seen.insert(name).second) continue;
    auto found = needed_.find(name);
    if (found == needed_.end()) return false;
    wanted.insert(wanted.end(), found->second.begin(), found->second.end());
  }
  return true;
}

std::vector<sandbox::ReadOnlyBind> Store::cover(const ImageRoot &image, const Program &program) const {
  std::optional<struct stat> covered = image.root.status(program.path);
  bool is_like = covered && S_ISREG(covered->st_mode) && begins_as(image.root, program.path, image.identity);
  if (!is_like || !can_start(program)) return {};
  std::vector<sandbox::ReadOnlyBind> out;
  if (!program.own.empty()) {
    std::string own = image.path + program.path;
    struct stat outside {};
    // a link on the way may lead elsewhere for whom the image is not the root
    bool is_same =
        ::stat(own.c_str(), &outside) == 0 && outside.st_ino == covered->st_ino && outside.st_dev == covered->st_dev;
    if (!is_same) return {};
    out.push_back({own, fmt::format("{}/{}/{}", kDirectory, kOwn, base_name(program.path))});
  }
  copy_attributes(directory_, program.file, *covered);
  std::string loader = fmt::format("{}/{}", kShown, kLoader);
  if (!directory_.exists(loader)) {
    directory_.make_link(loader, fmt::format("{}/{}", kLibraries, base_name(program.interpreter)));
  }
  out.push_back({fmt::format("{}/{}", path_, program.file), program.path});
  return out;
}

}  // namespace debroot::twins
