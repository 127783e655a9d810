#include "plan/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.hpp"
#include "debian/architecture.hpp"

namespace debroot::plan {
namespace {

struct VariantName {
  std::string_view word;
  Variant variant;
};
/// The first row of a variant is its own name.
constexpr std::array kVariants = {
    VariantName{"extract", Variant::extract},       VariantName{"custom", Variant::custom},
    VariantName{"essential", Variant::essential},   VariantName{"apt", Variant::apt},
    VariantName{"required", Variant::required},     VariantName{"minbase", Variant::required},
    VariantName{"buildd", Variant::buildd},         VariantName{"important", Variant::important},
    VariantName{"debootstrap", Variant::important}, VariantName{"-", Variant::important},
    VariantName{"standard", Variant::standard},
};

/// Values of mmdebstrap 1.3 to 1.6; debroot accepts those that mean nothing to it, since scripts pass them.
constexpr std::array<std::string_view, 32> kSkips = {"check/empty",
                                                     "check/qemu",
                                                     "check/signed-by",
                                                     "check/chrootless",
                                                     "check/root",
                                                     "check/canmount",
                                                     "setup",
                                                     "update",
                                                     "chroot/mount",
                                                     "chroot/mount/dev",
                                                     "chroot/mount/proc",
                                                     "chroot/mount/sys",
                                                     "chroot/policy-rc.d",
                                                     "chroot/start-stop-daemon",
                                                     "essential/unlink",
                                                     "zombie-reaping",
                                                     "cleanup",
                                                     "cleanup/apt",
                                                     "cleanup/apt/lists",
                                                     "cleanup/apt/cache",
                                                     "cleanup/mmdebstrap",
                                                     "cleanup/mmdebstrap/qemu",
                                                     "cleanup/reproducible",
                                                     "cleanup/reproducible/machine-id",
                                                     "cleanup/run",
                                                     "cleanup/tmp",
                                                     "cleanup/dev",
                                                     "output/dev",
                                                     "output/mknod",
                                                     "tar-in/mknod",
                                                     "copy-in/mknod",
                                                     "sync-in/mknod"};

constexpr std::size_t kLongestHostname = 64;
constexpr std::size_t kLongestLabel = 63;

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Sets "did you mean 'X'?" or else the whole choice.
Error with_choice(Error error, std::string_view word, std::span<const std::string_view> candidates) {
  if (auto near = nearest_name(word, candidates))
    return std::move(error.hint(fmt::format("did you mean '{}'?", *near)));
  error.detail("expected", fmt::format("{}", fmt::join(candidates, ", ")));
  return error;
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string_view> candidates) {
  std::size_t limit = word.size() <= 3 ? 1 : 2;
  std::optional<std::string> best;
  std::size_t best_distance = limit + 1;
  for (std::string_view candidate : candidates) {
    std::size_t distance = base::edit_distance(word, candidate, limit);
    // a word of which every letter is replaced is no misspelling
    if (distance >= best_distance || distance >= word.size()) continue;
    best_distance = distance;
    best = std::string(candidate);
  }
  return best;
}

Error usage_error(std::string message) { return {ErrorKind::usage, std::move(message)}; }

std::vector<std::string> split_list(const std::vector<std::string> &values) {
  std::vector<std::string> out;
  for (const std::string &value : values) {
    for (std::string_view piece : base::split_words(value, ", \t\r\n")) {
      if (std::find(out.begin(), out.end(), piece) == out.end()) out.emplace_back(piece);
    }
  }
  return out;
}

Variant parse_variant(std::string_view word) {
  std::vector<std::string_view> words;
  for (const VariantName &row : kVariants) {
    if (row.word == word) return row.variant;
    words.push_back(row.word);
  }
  throw with_choice(usage_error(fmt::format("unknown variant '{}'", word)), word, words);
}

std::string_view variant_name(Variant variant) noexcept {
  const auto *row = std::find_if(kVariants.begin(), kVariants.end(), [&](auto &v) { return v.variant == variant; });
  return row->word;
}

Mode parse_mode(std::string_view word, bool is_root) {
  constexpr std::array<std::string_view, 5> kWords = {"auto", "root", "sudo", "unshare", "chrootless"};
  if (word == "auto") return Mode::automatic;
  if (word == "unshare") return Mode::unshare;
  if (word == "root" || word == "sudo") {
    if (!is_root) throw usage_error("mode 'root' is only for root").hint("--mode=unshare, or run debroot by sudo");
    return Mode::root;
  }
  if (word == "chrootless") return Mode::chrootless;
  if (word == "fakechroot" || word == "fakeroot" || word == "proot") {
    throw usage_error(fmt::format("mode '{}' of mmdebstrap is not offered: debroot needs no such wrapper", word))
        .hint("--mode=unshare makes the same image; where no user namespace is allowed, --mode=chrootless");
  }
  throw with_choice(usage_error(fmt::format("unknown mode '{}'", word)), word, kWords);
}

std::string_view mode_name(Mode mode) noexcept {
  switch (mode) {
    case Mode::automatic:
      return "auto";
    case Mode::root:
      return "root";
    case Mode::unshare:
      return "unshare";
    case Mode::chrootless:
      return "chrootless";
  }
  return "unknown";
}

Network parse_network(std::string_view word) {
  constexpr std::array<std::string_view, 3> kWords = {"networkd", "ifupdown", "none"};
  if (word == "networkd") return Network::networkd;
  if (word == "ifupdown") return Network::ifupdown;
  if (word == "none") return Network::none;
  throw with_choice(usage_error(fmt::format("unknown network '{}'", word)), word, kWords);
}

std::string_view network_name(Network network) noexcept {
  switch (network) {
    case Network::none:
      return "none";
    case Network::networkd:
      return "networkd";
    case Network::ifupdown:
      return "ifupdown";
  }
  return "unknown";
}

bool parse_foreign_exec(std::string_view word) {
  constexpr std::array<std::string_view, 2> kWords = {"native", "emulate"};
  if (word == "native") return true;
  if (word == "emulate") return false;
  throw with_choice(usage_error(fmt::format("unknown way to run foreign programs '{}'", word)), word, kWords);
}

bool parse_stand_ins(std::string_view word) {
  constexpr std::array<std::string_view, 2> kWords = {"yes", "no"};
  if (word == "yes") return true;
  if (word == "no") return false;
  throw with_choice(usage_error(fmt::format("unknown choice of stand-ins '{}'", word)), word, kWords);
}

void check_hostname(std::string_view name) {
  auto refuse = [&](std::string_view cause) {
    throw usage_error(fmt::format("'{}' is no host name: {}", name, cause));
  };
  if (name.empty()) refuse("it is empty");
  if (name.size() > kLongestHostname) refuse(fmt::format("it is longer than {} bytes", kLongestHostname));
  for (std::string_view label : base::split(name, '.')) {
    if (label.empty()) refuse("a label between dots is empty");
    if (label.size() > kLongestLabel) refuse(fmt::format("a label is longer than {} bytes", kLongestLabel));
    if (label.front() == '-' || label.back() == '-') refuse("a label begins or ends with a hyphen");
    for (char c : label) {
      if (!is_alphanumeric(c) && c != '-') refuse("only letters, digits, hyphens and dots are allowed");
    }
  }
}

void check_architecture(std::string_view name) {
  if (debian::find_architecture(name)) return;
  // what uname, rpm and container tools call them
  constexpr std::array<std::array<std::string_view, 2>, 8> kForeignWords = {{{"x86_64", "amd64"},
                                                                             {"x86-64", "amd64"},
                                                                             {"aarch64", "arm64"},
                                                                             {"i686", "i386"},
                                                                             {"x86", "i386"},
                                                                             {"armv7l", "armhf"},
                                                                             {"ppc64le", "ppc64el"},
                                                                             {"loongarch64", "loong64"}}};
  Error error = usage_error(fmt::format("unknown architecture '{}'", name));
  for (const auto &row : kForeignWords) {
    if (row[0] == name) throw error.hint(fmt::format("Debian calls it '{}'", row[1]));
  }
  std::vector<std::string_view> words;
  for (const auto &known : debian::known_architectures()) words.push_back(known.name);
  throw with_choice(std::move(error), name, words);
}

unsigned parse_jobs(std::string_view text) {
  auto number = base::parse_number(text);
  if (!number || *number < 1 || *number > 1024) {
    throw usage_error(fmt::format("'--jobs' takes a number from 1 to 1024, not '{}'", text));
  }
  return static_cast<unsigned>(*number);
}

std::int64_t parse_source_date_epoch(std::string_view text) {
  auto number = base::parse_number(text);
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw usage_error(fmt::format("SOURCE_DATE_EPOCH is no number of seconds: '{}'", text))
        .hint("unset it, or set it to a time such as the output of 'date +%s'");
  }
  return static_cast<std::int64_t>(*number);
}

bool is_skip(std::string_view word) noexcept { return std::find(kSkips.begin(), kSkips.end(), word) != kSkips.end(); }

std::vector<std::string> parse_skips(const std::vector<std::string> &values) {
  std::vector<std::string> out = split_list(values);
  for (const std::string &value : out) {
    if (is_skip(value)) continue;
    throw with_choice(usage_error(fmt::format("unknown stage '{}' in '--skip'", value)), value, kSkips);
  }
  return out;
}

}  // namespace debroot::plan
