#include "e2e/world.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::e2e {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string &text, const std::string &from, const std::string &to) {
  for (std::size_t at = text.find(from); !from.empty() && at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

std::string mounts_below(const std::string &directory) {
  std::string out;
  std::string text = base::read_file("/proc/self/mountinfo");
  for (std::string_view line : base::split(text, '\n')) {
    if (line.find(directory) != std::string_view::npos) out += std::string(line) + "\n";
  }
  return out;
}

/// Digests depend on the version of a compression library; what matters is where they stand.
void replace_digests(std::string &text) {
  constexpr std::size_t kDigits = 64;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find_first_not_of("0123456789abcdef", begin);
    end = std::min(end, text.size());
    if (end - begin == kDigits) {
      text.replace(begin, kDigits, "SHA256");
      end = begin + 6;
    }
    begin = end + 1;
  }
}

std::string command_line_of(pid_t pid) {
  std::string text = bytes_of("/proc/" + std::to_string(pid) + "/cmdline");
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

}  // namespace

std::string bytes_of(const std::string &path) {
  std::error_code failure;
  return fs::exists(path, failure) ? base::read_file(path) : std::string();
}

std::vector<std::string> names_in(const std::string &directory) {
  std::vector<std::string> names;
  for (const auto &entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void put_file(const std::string &path, const std::string &content, unsigned mode) {
  base::Fd file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  base::write_all(file.get(), content);
  ::fchmod(file.get(), mode);
}

World::World() {
  std::string path = "/tmp/debroot-e2e.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make " + path);
  directory_ = path;
  ::chmod(directory_.c_str(), 0755);
  adopt_orphans();
}

World::~World() {
  server_.reset();
  std::error_code failure;
  fs::remove_all(directory_, failure);
}

void World::SetUp() {
  if (!static_busybox()) GTEST_SKIP() << "needs a static busybox (package busybox-static)";
  add_base(archive_);
  suite().key = &key();
  children_before_ = children();
}

test::TestKey &World::key() {
  if (!key_) key_ = std::make_unique<test::TestKey>();
  return *key_;
}

test::FakeServer &World::server() {
  publish();
  return *server_;
}

void World::publish() {
  if (server_) return;
  archive_.write(scratch("archive"));
  put_file(scratch("key.asc"), key().armored_public_key());
  server_ = std::make_unique<test::FakeServer>(scratch("archive"));
  children_before_ = children();  // signing has started an agent
}

void World::republish() {
  server_.reset();
  fs::remove_all(scratch("archive"));
}

Place &World::place_of(const Account &account, const std::string &name) {
  std::string id = name.empty() ? account.name : name;
  auto [found, is_new] = places_.try_emplace(id, Place{account, scratch("place-" + id)});
  Place &place = found->second;
  if (!is_new) return place;
  for (const std::string &path : {place.directory, place.tmp(), place.home(), place.cache(), place.out()}) {
    fs::create_directory(path);
    if (::geteuid() == 0 && ::chown(path.c_str(), account.uid, account.gid) != 0) {
      throw std::runtime_error("cannot give away " + path);
    }
  }
  return place;
}

Command World::command(const Place &place, std::vector<std::string> arguments) const {
  Command out;
  out.argv = std::move(arguments);
  out.argv.insert(out.argv.begin(), DEBROOT_PROGRAM);
  out.environment = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                     {"HOME", place.home()},
                     {"XDG_CACHE_HOME", place.cache()},
                     {"TMPDIR", place.tmp()}};
  out.directory = place.out();
  out.account = place.account;
  return out;
}

Command World::build_command(const Place &place, const std::vector<std::string> &more) {
  publish();
  std::vector<std::string> arguments = {"build",        std::string(kSuite), "--quiet",         "--mirror",
                                        server_->url(), "--keyring",         scratch("key.asc")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return command(place, std::move(arguments));
}

Finished World::finish(const Place &place, const Command &command) {
  std::vector<std::string> before = names_in(place.out());
  Finished finished = run(command);
  if (finished.status == 0) before = names_in(place.out());
  expect_nothing_left(place, before);
  return finished;
}

Finished World::build(const Place &place, const std::vector<std::string> &more) {
  return finish(place, build_command(place, more));
}

std::string World::image(const Place &place, const std::vector<std::string> &more) {
  std::vector<std::string> arguments = {"-o", "image.tar"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Finished finished = build(place, arguments);
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(finished.out, "");
  return bytes_of(place.out("image.tar"));
}

void World::expect_nothing_left(const Place &place, const std::vector<std::string> &outputs_before) {
  EXPECT_THAT(names_in(place.tmp()), testing::IsEmpty()) << "in TMPDIR";
  EXPECT_EQ(mounts_below(directory_), "");
  EXPECT_EQ(names_in(place.out()), outputs_before);
  for (pid_t pid : left_processes()) ADD_FAILURE() << "process " << pid << " is left: " << command_line_of(pid);
}

std::vector<pid_t> World::left_processes() const {
  std::vector<pid_t> left = children();
  std::erase_if(left, [&](pid_t pid) {
    return std::find(children_before_.begin(), children_before_.end(), pid) != children_before_.end();
  });
  return left;
}

std::string World::normal(std::string text) const {
  for (const auto &[name, place] : places_) replace_all(text, place.directory, "PLACE");
  replace_all(text, directory_, "SCRATCH");
  if (server_) {
    replace_all(text, server_->url(), "MIRROR");
    replace_all(text, "127.0.0.1:" + std::to_string(server_->port()), "HOST:PORT");
  }
  if (key_) {
    replace_all(text, key_->fingerprint(), "FINGERPRINT");
    replace_all(text, key_->key_id(), "KEY");
  }
  replace_all(text, architecture(), "ARCH");
  replace_digests(text);
  return text;
}

std::string World::failure(const Place &place, const std::vector<std::string> &more, int status) {
  return failure_of(place, build_command(place, more), status);
}

std::string World::failure_of(const Place &place, const Command &command, int status) {
  Finished finished = finish(place, command);
  EXPECT_EQ(finished.status, status);
  EXPECT_EQ(finished.out, "");
  return normal(finished.err);
}

void WorldAs::SetUp() {
  World::SetUp();
  if (IsSkipped()) return;
  if (GetParam() == As::root && ::geteuid() != 0) GTEST_SKIP() << "needs root";
  if (GetParam() == As::user && !ordinary_account()) {
    GTEST_SKIP() << "needs an ordinary account with 65536 subordinate ids that the tests may use";
  }
}

Place &WorldAs::place() { return place_of(GetParam() == As::root ? own_account() : ordinary_account().value()); }

}  // namespace debroot::e2e
