/// argv to values: which command, its options in the order given, and what the user wants to see. Says what is wrong
/// with the words; what they mean together is decided in plan/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/inventory.hpp"
#include "diff/compare.hpp"
#include "plan/options.hpp"

namespace debroot::cli {

enum class Command { build, plan, diff, doctor, cache, mmdebstrap };

/// "build", "plan", …
[[nodiscard]] std::string_view command_name(Command command) noexcept;

/// How much is said; -q, -v and -d, of which the last one counts.
enum class Verbosity { quiet, normal, verbose, debug };

/// --progress.
enum class ProgressStyle { automatic, tty, plain, json, none };

struct CommandLine {
  std::optional<Command> command;  ///< nothing: debroot itself, with --help or --version
  bool wants_help = false;
  bool wants_version = false;
  plan::Options options;  ///< of build and plan
  Verbosity verbosity = Verbosity::normal;
  ProgressStyle progress = ProgressStyle::automatic;
  bool has_no_suite = false;               ///< mmdebstrap without operands: sources come from standard input
  std::vector<std::string> no_operations;  ///< options given that mmdebstrap takes and that change nothing
  std::string timings_file;                ///< --timings, empty: not wanted
  std::string log_file;                    ///< --logfile, empty: standard error
  bool is_json = false;                    ///< plan --json
  std::vector<std::string> operands;       ///< the two images of diff, or what to do with the cache
  diff::CompareOptions compare;            ///< what diff leaves out
  debroot::cache::PruneLimits prune;       ///< what cache prune removes
};

/// `arguments` without the program's name. @throws Error of kind usage, with a near name where there is one
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string> &arguments);

}  // namespace debroot::cli
