#include "build/archive_indexes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <future>
#include <iterator>
#include <optional>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/worker_pool.hpp"
#include "build/local_packages.hpp"
#include "build/root_state.hpp"
#include "index/packages_files.hpp"
#include "index/packages_scan.hpp"
#include "index/release_file.hpp"
#include "plan/suites.hpp"
#include "verify/digest_check.hpp"
#include "verify/keyring.hpp"
#include "verify/signature.hpp"

namespace debroot::build {
namespace {

std::string suite_url(const SourceEntry &entry, std::string_view file) {
  return fmt::format("{}/{}{}", entry.archive_root, index::suite_directory(entry.suite), file);
}

/// "http://deb.debian.org/debian bookworm": how messages name a suite of an archive.
std::string subject_of(const SourceEntry &entry) {
  return fmt::format("{} {}", base::without_credentials(entry.archive_root), entry.suite);
}

/// The signed files of one source as fetched: InRelease, or Release with its detached signature.
struct SignedFiles {
  std::optional<fetch::Fetched> inrelease;
  std::optional<fetch::Fetched> release;
  std::optional<fetch::Fetched> signature;
};

std::string bytes_of(const fetch::Fetched &fetched) {
  std::string out(fetched.size_bytes, '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    ssize_t got =
        ::pread(fetched.file.unchecked().get(), out.data() + have, out.size() - have, static_cast<off_t>(have));
    if (got <= 0) throw Error(ErrorKind::network, "a fetched file ended early");
    have += static_cast<std::size_t>(got);
  }
  return out;
}

fetch::Request release_request(const SourceEntry &entry, std::string_view file) {
  constexpr std::uint64_t kLimitBytes = 32 << 20;
  fetch::Request request;
  request.url = suite_url(entry, file);
  request.limit_bytes = kLimitBytes;
  request.may_be_missing = true;
  request.is_release = true;
  request.purpose = subject_of(entry);
  return request;
}

std::optional<fetch::Fetched> take(fetch::Completion completion) {
  if (std::holds_alternative<fetch::Missing>(completion.outcome)) return std::nullopt;
  return fetch::require(std::move(completion));
}

/// All InRelease files at once, then the older pair for those that have none.
std::vector<SignedFiles> fetch_releases(const std::vector<SourceEntry> &entries, fetch::Fetcher &fetcher,
                                        base::Trace &trace) {
  base::Trace::Timer timer = trace.time(SpanKind::network, "Release files");
  std::vector<fetch::Request> requests;
  for (const SourceEntry &entry : entries) requests.push_back(release_request(entry, "InRelease"));
  std::vector<fetch::Completion> completions = fetcher.fetch_all(std::move(requests));
  std::vector<SignedFiles> out(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    out[i].inrelease = take(std::move(completions[i]));
    if (out[i].inrelease) continue;
    auto pair = fetcher.fetch_all({release_request(entries[i], "Release"), release_request(entries[i], "Release.gpg")});
    out[i].release = take(std::move(pair[0]));
    out[i].signature = take(std::move(pair[1]));
  }
  return out;
}

verify::Keyring keyring_of(const SourceEntry &entry, const BuildPlan &plan, bool is_archived) {
  verify::Keyring keyring;
  if (!entry.signed_by.empty()) {
    return entry.signed_by[0] == '/' ? verify::Keyring::from_path(entry.signed_by)
                                     : verify::Keyring::from_signed_by(entry.signed_by, "Signed-By of the source");
  }
  for (const std::string &path : plan.keyrings) keyring.add(verify::Keyring::from_path(path));
  if (!keyring.empty()) return keyring;
  keyring = verify::vendor_keyring(plan.vendor, is_archived ? verify::RemovedKeys::with : verify::RemovedKeys::without);
  if (keyring.empty()) {
    throw Error(ErrorKind::trust, fmt::format("no keyring is known for '{}'", subject_of(entry)))
        .hint("--keyring=FILE with the archive's public key, or signed-by in the source");
  }
  return keyring;
}

verify::VerifiedRelease verify_files(const SignedFiles &files, const SourceEntry &entry, const BuildPlan &plan,
                                     bool is_archived) {
  const fetch::Fetched *text = files.inrelease ? &*files.inrelease : &*files.release;
  base::UntrustedBytes bytes(bytes_of(*text));
  if (entry.is_trusted) return verify::accept_unsigned(std::move(bytes));
  verify::Keyring keyring = keyring_of(entry, plan, is_archived);
  verify::GpgSettings settings;
  settings.temporary_directory = plan.temporary_directory;
  try {
    if (files.inrelease) return verify::verify_inrelease(std::move(bytes), keyring, entry.suite, settings);
    if (!files.signature) {
      throw Error(ErrorKind::trust, fmt::format("cannot trust Release of suite '{}': it is not signed", entry.suite))
          .hint("[trusted=yes] in the source takes it as it is");
    }
    return verify::verify_release(std::move(bytes), base::UntrustedBytes(bytes_of(*files.signature)), keyring,
                                  entry.suite, settings);
  } catch (Error &error) {
    throw std::move(error.frame(fmt::format("verifying {}", subject_of(entry))));
  }
}

index::FreshnessPolicy freshness_of(const SourceEntry &entry, const debian::AptConfig &config) {
  index::FreshnessPolicy policy;
  policy.check_valid_until = entry.check_valid_until.value_or(config.is_true("Acquire::Check-Valid-Until", true));
  policy.check_date = config.is_true("Acquire::Check-Date", true);
  return policy;
}

std::vector<std::string> all_architectures(const BuildPlan &plan) {
  std::vector<std::string> out = {plan.architecture};
  out.insert(out.end(), plan.foreign_architectures.begin(), plan.foreign_architectures.end());
  return out;
}

/// A source whose Release file is verified and read.
struct OpenSource {
  SourceEntry entry;
  index::ReleaseFile release;
  std::vector<std::string> architectures;
};

/// One Packages file on its way.
struct PendingIndex {
  const OpenSource *source;
  index::PackagesIndex wanted;
  fetch::Request request;
  std::vector<std::string> architectures;  ///< whose packages are wanted
  bool is_for_twins = false;               ///< not of the image, and no loss if it cannot be had
};

OpenSource open_source(const SourceEntry &entry, const verify::VerifiedRelease &verified, const BuildPlan &plan,
                       const debian::AptConfig &config) {
  std::string subject = subject_of(entry);
  OpenSource source{entry, index::parse_release(verified.text, subject), entry.architectures};
  if (source.architectures.empty()) source.architectures = all_architectures(plan);
  index::check_release(source.release, entry.suite, entry.components, source.architectures, subject);
  index::check_freshness(source.release, std::time(nullptr), freshness_of(entry, config), subject);
  return source;
}

std::vector<PendingIndex> wanted_indexes(const OpenSource &source, const std::vector<std::string> &architectures) {
  std::vector<PendingIndex> out;
  std::vector<std::string> components = source.entry.components;
  if (components.empty()) components.emplace_back();
  for (const std::string &component : components) {
    std::string subject = subject_of(source.entry);
    for (index::PackagesIndex &wanted :
         index::choose_packages_files(source.release, component, architectures, subject)) {
      const index::PackagesFile &file = wanted.forms.front();
      fetch::Request request;
      request.url = suite_url(source.entry, file.by_hash_path.empty() ? file.path : file.by_hash_path);
      request.sha256 = file.sha256;
      request.size_bytes = file.size_bytes;
      request.purpose = subject;
      out.push_back({&source, std::move(wanted), std::move(request), architectures});
    }
  }
  return out;
}

/// The indexes of another architecture, where the source has them. A flat archive says nothing of architectures.
std::vector<PendingIndex> twin_indexes(const OpenSource &source, const std::string &architecture) {
  bool has_them = !source.entry.components.empty() && !source.release.architectures.empty() &&
                  index::supports_architecture(source.release, architecture);
  std::vector<PendingIndex> out;
  if (has_them) out = wanted_indexes(source, {architecture});
  std::erase_if(out, [&](const PendingIndex &pending) { return pending.wanted.architecture != architecture; });
  for (PendingIndex &pending : out) pending.is_for_twins = true;
  return out;
}

/// Reads all sources; separate from read_archives so that the fallback to the archive of old suites can repeat it.
class Reading {
 public:
  Reading(const BuildPlan &plan, const debian::AptConfig &config, fetch::Fetcher &fetcher, Progress &progress,
          base::Trace &trace, const std::string &twin_architecture, const std::string &status,
          const KnowsChoice &knows_choice)
      : plan_(plan),
        config_(config),
        fetcher_(fetcher),
        progress_(progress),
        trace_(trace),
        twin_architecture_(twin_architecture),
        status_(status),
        knows_choice_(knows_choice),
        pool_(plan.jobs) {}

