#include "sandbox/quiet_sync.hpp"

#include <seccomp.h>

#include <array>
#include <memory>

namespace debroot::sandbox {
namespace {

constexpr std::array kSyncCalls = {SCMP_SYS(fsync),  SCMP_SYS(fdatasync),       SCMP_SYS(sync),
                                   SCMP_SYS(syncfs), SCMP_SYS(sync_file_range), SCMP_SYS(sync_file_range2)};

/// Conventions that a 64-bit kernel may serve beside the native one.
void add_compatible(scmp_filter_ctx filter) noexcept {
  switch (::seccomp_arch_native()) {
    case SCMP_ARCH_X86_64:
      ::seccomp_arch_add(filter, SCMP_ARCH_X86);
      ::seccomp_arch_add(filter, SCMP_ARCH_X32);
      break;
    case SCMP_ARCH_AARCH64:
      ::seccomp_arch_add(filter, SCMP_ARCH_ARM);
      break;
    case SCMP_ARCH_MIPSEL64:
      ::seccomp_arch_add(filter, SCMP_ARCH_MIPSEL);
      ::seccomp_arch_add(filter, SCMP_ARCH_MIPSEL64N32);
      break;
    case SCMP_ARCH_PPC64:
      ::seccomp_arch_add(filter, SCMP_ARCH_PPC);
      break;
    case SCMP_ARCH_S390X:
      ::seccomp_arch_add(filter, SCMP_ARCH_S390);
      break;
    default:
      break;
  }
}

}  // namespace

bool install_quiet_sync() noexcept {
  scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return false;
  // calls of a convention that is not listed pass as they are
  ::seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
  ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
  // kernels before 5.16 else slow every filtered process down against a side channel that does not matter here
  ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
  add_compatible(filter);
  // a call that one of the conventions lacks is skipped there
  for (int call : kSyncCalls) ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), call, 0);
  bool is_loaded = ::seccomp_load(filter) == 0;
  ::seccomp_release(filter);
  return is_loaded;
}

}  // namespace debroot::sandbox
