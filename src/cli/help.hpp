/// The texts of --help and --version.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace debroot::cli {

/// Help of one command: usage, options by group (from the option table), examples.
[[nodiscard]] std::string help_text(Command command);

/// Help of debroot itself: what it is for and its commands.
[[nodiscard]] std::string main_help_text();

/// "debroot 0.1.0" and a line with the libraries it was built with, those of `more` ("libarchive 3.6.2") included.
[[nodiscard]] std::string version_text(const std::vector<std::string> &more);

/// "mmdebstrap 1.5.7": the version whose command line `debroot mmdebstrap` takes, and nothing else, since wrappers
/// parse it and choose options by it.
[[nodiscard]] std::string mmdebstrap_version_text();

}  // namespace debroot::cli
