#include "cli/run.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/mmdebstrap_renderer.hpp"
#include "cli/render_error.hpp"
#include "cli/renderer.hpp"
#include "cli/signals.hpp"
#include "plan/as_mmdebstrap.hpp"

namespace debroot::cli {
namespace {

/// diff(1)'s statuses: 1 is a difference, so trouble of any kind is 2.
constexpr int kExitDiffTrouble = 2;

/// Of mmdebstrap wherever standard error is no terminal, for all but what its option parser refuses: it ends with the
/// errno that asking for a terminal leaves.
constexpr int kExitMmdebstrapFailed = 25;

bool is_there(Command command, const Backend &backend) noexcept {
  switch (command) {
    case Command::build:
    case Command::mmdebstrap:
      return backend.build && backend.plan_packages;
    case Command::plan:
      return static_cast<bool>(backend.plan_packages);
    case Command::diff:
    case Command::cache:
      return true;
    case Command::doctor:
      return static_cast<bool>(backend.doctor);
  }
  return false;
}

int dispatch(const CommandContext &context) {
  Command command = *context.line.command;
  if (!is_there(command, context.backend)) {
    throw Error(ErrorKind::usage, fmt::format("this debroot was built without '{}'", command_name(command)));
  }
  switch (command) {
    case Command::build:
    case Command::mmdebstrap:
      return run_build(context);
    case Command::plan:
      return run_plan(context);
    case Command::diff:
      return run_diff(context);
    case Command::doctor:
      return run_doctor(context);
    case Command::cache:
      return run_cache(context);
  }
  return kExitUsage;
}

/// Help and version are what was asked for, so they go to standard output.
bool print_texts(const CommandLine &line, const Console &console, const Backend &backend) {
  if (line.wants_version && line.command == Command::mmdebstrap) {
    console.out(mmdebstrap_version_text());
  } else if (line.wants_version) {
    console.out(version_text(backend.libraries));
  } else if (line.wants_help) {
    console.out(line.command ? help_text(*line.command) : main_help_text());
  } else {
    return false;
  }
  return true;
}

/// The calls that mmdebstrap makes of itself, and hook scripts of it. They are not options: what follows is not for
/// the parser. @return whether it was one
bool run_hook_half(const std::vector<std::string> &arguments, const Console &console, const Backend &backend) {
  constexpr std::size_t kHelperWords = 8;
  if (arguments.size() < 2 || arguments[0] != command_name(Command::mmdebstrap)) return false;
  if (arguments[1] == "--hook-helper" && backend.hook_helper) {
    if (arguments.size() < kHelperWords) {
      throw Error(ErrorKind::usage, "'--hook-helper' needs ROOT MODE HOOK SKIP VERBOSITY VERB");
    }
    backend.hook_helper({arguments.begin() + 2, arguments.end()});
    return true;
  }
  if (arguments[1] != "--hook-listener" || !backend.hook_listener) return false;
  backend.hook_listener([&](const Error &error) { console.err(render_error(error, console.uses_colour)); });
  return true;
}

/// The status of mmdebstrap's own --unshare-helper, which tells no more of a failure than that it failed; nothing when
/// this is not what is asked for.
std::optional<int> run_unshare_helper(const std::vector<std::string> &arguments, const Console &console,
                                      const Backend &backend) {
  bool is_asked = arguments.size() > 1 && arguments[0] == command_name(Command::mmdebstrap) &&
                  arguments[1] == "--unshare-helper" && backend.unshare_helper;
  if (!is_asked) return std::nullopt;
  if (arguments.size() < 3) throw Error(ErrorKind::sandbox, "'--unshare-helper' needs a command");
  if (backend.unshare_helper({arguments.begin() + 2, arguments.end()}) == 0) return kExitDone;
  console.err("E: unshared command failed\n");
  return kExitMmdebstrapFailed;
}

/// What can be told of the words alone is refused as they are; the rest of mmdebstrap's failures say less.
constexpr std::string_view kMmdebstrapSynopsis = "Usage:\n    mmdebstrap [OPTION...] [SUITE [TARGET [MIRROR...]]]\n\n";

std::unique_ptr<Renderer> renderer_for(const CommandLine &line, const Console &console) {
  if (line.command == Command::mmdebstrap) return std::make_unique<MmdebstrapRenderer>(line.verbosity, console);
  return make_renderer(line.progress, line.verbosity, console);
}

int status_of(const CommandLine &line, ErrorKind kind) noexcept {
  // for whatever ends it, a signal too; 2 is for what its option parser refuses
  if (line.command == Command::mmdebstrap) return kExitMmdebstrapFailed;
  if (line.command == Command::diff && kind != ErrorKind::interrupted) return kExitDiffTrouble;
  return exit_status(kind);
}

/// A command line that is refused before anything is done.
int refuse_words(const Error &error, bool is_mmdebstrap, const Console &console) {
  bool is_usage = error.kind() == ErrorKind::usage;
  console.err(is_mmdebstrap ? render_error_as_mmdebstrap(error) : render_error(error, console.uses_colour));
  if (is_mmdebstrap && is_usage) console.err(kMmdebstrapSynopsis);
  return is_mmdebstrap && !is_usage ? kExitMmdebstrapFailed : exit_status(error.kind());
}

int run_command(const CommandLine &line, const plan::HostFacts &host, Console &console, const Backend &backend,
                std::stop_token stop) {
  if (!line.log_file.empty()) console.redirect(console, line.log_file);
  std::unique_ptr<Renderer> renderer = renderer_for(line, console);
  try {
    int status = dispatch({line, host, console, backend, *renderer, std::move(stop)});
    renderer->close();
    return status;
  } catch (...) {
    Error error = current_error();
    renderer->failed(error);
    return status_of(line, error.kind());
  }
}

}  // namespace

int run(const std::vector<std::string> &arguments, const plan::HostFacts &host, Console &console,
        const Backend &backend, std::stop_token stop) noexcept {
  bool is_mmdebstrap = !arguments.empty() && arguments.front() == command_name(Command::mmdebstrap);
  try {
    if (run_hook_half(arguments, console, backend)) return kExitDone;
    if (std::optional<int> status = run_unshare_helper(arguments, console, backend)) return *status;
    CommandLine line = parse_command_line(arguments);
    if (print_texts(line, console, backend)) return kExitDone;
    if (is_mmdebstrap) plan::check_words_as_mmdebstrap(line.options, host);
    return run_command(line, host, console, backend, std::move(stop));
  } catch (...) {
    return refuse_words(current_error(), is_mmdebstrap, console);
  }
}

int run_process(int argument_count, const char *const *arguments, const char *const *environment,
                const Backend &backend) noexcept {
  try {
    plan::HostFacts host = plan::gather_host_facts(environment);
    host.holds_only_trusted_keys = backend.holds_only_trusted_keys;
    Console console = make_console(host);
    SignalStop signals;
    // a caller may leave out even the program's name (execve with an empty argv)
    const char *const *first = argument_count > 0 ? arguments + 1 : arguments;
    std::vector<std::string> words(first, arguments + argument_count);
    // a link of that name makes scripts that call mmdebstrap call this
    if (argument_count > 0 && std::filesystem::path(arguments[0]).filename() == "mmdebstrap") {
      words.insert(words.begin(), "mmdebstrap");
    }
    return run(words, host, console, backend, signals.token());
  } catch (...) {
    Error error = current_error();
    make_console({}).err(render_error(error, false));
    return exit_status(error.kind());
  }
}

}  // namespace debroot::cli
