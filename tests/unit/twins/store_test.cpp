#include "twins/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "elf_bytes.hpp"
#include "support/checked_deb.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::twins {
namespace {

using debroot::test::checked;
using debroot::test::DebBuilder;
using debroot::test::ScratchRoot;
using test::make_elf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char *kLoaderPath = "/lib64/ld-linux-x86-64.so.2";
constexpr const char *kLibraryPath = "/lib/x86_64-linux-gnu/";

std::string program(std::vector<std::string> needed = {"libc.so.6"}) {
  return make_elf({kLoaderPath, std::move(needed)});
}
std::string foreign_program() { return make_elf({.interpreter = "/lib/ld.so", .machine = EM_AARCH64}); }

/// A store, and the root of an arm64 image.
class TwinStore : public ::testing::Test {
 protected:
  UnpackedTwin unpack(const DebBuilder &package) {
    return store_.unpack(checked(package),
                         {package.name(), package.version(), package.file_name(), fmt::format("{}", directories_++)});
  }

  void add_c_library() {
    store_.add_libraries(
        unpack(DebBuilder("libc6")
                   .file(std::string(kLibraryPath) + "libc.so.6", make_elf({.needed = {"ld-linux-x86-64.so.2"}}))
                   .file(std::string(kLibraryPath) + "ld-2.36.so", make_elf({}))
                   .symlink(std::string(kLibraryPath) + "ld-linux-x86-64.so.2", "ld-2.36.so")));
  }

  /// What is laid over the image, "source over target", source below the store.
  std::vector<std::string> covering(const UnpackedTwin &twin) {
    std::vector<std::string> out;
    ImageRoot image{*image_, image_.path(), *sandbox::elf_identity("arm64")};
    for (const Program &each : twin.programs) {
      for (const sandbox::ReadOnlyBind &bind : store_.cover(image, each)) {
        std::string source = bind.source;
        for (const std::string &base : {scratch_.path(), image_.path()}) {
          if (source.starts_with(base + "/")) source.erase(0, base.size() + 1);
        }
        out.push_back(source + " over " + bind.target);
      }
    }
    return out;
  }

  ScratchRoot scratch_;
  ScratchRoot image_;
  Store store_{scratch_.path(), "amd64"};
  int directories_ = 0;
};

TEST_F(TwinStore, LaysProgramsOverTheirLike) {
  add_c_library();
  UnpackedTwin twin = unpack(DebBuilder("sed").file("/bin/sed", program()).file("/usr/share/doc/sed/README", "text"));
  EXPECT_THAT(twin.libraries, IsEmpty());
  image_.file("/bin/sed", foreign_program(), 04755);
  EXPECT_THAT(covering(twin), ElementsAre("shown/bin/sed over /bin/sed"));
  EXPECT_EQ(scratch_->status("shown/bin/sed")->st_mode & 07777, 04755U);
  std::string bytes = scratch_->read("shown/bin/sed");
  EXPECT_NE(bytes.find("/dev/.debroot/ld.so"), std::string::npos);
  EXPECT_EQ(bytes.find(kLoaderPath), std::string::npos);
  EXPECT_EQ(scratch_->link_target("shown/ld.so"), "lib/ld-linux-x86-64.so.2");
  EXPECT_EQ(scratch_->link_target("shown/lib/ld-linux-x86-64.so.2"), "/dev/.debroot/lib/ld-2.36.so");
}

TEST_F(TwinStore, CoversNothingElse) {
  add_c_library();
  UnpackedTwin twin = unpack(DebBuilder("sed").file("/bin/sed", program()));
  EXPECT_THAT(covering(twin), IsEmpty()) << "absent";
  image_.file("/bin/sed", "#!/bin/sh\n");
  EXPECT_THAT(covering(twin), IsEmpty()) << "a script";
  image_->remove_file("/bin/sed");
  image_.file("/bin/sed.distrib", foreign_program());
  image_->make_link("/bin/sed", "sed.distrib");
  EXPECT_THAT(covering(twin), IsEmpty()) << "a link";
}

TEST_F(TwinStore, LeavesScriptsAndForeignProgramsToTheImage) {
  UnpackedTwin twin = unpack(DebBuilder("debianutils")
                                 .file("/usr/bin/which", "#!/bin/sh\n")
                                 .file("/bin/run-parts", foreign_program())
                                 .file("/usr/bin/ischroot", make_elf({})));
  EXPECT_THAT(twin.programs, IsEmpty());
}

TEST_F(TwinStore, NeedsEveryLibrary) {
  UnpackedTwin twin = unpack(DebBuilder("sed").file("/bin/sed", program({"libc.so.6", "libacl.so.1"})));
  image_.file("/bin/sed", foreign_program());
  add_c_library();
  EXPECT_THAT(covering(twin), IsEmpty());
  // a link is as good as what it leads to, and that needs one more
  store_.add_libraries(
      unpack(DebBuilder("libacl1")
                 .file("/usr/lib/x86_64-linux-gnu/libacl.so.1.1", make_elf({.needed = {"libattr.so.1"}}))
                 .symlink("/usr/lib/x86_64-linux-gnu/libacl.so.1", "libacl.so.1.1")));
  EXPECT_THAT(covering(twin), IsEmpty());
  store_.add_libraries(unpack(DebBuilder("libattr1").file("/lib/libattr.so.1", make_elf({}))));
  EXPECT_EQ(covering(twin).size(), 1U);
}

TEST_F(TwinStore, KeepsHardLinksAndPerlsModules) {
  add_c_library();
  UnpackedTwin twin = unpack(DebBuilder("perl-base")
                                 .file("/usr/bin/perl", program())
                                 .hard_link("/usr/bin/perl5.36.0", "/usr/bin/perl")
                                 .file("/usr/lib/x86_64-linux-gnu/perl-base/strict.pm", "package strict;"));
  store_.add_libraries(twin);
  EXPECT_EQ(scratch_->read("shown/lib/perl-base/strict.pm"), "package strict;");
  image_.file("/usr/bin/perl", foreign_program());
  image_.file("/usr/bin/perl5.36.0", foreign_program());
  EXPECT_THAT(covering(twin),
              ElementsAre("shown/bin/perl over /usr/bin/perl", "shown/bin/perl over /usr/bin/perl5.36.0"));
}

TEST_F(TwinStore, DividesCallsBetweenTwinAndImage) {
  add_c_library();
  UnpackedTwin twin = unpack(DebBuilder("dpkg").file("/usr/bin/dpkg", program()));
  image_.file("/usr/bin/dpkg", foreign_program());
  EXPECT_THAT(covering(twin),
              ElementsAre("usr/bin/dpkg over /dev/.debroot/own/dpkg", "shown/bin/dpkg over /usr/bin/dpkg"));
  EXPECT_EQ(scratch_->read("shown/bin/dpkg"),
            "#!/bin/sh\n"
            "if case \"$1\" in --compare-versions | --validate-version) false ;; *) true ;; esac; then\n"
            "  exec /dev/.debroot/own/dpkg \"$@\"\n"
            "fi\n"
            "exec /dev/.debroot/partial/dpkg \"$@\"\n");
}

TEST_F(TwinStore, RefusesWhatCannotBe) {
  EXPECT_EQ(debroot::test::thrown_by([&] { return Store(scratch_.path(), "vax"); }), "there are no twins of 'vax'");
}

}  // namespace
}  // namespace debroot::twins
