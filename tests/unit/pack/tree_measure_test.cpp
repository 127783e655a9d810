#include "pack/tree_measure.hpp"

#include "image_fixture.hpp"

namespace debroot::pack {
namespace {

TEST(TreeMeasure, EstimatesAsMmdebstrapDoes) {
  TreeMeasure measure;
  measured(measure, {directory_item("./"), file_item("./empty", ""), file_item("./a", std::string(4097, 'a')),
                     link_item("./b", "./a", EntryType::hard_link), link_item("./l", "a")});
  EXPECT_EQ(measure.estimated_blocks(1024), 1U + 1U + 5U + 1U);
  EXPECT_EQ(measure.estimated_blocks(4096), 1U + 1U + 2U + 1U);
  EXPECT_EQ(measure.inodes(), 4U);
}

TEST(TreeMeasure, CountsListingsAndLongLinks) {
  TreeMeasure measure;
  measured(measure, {directory_item("./"), link_item("./l", std::string(60, 't'))});
  std::uint64_t before = measure.ext_blocks(1024);
  EXPECT_GE(before, 2U);
  for (int i = 0; i < 1000; ++i) measured(measure, {file_item(fmt::format("./name-of-a-file-{:04}", i), "")});
  EXPECT_GE(measure.ext_blocks(1024), before + 1000U * 28 / 1024);
}

}  // namespace
}  // namespace debroot::pack
