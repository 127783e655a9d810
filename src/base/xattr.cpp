#include "base/xattr.hpp"

#include <fmt/format.h>
#include <sys/types.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

#include "base/fd.hpp"

namespace debroot::base {
namespace {

constexpr std::size_t kFirstGuessBytes = 1024;

using Call = std::function<ssize_t(char *buffer, std::size_t size)>;

/// What `call` gives, in a buffer that is large enough; false, with errno set, when it fails.
bool read_grown(const Call &call, std::string &out) {
  out.resize(kFirstGuessBytes);
  while (true) {
    ssize_t length = call(out.data(), out.size());
    if (length >= 0) {
      out.resize(static_cast<std::size_t>(length));
      return true;
    }
    if (errno != ERANGE) return false;
    ssize_t needed = call(nullptr, 0);
    if (needed < 0) return false;
    out.resize(std::max(static_cast<std::size_t>(needed), out.size()) * 2);
  }
}

Error refused(std::string_view subject) {
  return os_error(ErrorKind::output, errno, fmt::format("cannot read the attributes of '{}'", subject));
}

template <class GetCall>
std::vector<ExtendedAttribute> collect(const std::string &names, std::string_view subject, const GetCall &get) {
  std::vector<ExtendedAttribute> attributes;
  for (std::size_t at = 0; at < names.size();) {
    std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!is_image_attribute(name)) continue;
    ExtendedAttribute attribute{name, {}};
    if (!read_grown([&](char *buffer, std::size_t size) { return get(name.c_str(), buffer, size); }, attribute.value)) {
      throw refused(subject);
    }
    attributes.push_back(std::move(attribute));
  }
  std::sort(attributes.begin(), attributes.end(),
            [](const ExtendedAttribute &a, const ExtendedAttribute &b) { return a.name < b.name; });
  return attributes;
}

}  // namespace

bool is_image_attribute(std::string_view name) noexcept {
  if (name == "security.capability" || name == "system.posix_acl_access" || name == "system.posix_acl_default") {
    return true;
  }
  if (name.starts_with("trusted.")) return !name.starts_with("trusted.SGI_");
  return name.starts_with("user.");
}

std::vector<ExtendedAttribute> image_attributes(int fd, std::string_view subject) {
  // nearly every file has none (or just a label): asked on the stack, without an allocation
  std::array<char, kFirstGuessBytes> some{};
  ssize_t length = ::flistxattr(fd, some.data(), some.size());
  if (length == 0 || (length < 0 && errno == ENOTSUP)) return {};
  std::string names;
  if (length > 0) {
    names.assign(some.data(), static_cast<std::size_t>(length));
  } else if (!read_grown([fd](char *buffer, std::size_t size) { return ::flistxattr(fd, buffer, size); }, names)) {
    throw refused(subject);
  }
  return collect(names, subject, [fd](const char *name, char *buffer, std::size_t size) {
    return ::fgetxattr(fd, name, buffer, size);
  });
}

std::vector<ExtendedAttribute> image_attributes_at(int directory, const std::string &name, std::string_view subject) {
  std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
  std::string names;
  if (!read_grown([&](char *buffer, std::size_t size) { return ::llistxattr(path.c_str(), buffer, size); }, names)) {
    if (errno == ENOTSUP || errno == ENOENT) return {};
    throw refused(subject);
  }
  return collect(names, subject, [&path](const char *attribute, char *buffer, std::size_t size) {
    return ::lgetxattr(path.c_str(), attribute, buffer, size);
  });
}

}  // namespace debroot::base
