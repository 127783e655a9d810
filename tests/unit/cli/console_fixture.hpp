/// A console whose bytes, width and clock belong to the test, and a terminal that shows what a person would see.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"

namespace debroot::cli {

struct FakeConsole {
  FakeConsole() {
    console.out = [this](std::string_view text) { out += text; };
    console.err = [this](std::string_view text) {
      err += text;
      ++writes;
    };
    console.width = [this] { return width; };
    console.now_ms = [this] { return now_ms; };
  }
  FakeConsole(const FakeConsole &) = delete;
  FakeConsole &operator=(const FakeConsole &) = delete;

  Console console;
  std::string out;
  std::string err;
  unsigned writes = 0;  ///< to standard error
  unsigned width = 80;
  std::uint64_t now_ms = 1000;
};

/// Understands the few sequences that debroot sends: line feeds, carriage returns, cursor up, clear to the end, hide
/// and show the cursor, colours. Text that would wrap is an error of the program under test: it is marked with
/// "<WRAP>".
class FakeTerminal {
 public:
  explicit FakeTerminal(unsigned width) : width_(width) {}

  void feed(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\x1b') {
        i = escape(text, i + 2);
      } else if (text[i] == '\n') {
        column_ = 0;
        if (++row_ == rows_.size()) rows_.emplace_back();
      } else if (text[i] == '\r') {
        column_ = 0;
      } else {
        std::size_t end = i + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
        put(std::string(text.substr(i, end - i)));
        i = end - 1;
      }
    }
  }
  /// The lines on the screen, blanks at their ends left out.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto &row : rows_) {
      std::string line;
      for (const std::string &cell : row) line += cell;
      line.erase(line.find_last_not_of(' ') + 1);
      out.push_back(line);
    }
    while (!out.empty() && out.back().empty()) out.pop_back();
    return out;
  }
  [[nodiscard]] bool is_cursor_shown() const { return is_cursor_shown_; }

 private:
  std::size_t escape(std::string_view text, std::size_t at) {
    std::size_t end = text.find_first_of("AJhlm", at);
    std::string_view argument = text.substr(at, end - at);
    if (text[end] == 'A') row_ -= static_cast<std::size_t>(std::stoul(std::string(argument)));
    if (text[end] == 'J') {
      rows_.resize(row_ + 1);
      rows_[row_].resize(column_);
    }
    if (argument == "?25") is_cursor_shown_ = text[end] == 'h';
    return end;
  }
  void put(const std::string &cell) {
    auto &row = rows_[row_];
    if (column_ >= width_) {
      row.emplace_back("<WRAP>");
      return;
    }
    if (row.size() <= column_) row.resize(column_ + 1, " ");
    row[column_++] = cell;
  }

  unsigned width_;
  std::vector<std::vector<std::string>> rows_{1};
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  bool is_cursor_shown_ = true;
};

}  // namespace debroot::cli
