#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "compiler/plan/plan_text.h"

namespace talweg::plan {

namespace {

using nlohmann::json;

constexpr std::array<const char*, plan::kLevels> kLevelNames = {"model",  "group", "tensor",
                                                                "matrix", "row",   "col"};

json bytes_json(plan::Bytes bytes) {
  return {{"read", bytes.read}, {"written", bytes.written}, {"total", bytes.total()}};
}

json rate_json(ir::Rate rate) { return std::string(types::to_text(rate)); }

json condition_json(const std::string& condition) {
  return condition.empty() ? json(nullptr) : json(condition);
}

json program_json(const plan::ProgramDescription& program) {
  return {{"rate", kLevelNames.at(static_cast<std::size_t>(program.level))},
          {"computes", program.computes},
          {"binds", program.binds},
          {"stores", program.stores},
          {"leaves", program.leaves},
          {"ends", program.ends}};
}

json part_json(const plan::RouteOfPass& part) {
  json loops = json::array();
  for (const plan::LoopDescription& loop : part.loops)
    loops.push_back({{"condition", condition_json(loop.condition)},
                     {"multiplies_by_reciprocals", loop.multiplies_by_reciprocals},
                     {"reads", loop.reads},
                     {"writes", loop.writes},
                     {"bytes_per_parameter", bytes_json(loop.bytes)}});
  return {{"route", part.route + 1},
          {"reads", part.reads},
          {"writes", part.writes},
          {"leaves", part.leaves},
          {"reads_back", part.reads_back},
          {"computes_again", part.computes_again},
          {"operations", part.operations},
          {"operations_again", part.operations_again},
          {"bytes_per_parameter", bytes_json(part.bytes)},
          {"loops", std::move(loops)}};
}

/// `gradients`: for which the step has returned in phases before, and in this one afterwards.
json phase_json(const plan::PhaseDescription& phase, std::uint32_t& gradients) {
  json result = {{"known", phase.known},
                 {"waits_for", phase.waits_for ? rate_json(*phase.waits_for) : json(nullptr)},
                 {"bytes_per_parameter", bytes_json(phase.bytes)},
                 {"returns_for_gradient", nullptr},
                 {"programs", json::array()},
                 {"passes", json::array()}};
  if (phase.returns_where)
    result["returns_for_gradient"] = {{"condition", condition_json(*phase.returns_where)},
                                      {"gradient", plan::gradient_name(++gradients)}};
  for (const plan::ProgramDescription& program : phase.programs)
    result["programs"].push_back(program_json(program));
  for (const plan::PassDescription& pass : phase.passes) {
    json routes = json::array();
    for (const plan::RouteOfPass& part : pass.routes) routes.push_back(part_json(part));
    result["passes"].push_back(
        {{"over", pass.is_over_lines ? "lines" : "elements"}, {"routes", std::move(routes)}});
  }
  return result;
}

}  // namespace

json plan_json(const plan::Description& plan, const MeasuredBandwidth* bandwidth) {
  json result = {{"rule", plan.name},
                 {"dtype", std::string(types::to_text(plan.compute))},
                 {"bytes_per_parameter", bytes_json(plan.bytes)},
                 {"state_bytes", json::object()}};
  for (const char* list : {"routes", "phases", "states", "scratch", "views"})
    result[list] = json::array();
  for (const auto& [rate, bytes] : plan.state_bytes)
    result["state_bytes"][std::string(types::to_text(rate))] = bytes;
  for (const plan::RouteDescription& route : plan.routes)
    result["routes"].push_back({{"condition", condition_json(route.condition)},
                                {"bytes_per_parameter", bytes_json(route.bytes)},
                                {"state_bytes_per_parameter", route.state_bytes}});
  std::uint32_t gradients = 0;
  for (const plan::PhaseDescription& phase : plan.phases)
    result["phases"].push_back(phase_json(phase, gradients));
  for (const plan::StateDescription& state : plan.states)
    result["states"].push_back({{"name", state.name},
                                {"rate", rate_json(state.rate)},
                                {"bytes", state.bytes},
                                {"condition", condition_json(state.condition)}});
  for (const plan::ScratchDescription& scratch : plan.scratch)
    result["scratch"].push_back({{"holds", scratch.holds}, {"bytes_per_parameter", scratch.bytes}});
  for (const plan::ViewDescription& view : plan.views)
    result["views"].push_back(
        {{"name", view.name}, {"bytes_per_parameter", bytes_json(view.bytes)}});
  if (bandwidth != nullptr)
    result["measured"] = {
        {"bytes_per_second", bandwidth->bytes_per_second},
        {"threads", bandwidth->threads},
        {"parameters", kPredictedParameters},
        {"seconds", plan.bytes.total() * kPredictedParameters / bandwidth->bytes_per_second}};
  return result;
}

}  // namespace talweg::plan
