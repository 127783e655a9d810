#include "pack/oci_image.hpp"

#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

namespace debroot::pack {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::json;

const OciSettings kSettings{"armhf", kEpoch, std::string(64, 'd'), true};

std::string read_blob(const ScratchTree &tree, const std::string &layout, const Json &descriptor) {
  std::string digest = descriptor.at("digest").get<std::string>().substr(7);
  std::string bytes = tree.content(layout + "/blobs/sha256/" + digest);
  EXPECT_EQ(base::hash_of(base::HashKind::sha256, bytes), digest);
  EXPECT_EQ(descriptor.at("size").get<std::size_t>(), bytes.size());
  return bytes;
}

TEST(OciImage, IsALayoutWithOneImage) {
  ScratchTree scratch;
  OciImage image = OciImage::open(scratch.at("image.oci/"));
  base::write_all(image.fd(), "layer");
  EXPECT_EQ(scratch.names().size(), 1U) << "not at its place before it is whole";
  EXPECT_NE(scratch.names()[0], "image.oci");
  image.finish(kSettings);
  EXPECT_THAT(scratch.names(), ElementsAre("image.oci"));
  EXPECT_EQ(scratch.content("image.oci/oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  Json index = Json::parse(scratch.content("image.oci/index.json"));
  Json entry = index.at("manifests").at(0);
  EXPECT_EQ(entry.at("annotations").at("org.opencontainers.image.ref.name"), "latest");
  EXPECT_EQ(entry.at("platform"), Json::parse(R"({"architecture": "arm", "os": "linux", "variant": "v7"})"));
  Json manifest = Json::parse(read_blob(scratch, "image.oci", entry));
  EXPECT_EQ(read_blob(scratch, "image.oci", manifest.at("layers").at(0)), "layer");
  EXPECT_EQ(manifest.at("layers").at(0).at("mediaType"), "application/vnd.oci.image.layer.v1.tar+gzip");
  Json config = Json::parse(read_blob(scratch, "image.oci", manifest.at("config")));
  EXPECT_EQ(config.at("created"), "2020-09-13T12:26:40Z");
  EXPECT_EQ(config.at("architecture"), "arm");
  EXPECT_EQ(config.at("rootfs").at("diff_ids").at(0), "sha256:" + std::string(64, 'd'));
  EXPECT_EQ(config.at("config").at("Cmd").at(0), "bash");
  EXPECT_EQ(scratch.status("image.oci").st_mode & 0777, 0755U);
}

TEST(OciImage, SameLayerGivesTheSameLayout) {
  ScratchTree scratch;
  for (const char *name : {"a", "b"}) {
    OciImage image = OciImage::open(scratch.at(name));
    base::write_all(image.fd(), "layer");
    image.finish(kSettings);
  }
  EXPECT_EQ(scratch.content("a/index.json"), scratch.content("b/index.json"));
}

TEST(OciImage, UnfinishedLeavesNothing) {
  ScratchTree scratch;
  { OciImage image = OciImage::open(scratch.at("image.oci")); }
  EXPECT_THAT(scratch.names(), IsEmpty());
}

TEST(OciImage, TakesThePlaceOfAnEmptyDirectoryOnly) {
  ScratchTree scratch;
  scratch.directory("empty");
  OciImage::open(scratch.at("empty")).finish(kSettings);
  EXPECT_TRUE(std::filesystem::exists(scratch.at("empty/index.json")));
  EXPECT_EQ(test::thrown_by([&] { return OciImage::open(scratch.at("empty")); }),
            "cannot make an image in '" + scratch.at("empty") + "': the directory is not empty\n  got: blobs");
  EXPECT_EQ(test::thrown_by([&] { return OciImage::open(scratch.at("no/image")); }),
            "cannot make an image in '" + scratch.at("no/image") + "': the directory '" + scratch.at("no") +
                "' does not exist");
}

}  // namespace
}  // namespace debroot::pack
