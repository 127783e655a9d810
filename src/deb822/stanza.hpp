/// Control-file syntax (deb822, Policy section 5.1): stanzas of fields, as pure text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::deb822 {

/// One stanza as a window into somebody else's text. Cheap to copy; finding a field scans the stanza.
class StanzaView {
 public:
  StanzaView() = default;
  explicit StanzaView(std::string_view text) noexcept : text_(text) {}

  /// Value of `name` (compared without case) with blanks trimmed; a folded value keeps its line breaks.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// As find, but empty when the field is absent.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept { return find(name).value_or(""); }
  /// The stanza's text without the blank line that ends it.
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// One field; `value` has no leading blank, keeps trailing ones (dpkg writes them back into its database) and folded
/// lines as "first\n second\n third".
struct Field {
  std::string name;
  std::string value;
};

/// A stanza that owns its fields, in order.
class Stanza {
 public:
  Stanza() = default;
  /// Blank lines around the stanza and comment lines are dropped. @throws Error of kind index naming the line that is
  /// no field or begins a second stanza
  [[nodiscard]] static Stanza parse(std::string_view text);

  [[nodiscard]] const std::string *find(std::string_view name) const noexcept;
  /// The value without blanks around it; empty when the field is absent.
  [[nodiscard]] std::string get(std::string_view name) const;
  /// Replaces the field where it stands, or appends it.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  [[nodiscard]] const std::vector<Field> &fields() const noexcept { return fields_; }
  /// "Name: value\n" for each field; no blank line behind.
  [[nodiscard]] std::string str() const;

 private:
  std::vector<Field> fields_;
};

/// Walks the stanzas of a text. Lines that are empty or blank separate them. Comment lines ('#' in column one) between
/// fields are allowed and skipped by lookups; those before a stanza's first field do not belong to it, so a block of
/// comments alone is no stanza.
class StanzaReader {
 public:
  explicit StanzaReader(std::string_view text) noexcept : rest_(text) {}
  /// The next stanza, nothing at the end.
  [[nodiscard]] std::optional<StanzaView> next() noexcept;

 private:
  std::string_view rest_;
};

/// True when two field names are the same (ASCII case folded).
[[nodiscard]] bool same_field(std::string_view a, std::string_view b) noexcept;

}  // namespace debroot::deb822
