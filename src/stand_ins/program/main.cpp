/// debroot-stand-ins: does for some tools of maintainer scripts what they do on a first installation, without starting
/// perl or a shell. debroot lays it over the tool; every other call uncovers the tool and becomes it.
#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "stand_ins/program/call.hpp"
#include "stand_ins/program/tools.hpp"

namespace {

using debroot::stand_ins::Call;
using debroot::stand_ins::Dialect;

/// debroot writes the dialect over the last character (stand_ins::with_dialect).
#define DIALECT_MARKER "debroot stand-in, dialect "
static_assert(debroot::stand_ins::kDialectMarker == DIALECT_MARKER);
volatile const char kMarked[] = DIALECT_MARKER "?";

Dialect written_dialect() { return static_cast<Dialect>(kMarked[sizeof(kMarked) - 2]); }

struct Tool {
  std::string_view name;
  std::optional<int> (*run)(const Call &);
};
constexpr std::array kTools = {Tool{"dpkg-maintscript-helper", debroot::stand_ins::run_maintscript_helper},
                               Tool{"deb-systemd-helper", debroot::stand_ins::run_systemd_helper},
                               Tool{"update-rc.d", debroot::stand_ins::run_update_rc_d},
                               Tool{"adduser", debroot::stand_ins::run_adduser},
                               Tool{"addgroup", debroot::stand_ins::run_adduser},
                               Tool{"update-ca-certificates", debroot::stand_ins::run_update_ca_certificates}};

/// Becomes the tool, which is at the same path in a view of its own. Returns only when that failed.
void become_tool(const char *path, char **arguments) {
  bool is_uncovered = ::unshare(CLONE_NEWNS) == 0 && ::umount2(path, MNT_DETACH) == 0;
  if (is_uncovered) ::execve(path, arguments, environ);
  std::fprintf(stderr, "%s: cannot be started behind debroot's stand-in: %s\n", path, std::strerror(errno));
}

}  // namespace

int main(int count, char **arguments) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells the address as a number
  const auto *path = reinterpret_cast<const char *>(::getauxval(AT_EXECFN));
  Call call{path, {}, written_dialect()};
  for (int i = 1; i < count; ++i) call.arguments.emplace_back(arguments[i]);
  std::string_view name(path);
  name.remove_prefix(name.rfind('/') + 1);
  for (const Tool &tool : kTools) {
    if (tool.name != name) continue;
    if (std::optional<int> status = tool.run(call)) return *status;
  }
  become_tool(path, arguments);
  return 126;
}
