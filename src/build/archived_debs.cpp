#include "build/archived_debs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace debroot::build {
namespace {

/// apt's QuoteString with "_:".
std::string quoted(const std::string &text) {
  std::string out;
  for (char c : text) {
    bool is_plain = c != '_' && c != ':' && c != '%' && c > ' ' && c < '\x7f';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

void copy_file(int from, const base::RootDirectory &root, const std::string &path) {
  base::Fd into = root.open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  std::vector<char> buffer(std::size_t{256} * 1024);
  off_t at = 0;
  while (true) {
    ssize_t got = ::pread(from, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::os_error(ErrorKind::package, errno, fmt::format("cannot copy '{}' into the root", path));
    if (got == 0) return;
    base::write_all(into.get(), {buffer.data(), static_cast<std::size_t>(got)}, path);
    at += got;
  }
}

}  // namespace

std::string deb_file_name(const PackageId &id) {
  return fmt::format("{}_{}_{}.deb", quoted(id.name), quoted(id.version), quoted(id.architecture));
}

ArchivedDebs::ArchivedDebs(const base::RootDirectory &root, const InstallPlan &plan,
                           const std::vector<std::uint32_t> &numbers,
                           const std::function<base::VerifiedFile(std::uint32_t)> &take)
    : root_(root) {
  if (!numbers.empty()) root.make_directories("/var/cache/apt/archives");
  for (std::uint32_t number : numbers) {
    std::string path = fmt::format("/var/cache/apt/archives/{}", deb_file_name(plan.packages[number].id));
    paths_.push_back(path);
    if (root.exists(path)) continue;
    base::VerifiedFile file = take(number);
    copy_file(file.fd().get(), root, path);
    copied_.push_back(path);
  }
}

void ArchivedDebs::remove() const {
  for (const std::string &path : copied_) root_.remove_file(path);
}

}  // namespace debroot::build
