// See library_rule.h.
#include "compiler/standalone/library_rule.h"

#include <algorithm>

#include "compiler/driver/image_tables.h"
#include "compiler/standalone/c_text.h"
#include "runtime/standalone/rule.h"

namespace talweg::standalone {

std::vector<std::uint32_t> settable_hypers(const talweg_image& image) {
  std::vector<std::uint32_t> fields;
  for (std::uint32_t i = 0; i < image.hyper_count; ++i)
    if (image.hypers[i].bound == 0 || image.hypers[i].follows != 0) fields.push_back(i);
  return fields;
}

FieldNames field_names(const talweg_image& image) {
  const auto names_of = [](const auto* list, std::uint32_t count) {
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < count; ++i) names.emplace_back(list[i].name);
    return c_identifiers(names);
  };
  return {names_of(image.hypers, image.hyper_count), names_of(image.inputs, image.input_count),
          names_of(image.states, image.state_count)};
}

std::vector<std::string> class_names(const std::vector<std::string>& rules) {
  std::vector<std::string> result;
  for (std::string name : rules) {
    if (name.starts_with('_')) name.insert(0, "x");  // names of modules' own begin so
    while (is_language_word(name) || std::ranges::find(result, name) != result.end()) name += '_';
    result.push_back(std::move(name));
  }
  return result;
}

std::string why_no_flat_step(const LibraryRule& rule) {
  const ir::Graph& graph = *rule.graph;
  const plan::Plan& plan = *rule.plan;
  if (!graph.inputs.empty()) return "the rule reads inputs besides the gradient";
  if (!graph.facts.empty() || !graph.requirements.empty())
    return "the rule asks for facts of its tensors";
  if (graph.split) return "the rule has rows and columns";
  if (plan.phases.size() != 1 || !plan.reductions.empty())
    return "the rule reduces, so it goes over its arrays more than once";
  if (!plan.scratch.empty()) return "the rule needs memory besides its states";
  if (graph.skipped.valid() || graph.held.valid())
    return "the rule may skip or hold a step, and then counts it otherwise";
  const driver::ImageTables tables(graph, plan.compute, "");
  const talweg_image& image = tables.image();
  const auto* states = image.states;
  const bool are_arrays = std::all_of(states, states + image.state_count, [](const auto& state) {
    return state.rate == TALWEG_RATE_ELEMENT &&
           (state.initial == TALWEG_INITIAL_ZERO || state.initial == TALWEG_INITIAL_CONSTANT);
  });
  if (!are_arrays) return "not all of the rule's states are arrays that begin with a constant";
  std::size_t most = std::max(image.hyper_count, image.state_count);
  for (const auto level : {plan::Level::Model, plan::Level::Group, plan::Level::Tensor})
    most = std::max(most, plan.slots_of(level).size());
  return most > TALWEG_LIB_FLAT_LIMIT ? "the rule is too large" : "";
}

}  // namespace talweg::standalone