  ArchiveIndexes run() {
    out_.sources = plan_.sources;
    if (!is_skipped(plan_.skips, "update")) read_sources();
    std::vector<std::string> paths;
    std::copy_if(plan_.includes.begin(), plan_.includes.end(), std::back_inserter(paths), is_local_package);
    out_.local_packages = add_local_packages(out_.packages, paths);
    out_.installed = add_installed_packages(out_.packages, status_);
    out_.packages.seal();
    out_.twins.seal();
    return std::move(out_);
  }

 private:
  void read_sources() {
    std::vector<SourceEntry> entries = distinct_entries();
    std::vector<SignedFiles> files = fetch_releases(entries, fetcher_, trace_);
    bool is_archived = false;
    if (first_missing(files) && plan_.has_default_sources) {
      std::vector<SourcesFile> archived = plan::archived_sources(plan_);
      if (!archived.empty()) {
        progress_.note(fmt::format("suite '{}' is past its end: taking it from {}", plan_.suite,
                                   archived.front().entries.front().archive_root));
        out_.sources = std::move(archived);
        entries = distinct_entries();
        files = fetch_releases(entries, fetcher_, trace_);
        is_archived = true;
      }
    }
    if (std::optional<std::size_t> missing = first_missing(files))
      refuse_missing(entries[*missing], plan_.cache.is_offline);
    open_all(entries, files, is_archived);
    if (knows_choice_ && knows_choice_(out_)) {
      if (needs_lists(plan_)) fetch_lists();
      return;
    }
    read_packages();
  }

