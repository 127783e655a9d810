#include "plan/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "plan/names.hpp"

namespace debroot::plan {
namespace {

namespace fs = std::filesystem;

struct Suffix {
  std::string_view text;
  Compression compression;
};
constexpr std::array kSuffixes = {
    Suffix{".tar", Compression::none}, Suffix{".gz", Compression::gzip},   Suffix{".tgz", Compression::gzip},
    Suffix{".taz", Compression::gzip}, Suffix{".xz", Compression::xz},     Suffix{".txz", Compression::xz},
    Suffix{".zst", Compression::zstd}, Suffix{".tzst", Compression::zstd},
};

/// Suffixes that mean something to mmdebstrap and its relatives, told apart so that nobody gets a directory by that
/// name.
constexpr std::array<std::string_view, 10> kOtherCompressions = {".bz2", ".tbz", ".tbz2", ".tz2",  ".lz",
                                                                 ".tlz", ".lzo", ".lz4",  ".lzma", ".Z"};
constexpr std::array<std::string_view, 10> kOtherFormats = {".squashfs", ".sqfs", ".ext2", ".ext4", ".erofs",
                                                            ".oci",      ".cpio", ".img",  ".raw",  ".qcow2"};
constexpr std::array<std::string_view, 9> kOtherFormatWords = {"squashfs", "sqfs", "ext2", "ext4", "erofs",
                                                               "oci",      "cpio", "raw",  "disk"};

const Suffix *find_suffix(std::string_view path) {
  const auto *found = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                   [&](const Suffix &suffix) { return path.ends_with(suffix.text); });
  return found == kSuffixes.end() ? nullptr : found;
}

template <class Suffixes>
std::optional<std::string_view> matching(const Suffixes &suffixes, std::string_view path) {
  for (std::string_view suffix : suffixes) {
    if (path.ends_with(suffix)) return suffix;
  }
  return std::nullopt;
}

std::optional<Format> parse_format(const std::optional<std::string> &word) {
  if (!word || *word == "auto") return std::nullopt;
  if (*word == "tar") return Format::tar;
  if (*word == "directory" || *word == "dir") return Format::directory;
  if (*word == "null") return Format::null;
  if (std::find(kOtherFormatWords.begin(), kOtherFormatWords.end(), *word) != kOtherFormatWords.end()) {
    throw usage_error(fmt::format("format '{}' is not supported yet", *word))
        .detail("expected", "auto, tar, directory or null");
  }
  throw usage_error(fmt::format("unknown format '{}'", *word)).detail("expected", "auto, tar, directory or null");
}

/// A path that cannot be confused with another spelling of itself.
fs::path absolute_path(const std::string &path, const HostFacts &host) {
  std::error_code failure;
  fs::path joined = (fs::path(host.working_directory) / path).lexically_normal();
  if (!joined.has_filename()) joined = joined.parent_path();
  fs::path resolved = fs::weakly_canonical(joined, failure);
  return failure ? joined : resolved;
}

/// An existing directory may be built into only while nothing is in it; a fresh ext4 has lost+found.
void check_directory(const std::string &given, const fs::path &path) {
  std::error_code failure;
  for (fs::directory_iterator entry(path, failure), end; !failure && entry != end; entry.increment(failure)) {
    if (entry->path().filename() == "lost+found" && fs::is_empty(entry->path(), failure) && !failure) continue;
    throw usage_error(fmt::format("cannot build into '{}': the directory is not empty", given))
        .detail("got", fmt::format("'{}' is in it", entry->path().filename().string()));
  }
  if (failure) throw usage_error(fmt::format("cannot read directory '{}': {}", given, failure.message()));
}

void check_parent(const std::string &given, const fs::path &path) {
  std::error_code failure;
  fs::path parent = path.parent_path();
  if (fs::is_directory(parent, failure)) return;
  throw usage_error(fmt::format("cannot write '{}': there is no directory '{}'", given, parent.string()));
}

class OutputReader {
 public:
  OutputReader(const OutputRequest &request, const HostFacts &host)
      : request_(request), host_(host), format_(parse_format(request.format)) {}

