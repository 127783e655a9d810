#include "plan/mirrors.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "plan/names.hpp"
#include "plan/sources_text.hpp"
#include "plan/suites.hpp"

namespace debroot::plan {
namespace {

constexpr std::uint64_t kLargestSourcesFile = std::uint64_t{1} << 24;

/// One --mirror, read.
struct Piece {
  SourcesStyle style = SourcesStyle::empty;
  std::string file_name;  ///< of a file; empty for everything else, which may be merged
  std::string text;
  std::vector<SourceEntry> entries;
};

class PieceReader {
 public:
  PieceReader(const MirrorRequest &request, const HostFacts &host) : request_(request), host_(host) {}

  [[nodiscard]] Piece read(const std::string &mirror) const {
    if (mirror == "-") return parsed(host_.read_standard_input(), "standard input");
    if (mirror.starts_with("deb ") || mirror.starts_with("deb-src ")) return parsed(mirror + "\n", "--mirror");
    if (mirror.find("://") != std::string::npos || mirror.starts_with("file:/") || mirror.starts_with("copy:/")) {
      return of_uri(mirror);
    }
    return of_file(mirror);
  }

 private:
  [[nodiscard]] Piece parsed(std::string text, std::string_view name) const {
    Piece piece;
    piece.style = guess_style(text, name);
    piece.entries = parse_sources(piece.style, text, name, request_.architecture);
    piece.text = std::move(text);
    return piece;
  }

  [[nodiscard]] Piece of_uri(const std::string &uri) const {
    if (uri.find_first_of(" \t\n\"[]") != std::string::npos) {
      throw usage_error(
          fmt::format("'{}' is no mirror: a URI has no blanks, quotes or brackets", base::without_credentials(uri)));
    }
    if (request_.suite.empty()) {
      throw usage_error(fmt::format("cannot use mirror '{}' without a suite", base::without_credentials(uri)));
    }
    const std::string &keyring = request_.rule.signed_by;
    std::string line = keyring.empty() ? "deb" : fmt::format("deb [signed-by=\"{}\"]", keyring);
    line += fmt::format(" {} {}", uri, request_.suite);
    if (!request_.suite.ends_with('/')) line += fmt::format(" {}", base::join(request_.components, " "));
    return parsed(line + "\n", "--mirror");
  }

  [[nodiscard]] Piece of_file(const std::string &mirror) const {
    std::filesystem::path path = std::filesystem::path(host_.working_directory) / mirror;
    std::error_code failure;
    if (!std::filesystem::is_regular_file(path, failure)) {
      throw usage_error(fmt::format("'{}' is no mirror", mirror))
          .detail("expected", "a URI, a 'deb …' line, the name of a sources file, or '-' for standard input");
    }
    std::string text = base::read_file(path.string(), kLargestSourcesFile);
    Piece piece = parsed(std::move(text), path.filename().string());
    piece.file_name = path.filename().string();
    return piece;
  }

  const MirrorRequest &request_;
  const HostFacts &host_;
};

std::vector<Piece> read_pieces(const MirrorRequest &request, const HostFacts &host,
                               std::vector<std::string> &warnings) {
  PieceReader reader(request, host);
  std::vector<Piece> pieces;
  bool has_read_input = false;
  for (const std::string &mirror : request.mirrors) {
    if (mirror.empty()) continue;
    if (mirror == "-" && has_read_input) {
      if (!request.rule.takes_no_source) {
        throw usage_error("'--mirror -' is given twice: standard input ends only once");
      }
      warnings.emplace_back("sources.list from standard input is empty");
      continue;
    }
    has_read_input = has_read_input || mirror == "-";
    Piece piece = reader.read(mirror);
    if (piece.style == SourcesStyle::empty) {
      warnings.push_back(fmt::format("mirror '{}' names no source and is ignored", mirror));
      continue;
    }
    bool is_mergeable = !pieces.empty() && piece.file_name.empty() && pieces.back().file_name.empty() &&
                        pieces.back().style == piece.style;
    if (is_mergeable) {
      pieces.back().text += "\n" + piece.text;
      pieces.back().entries.insert(pieces.back().entries.end(), piece.entries.begin(), piece.entries.end());
    } else {
      pieces.push_back(std::move(piece));
    }
  }
  return pieces;
}

std::string file_path(std::size_t number, const Piece &piece) {
  std::string_view suffix = piece.style == SourcesStyle::one_line ? ".list" : ".sources";
  if (number == 0 && piece.file_name.empty() && piece.style == SourcesStyle::one_line) return "/etc/apt/sources.list";
  std::string name = piece.file_name.empty() ? "main" : piece.file_name;
  if (!name.ends_with(suffix)) name += suffix;
  return fmt::format("/etc/apt/sources.list.d/{:04}{}", number, name);
}

}  // namespace

std::vector<SourcesFile> make_sources(const MirrorRequest &request, const HostFacts &host,
                                      std::vector<std::string> &warnings) {
  if (request.mirrors.empty() && request.rule.default_text) {
    SourcesFile file;
    file.path = "/etc/apt/sources.list";
    file.text = *request.rule.default_text;
    file.entries = parse_sources(SourcesStyle::one_line, file.text, file.path, request.architecture);
    return {file};
  }
  if (request.mirrors.empty()) {
    const KnownSuite *suite = find_suite(request.suite);
    if (suite == nullptr) refuse_unknown_suite(request.suite);
    SourcesFile file;
    file.path = "/etc/apt/sources.list";
    file.entries = default_entries(*suite, request.architecture, request.components);
    file.text = one_line_text(file.entries);
    return {file};
  }
  std::vector<SourcesFile> files;
  for (Piece &piece : read_pieces(request, host, warnings)) {
    SourcesFile file;
    file.path = file_path(files.size(), piece);
    file.text = request.rule.keeps_credentials ? std::move(piece.text) : text_without_credentials(piece.text);
    file.entries = std::move(piece.entries);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace debroot::plan
