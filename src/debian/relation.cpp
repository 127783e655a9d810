#include "debian/relation.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "debroot/error.hpp"

#include <algorithm>

namespace debroot::debian {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw Error(ErrorKind::index, fmt::format("'{}' is no package relation", text));
}

/// Reads ">= 1.0" of "(>= 1.0)".
void parse_bound(std::string_view whole, std::string_view inner, Relation &out) {
  inner = base::trim(inner);
  std::size_t end = inner.find_first_not_of("<>=");
  std::string_view symbol = inner.substr(0, end);
  if (symbol == "<<") {
    out.test = VersionTest::earlier;
  } else if (symbol == "<=" || symbol == "<") {
    out.test = VersionTest::earlier_or_equal;
  } else if (symbol == "=" || symbol.empty()) {
    out.test = VersionTest::equal;
  } else if (symbol == ">=" || symbol == ">") {
    out.test = VersionTest::later_or_equal;
  } else if (symbol == ">>") {
    out.test = VersionTest::later;
  } else {
    refuse(whole);
  }
  out.version = base::trim(end == std::string_view::npos ? std::string_view() : inner.substr(end));
  if (out.version.empty()) refuse(whole);
}

Relation parse_relation(std::string_view text) {
  text = base::trim(text);
  Relation out;
  std::size_t end = std::min(text.find_first_of(" \t\r\n([<"), text.size());
  out.name = text.substr(0, end);
  if (std::size_t colon = out.name.find(':'); colon != std::string_view::npos) {
    out.architecture = out.name.substr(colon + 1);
    out.name = out.name.substr(0, colon);
  }
  if (out.name.empty()) refuse(text);
  std::string_view rest = base::trim(text.substr(end));
  if (!rest.empty() && rest[0] == '(') {
    std::size_t close = rest.find(')');
    if (close == std::string_view::npos) refuse(text);
    parse_bound(text, rest.substr(1, close - 1), out);
    rest = base::trim(rest.substr(close + 1));
  }
  if (!rest.empty() && rest[0] != '[' && rest[0] != '<') refuse(text);
  return out;
}

}  // namespace

std::vector<OrGroup> parse_relations(std::string_view text) {
  std::vector<OrGroup> groups;
  if (base::trim(text).empty()) return groups;
  for (std::string_view piece : base::split(text, ',')) {
    if (base::trim(piece).empty()) continue;  // a trailing comma is common and harmless
    OrGroup group;
    for (std::string_view alternative : base::split(piece, '|')) group.push_back(parse_relation(alternative));
    groups.push_back(std::move(group));
  }
  return groups;
}

std::string to_string(const Relation &relation) {
  std::string out(relation.name);
  if (!relation.architecture.empty()) out += fmt::format(":{}", relation.architecture);
  if (relation.test != VersionTest::any) {
    out += fmt::format(" ({} {})", version_test_symbol(relation.test), relation.version);
  }
  return out;
}

std::string to_string(const OrGroup &group) {
  std::string out;
  for (const Relation &relation : group) {
    if (!out.empty()) out += " | ";
    out += to_string(relation);
  }
  return out;
}

std::string to_string(const std::vector<OrGroup> &groups) {
  std::string out;
  for (const OrGroup &group : groups) {
    if (!out.empty()) out += ", ";
    out += to_string(group);
  }
  return out;
}

}  // namespace debroot::debian
