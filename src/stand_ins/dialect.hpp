/// What the builder tells a stand-in about the tool that it stands for. A tool's environment and arguments must stay
/// its own, so this is written into the stand-in's file, behind a marker.
#pragma once

#include <string_view>

namespace debroot::stand_ins {

/// Versions of one tool that do different things in the same situation.
enum class Dialect : char {
  unset = '?',
  /// deb-systemd-helper until 1.60 (bullseye): links of a unit in the order of its lines, no DefaultInstance;
  /// update-ca-certificates of bullseye: a bundle is made though nothing is to be trusted.
  first = '1',
  /// deb-systemd-helper from 1.65 on (bookworm): a unit's wanted links come after its others, DefaultInstance counts,
  /// and `systemctl preset` gets a --root.
  second = '2',
};

/// Stands once in the program, with one byte behind it that is the dialect.
inline constexpr std::string_view kDialectMarker = "debroot stand-in, dialect ";

}  // namespace debroot::stand_ins
