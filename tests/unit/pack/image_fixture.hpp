/// What the tests of images that are file systems share: entries made from nothing, and other programs to read with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pack/tree_measure.hpp"
#include "pack/tree_sink.hpp"
#include "tree_fixture.hpp"

namespace debroot::pack {

inline bool has_program(const std::string &name) {
  return std::system(("PATH=$PATH:/usr/sbin:/sbin command -v " + name + " >/dev/null").c_str()) == 0;
}

/// Standard output of a shell command.
inline std::string output_of(const std::string &command) {
  std::string out;
  FILE *pipe = ::popen(("PATH=$PATH:/usr/sbin:/sbin TZ=UTC LC_ALL=C " + command).c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), got);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << out;
  return out;
}

/// An entry and what is in it.
struct Item {
  TreeEntry entry;
  std::string content;
};

inline Item item(const std::string &path, EntryType type, mode_t mode = 0644) {
  Item made;
  made.entry.path = path;
  made.entry.type = type;
  made.entry.mode = mode;
  made.entry.mtime_seconds = kEpoch;
  return made;
}
inline Item file_item(const std::string &path, std::string content, mode_t mode = 0644) {
  Item made = item(path, EntryType::file, mode);
  made.entry.size_bytes = content.size();
  made.content = std::move(content);
  return made;
}
inline Item directory_item(const std::string &path, mode_t mode = 0755) {
  return item(path, EntryType::directory, mode);
}
inline Item link_item(const std::string &path, const std::string &target, EntryType type = EntryType::symbolic_link) {
  Item made = item(path, type, type == EntryType::symbolic_link ? 0777 : 0644);
  made.entry.link_target = target;
  return made;
}
inline Item device_item(const std::string &path, EntryType type, std::uint32_t major, std::uint32_t minor) {
  Item made = item(path, type, 0660);
  made.entry.device_major = major;
  made.entry.device_minor = minor;
  return made;
}

/// One of everything, in the order of a walk.
inline std::vector<Item> all_kinds() {
  std::vector<Item> items = {directory_item("./dev/"),
                             device_item("./dev/null", EntryType::character_device, 1, 3),
                             directory_item("./"),
                             directory_item("./a/", 01777),
                             file_item("./a/empty", ""),
                             file_item("./a/program", "#!/bin/sh\n", 04755),
                             file_item("./a/same", "#!/bin/sh\n"),
                             link_item("./a/second", "./a/program", EntryType::hard_link),
                             item("./b", EntryType::fifo, 0600),
                             device_item("./c", EntryType::block_device, 259, 7),
                             link_item("./l", "a/program"),
                             link_item("./m", std::string(300, 't')),
                             file_item("./n", std::string(2'500'000, 'n') + "end")};
  items[5].entry.uid = 1000;
  items[5].entry.gid = 70000;
  items[5].entry.mtime_seconds = 1'000'000'000;
  items[7].entry.mode = 04755;
  return items;
}

inline TreeMeasure &measured(TreeMeasure &measure, const std::vector<Item> &items) {
  for (const Item &one : items) measure.add(one.entry);
  return measure;
}

/// Feeds `items` to `sink`, contents in pieces of `piece`.
inline void feed(TreeSink &sink, const std::vector<Item> &items, std::size_t piece = 1 << 20) {
  for (const Item &one : items) {
    sink.add(one.entry);
    for (std::string_view left = one.content; !left.empty(); left.remove_prefix(std::min(piece, left.size()))) {
      sink.add_content(left.substr(0, piece));
    }
  }
  sink.finish();
}

}  // namespace debroot::pack
