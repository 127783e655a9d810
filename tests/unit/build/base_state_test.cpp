#include "build/base_state.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <set>

namespace debroot::build {
namespace {

BuildPlan plan_of_states() {
  BuildPlan plan;
  plan.architecture = "amd64";
  plan.cache.directory = "/cache";
  plan.hooks = {{HookStage::customize, "true"}};
  return plan;
}

StateSurroundings surroundings_of_states() {
  StateSurroundings out;
  out.kernel = "6.1";
  out.program = "0.1.0 abc";
  return out;
}

InstallPlan install_of_states() {
  InstallPlan out;
  out.epoch = 100;
  out.sources = {{"/etc/apt/sources.list", "deb http://deb.debian.org/debian sid main\n"}};
  out.packages = {{{"a", "1", "amd64"}, "digest of a", 10, 20, false},
                  {{"b", "1", "amd64"}, "digest of b", 1, 2, false}};
  out.first = {0};
  out.runs = {{RunKind::unpack, {1}}};
  return out;
}

TEST(BaseStateKey, IsTheSameForWhatDoesNotShow) {
  std::string key = base_state_key(plan_of_states(), install_of_states(), surroundings_of_states());
  EXPECT_EQ(key.size(), 64U);
  BuildPlan plan = plan_of_states();
  plan.hooks = {{HookStage::customize, "echo something else"}};
  plan.hostname = "web";
  plan.jobs = 9;
  plan.outputs = {{"x.ext4", Format::ext4, Compression::none}};
  plan.verbosity = 3;
  plan.temporary_directory = "/elsewhere";
  plan.cache.is_offline = true;
  InstallPlan install = install_of_states();
  install.list_names = {"some_list"};
  StateSurroundings surroundings = surroundings_of_states();
  surroundings.is_in_place = true;
  EXPECT_EQ(base_state_key(plan, install, surroundings), key);
}

TEST(BaseStateKey, ChangesWithEverythingThatCanShow) {
  struct Inputs {
    BuildPlan plan = plan_of_states();
    InstallPlan install = install_of_states();
    StateSurroundings surroundings = surroundings_of_states();
  };
  std::vector<std::function<void(Inputs &)>> changes = {
      [](Inputs &) {},
      [](Inputs &all) { all.plan.architecture = "arm64"; },
      [](Inputs &all) { all.plan.foreign_architectures = {"i386"}; },
      [](Inputs &all) { all.plan.variant = Variant::standard; },
      [](Inputs &all) { all.plan.apt_options = {"a"}; },
      [](Inputs &all) { all.plan.dpkg_options = {"a"}; },
      [](Inputs &all) { all.plan.skips = {"check/qemu"}; },
      [](Inputs &all) {
        all.plan.host_traces.files = {{"/etc/hostname", "h\n"}};
      },
      [](Inputs &all) {
        all.plan.host_traces.files = {{"/etc/hostname", "h\n", 0600}};
      },
      [](Inputs &all) { all.plan.host_traces.apt_user_id = 42; },
      [](Inputs &all) { all.plan.host_traces.environment = std::vector<std::string>{"A=b"}; },
      [](Inputs &all) { all.plan.host_traces.hostname = "h"; },
      [](Inputs &all) { all.plan.twin_architecture = "amd64"; },
      [](Inputs &all) { all.plan.uses_stand_ins = false; },
      [](Inputs &all) { all.install.epoch = 101; },
      [](Inputs &all) { all.install.sources[0].text += "#\n"; },
      [](Inputs &all) { all.install.packages[1].sha256 = "another digest of b"; },
      [](Inputs &all) { std::swap(all.install.packages[0], all.install.packages[1]); },
      [](Inputs &all) { all.install.first = {1}; },
      [](Inputs &all) { all.install.runs[0].kind = RunKind::configure; },
      [](Inputs &all) { all.install.automatic = {1}; },
      [](Inputs &all) { all.install.dpkg_version = "1.22"; },
      [](Inputs &all) { all.surroundings.program = "0.1.0 abd"; },
      [](Inputs &all) { all.surroundings.kernel = "6.2"; },
      [](Inputs &all) { all.surroundings.has_user_namespace = true; },
      [](Inputs &all) { all.surroundings.emulation.kind = sandbox::EmulationKind::own_registration; },
      [](Inputs &all) { all.surroundings.emulation.interpreter = "/bin/sh"; },
  };
  std::set<std::string> keys;
  for (const auto &change : changes) {
    Inputs all;
    change(all);
    keys.insert(base_state_key(all.plan, all.install, all.surroundings));
  }
  EXPECT_EQ(keys.size(), changes.size());
}

TEST(WhyNoBaseState, SaysWhatForbidsOne) {
  auto why = [](const std::function<void(BuildPlan &, StateSurroundings &)> &change) {
    BuildPlan plan = plan_of_states();
    StateSurroundings surroundings = surroundings_of_states();
    change(plan, surroundings);
    return why_no_base_state(plan, surroundings).value_or("");
  };
  EXPECT_EQ(why([](auto &, auto &) {}), "");
  EXPECT_EQ(why([](auto &plan, auto &) { plan.skips = {"check/empty", "output/dev"}; }), "");
  EXPECT_EQ(why([](auto &plan, auto &) { plan.skips = {"cleanup/run"}; }), "'cleanup/run' is skipped");
  EXPECT_EQ(why([](auto &plan, auto &) { plan.cache.directory.clear(); }), "there is no cache");
  EXPECT_EQ(why([](auto &plan, auto &) { plan.variant = Variant::extract; }), "variant 'extract' configures nothing");
  EXPECT_EQ(why([](auto &plan, auto &) { plan.shares_network_with_scripts = true; }), "scripts use the network");
  EXPECT_EQ(why([](auto &plan, auto &) { plan.hooks.push_back({HookStage::setup, "true"}); }), "there are setup hooks");
  EXPECT_EQ(why([](auto &plan, auto &) {
              plan.hooks.push_back({HookStage::essential, "true"});
            }),
            "there are essential hooks");
  EXPECT_EQ(why([](auto &plan, auto &) {
              plan.hooks.push_back({HookStage::extract, "true"});
            }),
            "there are extract hooks");
  EXPECT_EQ(why([](auto &, auto &all) { all.confinement = sandbox::Confinement::chroot; }),
            "scripts are not kept from this system");
  EXPECT_EQ(why([](auto &, auto &all) { all.is_filled = true; }), "the directory is not empty");
}

}  // namespace
}  // namespace debroot::build
