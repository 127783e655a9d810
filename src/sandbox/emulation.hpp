/// Whether and how programs of another architecture run here.
///
/// Three ways, the first that holds: the kernel runs them itself; a static qemu-user is registered in a binfmt_misc of
/// the builder's own user namespace (Linux 6.7 and later), so that nothing needs to be registered on the host; the
/// host's registration serves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace debroot::sandbox {

/// A kernel release as far as decisions need it.
struct KernelVersion {
  unsigned major = 0;
  unsigned minor = 0;
  friend auto operator<=>(const KernelVersion &, const KernelVersion &) = default;
};

/// The first release in which a user namespace may mount its own binfmt_misc.
inline constexpr KernelVersion kOwnBinfmtKernel{6, 7};

/// Major and minor number of a release string ("6.1.0-37-amd64"); zeros when it is none.
[[nodiscard]] KernelVersion parse_kernel_version(std::string_view release) noexcept;
[[nodiscard]] KernelVersion running_kernel_version() noexcept;

enum class EmulationKind {
  native,             ///< the kernel runs the architecture itself
  own_registration,   ///< to be registered by `register_emulator` in the builder
  host_registration,  ///< the host's binfmt_misc has a handler that works in any root
};

/// How programs of `architecture` are to be run, for the build and for `doctor`.
struct Emulation {
  std::string architecture;
  EmulationKind kind = EmulationKind::native;
  std::string interpreter;  ///< path of the emulator; empty when native

  /// The user namespace that `start_builder` has to make even for root.
  [[nodiscard]] bool needs_own_binfmt() const noexcept { return kind == EmulationKind::own_registration; }
};

/// What decides, apart from the architecture.
struct EmulationFacts {
  bool runs_natively = false;
  KernelVersion kernel;
  std::optional<std::string> emulator;          ///< static qemu-user for the architecture
  std::optional<std::string> dynamic_emulator;  ///< one that is there but of no use, since it needs libraries
  std::optional<std::string> host_handler;      ///< text of /proc/sys/fs/binfmt_misc/qemu-X, if registered
};

/// Chooses. @throws Error of kind sandbox with what to install or start when there is no way
[[nodiscard]] Emulation choose_emulation(std::string_view architecture, const EmulationFacts &facts);

/// The facts of this host: tries a small program, looks for qemu-X-static and qemu-X in $PATH, the usual directories
/// and /usr/libexec/qemu-binfmt, and reads the host's registration. Forks, so it needs a process of one thread.
/// @throws Error of kind usage for an architecture that is not known
[[nodiscard]] EmulationFacts read_emulation_facts(std::string_view architecture);

/// `choose_emulation` with the facts of this host. @throws Error
[[nodiscard]] Emulation find_emulation(std::string_view architecture);

/// Text of a handler in binfmt_misc: enabled, with the emulator held open (flag F), so that it works in any root.
[[nodiscard]] bool is_usable_handler(std::string_view handler_text) noexcept;

/// The line that registers `interpreter` for `architecture` under `name`. @throws Error of kind internal for an
/// architecture whose programs debroot cannot tell
[[nodiscard]] std::string registration_line(std::string_view name, std::string_view architecture,
                                            std::string_view interpreter, std::string_view flags);

/// In the builder, which has a user namespace of its own: mounts its binfmt_misc over the empty directory
/// `mount_point` and registers the emulator, then tries it with a small program if there is one. The mount must stay
/// until the end: its removal drops the registration. @throws Error of kind sandbox
void register_emulator(const Emulation &emulation, const std::string &mount_point);

/// Runs the counting program of `architecture` with `arguments` arguments and returns its exit status; nothing when it
/// cannot be executed or there is none. Forks.
[[nodiscard]] std::optional<int> try_program(std::string_view architecture, unsigned arguments);

}  // namespace debroot::sandbox
