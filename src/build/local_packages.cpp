#include "build/local_packages.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "build/package_entry.hpp"
#include "deb/archive.hpp"
#include "verify/digest_check.hpp"

namespace debroot::build {
namespace {

/// The stanza that an archive's index would have for this file.
std::string index_stanza(const std::string &path) {
  base::Fd fd = base::open_file(path, O_RDONLY);
  std::uint64_t size_bytes = 0;
  std::string digest = base::hash_of_file(base::HashKind::sha256, fd.get(), &size_bytes);
  base::VerifiedFile file = verify::check_file(base::UntrustedFile(std::move(fd)), digest, size_bytes, path);
  deb::ControlArchive control = deb::read_control(file, path);
  std::string text(base::trim(control.find("control")->content));
  return fmt::format("{}\nFilename: {}\nSize: {}\nSHA256: {}\n", text, path.substr(1), size_bytes, digest);
}

}  // namespace

bool is_local_package(const std::string &include) noexcept { return !include.empty() && include[0] == '/'; }

std::vector<debian::PackageRef> add_local_packages(debian::PackageIndex &index, const std::vector<std::string> &paths) {
  std::vector<debian::PackageRef> out;
  for (const std::string &path : paths) {
    auto text = std::make_shared<const std::string>(index_stanza(path));
    debian::PackageSource source;
    source.archive_root = "file://";
    source.requested = "local";
    std::uint32_t number = index.add_source(std::move(source));
    debian::BinaryPackage package = package_entry(*text, number, path);
    std::string_view name = package.name;
    index.keep(std::move(text));
    index.add(std::move(package));
    // the same package may also be in an archive: then that entry has gained a source
    for (debian::PackageRef ref : index.named(name)) {
      if (index.at(ref).sources.back() == number) out.push_back(ref);
    }
  }
  return out;
}

}  // namespace debroot::build
