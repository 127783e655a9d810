#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "stand_ins/program/files.hpp"
#include "stand_ins/program/spawn.hpp"
#include "stand_ins/program/tools.hpp"

namespace debroot::stand_ins {
namespace {

const std::string kConfiguration = "/etc/ca-certificates.conf";
const std::string kCertificates = "/usr/share/ca-certificates/";
const std::string kLocal = "/usr/local/share/ca-certificates";
const std::string kHooks = "/etc/ca-certificates/update.d";
const std::string kPlace = "/etc/ssl/certs";
const std::string kBundle = kPlace + "/ca-certificates.crt";
const std::string kNewBundle = kBundle + ".new";

/// One certificate that is to be trusted.
struct Certificate {
  std::string path;
  std::string link;  ///< in /etc/ssl/certs
};

/// Path of a file in /etc/ssl/certs.
std::string place_of(std::string_view name) { return std::string(kPlace).append("/").append(name); }

bool is_absent_or_empty(const std::string &path) {
  if (!is_there(path)) return true;
  auto names = names_in(path);
  return names && names->empty();
}

/// Whether a line of the configuration is the same to the shell, sed and basename as it is here.
bool is_plain_line(std::string_view line) {
  auto is_plain = [](char c) {
    bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_word || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("._-+~@%:=()/, ").find(c) != std::string_view::npos;
  };
  bool has_edges = line.front() == ' ' || line.back() == ' ' || line.back() == '/';
  return !has_edges && std::all_of(line.begin(), line.end(), is_plain);
}

/// The link's name, in which blanks, brackets and commas are other characters.
std::string link_of(std::string_view path) {
  constexpr std::string_view kSuffix = ".crt";
  std::string_view name = path.substr(path.rfind('/') + 1);
  bool has_suffix = name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix;
  if (has_suffix) name.remove_suffix(kSuffix.size());
  std::string out(name);
  for (char &c : out) {
    if (c == ' ' || c == ',') c = '_';
    if (c == '(' || c == ')') c = '=';
  }
  return place_of(out).append(".pem");
}

/// Those of the configuration; nothing when there are lines that are better left to the tool.
std::optional<std::vector<Certificate>> listed_certificates() {
  std::optional<std::string> text = read_file(kConfiguration);
  if (!text || text->empty() || text->back() != '\n') return std::nullopt;  // an empty one means a fresh start
  std::vector<Certificate> out;
  for (std::string_view line : lines_of(*text)) {
    if (line.empty() || line.front() == '#') continue;
    if (!is_plain_line(line)) return std::nullopt;
    std::string path = kCertificates + std::string(line);
    std::string link = link_of(path);
    if (is_directory(link)) return std::nullopt;
    out.push_back({std::move(path), std::move(link)});
  }
  return out;
}

/// Nothing is there but links and files, and nothing else takes part.
bool is_usual(bool runs_hooks) {
  if (!variable("SYSROOT").empty() || !variable("POSIXLY_CORRECT").empty()) return false;
  if (is_there("/sbin/restorecon") || is_there(kNewBundle) || !is_executable("/usr/bin/openssl")) return false;
  if (!is_absent_or_empty(kLocal) || (runs_hooks && !is_absent_or_empty(kHooks))) return false;
  auto names = names_in(kPlace);
  return names && std::none_of(names->begin(), names->end(), [](const std::string &name) {
           return !is_link(place_of(name)) && is_directory(place_of(name));
         });
}

/// The tool makes lists of what it changes; that they were there shows in the directory's time.
bool touch_temporary_directory() {
  std::string_view given = variable("TMPDIR");
  std::string path = (given.empty() ? std::string("/tmp") : std::string(given)) + "/ca-certificates.tmp.XXXXXX";
  int fd = ::mkostemp(path.data(), O_CLOEXEC);
  return fd >= 0 && ::close(fd) == 0 && ::unlink(path.c_str()) == 0;
}

bool is_link_to(const std::string &link, const std::string &target) {
  char text[PATH_MAX];
  ssize_t length = ::readlink(link.c_str(), text, sizeof(text));
  return length >= 0 && std::string_view(text, static_cast<std::size_t>(length)) == target;
}

bool put_link(const Certificate &certificate) {
  ::unlink(certificate.link.c_str());
  return ::symlink(certificate.path.c_str(), certificate.link.c_str()) == 0;
}

/// A file as `sed '$a\'` gives it: with a line end behind the last line.
bool append_certificate(const std::string &path, std::string &bundle) {
  std::optional<std::string> text = read_file(path);
  if (!text) return false;
  bundle += *text;
  if (!text->empty() && text->back() != '\n') bundle += '\n';
  return true;
}

void remove_orphans() {
  for (const std::string &name : names_in(kPlace).value_or(std::vector<std::string>())) {
    std::string path = place_of(name);
    if (is_link(path) && !exists(path)) ::unlink(path.c_str());
  }
}

/// Exit status of `openssl rehash`, which makes the links by hash.
int rehash() {
  if (::chdir(kPlace.c_str()) != 0) return 2;
  std::optional<int> status = run_program({"openssl", "rehash", "."}, Words::discarded);
  if (!status) return 127;
  return WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
}

bool write_bundle(const std::string &bundle) {
  bool is_written = replace_file(kBundle, bundle);
  if (!is_written) complain("update-ca-certificates: cannot write " + kBundle + "\n");
  return is_written;
}

}  // namespace

std::optional<int> run_update_ca_certificates(const Call &call) {
  bool runs_hooks = call.arguments.empty();
  bool has_no_hooks = call.arguments.size() == 2 && call.arguments[0] == "--hooksdir" && call.arguments[1].empty();
  if (!runs_hooks && !has_no_hooks) return std::nullopt;
  std::optional<std::vector<Certificate>> certificates = listed_certificates();
  if (!certificates || !is_usual(runs_hooks) || !touch_temporary_directory()) return std::nullopt;
  print("Updating certificates in " + kPlace + "...\n");
  std::string bundle;
  int added = 0;
  for (const Certificate &certificate : *certificates) {
    if (!is_file(certificate.path)) {
      complain("W: " + certificate.path + " not found, but listed in " + kConfiguration + ".\n");
      continue;
    }
    if (!exists(certificate.link) || !is_link_to(certificate.link, certificate.path)) {
      if (!put_link(certificate)) return 1;
      ++added;
    }
    if (!append_certificate(certificate.path, bundle)) return 1;
  }
  if (call.dialect == Dialect::first) ::unlink(kBundle.c_str());
  if (added > 0) {
    remove_orphans();
    if (int status = rehash(); status != 0) return status;
  }
  bool is_wanted = !bundle.empty() || call.dialect == Dialect::first;
  if (is_wanted && !write_bundle(bundle)) return 1;
  print(std::to_string(added) + " added, 0 removed; done.\n");
  if (runs_hooks && is_directory(kHooks)) print("Running hooks in " + kHooks + "...\ndone.\n");
  return 0;
}

}  // namespace debroot::stand_ins
