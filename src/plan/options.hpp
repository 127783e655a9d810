/// What the command line of `build` and `plan` said, word by word, before anything was made of it. cli/ fills it,
/// make_plan() turns it into a BuildPlan.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace debroot::plan {

/// Which option a hook came from.
enum class HookSource { setup, extract, essential, customize, directory };

/// One `--STAGE-hook=COMMAND`, `--chrooted-STAGE-hook=COMMAND` or `--hook-directory=DIR`.
struct HookOption {
  HookSource source = HookSource::customize;
  std::string value;
  bool is_chrooted = false;
};

/// How mirrors and the suite become sources, where `debroot mmdebstrap` has ways of its own.
struct SourcesRule {
  bool takes_any_suite = false;             ///< any word, even an empty one
  bool takes_no_source = false;             ///< sources without a single entry are no error but a warning
  bool keeps_credentials = false;           ///< user names and passwords of URIs stay in the image's sources
  std::string signed_by;                    ///< keyring that every generated line names; empty: none
  std::optional<std::string> default_text;  ///< one-line sources for no mirrors; nothing: those of the known suite
};

/// Raw option values. Repeatable options hold one element an occurrence, unsplit; of the others the last one counts.
struct Options {
  std::string suite;
  std::vector<std::string> architectures;  ///< -a ARCH[,FOREIGN…]
  std::vector<std::string> outputs;        ///< -o
  std::optional<std::string> format;
  std::vector<std::string> mirrors;  ///< -m
  std::vector<std::string> components;
  std::vector<std::string> keyrings;
  std::optional<std::string> variant;
  std::vector<std::string> includes;
  std::vector<std::string> excludes;
  std::optional<std::string> hostname;
  std::optional<std::string> network;
  bool is_plain = false;
  std::optional<std::string> mode;
  bool shares_network_with_scripts = false;  ///< --script-network
  std::optional<std::string> foreign_exec;   ///< --foreign-exec
  std::optional<std::string> stand_ins;      ///< --stand-ins
  std::vector<std::string> apt_options;      ///< --aptopt: text, or a file that holds it
  std::vector<std::string> dpkg_options;     ///< --dpkgopt, likewise
  std::vector<HookOption> hooks;             ///< in command-line order
  std::vector<std::string> skips;
  std::optional<std::string> jobs;
  std::optional<std::string> cache;
  bool has_no_cache = false;
  bool is_offline = false;
  bool is_simulation = false;
  SourcesRule sources_rule;
  bool has_mmdebstraps_formats = false;  ///< no format but those of mmdebstrap
};

}  // namespace debroot::plan
