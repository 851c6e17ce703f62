#include "compiler/passes/rewriter.h"

#include <utility>

#include "compiler/ir/make_node.h"

namespace talweg::passes {

Rewriter::Rewriter(const ir::Graph& source)
    : target_{.name = source.name,
              .doc = source.doc,
              .hypers = source.hypers,
              .states = source.states,
              .inputs = source.inputs,
              .facts = source.facts,
              .views = source.views,
              .requirements = source.requirements,
              .split = source.split,
              .nodes = {},
              .stores = source.stores,
              .regrads = source.regrads,
              .skipped = source.skipped,
              .held = source.held},
      map_(source.nodes.size()) {
  target_.nodes.reserve(source.nodes.size());
  for (const ir::Node& node : source.nodes)
    is_of_elements_.push_back(node.rate == ir::Rate::Element);
}

ir::Node Rewriter::mapped(const ir::Node& node) const {
  ir::Node result = node;
  for (ir::NodeId& operand : result.operands) remap(operand);
  result.rate = ir::rate_of(target_, result);
  return result;
}

void Rewriter::replace(ir::NodeId source, ir::NodeId target) {
  if (is_of_elements_[source.index] && types::is_of_matrices(target_[target].rate))
    target = target_.add(ir::make_conversion(target_, ir::NodeKind::Spread, {target}));
  map_[source.index] = target;
}

ir::Graph Rewriter::finish() && {
  ir::Graph::visit_results(target_, [this](ir::NodeId& id) { remap(id); });
  for (ir::StateInfo& state : target_.states) {
    remap(state.initial);
    remap(state.present);
  }
  for (ir::InputInfo& input : target_.inputs) remap(input.present);
  for (ir::ViewInfo& view : target_.views) remap(view.value);
  for (ir::Requirement& requirement : target_.requirements) remap(requirement.condition);
  return std::move(target_);
}

}  // namespace talweg::passes
