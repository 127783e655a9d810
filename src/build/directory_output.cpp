#include "build/directory_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/beneath.hpp"
#include "base/fd.hpp"
#include "pack/directory.hpp"

namespace debroot::build {
namespace {

Error failed(const std::string &path, int errno_value) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot make the directory '{}'", path));
}

}  // namespace

DirectoryOutput::DirectoryOutput(DirectoryOutput &&other) noexcept { *this = std::move(other); }

DirectoryOutput &DirectoryOutput::operator=(DirectoryOutput &&other) noexcept {
  std::swap(path_, other.path_);
  std::swap(is_made_here_, other.is_made_here_);
  std::swap(is_filled_, other.is_filled_);
  return *this;
}

DirectoryOutput::~DirectoryOutput() {
  if (is_made_here_) ::rmdir(path_.c_str());
}

DirectoryOutput DirectoryOutput::open(const std::string &path, bool allows_filled) {
  pack::check_directory_target(path, allows_filled);
  DirectoryOutput out;
  out.path_ = path;
  if (::mkdir(path.c_str(), 0755) == 0) {
    out.is_made_here_ = true;
  } else if (errno != EEXIST) {
    throw failed(path, errno);
  }
  char *absolute = ::realpath(path.c_str(), nullptr);
  if (absolute == nullptr) throw failed(path, errno);
  out.path_ = absolute;
  ::free(absolute);
  base::Fd directory = base::open_file(out.path_, O_RDONLY | O_DIRECTORY);
  for (const std::string &name : base::list_directory(directory.get())) {
    if (name != "lost+found") out.is_filled_ = true;
  }
  return out;
}

}  // namespace debroot::build
