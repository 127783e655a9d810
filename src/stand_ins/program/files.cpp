#include "stand_ins/program/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace debroot::stand_ins {
namespace {

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

bool is_there(const std::string &path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool exists(const std::string &path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

bool is_file(const std::string &path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_directory(const std::string &path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_link(const std::string &path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

bool is_executable(const std::string &path) noexcept { return ::eaccess(path.c_str(), X_OK) == 0; }

std::optional<std::string> read_file(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat info {};
  std::optional<std::string> out;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    out.emplace();
    char chunk[8192];
    ssize_t got = 0;
    while ((got = ::read(fd, chunk, sizeof(chunk))) > 0) out->append(chunk, static_cast<std::size_t>(got));
    if (got < 0) out.reset();
  }
  ::close(fd);
  return out;
}

std::optional<std::vector<std::string>> names_in(const std::string &path) {
  DIR *directory = ::opendir(path.c_str());
  if (directory == nullptr) return std::nullopt;
  std::vector<std::string> out;
  while (const dirent *entry = ::readdir(directory)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
  ::closedir(directory);
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    out.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return out;
    std::size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    out.push_back(text.substr(begin, at - begin));
  }
}

std::string directory_of(const std::string &path) { return path.substr(0, path.rfind('/')); }

bool make_directories(const std::string &path) {
  if (path.empty() || is_directory(path)) return true;
  if (!make_directories(directory_of(path))) return false;
  return ::mkdir(path.c_str(), 0777) == 0 || is_directory(path);
}

bool replace_file(const std::string &path, std::string_view content) {
  std::string name = directory_of(path) + "/.stateXXXXXX.tmp";
  int fd = ::mkostemps(name.data(), 4, O_CLOEXEC);
  if (fd < 0) return false;
  bool is_done = ::fchmod(fd, 0644) == 0 && write_all(fd, content);
  is_done = ::close(fd) == 0 && is_done && ::rename(name.c_str(), path.c_str()) == 0;
  if (!is_done) ::unlink(name.c_str());
  return is_done;
}

bool touch_file(const std::string &path) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  return fd >= 0 && ::close(fd) == 0;
}

}  // namespace debroot::stand_ins
