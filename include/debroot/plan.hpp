/// A BuildPlan holds every decision that the command line, its defaults and the host allow to be made before anything
/// is fetched or touched. plan/ makes it and refuses contradictions; everything else only reads it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot {

/// Package sets, named as mmdebstrap names them. `minbase` is required, `debootstrap` and `-` are important.
enum class Variant { extract, custom, essential, apt, required, buildd, important, standard };

/// How the build gets the privileges it needs.
enum class Mode {
  automatic,   ///< root when run as root, else unshare
  root,        ///< real root, no user namespace (save the identity-mapped one that a foreign architecture needs)
  unshare,     ///< a user namespace with the caller's subordinate ids (as root: no user namespace, own mounts)
  chrootless,  ///< no privileges and no chroot: maintainer scripts run on the host's own tools, with DPKG_ROOT
};

/// What brings the network up in the started image.
enum class Network { none, networkd, ifupdown };

/// One apt source: archive root × suite × components.
struct SourceEntry {
  std::string archive_root;             ///< URI above dists/ and pool/, no trailing slash
  std::string suite;                    ///< "bookworm", or a path that ends in '/' for a flat archive
  std::vector<std::string> components;  ///< empty for a flat archive
  std::string signed_by;  ///< absolute path of a keyring, or an armored key block; empty: the plan's keyrings
  std::vector<std::string> architectures;  ///< of an [arch=…] option; empty: all of the image
  bool is_trusted = false;                 ///< [trusted=yes]: signatures are not demanded
  std::optional<bool> check_valid_until;   ///< [check-valid-until=…], else the plan's
};

/// One file of apt's sources as it will stand in the image, with what it says.
struct SourcesFile {
  std::string path;  ///< below the root: "/etc/apt/sources.list", "/etc/apt/sources.list.d/0001main.sources"
  std::string text;
  std::vector<SourceEntry> entries;
};

/// When a hook runs; see mmdebstrap(1), HOOKS.
enum class HookStage { setup, extract, essential, customize };

/// Name of a stage as options have it: "customize".
[[nodiscard]] constexpr std::string_view hook_stage_name(HookStage stage) noexcept {
  switch (stage) {
    case HookStage::setup:
      return "setup";
    case HookStage::extract:
      return "extract";
    case HookStage::essential:
      return "essential";
    case HookStage::customize:
      return "customize";
  }
  return "unknown";
}

/// One `--STAGE-hook=COMMAND`, in command-line order.
struct Hook {
  HookStage stage = HookStage::customize;
  std::string command;
  bool is_chrooted = false;  ///< `--chrooted-STAGE-hook`: a shell in the root runs it
  std::string name = {};     ///< what messages say instead of a long command; empty: the command
};

/// Whether any of `hooks` is of `stage`.
[[nodiscard]] inline bool has_hooks(const std::vector<Hook> &hooks, HookStage stage) {
  return std::any_of(hooks.begin(), hooks.end(), [stage](const Hook &hook) { return hook.stage == stage; });
}

/// Whether any of `hooks` run between the essential set and what apt installs afterwards, which they have a say in.
[[nodiscard]] inline bool has_hooks_between(const std::vector<Hook> &hooks) {
  return has_hooks(hooks, HookStage::extract) || has_hooks(hooks, HookStage::essential);
}

/// What an output is: a tar, the tree itself, a file system in a file, a directory that is an OCI image layout, or
/// nothing at all.
enum class Format { tar, directory, squashfs, ext2, ext4, oci, null };

/// Name of a format as options have it: "squashfs".
[[nodiscard]] constexpr std::string_view format_name(Format format) noexcept {
  switch (format) {
    case Format::tar:
      return "tar";
    case Format::directory:
      return "directory";
    case Format::squashfs:
      return "squashfs";
    case Format::ext2:
      return "ext2";
    case Format::ext4:
      return "ext4";
    case Format::oci:
      return "oci";
    case Format::null:
      return "null";
  }
  return "unknown";
}

/// Of a tar, named for the programs that undo it.
enum class Compression { none, gzip, xz, zstd, bzip2, compress, lz4, lzip, lzma, lzop };

/// How hard a compressor tries.
struct CompressionLevel {
  int value = -1;           ///< as its program numbers them; negative: what that does by default
  bool is_extreme = false;  ///< of xz

  friend bool operator==(const CompressionLevel &, const CompressionLevel &) = default;
};

