#include "plan/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "plan/compression_level.hpp"
#include "plan/names.hpp"

namespace debroot::plan {
namespace {

namespace fs = std::filesystem;

/// What the end of a path says; the first that fits counts.
struct Suffix {
  std::string_view text;
  Format format;
  Compression compression = Compression::none;
};
constexpr std::array kSuffixes = {
    Suffix{".tar", Format::tar},
    Suffix{".gz", Format::tar, Compression::gzip},
    Suffix{".tgz", Format::tar, Compression::gzip},
    Suffix{".taz", Format::tar, Compression::gzip},
    Suffix{".Z", Format::tar, Compression::compress},
    Suffix{".taZ", Format::tar, Compression::compress},
    Suffix{".bz2", Format::tar, Compression::bzip2},
    Suffix{".tbz", Format::tar, Compression::bzip2},
    Suffix{".tbz2", Format::tar, Compression::bzip2},
    Suffix{".tz2", Format::tar, Compression::bzip2},
    Suffix{".lz", Format::tar, Compression::lzip},
    Suffix{".lzma", Format::tar, Compression::lzma},
    Suffix{".tlz", Format::tar, Compression::lzma},
    Suffix{".lz4", Format::tar, Compression::lz4},
    Suffix{".lzo", Format::tar, Compression::lzop},
    Suffix{".xz", Format::tar, Compression::xz},
    Suffix{".txz", Format::tar, Compression::xz},
    Suffix{".zst", Format::tar, Compression::zstd},
    Suffix{".tzst", Format::tar, Compression::zstd},
    Suffix{".squashfs", Format::squashfs},
    Suffix{".sqfs", Format::squashfs},
    Suffix{".ext2", Format::ext2},
    Suffix{".ext4", Format::ext4},
};
constexpr Suffix kOciSuffix = {".oci", Format::oci};

/// Suffixes that mean something to debroot's relatives, told apart so that nobody gets a directory by that name.
constexpr std::array<std::string_view, 5> kOtherFormats = {".erofs", ".cpio", ".img", ".raw", ".qcow2"};

struct FormatWord {
  std::string_view text;
  Format format;
};
constexpr std::array kFormatWords = {
    FormatWord{"tar", Format::tar},       FormatWord{"directory", Format::directory},
    FormatWord{"dir", Format::directory}, FormatWord{"squashfs", Format::squashfs},
    FormatWord{"sqfs", Format::squashfs}, FormatWord{"ext2", Format::ext2},
    FormatWord{"ext4", Format::ext4},     FormatWord{"null", Format::null},
};

const Suffix *find_suffix(std::string_view path) {
  const auto *found = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                   [&](const Suffix &suffix) { return path.ends_with(suffix.text); });
  return found == kSuffixes.end() ? nullptr : found;
}

/// "a squashfs", as errors call an image of this format.
std::string_view phrase_of(Format format) {
  switch (format) {
    case Format::tar:
      return "a tar";
    case Format::directory:
      return "a directory";
    case Format::squashfs:
      return "a squashfs";
    case Format::ext2:
      return "an ext2 file system";
    case Format::ext4:
      return "an ext4 file system";
    case Format::oci:
      return "an OCI image";
    case Format::null:
      return "nothing";
  }
  return "an image";
}

/// Whether the image is a file that is written out of order.
bool is_file_system(Format format) {
  return format == Format::squashfs || format == Format::ext2 || format == Format::ext4;
}

/// Whether the image is a directory, the tree itself or a layout.
bool is_directory(Format format) { return format == Format::directory || format == Format::oci; }

std::optional<Format> parse_format(const OutputRequest &request) {
  if (!request.format || *request.format == "auto") return std::nullopt;
  const std::string &word = *request.format;
  const auto *found =
      std::find_if(kFormatWords.begin(), kFormatWords.end(), [&](const FormatWord &one) { return one.text == word; });
  if (found != kFormatWords.end()) return found->format;
  if (!request.is_mmdebstraps && word == "oci") return Format::oci;
  throw usage_error(fmt::format("unknown format '{}'", word))
      .detail("expected", fmt::format("auto, tar, directory, squashfs, ext2, ext4{} or null",
                                      request.is_mmdebstraps ? "" : ", oci"));
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
      : request_(request), host_(host), format_(parse_format(request)) {}

  [[nodiscard]] Output read(const std::string &given) const {
    if (given.empty()) throw usage_error("an output path is empty");
    return given == "-" ? standard_output() : at_path(given);
  }

 private:
  [[nodiscard]] Output standard_output() const {
    if (host_.is_stdout_null && !format_) return {"-", Format::null, Compression::none};
    Format format = format_.value_or(Format::tar);
    if (format == Format::null) return {"-", Format::null, Compression::none};
    if (format != Format::tar) {
      throw usage_error(fmt::format("{} cannot be written to standard output", phrase_of(format)))
          .hint(is_directory(format) ? "-o DIRECTORY" : "-o FILE");
    }
    if (host_.is_stdout_null) return {"-", Format::null, Compression::none};
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
    output.format = format_ ? *format_ : format_by_path(given, status);
    if (output.format == Format::tar) output.compression = compression_of(given);
    if (request_.is_mmdebstraps) output.level = level_in_environment(output.compression, host_);
    if (is_directory(output.format)) {
      check_becomes_directory(given, path, status, output.format);
    } else if (fs::is_directory(status)) {
      throw usage_error(fmt::format("cannot write {} to '{}': it is a directory", phrase_of(output.format), given));
    } else if (is_file_system(output.format) && !may_hold_file_system(status)) {
      throw usage_error(fmt::format("cannot write {} to '{}': it is no plain file and no block device",
                                    phrase_of(output.format), given));
    }
    check_parent(given, path);
    return output;
  }

  /// File systems are written out of order and read again.
  [[nodiscard]] static bool may_hold_file_system(const fs::file_status &status) {
    return !fs::exists(status) || fs::is_regular_file(status) || fs::is_block_file(status);
  }

  void check_becomes_directory(const std::string &given, const fs::path &path, const fs::file_status &status,
                               Format format) const {
    if (fs::is_directory(status)) {
      if (format == Format::oci || !request_.allows_filled_directory) check_directory(given, path);
    } else if (fs::exists(status)) {
      throw usage_error(fmt::format("cannot build into '{}': it is not a directory", given));
    }
    if (format == Format::directory && path.string().find('"') != std::string::npos) {
      throw usage_error(fmt::format("cannot build into '{}': apt takes no root with a '\"' in its path", given));
    }
  }

  /// mmdebstrap's order: what is there, then the suffix, else a directory.
  [[nodiscard]] Format format_by_path(const std::string &given, const fs::file_status &status) const {
    bool is_layout = !request_.is_mmdebstraps && given.ends_with(kOciSuffix.text);
    if (fs::is_directory(status)) return is_layout ? Format::oci : Format::directory;
    if (const Suffix *suffix = find_suffix(given)) return suffix->format;
    if (fs::is_fifo(status) || fs::is_character_file(status)) return Format::tar;
    if (is_layout) return Format::oci;
    const auto *other = std::find_if(kOtherFormats.begin(), kOtherFormats.end(),
                                     [&](std::string_view suffix) { return given.ends_with(suffix); });
    if (request_.is_mmdebstraps || other == kOtherFormats.end()) return Format::directory;
    throw usage_error(fmt::format("cannot write '{}': there is no format for '{}' files", given, *other))
        .hint("a .tar, .tar.xz, .squashfs, .ext4 or .oci file, or a directory");
  }

  [[nodiscard]] Compression compression_of(const std::string &given) const {
    const Suffix *suffix = find_suffix(given);
    Compression compression = suffix == nullptr ? Compression::none : suffix->compression;
    bool may_run_lzop = compression == Compression::lzop && host_.has_program && host_.has_program("lzop");
    if (compression == Compression::lzop && !may_run_lzop) {
      throw Error(ErrorKind::output, fmt::format("cannot write '{}': there is no program 'lzop' here", given))
          .hint("the faster and smaller .lz4 or .zst; or, on Debian: apt install lzop");
    }
    return compression;
  }

  const OutputRequest &request_;
  const HostFacts &host_;
  std::optional<Format> format_;
};

/// What is written into the tree would become a part of it.
void check_outside(const fs::path &tree, const std::vector<Output> &outputs, const std::vector<fs::path> &places) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].format == Format::null || !places[i].string().starts_with(tree.string() + "/")) continue;
    throw usage_error(fmt::format("output '{}' lies in the directory that is built", outputs[i].path));
  }
}

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
  std::vector<fs::path> places;
  std::optional<fs::path> tree;
  for (const std::string &given : paths) {
    Output output = reader.read(given);
    fs::path place = given == "-" ? fs::path("-") : absolute_path(given, host);
    if (std::find(places.begin(), places.end(), place) != places.end() && output.path != "/dev/null") {
      throw usage_error(fmt::format("output '{}' is given twice", given));
    }
    if (output.format == Format::directory) {
      if (tree) throw usage_error("only one output can be a directory: the tree is built in it");
      tree = place;
    }
    places.push_back(std::move(place));
    outputs.push_back(std::move(output));
  }
  if (tree) check_outside(*tree, outputs, places);
  return outputs;
}

}  // namespace debroot::plan