  std::vector<SourceEntry> distinct_entries() const {
    std::vector<SourceEntry> out;
    for (const SourcesFile &file : out_.sources) {
      for (const SourceEntry &entry : file.entries) {
        auto same = std::find_if(out.begin(), out.end(), [&](const SourceEntry &known) {
          return known.archive_root == entry.archive_root && known.suite == entry.suite &&
                 known.signed_by == entry.signed_by;
        });
        if (same == out.end()) {
          out.push_back(entry);
          continue;
        }
        for (const std::string &component : entry.components) {
          if (std::find(same->components.begin(), same->components.end(), component) == same->components.end()) {
            same->components.push_back(component);
          }
        }
      }
    }
    return out;
  }

  static std::optional<std::size_t> first_missing(const std::vector<SignedFiles> &files) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (!files[i].inrelease && !files[i].release) return i;
    }
    return std::nullopt;
  }

  [[noreturn]] static void refuse_missing(const SourceEntry &entry, bool is_offline) {
    if (is_offline) {
      throw Error(ErrorKind::network,
                  fmt::format("cannot take '{}' from the cache: its Release is not there", subject_of(entry)))
          .hint("run once without --offline");
    }
    throw Error(ErrorKind::network, fmt::format("cannot find suite '{}' at '{}': it has neither InRelease nor Release",
                                                entry.suite, base::without_credentials(entry.archive_root)))
        .detail("from", base::without_credentials(suite_url(entry, "InRelease")))
        .hint("--mirror with an archive that has the suite");
  }

