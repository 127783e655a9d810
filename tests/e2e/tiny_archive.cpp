#include "e2e/tiny_archive.hpp"

#include <elf.h>

#include <cstring>

#include "base/fd.hpp"
#include "debian/architecture.hpp"

namespace debroot::e2e {
namespace {

/// A program is static when nothing in it names a dynamic loader.
bool is_static(const std::string &path) {
  std::string bytes = base::read_file(path);
  Elf64_Ehdr header{};
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    std::size_t at = header.e_phoff + std::size_t{i} * header.e_phentsize;
    if (at + sizeof(segment) > bytes.size()) return false;
    std::memcpy(&segment, bytes.data() + at, sizeof(segment));
    if (segment.p_type == PT_INTERP) return false;
  }
  return true;
}

test::DebBuilder essential(const std::string &name) {
  return package(name).field("Essential", "yes").field("Priority", "required");
}

test::DebBuilder base_files() {
  test::DebBuilder out = essential("base-files");
  for (const char *directory : {"bin", "sbin", "usr/bin", "usr/sbin", "proc", "sys", "dev", "run", "var/log", "home"}) {
    out.directory(directory);
  }
  out.directory("root", {.mode = 0700}).directory("tmp", {.mode = 01777});
  out.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\n");
  out.file("etc/group", "root:x:0:\nnogroup:x:65534:\n");
  out.conffile("etc/issue", "Tiny\n").file("etc/debian_version", "1.0\n");
  return out.data_packing(test::Packing::gzip);
}

test::DebBuilder shell() {
  test::DebBuilder out = essential("shell");
  out.file("bin/busybox", base::read_file(static_busybox().value()), {.mode = 0755});
  for (const char *name :
       {"sh",   "cat", "chmod",    "chown", "cp",   "env", "false", "grep", "hostname", "id",    "head",
        "ls",   "ln",  "cut",      "mkdir", "mv",   "ps",  "rm",    "sed",  "seq",      "sleep", "sort",
        "stat", "tee", "readlink", "touch", "true", "tr",  "wc",    "yes",  "umask"}) {
    out.symlink("bin/" + std::string(name), "busybox");
  }
  return out.data_packing(test::Packing::zstd);
}

}  // namespace

const std::string &architecture() {
  static const std::string name(debian::host_architecture());
  return name;
}

std::optional<std::string> static_busybox() {
  for (const char *path : {"/bin/busybox", "/usr/bin/busybox"}) {
    try {
      if (is_static(path)) return path;
    } catch (const std::exception &) {
      // not there
    }
  }
  return std::nullopt;
}

test::DebBuilder package(const std::string &name, const std::string &version) {
  return test::DebBuilder(name, version, architecture()).field("Priority", "optional");
}

void add_base(test::ArchiveBuilder &archive) {
  std::string suite(kSuite);
  archive.suite(suite).architectures = {architecture()};
  archive.suite(suite).packings = {test::Packing::gzip};
  archive.add(suite, "main", base_files());
  archive.add(suite, "main", shell());
  archive.add(suite, "main",
              package("apt").field("Priority", "important").file("usr/bin/apt", "#!/bin/sh\n", {.mode = 0755}));
  archive.add(suite, "main", package("hello").file("usr/share/hello/greeting", "hello\n"));
}

}  // namespace debroot::e2e
