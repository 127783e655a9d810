/// What each `-o` asks for: suffix, `--format` and what already lies at the path decide format and compression.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"

namespace debroot::plan {

struct OutputRequest {
  std::string suite;
  std::string architecture;
  std::vector<std::string> paths;        ///< as given; empty: ./SUITE-ARCHITECTURE.tar
  std::optional<std::string> format;     ///< --format, for every output
  bool allows_filled_directory = false;  ///< --skip=check/empty
  bool is_simulation = false;            ///< nothing will be written, so standard output may be a terminal
  bool is_mmdebstraps = false;           ///< formats are those that mmdebstrap has, suffixes mean what they mean to it
};

/// The outputs, in the order given. Looks at the paths but touches nothing. @throws Error of kind usage for `/`, the
/// same path twice, a terminal, a directory with something in it, a missing parent, a format that does not go there,
/// and formats that there are not
[[nodiscard]] std::vector<Output> make_outputs(const OutputRequest &request, const HostFacts &host);

}  // namespace debroot::plan