/// One `-o`. Path "-" is stdout.
struct Output {
  std::string path;
  Format format = Format::tar;
  Compression compression = Compression::none;
  CompressionLevel level = {};
};

/// Whether `step` is among the values of --skip.
[[nodiscard]] inline bool is_skipped(const std::vector<std::string> &skips, std::string_view step) {
  return std::find(skips.begin(), skips.end(), step) != skips.end();
}

/// Where downloads are kept.
struct CachePlan {
  std::string directory;     ///< absolute; empty: nothing is kept between runs (--no-cache)
  bool is_optional = false;  ///< a directory that cannot be made or written to means that nothing is kept
  bool is_offline = false;   ///< never touch the network: use what the cache holds
};

/// A file of the building machine that is put into the root before the first package, unless something is there.
struct HostFile {
  std::string path;  ///< inside the root
  std::string content;
  std::uint32_t mode = 0644;
};

/// What of the building machine shows in the image or to maintainer scripts. As default-constructed, nothing does.
struct HostTraces {
  std::vector<HostFile> files;
  /// Owner of apt's `partial` directories; nothing: _apt as the image itself numbers it.
  std::optional<std::uint32_t> apt_user_id;
  /// "NAME=value" of the caller, which scripts see beside debroot's own settings; nothing: they see only those.
  std::optional<std::vector<std::string>> environment;
  std::string hostname;  ///< what uname(2) says to scripts; empty: a fixed name
};

struct BuildPlan {
  std::string suite;
  std::string architecture;  ///< of the image, Debian name
  std::vector<std::string> foreign_architectures;
  Variant variant = Variant::important;
  Mode mode = Mode::automatic;
  std::vector<SourcesFile> sources;
  /// The sources are the suite's own (no --mirror): if the archive has dropped the suite, plan::archived_sources()
  /// names where it went.
  bool has_default_sources = false;
  std::vector<std::string> includes;      ///< as given, after splitting; debroot's own additions are not among them
  std::vector<std::string> excludes;      ///< names that must not be installed
  std::vector<std::string> keyrings;      ///< files or directories of --keyring
  std::string vendor;                     ///< "debian", "ubuntu", or empty when the suite is nobody's known suite
  std::vector<std::string> apt_options;   ///< lines or file contents for /etc/apt/apt.conf.d/99mmdebstrap
  std::vector<std::string> dpkg_options;  ///< the same for /etc/dpkg/dpkg.cfg.d/99mmdebstrap
  bool obeys_dpkg_options = true;         ///< they count while packages are installed; else they are only written
  std::vector<Hook> hooks;
  /// Packages that hooks want among the first ones installed; those that the suite does not have are passed over.
  std::vector<std::string> hook_packages;
  /// Hooks were written for mmdebstrap: they write to this program's standard error (what others write comes as
  /// events), and find a tree of mmdebstrap's name with the .debs and device nodes in it that it would have there.
  bool hooks_are_mmdebstraps = false;
  int verbosity = 1;  ///< as hooks are told it: 0 quiet, 1 normal, 2 verbose, 3 debug
  /// Processes that hooks leave behind are waited for behind the last one; otherwise they are ended then.
  bool waits_for_background_processes = false;
  std::vector<std::string> skips;       ///< values of --skip
  bool is_plain = false;                ///< none of debroot's own customisations
  std::optional<std::string> hostname;  ///< written to the image when set
  Network network = Network::networkd;
  bool shares_network_with_scripts = false;  ///< --script-network
  HostTraces host_traces;
  /// Architecture whose packages lend their tools to the maintainer scripts of a foreign image, so that those need not
  /// be emulated (--foreign-exec=native); empty: they only have the image's own.
  std::string twin_architecture;
  /// Maintainer scripts meet debroot's stand-ins where the image's own tool is known (--stand-ins).
  bool uses_stand_ins = true;
  unsigned jobs = 1;  ///< worker threads, at least 1
  CachePlan cache;
  std::vector<Output> outputs;
  std::optional<std::int64_t> source_date_epoch;  ///< from the environment; else the newest Date of the Release files
  std::string temporary_directory;                ///< $TMPDIR or /tmp
  bool is_simulation = false;                     ///< --simulate: plan and print, make nothing
  std::vector<std::string> warnings;              ///< what looked wrong while planning; cli shows them before the build
};

}  // namespace debroot
