/// Builds with hooks that write a note.
#pragma once

#include <string>
#include <vector>

#include "e2e/world.hpp"

namespace debroot::e2e {

struct Hooks : WorldAs {
  const std::vector<std::string> kSmall = {"--variant", "essential", "--include", "hello"};
  std::string note() { return place().out("note"); }
  /// Builds with one hook of each option, then gives what the hooks wrote to "$NOTE".
  std::string noted(std::vector<std::string> arguments, bool is_wanted_to_fail = false) {
    arguments.insert(arguments.end(), kSmall.begin(), kSmall.end());
    arguments.insert(arguments.end(), {"-o", "image.tar"});
    Command line = build_command(place(), arguments);
    line.environment["NOTE"] = note();
    line.environment["MINE"] = "inherited";
    Finished finished = finish(place(), line);
    EXPECT_EQ(finished.status, is_wanted_to_fail ? 1 : 0) << finished.err;
    return bytes_of(note());
  }
};

}  // namespace debroot::e2e
