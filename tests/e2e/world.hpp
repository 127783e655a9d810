/// The fixture of all end-to-end tests: an archive, a server, a place for each user, and a look at what is left over.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e2e/image.hpp"
#include "e2e/program.hpp"
#include "e2e/tiny_archive.hpp"
#include "support/archive_builder.hpp"
#include "support/fake_server.hpp"
#include "support/test_key.hpp"

namespace debroot::e2e {

/// Directories that belong to one user of a test: TMPDIR, HOME, the cache, and the working directory.
struct Place {
  Account account;
  std::string directory;
  [[nodiscard]] std::string tmp() const { return directory + "/tmp"; }
  [[nodiscard]] std::string home() const { return directory + "/home"; }
  [[nodiscard]] std::string cache() const { return directory + "/cache"; }
  [[nodiscard]] std::string out(const std::string &name = {}) const {
    return directory + "/out" + (name.empty() ? "" : "/") + name;
  }
};

class World : public ::testing::Test {
 protected:
  World();
  ~World() override;
  void SetUp() override;

  /// Packages of the suite; they are written and served when the first program runs.
  void add(const test::DebBuilder &package) { archive_.add(std::string(kSuite), "main", package); }
  [[nodiscard]] test::SuiteSettings &suite() { return archive_.suite(std::string(kSuite)); }
  [[nodiscard]] test::ArchiveBuilder &archive() { return archive_; }
  [[nodiscard]] test::FakeServer &server();
  [[nodiscard]] test::TestKey &key();
  /// Gives up the server and the files written, so that changes of the archive count for the next run.
  void republish();

  /// A place of the account that runs the tests, or of another.
  [[nodiscard]] Place &here() { return place_of(own_account()); }
  [[nodiscard]] Place &place_of(const Account &account, const std::string &name = {});
  /// A path that is gone after the test.
  [[nodiscard]] std::string scratch(const std::string &name) const { return directory_ + "/" + name; }

  /// The program with `arguments`, in the place's directories and with an environment that holds little else.
  [[nodiscard]] Command command(const Place &place, std::vector<std::string> arguments) const;
  /// "build tiny" of the archive here, quiet, and what is added.
  [[nodiscard]] Command build_command(const Place &place, const std::vector<std::string> &more);
  /// Runs it to its end and looks for what is left over.
  Finished finish(const Place &place, const Command &command);
  Finished build(const Place &place, const std::vector<std::string> &more);
  Finished build(const std::vector<std::string> &more) { return build(here(), more); }

  /// A build that must succeed and be quiet about it; the image by its bytes.
  std::string image(const Place &place, const std::vector<std::string> &more);
  std::string image(const std::vector<std::string> &more) { return image(here(), more); }

  /// Fails the test for every file in TMPDIR, mount below the test's directory, process or unfinished output.
  void expect_nothing_left(const Place &place, const std::vector<std::string> &outputs_before = {});

  /// Processes that were not there when the archive was made.
  [[nodiscard]] std::vector<pid_t> left_processes() const;

  /// Text with the test's paths, port and key replaced by words: PLACE, SCRATCH, MIRROR, KEY.
  [[nodiscard]] std::string normal(std::string text) const;
  /// What remains to be said of a failed build: its standard error, normalised.
  [[nodiscard]] std::string failure(const Place &place, const std::vector<std::string> &more, int status = 1);
  [[nodiscard]] std::string failure_of(const Place &place, const Command &command, int status = 1);
  [[nodiscard]] std::string failure(const std::vector<std::string> &more, int status = 1) {
    return failure(here(), more, status);
  }

 private:
  void publish();

  std::string directory_;
  test::ArchiveBuilder archive_;
  std::unique_ptr<test::TestKey> key_;
  std::unique_ptr<test::FakeServer> server_;
  std::map<std::string, Place> places_;
  std::vector<pid_t> children_before_;
};

/// The same tests as root and as an ordinary user, each where it can be.
enum class As { root, user };
class WorldAs : public World, public ::testing::WithParamInterface<As> {
 protected:
  void SetUp() override;
  [[nodiscard]] Place &place();
};
[[nodiscard]] inline std::string as_name(const ::testing::TestParamInfo<As> &info) {
  return info.param == As::root ? "root" : "user";
}
#define DEBROOT_AS_BOTH(Fixture) INSTANTIATE_TEST_SUITE_P(, Fixture, ::testing::Values(As::root, As::user), as_name)

/// The file's bytes, empty if there is none.
[[nodiscard]] std::string bytes_of(const std::string &path);
/// Names in a directory, sorted.
[[nodiscard]] std::vector<std::string> names_in(const std::string &directory);
/// A file with this content.
void put_file(const std::string &path, const std::string &content, unsigned mode = 0644);

}  // namespace debroot::e2e
