#include "build/install_plan.hpp"

namespace debroot::build {

std::vector<std::uint32_t> order_of_need(const InstallPlan &plan) {
  std::vector<std::uint32_t> order;
  std::vector<bool> is_there(plan.packages.size(), false);
  auto add = [&](std::uint32_t number) {
    if (!is_there[number]) order.push_back(number);
    is_there[number] = true;
  };
  auto packages = static_cast<std::uint32_t>(plan.packages.size());
  for (std::uint32_t number : plan.first) add(number);
  for (std::uint32_t twin = 0; twin < plan.twins.size(); ++twin) order.push_back(packages + twin);
  for (const PlannedRun &run : plan.runs) {
    for (std::uint32_t number : run.packages) add(number);
  }
  for (std::uint32_t number = 0; number < packages; ++number) add(number);
  return order;
}

}  // namespace debroot::build
