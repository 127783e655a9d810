#include "build/native_twins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "base/text.hpp"
#include "twins/location.hpp"
#include "twins/tools.hpp"

namespace debroot::build {
namespace {

/// Twins first in PATH.
void lead_by_path(std::vector<std::string> &environment) {
  constexpr std::string_view kPath = "PATH=";
  for (std::string &variable : environment) {
    if (variable.starts_with(kPath)) {
      variable.insert(kPath.size(), fmt::format("{}/{}:", twins::kDirectory, twins::kPrograms));
    }
  }
}

}  // namespace

NativeTwins::NativeTwins(NativeTwinsContext context)
    : context_(std::move(context)),
      store_(context_.store_path, context_.plan.twin_architecture),
      image_{context_.root, context_.root_path,
             sandbox::elf_identity(context_.image_architecture).value_or(sandbox::ElfIdentity{})} {
  for (std::size_t i = 0; i < context_.plan.twins.size(); ++i) {
    twins_of_.emplace(context_.plan.twins[i].with, static_cast<std::uint32_t>(i));
  }
}

void NativeTwins::before(const configure::ScriptCall &call, sandbox::RunRequest &request) {
  if (!is_open_) open();
  cover_unpacked();
  bool is_script = call.argv[0].starts_with('/');
  if (!is_script) return;
  std::span<const std::string_view> copiers = twins::copiers();
  bool has_copiers =
      std::any_of(copiers.begin(), copiers.end(), [&](std::string_view path) { return context_.root.exists(path); });
  twins::ScriptView view = twins::view_for(context_.root.try_read(call.argv[0]).value_or(""), covered_, has_copiers);
  request.sees_binds = !view.is_bare;
  uncovered_ = std::move(view.uncovered);
  context_.runner.unbind(uncovered_);
  if (view.is_led_by_path) lead_by_path(request.environment);
}

void NativeTwins::after() {
  std::vector<const twins::Program *> programs;
  for (const std::string &path : uncovered_) programs.push_back(programs_.at(path));
  uncovered_.clear();
  cover(programs);
}

/// Before the first script.
void NativeTwins::open() {
  is_open_ = true;
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < context_.plan.twins.size(); ++i) {
    bytes += context_.plan.twins[i].package.size_bytes;
    if (context_.plan.twins[i].is_perl_library && take(i) == nullptr) has_perl_libraries_ = false;
  }
  context_.runner.bind({{store_.shown_path(), std::string(twins::kDirectory)}});
  context_.tell(fmt::format("{} packages of {} ({}) lend their tools", context_.plan.twins.size(),
                            context_.plan.twin_architecture, base::human_bytes(bytes)));
  if (!context_.plan.emulated.empty()) {
    context_.tell(fmt::format("emulated, having no twin: {}", base::join(context_.plan.emulated, " ")));
  }
}

const twins::UnpackedTwin *NativeTwins::take(std::uint32_t place) {
  if (taken_.insert(place).second) {
    if (std::optional<twins::UnpackedTwin> twin = context_.take(place)) {
      twins_.emplace(place, std::move(*twin));
    } else {
      context_.tell(fmt::format("{} cannot be had", to_string(context_.plan.twins[place].package.id)));
    }
  }
  auto found = twins_.find(place);
  return found == twins_.end() ? nullptr : &found->second;
}

void NativeTwins::cover_unpacked() {
  std::vector<const twins::Program *> programs;
  for (std::uint32_t number : unpacked_) {
    auto [first, last] = twins_of_.equal_range(number);
    for (auto each = first; each != last; ++each) {
      const twins::UnpackedTwin *twin = take(each->second);
      if (twin == nullptr) continue;
      store_.add_libraries(*twin);
      const std::string &name = context_.plan.twins[each->second].package.id.name;
      if (name == twins::kPerlPackage && !has_perl_libraries_) continue;
      for (const twins::Program &program : twin->programs) programs.push_back(&program);
    }
  }
  unpacked_.clear();
  cover(programs);
}

void NativeTwins::cover(const std::vector<const twins::Program *> &programs) {
  std::vector<sandbox::ReadOnlyBind> binds;
  for (const twins::Program *program : programs) {
    std::vector<sandbox::ReadOnlyBind> covering = store_.cover(image_, *program);
    if (covering.empty()) continue;
    covered_.insert_or_assign(std::string(twins::without_usr(program->path)), program->path);
    programs_.insert_or_assign(program->path, program);
    std::move(covering.begin(), covering.end(), std::back_inserter(binds));
  }
  context_.runner.bind(binds);
}

}  // namespace debroot::build
