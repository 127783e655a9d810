/// mmdebstrap's special hooks, the half inside the root: copy-in, copy-out, sync-in, sync-out, tar-in, tar-out, upload
/// and download (mmdebstrap(1), HOOKS). The other half, serve_hook_requests, opens the files of the outside.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "customize/hook_wire.hpp"

namespace debroot::customize {

/// Whether a hook's command begins with one of the verbs and a blank.
[[nodiscard]] bool is_special_verb(std::string_view command) noexcept;

struct SpecialVerbContext {
  const base::RootDirectory &root;
  HookWire &wire;
  const std::vector<std::string> &skips;  ///< `VERB/mknod` leaves devices out of what the verb brings in
  std::function<void(const std::string &)> on_warning;
};

/// Runs one verb; `words` are the verb and its paths. Paths inside never lead out of the root, links and `..` included;
/// those outside are told to the other half as they are. @throws Error of kind usage for an unknown verb or a wrong
/// number of paths, of kind script for all else, of which the other half has been told
void run_special_verb(const SpecialVerbContext &context, const std::vector<std::string> &words);

}  // namespace debroot::customize