  /// Signatures are checked on the workers, results taken in the order of the sources.
  void open_all(const std::vector<SourceEntry> &entries, const std::vector<SignedFiles> &files, bool is_archived) {
    std::vector<std::future<verify::VerifiedRelease>> checks;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      checks.push_back(pool_.submit([&, i] {
        base::Trace::Timer timer = trace_.time(SpanKind::work, "signature of " + subject_of(entries[i]));
        return verify_files(files[i], entries[i], plan_, is_archived);
      }));
    }
    wait_for(checks, "signatures");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      verify::VerifiedRelease verified = checks[i].get();
      sources_.push_back(open_source(entries[i], verified, plan_, config_));
      report(sources_.back(), files[i]);
    }
  }

  void report(const OpenSource &source, const SignedFiles &files) {
    const fetch::Fetched &signed_file = files.inrelease ? *files.inrelease : *files.release;
    const char *name = files.inrelease ? "InRelease" : "Release";
    std::string url = suite_url(source.entry, name);
    int fd = signed_file.file.unchecked().get();
    out_.releases.push_back({base::without_credentials(url), source.entry.suite, source.release.codename,
                             source.release.date_text, base::hash_of_file(base::HashKind::sha256, fd)});
    out_.newest_date = std::max(out_.newest_date, source.release.date.value_or(0));
    out_.lists.push_back({apt_list_name(source.entry, name), signed_file.file.unchecked().duplicate()});
    if (files.signature) {
      out_.lists.push_back({apt_list_name(source.entry, "Release.gpg"), files.signature->file.unchecked().duplicate()});
    }
  }

  /// Those of the image first: their texts are the larger part of the work.
  std::vector<PendingIndex> all_indexes() const {
    std::vector<PendingIndex> out;
    for (const OpenSource &source : sources_) {
      for (PendingIndex &wanted : wanted_indexes(source, source.architectures)) out.push_back(std::move(wanted));
    }
    if (twin_architecture_.empty()) return out;
    for (const OpenSource &source : sources_) {
      for (PendingIndex &wanted : twin_indexes(source, twin_architecture_)) out.push_back(std::move(wanted));
    }
    return out;
  }

  std::future<index::ScannedPackages> start_scan(const PendingIndex &pending, const fetch::Fetched &fetched,
                                                 const std::string &url) {
    const index::PackagesFile &form = pending.wanted.forms.front();
    return pool_.submit([this, url, form, architectures = pending.architectures, bytes = bytes_of(fetched)]() mutable {
      std::string subject = base::without_credentials(url);
      base::Trace::Timer timer = trace_.time(SpanKind::work, "reading " + subject);
      auto verified =
          verify::check_bytes(base::UntrustedBytes(std::move(bytes)), form.sha256, form.size_bytes, subject);
      return index::scan_packages(verified, architectures, subject);
    });
  }

  /// The Packages files as they are, not read.
  void fetch_lists() {
    std::vector<PendingIndex> pending = all_indexes();
    std::erase_if(pending, [](const PendingIndex &index) { return index.is_for_twins; });
    std::vector<std::size_t> tickets;
    for (PendingIndex &wanted : pending) tickets.push_back(fetcher_.submit(wanted.request));
    for (std::size_t i = 0; i < pending.size(); ++i) {
      const index::PackagesFile &form = pending[i].wanted.forms.front();
      std::string url = suite_url(pending[i].source->entry, form.path);
      fetch::Fetched fetched = fetch::require(fetcher_.wait(tickets[i]));
      base::VerifiedFile file = verify::check_file(std::move(fetched.file), form.sha256, form.size_bytes, url);
      out_.lists.push_back({apt_list_name(pending[i].source->entry, form.path), file.fd().duplicate()});
    }
  }

  void read_packages() {
    std::vector<PendingIndex> pending = all_indexes();
    PhaseCount count{0, pending.size(), 0, 0};
    std::vector<std::size_t> tickets;
    for (PendingIndex &wanted : pending) tickets.push_back(fetcher_.submit(wanted.request));
    std::vector<std::future<index::ScannedPackages>> scans(pending.size());
    for (std::size_t i = 0; i < pending.size(); ++i) {
      fetch::Completion completion = [&] {
        base::Trace::Timer timer = trace_.time(SpanKind::network, pending[i].request.url);
        return fetcher_.wait(tickets[i]);
      }();
      if (pending[i].is_for_twins && is_passing_failure(completion)) {
        out_.lacks_twins = true;
        continue;
      }
      fetch::Fetched fetched = fetch::require(std::move(completion));
      const SourceEntry &entry = pending[i].source->entry;
      const std::string &path = pending[i].wanted.forms.front().path;
      std::string url = suite_url(entry, path);
      if (!pending[i].is_for_twins) {
        out_.lists.push_back({apt_list_name(entry, path), fetched.file.unchecked().duplicate()});
      }
      scans[i] = start_scan(pending[i], fetched, url);
      ++count.items_done;
      count.bytes_done = fetcher_.totals().network_bytes;
      progress_.phase_advanced(Phase::indexes, count, url);
    }
    wait_for(scans, "indexes");
    for (std::size_t i = 0; i < pending.size(); ++i) {
      if (!scans[i].valid()) continue;
      const OpenSource &source = *pending[i].source;
      index::add_packages(pending[i].is_for_twins ? out_.twins : out_.packages, scans[i].get(),
                          index::make_source(source.release, source.entry.archive_root, source.entry.suite,
                                             pending[i].wanted.component));
    }
  }

  template <class Value>
  void wait_for(std::vector<std::future<Value>> &results, const char *name) {
    base::Trace::Timer timer = trace_.time(SpanKind::wait, name);
    for (std::future<Value> &result : results) {
      if (result.valid()) result.wait();
    }
  }

  /// A failure that leaves the image as it would be, only later.
  static bool is_passing_failure(const fetch::Completion &completion) {
    const auto *error = std::get_if<Error>(&completion.outcome);
    return error != nullptr && error->kind() != ErrorKind::interrupted;
  }

  const BuildPlan &plan_;
  const debian::AptConfig &config_;
  fetch::Fetcher &fetcher_;
  Progress &progress_;
  base::Trace &trace_;
  const std::string &twin_architecture_;
  const std::string &status_;
  const KnowsChoice &knows_choice_;
  std::vector<OpenSource> sources_;
  ArchiveIndexes out_;
  base::WorkerPool pool_;  // last: its tasks look at the members above
};

}  // namespace

