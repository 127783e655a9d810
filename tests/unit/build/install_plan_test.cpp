#include "build/install_plan.hpp"

#include <gmock/gmock.h>

namespace debroot::build {
namespace {

using testing::ElementsAre;

TEST(OrderOfNeed, IsTheFirstThenTwinsThenThatOfTheRuns) {
  InstallPlan plan;
  plan.packages.resize(6);
  plan.twins.resize(2);
  plan.first = {3, 1};
  plan.runs = {{RunKind::unpack, {5, 0}}, {RunKind::configure, {5, 0}}, {RunKind::unpack, {2}}};
  EXPECT_THAT(order_of_need(plan), ElementsAre(3, 1, 6, 7, 5, 0, 2, 4));
}

TEST(OrderOfNeed, OfNothingIsNothing) { EXPECT_THAT(order_of_need(InstallPlan()), ElementsAre()); }

}  // namespace
}  // namespace debroot::build
