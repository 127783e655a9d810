/// Two roots that get the same packages: one from the host's dpkg, one from the Installer. What differs afterwards is a
/// mistake of ours.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "build/installer.hpp"
#include "support/deb_builder.hpp"
#include "verify/digest_check.hpp"

namespace debroot::build {

/// Runs scripts by chroot(2) alone, as `dpkg --root` does.
class ChrootScripts : public configure::ScriptHost {
 public:
  explicit ChrootScripts(std::string root) : root_(std::move(root)) {}

  [[nodiscard]] configure::ScriptResult run(const configure::ScriptCall &call) override {
    auto [output, output_end] = base::make_pipe();
    pid_t pid = ::fork();
    if (pid == 0) exec(call, output_end.get());
    output_end.reset();
    configure::ScriptResult result;
    result.output = base::read_all(output.get());
    int status = 0;
    ::waitpid(pid, &status, 0);
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return result;
  }

 private:
  [[noreturn]] void exec(const configure::ScriptCall &call, int output) {
    std::vector<char *> argv;
    std::vector<char *> environment;
    for (const std::string &word : call.argv) argv.push_back(const_cast<char *>(word.c_str()));
    for (const std::string &word : call.environment) environment.push_back(const_cast<char *>(word.c_str()));
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    if (::chroot(root_.c_str()) == 0 && ::chdir("/") == 0) ::execve(argv[0], argv.data(), environment.data());
    ::_exit(127);
  }

  std::string root_;
};

/// One line a path: type, mode, owner, number of names, time if it is a package's, content.
class TreeText {
 public:
  explicit TreeText(std::string root) : root_(std::move(root)) { walk(""); }
  [[nodiscard]] const std::map<std::string, std::string> &lines() const { return lines_; }

 private:
  void walk(const std::string &path) {
    base::RootDirectory root = base::RootDirectory::open(root_);
    for (const std::string &name : root.list(path.empty() ? "/" : path)) add(root, path + "/" + name);
  }

  void add(const base::RootDirectory &root, const std::string &path) {
    struct stat info = *root.status(path);
    bool is_packaged = info.st_mtime == test::kBuilderTime;
    std::string line =
        fmt::format("{:o} {}:{} {}", info.st_mode, info.st_uid, info.st_gid, is_packaged ? "old" : "new");
    if (S_ISREG(info.st_mode)) {
      line += fmt::format(" {}x ", info.st_nlink) + root.read(path);
    } else if (S_ISLNK(info.st_mode)) {
      line += " -> " + *root.link_target(path);
    } else if (S_ISCHR(info.st_mode)) {
      line += fmt::format(" {}", info.st_rdev);
    }
    lines_[path] = line;
    if (S_ISDIR(info.st_mode)) walk(path);
  }

