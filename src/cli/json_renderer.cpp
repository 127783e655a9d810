#include "cli/json_renderer.hpp"

#include <nlohmann/json.hpp>

#include "cli/render_error.hpp"

namespace debroot::cli {
namespace {

using Json = nlohmann::ordered_json;

void put_count(Json &object, const PhaseCount &count) {
  object["items_done"] = count.items_done;
  object["items_total"] = count.items_total;
  object["bytes_done"] = count.bytes_done;
  object["bytes_total"] = count.bytes_total;
}

}  // namespace

JsonRenderer::JsonRenderer(Verbosity verbosity, const Console &console)
    : console_(console), verbosity_(verbosity), start_ms_(console.now_ms()) {}

Json JsonRenderer::event(std::string_view name) const {
  return {{"event", name}, {"time_ms", console_.now_ms() - start_ms_}};
}

void JsonRenderer::emit(const Json &object) {
  // what scripts write need not be UTF-8
  console_.err(object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void JsonRenderer::phase_started(Phase phase, const PhaseCount &total) noexcept {
  Json object = event("phase_started");
  object["phase"] = phase_name(phase);
  object["items_total"] = total.items_total;
  object["bytes_total"] = total.bytes_total;
  emit(object);
}

void JsonRenderer::phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept {
  Json object = event("phase_advanced");
  object["phase"] = phase_name(phase);
  put_count(object, count);
  object["current"] = current;
  emit(object);
}

void JsonRenderer::phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept {
  Json object = event("phase_finished");
  object["phase"] = phase_name(phase);
  put_count(object, count);
  object["milliseconds"] = milliseconds;
  emit(object);
}

void JsonRenderer::note(std::string_view text) noexcept {
  if (verbosity_ == Verbosity::quiet) return;
  Json object = event("note");
  object["text"] = text;
  emit(object);
}

void JsonRenderer::warning(std::string_view text) noexcept {
  if (verbosity_ == Verbosity::quiet) return;
  Json object = event("warning");
  object["text"] = text;
  emit(object);
}

void JsonRenderer::script_output(std::string_view origin, std::string_view line) noexcept {
  if (verbosity_ < Verbosity::verbose) return;
  Json object = event("script_output");
  object["origin"] = origin;
  object["line"] = line;
  emit(object);
}

void JsonRenderer::hook_output(std::string_view origin, std::string_view line) noexcept {
  if (verbosity_ == Verbosity::quiet) return;
  Json object = event("hook_output");
  object["origin"] = origin;
  object["line"] = line;
  emit(object);
}

void JsonRenderer::failed(const Error &error) noexcept {
  Json object = event("failed");
  object.update(error_json(error));
  emit(object);
}

void JsonRenderer::succeeded(const BuildPlan &plan, const BuildReport &report) noexcept {
  Json object = event("succeeded");
  object["packages"] = report.packages.size();
  object["download_bytes"] = report.download_bytes;
  object["output_bytes"] = report.output_bytes;
  object["milliseconds"] = report.milliseconds;
  object["source_date_epoch"] = report.source_date_epoch;
  object["phases"] = Json::object();
  for (const PhaseTime &time : report.times) object["phases"][std::string(phase_name(time.phase))] = time.milliseconds;
  object["outputs"] = Json::array();
  for (const Output &output : plan.outputs) object["outputs"].push_back(output.path);
  object["random_paths"] = report.random_paths;
  object["base_state"] = report.is_from_base_state;
  emit(object);
}

}  // namespace debroot::cli
