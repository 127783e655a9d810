/// What stands below /dev in every image: enough to enter it with chroot; a booted machine mounts its own /dev over it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/beneath.hpp"
#include "pack/tree_sink.hpp"

namespace debroot::pack {

/// mmdebstrap's list in its order (mmdebstrap(1), "output/dev"): `./dev/`, then fourteen entries below it, all with the
/// time `mtime_seconds`.
[[nodiscard]] std::vector<TreeEntry> device_entries(std::int64_t mtime_seconds);

/// Whether this process can make device nodes in `root` and use them; tries it.
[[nodiscard]] bool may_make_nodes(const base::RootDirectory &root);

/// Makes those entries in `root`, where something else may stand already, which stays. A device node that this process
/// may not make (in a user namespace nobody may) is left out, and false returned. @throws Error of kind output
bool make_devices(const base::RootDirectory &root, bool with_nodes);

/// Takes away what make_devices made and leaves what became of it meanwhile; /dev keeps the time it has.
void remove_devices(const base::RootDirectory &root);

}  // namespace debroot::pack
