/// The paths of a build that are hot, each by itself: reading an index, comparing versions, choosing, unpacking,
/// packing.
///
/// hot_paths PACKAGES ARCH DEBS [--benchmark_…]: a Packages file in any compression, its architecture, a directory of
/// .debs. hot_paths.py makes them and runs this.
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/compression.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "debian/version.hpp"
#include "index/packages_scan.hpp"
#include "pack/pack.hpp"
#include "resolve/resolver.hpp"
#include "support/scratch_root.hpp"
#include "unpack/stage.hpp"
#include "verify/digest_check.hpp"

namespace {

using namespace debroot;

/// What the benchmarks work on.
struct Data {
  std::string packages_path;
  std::string architecture;
  std::vector<std::string> debs;
};

base::VerifiedBytes verified(const std::string &path) {
  std::string bytes = base::read_file(path);
  std::string digest = base::hash_of(base::HashKind::sha256, bytes);
  std::uint64_t size = bytes.size();
  return verify::check_bytes(base::UntrustedBytes(std::move(bytes)), digest, size, path);
}

base::VerifiedFile verified_file(const std::string &path) {
  base::Fd fd = base::open_file(path, O_RDONLY);
  std::uint64_t size = 0;
  std::string digest = base::hash_of_file(base::HashKind::sha256, fd.get(), &size);
  return verify::check_file(base::UntrustedFile(std::move(fd)), digest, size, path);
}

debian::PackageIndex index_of(const Data &data) {
  debian::PackageIndex index;
  debian::PackageSource source;
  source.suite = source.codename = source.requested = "suite";
  source.component = "main";
  index::add_packages(index, verified(data.packages_path), source, {data.architecture}, data.packages_path);
  index.seal();
  return index;
}

/// Decompression and the one pass; the rate is that of the decompressed text.
void read_index(benchmark::State &state, const Data &data) {
  base::VerifiedBytes packages = verified(data.packages_path);
  std::size_t size = base::decompress(std::string(packages.view()), data.packages_path).size();
  for (auto _ : state) {
    benchmark::DoNotOptimize(index::scan_packages(packages, {data.architecture}, data.packages_path));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

/// Only the pass, over text that nothing has compressed.
void scan_index(benchmark::State &state, const Data &data) {
  test::ScratchRoot scratch;
  scratch.file("/Packages", base::decompress(base::read_file(data.packages_path), data.packages_path));
  base::VerifiedBytes packages = verified(scratch.at("Packages"));
  for (auto _ : state) {
    benchmark::DoNotOptimize(index::scan_packages(packages, {data.architecture}, "Packages"));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * packages.view().size()));
}

void compare_versions(benchmark::State &state, const Data &data) {
  debian::PackageIndex index = index_of(data);
  std::vector<std::string_view> versions;
  for (const debian::BinaryPackage &package : index.packages()) versions.push_back(package.version);
  for (auto _ : state) {
    for (std::size_t i = 1; i < versions.size(); ++i) {
      benchmark::DoNotOptimize(debian::compare_versions(versions[i - 1], versions[i]));
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * (versions.size() - 1)));
}

/// A build's question: everything of priority important and above, from an index that is read.
void choose_important(benchmark::State &state, const Data &data) {
  debian::PackageIndex index = index_of(data);
  resolve::Policy policy;
  policy.architecture = data.architecture;
  resolve::Request request{{"?essential", "?priority(required)", "?priority(important)", "dbus"}, {}};
  for (auto _ : state) {
    resolve::Resolver resolver(index, policy);
    resolve::Outcome outcome = resolver.install(request, {});
    if (!std::holds_alternative<resolve::Selection>(outcome)) throw std::runtime_error("nothing was chosen");
    benchmark::DoNotOptimize(outcome);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void unpack_all(benchmark::State &state, const Data &data) {
  std::uint64_t bytes = 0;
  std::vector<base::VerifiedFile> files;
  for (const std::string &path : data.debs) {
    files.push_back(verified_file(path));
    bytes += files.back().size_bytes();
  }
  for (auto _ : state) {
    state.PauseTiming();
    std::optional<test::ScratchRoot> stage(std::in_place);
    state.ResumeTiming();
    for (std::size_t i = 0; i < files.size(); ++i) {
      benchmark::DoNotOptimize(unpack::stage_package(files[i], data.debs[i], **stage, std::to_string(i), {}));
    }
    state.PauseTiming();
    stage.reset();
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

/// The tar of all that unpack_all makes.
void write_tar(benchmark::State &state, const Data &data) {
  test::ScratchRoot root;
  for (std::size_t i = 0; i < data.debs.size(); ++i) {
    static_cast<void>(unpack::stage_package(verified_file(data.debs[i]), data.debs[i], *root, std::to_string(i), {}));
  }
  base::Fd nowhere = base::open_file("/dev/null", O_WRONLY);
  std::vector<pack::ImageSink> sinks = {{nowhere.get(), Compression::none, "tar", Format::tar}};
  std::uint64_t bytes = 0;
  for (auto _ : state) bytes += pack::pack_tree(*root, sinks, {}).output_bytes[0];
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

Data data_from(int count, char **arguments) {
  if (count != 4) throw std::runtime_error("usage: hot_paths PACKAGES ARCH DEBS [--benchmark_…]");
  Data data{arguments[1], arguments[2], {}};
  for (const auto &entry : std::filesystem::directory_iterator(arguments[3])) {
    if (entry.path().extension() == ".deb") data.debs.push_back(entry.path());
  }
  std::sort(data.debs.begin(), data.debs.end());
  return data;
}

}  // namespace

int main(int count, char **arguments) {
  benchmark::Initialize(&count, arguments);
  Data data = data_from(count, arguments);
  using Measure = void (*)(benchmark::State &, const Data &);
  const std::pair<const char *, Measure> all[] = {{"read_index", read_index},
                                                  {"scan_index", scan_index},
                                                  {"compare_versions", compare_versions},
                                                  {"choose_important", choose_important},
                                                  {"unpack_all", unpack_all},
                                                  {"write_tar", write_tar}};
  for (const auto &[name, measure] : all) {
    benchmark::RegisterBenchmark(name, measure, data)->Unit(benchmark::kMillisecond)->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
}
