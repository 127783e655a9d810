/// Starting the builder: the process that is (mapped) root in namespaces of its own.
///
/// Two processes are made. The *keeper* sets the namespaces up and then only waits: when the caller dies, however it
/// dies, or asks for it, the keeper kills the builder and all that came from it and removes the staging directory. So
/// nothing stays behind even when the builder crashed or does not listen. The *builder* is the keeper's child and runs
/// the body. Neither survives the caller.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/channel.hpp"
#include "base/fd.hpp"
#include "sandbox/confinement.hpp"
#include "sandbox/id_map.hpp"

namespace debroot::sandbox {

/// What the builder's namespaces are to be.
struct NamespaceRequest {
  Confinement confinement = Confinement::namespaces;  ///< otherwise there are none, and the identity is the caller's
  std::optional<IdMap> id_map;                        ///< maps of a new user namespace; nothing: as root, without one
  std::string hostname = "debroot";  ///< of the new UTS namespace: what a script sees must not depend on the host
  std::vector<std::string> staging_directories;  ///< removed by the keeper at the end, whatever happened
  std::string output_directory;                  ///< emptied by the keeper unless the builder ended well; empty: none
};

/// The namespaces this caller needs: as root none of users, unless a foreign architecture `needs_own_binfmt` (then an
/// identity map); as user the map of its subordinate ids. @throws Error of kind sandbox
[[nodiscard]] NamespaceRequest choose_namespaces(bool needs_own_binfmt);

/// Tries, in a process of its own, what a build by root needs: namespaces and mounts in them. @return nothing when all
/// of it is allowed, else the step that is not, and why: "mount a new tmpfs: operation not permitted"
[[nodiscard]] std::optional<std::string> why_no_mounts();

/// The running builder. Destroying it kills what still runs and waits for the end of it.
class BuilderHandle {
 public:
  BuilderHandle() = default;
  BuilderHandle(pid_t keeper, base::Fd pidfd, base::Fd lifeline, base::Channel channel);
  BuilderHandle(BuilderHandle &&other) noexcept;
  BuilderHandle &operator=(BuilderHandle &&other) noexcept;
  BuilderHandle(const BuilderHandle &) = delete;
  BuilderHandle &operator=(const BuilderHandle &) = delete;
  ~BuilderHandle();

  /// Messages to and from the builder; reading ends with nothing once the builder is gone.
  [[nodiscard]] base::Channel &channel() noexcept { return channel_; }
  /// The keeper.
  [[nodiscard]] pid_t pid() const noexcept { return keeper_; }
  /// Becomes readable when everything has ended; for poll(2).
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  /// Tells the keeper to kill everything and clean up; returns at once.
  void kill() noexcept { lifeline_.reset(); }
  /// Waits for the end of the builder and the clean-up after it.
  /// @return what the body returned, or 128 + number of the signal that ended the builder. @throws Error
  int wait();

 private:
  friend BuilderHandle start_builder(const NamespaceRequest &request, const std::function<int(base::Channel)> &body);
  /// Tells the keeper that its ids are mapped.
  void release_keeper();

  pid_t keeper_ = -1;
  base::Fd pidfd_;
  base::Fd lifeline_;
  base::Channel channel_;
};

/// Forks keeper and builder and runs `body` in the latter, with its end of the channel. The caller must have one
/// thread; inherited descriptors stay open in the builder. `body` must not let exceptions out: one that does ends the
/// builder with status 1. In the body: uid and gid 0, no other groups, umask 022, default signal dispositions, mounts
/// private.
/// @throws Error of kind sandbox that names the step that failed and what to do about it
[[nodiscard]] BuilderHandle start_builder(const NamespaceRequest &request,
                                          const std::function<int(base::Channel)> &body);

}  // namespace debroot::sandbox
