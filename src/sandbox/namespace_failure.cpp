#include "sandbox/namespace_failure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::sandbox {
namespace {

std::optional<std::int64_t> read_switch(const char *path) {
  base::Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::array<char, 32> text{};
  ssize_t got = ::read(fd.get(), text.data(), text.size());
  if (got <= 0) return std::nullopt;
  auto number = base::parse_number(base::trim(std::string_view(text.data(), static_cast<std::size_t>(got))));
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

/// True when '/' is no mount, or not the root of the first process as far as that can be seen.
bool is_chrooted() {
  struct statx root {};
  bool knows_mounts =
      ::statx(AT_FDCWD, "/", 0, 0, &root) == 0 && (root.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
  if (knows_mounts && (root.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return true;
  struct stat own {};
  struct stat first {};
  if (::stat("/", &own) != 0 || ::stat("/proc/1/root/", &first) != 0) return false;
  return own.st_dev != first.st_dev || own.st_ino != first.st_ino;
}

std::string_view step_sentence(NamespaceStep step) {
  switch (step) {
    case NamespaceStep::ready:
      break;
    case NamespaceStep::user_namespace:
      return "cannot make a user namespace";
    case NamespaceStep::id_map:
      return "cannot map user and group ids into the user namespace";
    case NamespaceStep::identity:
      return "cannot become root of the user namespace";
    case NamespaceStep::other_namespaces:
      return "cannot make mount, ipc and uts namespaces";
    case NamespaceStep::propagation:
      return "cannot make the mounts of the build private";
    case NamespaceStep::hostname:
      return "cannot set the host name of the build";
    case NamespaceStep::body:
      return "cannot start the builder process";
  }
  return "cannot start the builder process";
}

Error apparmor_error(const NamespaceFacts &facts) {
  return Error(ErrorKind::sandbox, "AppArmor takes the rights of user namespaces away on this host")
      .detail("got", "kernel.apparmor_restrict_unprivileged_userns = 1")
      .hint(fmt::format("as root: printf 'abi <abi/4.0>,\\nprofile debroot {} flags=(unconfined) {{ userns, }}\\n' > "
                        "/etc/apparmor.d/debroot && apparmor_parser -r /etc/apparmor.d/debroot; or: sysctl -w "
                        "kernel.apparmor_restrict_unprivileged_userns=0",
                        facts.program.empty() ? "/usr/bin/debroot" : facts.program));
}

/// A reason that the switches give for a user namespace being refused.
std::optional<Error> user_namespace_reason(const NamespaceFacts &facts, int errno_value) {
  bool is_refused = errno_value == EPERM || errno_value == EACCES;
  if (errno_value == ENOSPC && facts.max_user_namespaces == 0) {
    return Error(ErrorKind::sandbox, "user namespaces are switched off on this host")
        .detail("got", "user.max_user_namespaces = 0")
        .hint("as root: sysctl -w user.max_user_namespaces=15000");
  }
  if (errno_value == ENOSPC || errno_value == EUSERS) {
    return Error(ErrorKind::sandbox, "no further user namespace can be made: a limit of their number or nesting is met")
        .hint("as root: raise the sysctl user.max_user_namespaces, or run outside of nested containers");
  }
  if (errno_value == EINVAL) {
    return Error(ErrorKind::sandbox, "this kernel was built without user namespaces").hint("run as root");
  }
  if (!is_refused) return std::nullopt;
  if (!facts.is_root && facts.unprivileged_userns_clone == 0) {
    return Error(ErrorKind::sandbox, "ordinary users may not make user namespaces on this host")
        .detail("got", "kernel.unprivileged_userns_clone = 0")
        .hint("as root: sysctl -w kernel.unprivileged_userns_clone=1");
  }
  if (!facts.is_root && facts.apparmor_restriction == 1) return apparmor_error(facts);
  if (facts.is_in_chroot) {
    return Error(ErrorKind::sandbox, "a user namespace cannot be made inside a chroot")
        .hint("run outside of the chroot");
  }
  return Error(ErrorKind::sandbox, "user namespaces are refused, as containers and service managers do")
      .hint("allow them to the container (its seccomp profile refuses the system call unshare), or run outside of it");
}

}  // namespace

NamespaceFacts read_namespace_facts() {
  NamespaceFacts facts;
  facts.is_root = ::geteuid() == 0;
  facts.is_in_chroot = is_chrooted();
  facts.unprivileged_userns_clone = read_switch("/proc/sys/kernel/unprivileged_userns_clone");
  facts.max_user_namespaces = read_switch("/proc/sys/user/max_user_namespaces");
  facts.apparmor_restriction = read_switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  std::array<char, 4096> program{};
  ssize_t length = ::readlink("/proc/self/exe", program.data(), program.size());
  if (length > 0) facts.program.assign(program.data(), static_cast<std::size_t>(length));
  return facts;
}

Error explain_namespace_failure(const NamespaceFacts &facts, NamespaceStep step, int errno_value) {
  bool is_refused = errno_value == EPERM || errno_value == EACCES;
  if (step == NamespaceStep::user_namespace) {
    if (auto reason = user_namespace_reason(facts, errno_value)) return *std::move(reason);
  } else if (is_refused && !facts.is_root && facts.apparmor_restriction == 1) {
    // Ubuntu lets the namespace be made and then refuses every use of its capabilities
    return apparmor_error(facts);
  } else if (is_refused && facts.is_root && step == NamespaceStep::other_namespaces) {
    return Error(ErrorKind::sandbox, "root may not make mount namespaces here: CAP_SYS_ADMIN is missing")
        .hint("start the container with --privileged or --cap-add=SYS_ADMIN, or run as an ordinary user");
  } else if (errno_value == ENOSPC && step == NamespaceStep::other_namespaces) {
    return Error(ErrorKind::sandbox,
                 "no further mount, ipc or uts namespace can be made: a limit of their number is met")
        .hint("as root: raise the sysctls user.max_mnt_namespaces, user.max_ipc_namespaces, user.max_uts_namespaces");
  }
  return base::os_error(ErrorKind::sandbox, errno_value, step_sentence(step));
}

Error missing_map_helper(std::string_view name) {
  return Error(ErrorKind::sandbox, fmt::format("cannot find '{}', which maps subordinate ids", name))
      .hint("install it; on Debian: apt install uidmap");
}

Error refused_map(std::string_view program, int exit_status, std::string_view output) {
  Error error(ErrorKind::sandbox, fmt::format("'{}' refused the map of ids with status {}", program, exit_status));
  for (std::string_view line : base::split(base::trim(output), '\n')) error.detail("output", std::string(line));
  return error;
}

}  // namespace debroot::sandbox