ArchiveIndexes read_archives(const BuildPlan &plan, const debian::AptConfig &config, fetch::Fetcher &fetcher,
                             Progress &progress, base::Trace &trace, const std::string &twin_architecture,
                             const std::string &status, const KnowsChoice &knows_choice) {
  return Reading(plan, config, fetcher, progress, trace, twin_architecture, status, knows_choice).run();
}

bool needs_lists(const BuildPlan &plan) {
  auto is_kept = [&](std::string_view step) { return is_skipped(plan.skips, step); };
  return !plan.hooks.empty() || is_kept("cleanup") || is_kept("cleanup/apt") || is_kept("cleanup/apt/lists");
}

std::string apt_list_name(const SourceEntry &entry, std::string_view file) {
  constexpr std::string_view kQuoted = "\\|{}[]<>\"^~_=!@#$%&*";
  // apt writes the directory of a flat archive as the source has it
  bool is_flat = entry.suite.ends_with('/');
  std::string directory = is_flat ? entry.suite : index::suite_directory(entry.suite);
  if (directory == "/") directory.clear();
  std::string plain = base::without_credentials(fmt::format("{}/{}{}", entry.archive_root, directory, file));
  if (std::size_t scheme = plain.find("://"); scheme != std::string::npos) plain.erase(0, scheme + 3);
  std::string out;
  for (char c : plain) {
    if (c == '/') {
      out += '_';
    } else if (kQuoted.find(c) != std::string_view::npos) {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string plain_list_name(std::string name) {
  for (std::string_view suffix : {".gz", ".xz", ".bz2", ".lzma", ".zst"}) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  }
  return name;
}

}  // namespace debroot::build
