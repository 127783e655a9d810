#include "pack/oci_image.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "pack/directory.hpp"

namespace debroot::pack {
namespace {

// keys in the order in which they are written
using Json = nlohmann::ordered_json;

constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr const char *kTag = "latest";
constexpr const char *kBlobs = "blobs/sha256";

Error cannot_write(int errno_value, const std::string &path) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot write '{}'", path));
}

/// Go's name of an architecture (config.md, "architecture"), and the variant where the name has several.
struct GoArchitecture {
  std::string_view debian;
  std::string_view name;
  std::string_view variant;
};
constexpr std::array<GoArchitecture, 8> kArchitectures = {{{"i386", "386", ""},
                                                           {"arm64", "arm64", "v8"},
                                                           {"armhf", "arm", "v7"},
                                                           {"armel", "arm", "v5"},
                                                           {"mipsel", "mipsle", ""},
                                                           {"mips64el", "mips64le", ""},
                                                           {"ppc64el", "ppc64le", ""},
                                                           {"powerpc", "ppc", ""}}};

void set_platform(Json &document, const std::string &architecture) {
  GoArchitecture found{architecture, architecture, ""};
  for (const GoArchitecture &one : kArchitectures) {
    if (one.debian == architecture) found = one;
  }
  document["architecture"] = found.name;
  document["os"] = "linux";
  if (!found.variant.empty()) document["variant"] = found.variant;
}

Json config_of(const OciSettings &settings) {
  std::string created =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(settings.epoch_seconds)));
  Json config;
  config["created"] = created;
  set_platform(config, settings.architecture);
  config["config"]["Env"] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  if (settings.has_shell) config["config"]["Cmd"] = {"bash"};
  config["rootfs"]["type"] = "layers";
  config["rootfs"]["diff_ids"] = {"sha256:" + settings.tar_digest};
  config["history"] = Json::array({{{"created", created}, {"created_by", "debroot"}}});
  return config;
}

Json descriptor(std::string_view type, const std::string &digest, std::uint64_t size) {
  Json out;
  out["mediaType"] = type;
  out["digest"] = "sha256:" + digest;
  out["size"] = size;
  return out;
}

}  // namespace

/// The layout while it has another name.
struct OciImage::State {
  std::string path;     ///< as given
  std::string target;   ///< without a closing slash
  std::string staging;  ///< beside it; empty once it is moved
  base::Fd layer;

  State() = default;
  State(const State &) = delete;
  State &operator=(const State &) = delete;
  ~State() {
    std::error_code ignored;
    if (!staging.empty()) std::filesystem::remove_all(staging, ignored);
  }

  [[nodiscard]] std::string inside(const std::string &name) const { return fmt::format("{}/{}", staging, name); }

  void write(const std::string &name, std::string_view bytes) const {
    base::Fd file(::open(inside(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) throw cannot_write(errno, path);
    base::write_all(file.get(), bytes, path);
  }

  /// Writes a document under the name of its digest, and describes it.
  [[nodiscard]] Json add_blob(std::string_view type, const Json &document) const {
    std::string text = document.dump();
    std::string digest = base::hash_of(base::HashKind::sha256, text);
    write(fmt::format("{}/{}", kBlobs, digest), text);
    return descriptor(type, digest, text.size());
  }

  /// Gives the layer the name of its digest, and describes it.
  [[nodiscard]] Json add_layer() {
    std::uint64_t size = 0;
    std::string digest = base::hash_of_file(base::HashKind::sha256, layer.get(), &size);
    std::string name = inside(fmt::format("{}/{}", kBlobs, digest));
    if (std::rename(inside("layer").c_str(), name.c_str()) != 0) throw cannot_write(errno, path);
    // a close can be the first to hear of a full disk
    if (::close(layer.release()) != 0 && errno != EINTR) throw cannot_write(errno, path);
    return descriptor(kLayerType, digest, size);
  }
};

OciImage::OciImage(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
OciImage::OciImage(OciImage &&) noexcept = default;
OciImage &OciImage::operator=(OciImage &&) noexcept = default;
OciImage::~OciImage() = default;

int OciImage::fd() const noexcept { return state_->layer.get(); }

OciImage OciImage::open(const std::string &path) {
  check_directory_target(path);
  auto state = std::make_unique<State>();
  state->path = path;
  state->target = path;
  while (state->target.size() > 1 && state->target.back() == '/') state->target.pop_back();
  std::filesystem::path target(state->target);
  std::string pattern = (target.parent_path() / fmt::format(".{}.XXXXXX", target.filename().string())).string();
  if (::mkdtemp(pattern.data()) == nullptr) throw cannot_write(errno, path);
  state->staging = pattern;
  if (::mkdir(state->inside("blobs").c_str(), 0777) != 0 || ::mkdir(state->inside(kBlobs).c_str(), 0777) != 0) {
    throw cannot_write(errno, path);
  }
  state->layer.reset(::open(state->inside("layer").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!state->layer) throw cannot_write(errno, path);
  return OciImage(std::move(state));
}

void OciImage::finish(const OciSettings &settings) {
  State &state = *state_;
  Json layer = state.add_layer();
  Json manifest;
  manifest["schemaVersion"] = 2;
  manifest["mediaType"] = kManifestType;
  manifest["config"] = state.add_blob(kConfigType, config_of(settings));
  manifest["layers"] = Json::array({std::move(layer)});
  Json entry = state.add_blob(kManifestType, manifest);
  set_platform(entry["platform"], settings.architecture);
  entry["annotations"]["org.opencontainers.image.ref.name"] = kTag;
  Json index;
  index["schemaVersion"] = 2;
  index["manifests"] = Json::array({std::move(entry)});
  state.write("index.json", index.dump());
  state.write("oci-layout", Json{{"imageLayoutVersion", "1.0.0"}}.dump());
  // mkdtemp's is for its maker alone; this one is as any directory is
  mode_t mask = ::umask(0);
  ::umask(mask);
  if (::chmod(state.staging.c_str(), 0777 & ~mask) != 0) throw cannot_write(errno, state.path);
  // takes the place of an empty directory too
  if (std::rename(state.staging.c_str(), state.target.c_str()) != 0) throw cannot_write(errno, state.path);
  state.staging.clear();
}

}  // namespace debroot::pack