  [[nodiscard]] Output read(const std::string &given) const {
    if (given.empty()) throw usage_error("an output path is empty");
    return given == "-" ? standard_output() : at_path(given);
  }

 private:
  [[nodiscard]] Output standard_output() const {
    if (format_ == Format::directory) throw usage_error("a directory cannot be written to standard output");
    if (host_.is_stdout_null || format_ == Format::null) return {"-", Format::null, Compression::none};
    if (host_.is_stdout_terminal && !request_.is_simulation) {
      throw usage_error("the image is not written to a terminal").hint("-o FILE, or pipe it into another program");
    }
    return {"-", Format::tar, Compression::none};
  }

  [[nodiscard]] Output at_path(const std::string &given) const {
    fs::path path = absolute_path(given, host_);
    if (path == "/") throw usage_error(fmt::format("'{}' is the root of this system, not an output", given));
    if (path == "/dev/null") return {given, Format::null, Compression::none};
    if (format_ == Format::null) return {given, Format::null, Compression::none};
    std::error_code failure;
    fs::file_status status = fs::status(path, failure);
    Output output{given, Format::tar, Compression::none};
    output.format = format_.value_or(format_by_path(given, status));
    if (output.format == Format::tar) {
      if (fs::is_directory(status))
        throw usage_error(fmt::format("cannot write a tar to '{}': it is a directory", given));
      output.compression = compression_of(given);
    } else if (fs::is_directory(status)) {
      if (!request_.allows_filled_directory) check_directory(given, path);
    } else if (fs::exists(status)) {
      throw usage_error(fmt::format("cannot build into '{}': it is not a directory", given));
    }
    check_parent(given, path);
    return output;
  }

  /// mmdebstrap's order: what is there, then the suffix, else a directory.
  [[nodiscard]] static Format format_by_path(const std::string &given, const fs::file_status &status) {
    if (fs::is_directory(status)) return Format::directory;
    if (find_suffix(given) != nullptr || fs::is_fifo(status) || fs::is_character_file(status)) return Format::tar;
    if (matching(kOtherCompressions, given)) return Format::tar;
    if (auto suffix = matching(kOtherFormats, given)) {
      throw usage_error(fmt::format("cannot write '{}': the format of '{}' files is not supported yet", given, *suffix))
          .hint("a .tar, .tar.gz, .tar.xz or .tar.zst file, or a directory");
    }
    return Format::directory;
  }

  [[nodiscard]] static Compression compression_of(const std::string &given) {
    if (auto suffix = matching(kOtherCompressions, given)) {
      throw usage_error(fmt::format("cannot write '{}': compression '{}' is not supported", given, *suffix))
          .hint("a .tar, .tar.gz, .tar.xz or .tar.zst file");
    }
    const Suffix *suffix = find_suffix(given);
    return suffix == nullptr ? Compression::none : suffix->compression;
  }

  const OutputRequest &request_;
  const HostFacts &host_;
  std::optional<Format> format_;
};

std::string default_path(const OutputRequest &request) {
  std::string suite = request.suite;
  std::replace(suite.begin(), suite.end(), '/', '-');
  return fmt::format("./{}-{}.tar", suite, request.architecture);
}

}  // namespace

std::vector<Output> make_outputs(const OutputRequest &request, const HostFacts &host) {
  OutputReader reader(request, host);
  std::vector<std::string> paths = request.paths;
  if (paths.empty()) paths.push_back(default_path(request));
  std::vector<Output> outputs;
  std::vector<fs::path> seen;
  for (const std::string &given : paths) {
    Output output = reader.read(given);
    fs::path identity = given == "-" ? fs::path("-") : absolute_path(given, host);
    if (std::find(seen.begin(), seen.end(), identity) != seen.end() && output.path != "/dev/null") {
      throw usage_error(fmt::format("output '{}' is given twice", given));
    }
    bool is_second_tree =
        output.format == Format::directory &&
        std::any_of(outputs.begin(), outputs.end(), [](auto &o) { return o.format == Format::directory; });
    if (is_second_tree) throw usage_error("only one output can be a directory: the tree is built in it");
    seen.push_back(std::move(identity));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace debroot::plan
