/// Structs as bytes, for messages between debroot's own processes (same program, same machine: native byte order).
///
/// A struct takes part by a free function found by its namespace that lists its fields once, for both directions:
///
///     template <class Wire> void fields(Wire &wire, PackageTask &task) { wire(task.name, task.size_bytes); }
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "debroot/error.hpp"

namespace debroot::base {

/// Appends fields to a string.
class WireWriter {
 public:
  template <class... Fields>
  void operator()(Fields &...all) {
    (put(all), ...);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void put(T &value) { out_.append(reinterpret_cast<const char *>(&value), sizeof(value)); }
  void put(std::string &text) {
    std::uint64_t size = text.size();
    put(size);
    out_ += text;
  }
  template <class T>
  void put(std::vector<T> &items) {
    std::uint64_t size = items.size();
    put(size);
    for (T &item : items) put(item);
  }
  template <class T>
  void put(std::optional<T> &item) {
    bool present = item.has_value();
    put(present);
    if (present) put(*item);
  }
  template <class A, class B>
  void put(std::pair<A, B> &item) {
    put(item.first);
    put(item.second);
  }
  template <class T>
  requires std::is_class_v<T>
  void put(T &item) { fields(*this, item); }

  std::string out_;
};

/// Reads fields back in the order they were written. @throws Error of kind internal when the bytes end early.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  template <class... Fields>
  void operator()(Fields &...all) {
    (get(all), ...);
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) throw Error(ErrorKind::internal, "a message between processes of debroot ends early");
    std::string_view piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void get(T &value) { std::memcpy(&value, take(sizeof(value)).data(), sizeof(value)); }
  void get(std::string &text) {
    std::uint64_t size = 0;
    get(size);
    text = std::string(take(size));
  }
  template <class T>
  void get(std::vector<T> &items) {
    std::uint64_t size = 0;
    get(size);
    items.clear();
    for (std::uint64_t i = 0; i < size; ++i) {
      T item{};
      get(item);
      items.push_back(std::move(item));
    }
  }
  template <class T>
  void get(std::optional<T> &item) {
    bool present = false;
    get(present);
    item.reset();
    if (present) {
      item.emplace();
      get(*item);
    }
  }
  template <class A, class B>
  void get(std::pair<A, B> &item) {
    get(item.first);
    get(item.second);
  }
  template <class T>
  requires std::is_class_v<T>
  void get(T &item) { fields(*this, item); }

  std::string_view rest_;
};

/// Bytes of one struct.
template <class T>
[[nodiscard]] std::string to_wire(T value) {
  WireWriter writer;
  writer(value);
  return writer.take();
}

/// The struct back from its bytes. @throws Error
template <class T>
[[nodiscard]] T from_wire(std::string_view bytes) {
  T value{};
  WireReader reader(bytes);
  reader(value);
  return value;
}

}  // namespace debroot::base
