/// From `--mirror` (or the suite's defaults) to the files of apt's sources in the image.
#pragma once

#include <string>
#include <vector>

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"
#include "plan/options.hpp"

namespace debroot::plan {

struct MirrorRequest {
  std::string suite;
  std::string architecture;
  std::vector<std::string> components;  ///< of URIs and of the default sources
  std::vector<std::string> mirrors;     ///< as given; empty: the suite's own archive
  SourcesRule rule{};
};

/// Sources files named and merged as mmdebstrap does it: neighbouring texts of one style become one file, the first
/// one-line text is /etc/apt/sources.list, every other is sources.list.d/NNNN. Warnings (a file that names no source)
/// are appended to `warnings`. @throws Error of kind usage
[[nodiscard]] std::vector<SourcesFile> make_sources(const MirrorRequest &request, const HostFacts &host,
                                                    std::vector<std::string> &warnings);

}  // namespace debroot::plan