  std::string root_;
  std::map<std::string, std::string> lines_;
};

/// The lines around the first difference of `text` from `other`.
inline std::string excerpt(const std::string &text, const std::string &other) {
  std::size_t at = 0;
  while (at < text.size() && at < other.size() && text[at] == other[at]) ++at;
  std::size_t begin = text.rfind('\n', at);
  begin = begin == std::string::npos ? 0 : begin + 1;
  return (begin > 0 ? "... " : "") + text.substr(begin, 400);
}

/// Where two trees differ, "-" for dpkg's and "+" for ours; empty when they are equal.
inline std::string difference(const std::map<std::string, std::string> &theirs,
                              const std::map<std::string, std::string> &ours) {
  std::string out;
  std::set<std::string> paths;
  for (const auto &[path, line] : theirs) paths.insert(path);
  for (const auto &[path, line] : ours) paths.insert(path);
  for (const std::string &path : paths) {
    std::string a = theirs.count(path) > 0 ? theirs.at(path) : "nothing";
    std::string b = ours.count(path) > 0 ? ours.at(path) : "nothing";
    if (a != b) out += fmt::format("- {} {}\n+ {} {}\n", path, excerpt(a, b), path, excerpt(b, a));
  }
  return out;
}

/// A prologue for scripts: writes who is called how, what the database says and what is there, to /trace.
inline constexpr const char *kTrace =
    "#!/bin/sh\n"
    "set -e\n"
    "{ echo \"== $DPKG_MAINTSCRIPT_PACKAGE $DPKG_MAINTSCRIPT_NAME $*\"\n"
    "dpkg-query -W -f '${Package}:${Architecture} ${Version} ${Status} pending=${Triggers-Pending}"
    " awaited=${Triggers-Awaited} was=${Config-Version} depends=${Depends}${Conffiles}\\n'\n"
    "ls -l /opt /etc/opt | sed 's/[A-Z][a-z][a-z] [ 0-9][0-9] .....//'; } >>/trace 2>&1\n";

class DpkgTwin : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "dpkg --root needs root";
    if (!base::find_program("dpkg") || !base::find_program("busybox")) {
      GTEST_SKIP() << "needs dpkg and busybox on the host";
    }
    std::string pattern = ::testing::TempDir() + "debroot-twin-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    native_ =
        std::string(base::trim(base::run_subprocess({*base::find_program("dpkg"), "--print-architecture"}).output));
    make_root("dpkg");
    make_root("ours");
  }

  void TearDown() override {
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }

  /// Adds a package to both plans.
  std::uint32_t add(const test::DebBuilder &builder) {
    std::uint32_t number = static_cast<std::uint32_t>(plan_.packages.size());
    std::string bytes = builder.bytes();
    files_.push_back(path_ + "/" + builder.file_name());
    base::write_all(base::open_file(files_.back(), O_WRONLY | O_CREAT | O_TRUNC, 0644).get(), bytes);
    plan_.packages.push_back({{builder.name(), builder.version(), builder.architecture()},
                              base::hash_of(base::HashKind::sha256, bytes),
                              bytes.size(),
                              0});
    return number;
  }

  /// Like base packages of a bootstrap: extracted by tar first, then all installed at once.
  void extract_and_install_all() {
    for (const std::string &file : files_) {
      shell(fmt::format("dpkg-deb --fsys-tarfile {} | tar -C {}/dpkg --keep-directory-symlink -xf -", file, path_));
    }
    install_all(true);
  }

  void install_all(bool extracts = false) {
    plan_all_first();
    dpkg("--install " + base::join(files_, " "));
    if (extracts) installer().extract_first();
    installer().install_first();
  }

  void plan_all_first() {
    for (std::uint32_t i = 0; i < plan_.packages.size(); ++i) plan_.first.push_back(i);
  }

  /// One of apt's calls of dpkg.
  void run(const PlannedRun &run) {
    std::vector<std::string> words;
    for (std::uint32_t number : run.packages) {
      const PackageId &id = plan_.packages[number].id;
      words.push_back(run.kind == RunKind::unpack ? files_[number] : id.name + ":" + id.architecture);
    }
    switch (run.kind) {
      case RunKind::unpack:
        dpkg("--no-triggers --unpack " + base::join(words, " "));
        break;
      case RunKind::configure:
        dpkg("--no-triggers --configure " + base::join(words, " "));
        break;
      case RunKind::configure_pending:
        dpkg("--configure --pending");
        break;
    }
    installer().execute(run);
  }

  /// What differs between the two roots.
  [[nodiscard]] std::string differences() {
    return difference(TreeText(path_ + "/dpkg").lines(), TreeText(path_ + "/ours").lines());
  }
  [[nodiscard]] std::string ours(const std::string &path) {
    return base::RootDirectory::open(path_ + "/ours").read(path);
  }
  /// Does the same to both roots.
  void in_both(const std::function<void(const base::RootDirectory &)> &change) {
    for (const char *name : {"/dpkg", "/ours"}) change(base::RootDirectory::open(path_ + name));
  }
  [[nodiscard]] const std::string &native() const { return native_; }

  Installer &installer() {
    if (!installer_) {
      root_ = base::RootDirectory::open(path_ + "/ours");
      std::filesystem::create_directory(path_ + "/stage");
      stage_ = base::RootDirectory::open(path_ + "/stage");
      InstallerContext context{root_,
                               plan_,
                               scripts_.emplace(path_ + "/ours"),
                               {{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}, dpkg_version()},
                               native_,
                               choice_,
                               [this](std::uint32_t number) { return stage(number); },
                               [](Phase, const PackageId &) {}};
      installer_.emplace(std::move(context));
    }
    return *installer_;
  }

  void dpkg(const std::string &arguments) {
    shell(
        fmt::format("env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 sh -c 'PATH=/usr/bin:/bin "
                    "exec dpkg --root={}/dpkg --log={}/dpkg.log --force-unsafe-io --force-bad-path {} {}'",
                    path_, path_, dpkg_options_, arguments));
  }

  std::string dpkg_options_;
  configure::ConffileChoice choice_ = configure::ConffileChoice::refuse;
  unpack::PathFilter filter_;

 private:
  static void shell(const std::string &command) {
    base::SubprocessResult result = base::run_subprocess({"/bin/sh", "-c", command});
    ASSERT_TRUE(result.is_success()) << command << "\n" << result.output;
  }

  static std::string dpkg_version() {
    base::SubprocessResult result =
        base::run_subprocess({*base::find_program("dpkg-query"), "-W", "-f", "${Version}", "dpkg"});
    return result.output;
  }

  /// A shell, a few programs and dpkg's own tools with their libraries: enough for maintainer scripts.
  void make_root(const std::string &name) {
    std::string root = path_ + "/" + name;
    for (const char *directory : {"bin", "etc/opt", "opt", "usr/bin", "var/lib/dpkg/info", "var/lib/dpkg/triggers",
                                  "var/lib/dpkg/updates", "var/lib/dpkg/alternatives"}) {
      std::filesystem::create_directories(root + "/" + directory);
    }
    std::filesystem::copy_file(*base::find_program("busybox"), root + "/bin/busybox");
    for (const char *applet : {"sh", "ls", "cat", "rm", "mkdir", "ln", "sed", "env", "sort", "mv", "chmod", "grep"}) {
      std::filesystem::create_symlink("busybox", root + "/bin/" + applet);
    }
    for (const char *tool : {"dpkg-trigger", "dpkg-query", "dpkg-divert", "dpkg-statoverride"}) copy_tool(root, tool);
    base::RootDirectory open = base::RootDirectory::open(root);
    open.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n");
    open.write("/etc/group", "root:x:0:\ndaemon:x:1:\nbin:x:2:\n");
    open.write("/var/lib/dpkg/status", "");
    open.write("/var/lib/dpkg/arch", native_ + "\n");
  }

  static void copy_tool(const std::string &root, const std::string &tool) {
    std::string program = *base::find_program(tool);
    std::vector<std::string> files = {program};
    std::string libraries = base::run_subprocess({"/usr/bin/ldd", program}).output;
    for (std::string_view word : base::split_words(libraries)) {
      if (word[0] == '/') files.emplace_back(word);
    }
    for (const std::string &file : files) {
      std::filesystem::create_directories(root + std::filesystem::path(file).parent_path().string());
      std::filesystem::copy_file(file, root + file, std::filesystem::copy_options::skip_existing);
    }
  }

  unpack::StagedPackage stage(std::uint32_t number) {
    const PlannedPackage &planned = plan_.packages[number];
    base::UntrustedFile file(base::open_file(files_[number], O_RDONLY));
    std::string subject = to_string(planned.id);
    base::VerifiedFile checked = verify::check_file(std::move(file), planned.sha256, planned.size_bytes, subject);
    return unpack::stage_package(checked, subject, stage_, std::to_string(stages_++), filter_);
  }

  std::string path_;
  std::string native_;
  InstallPlan plan_;
  std::vector<std::string> files_;
  base::RootDirectory root_;
  base::RootDirectory stage_;
  std::optional<ChrootScripts> scripts_;
  std::optional<Installer> installer_;
  unsigned stages_ = 0;
};

}  // namespace debroot::build
