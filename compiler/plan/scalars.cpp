#include "compiler/plan/scalars.h"

#include <algorithm>
#include <cstdint>

namespace talweg::plan {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;

namespace {

class Placer {
 public:
  explicit Placer(const Plan& plan)
      : graph_(plan.graph),
        in_model_(graph_.nodes.size()),
        in_group_(graph_.nodes.size()),
        has_slot_(graph_.nodes.size()) {
    for (const ElementPass& pass : plan.passes)
      for (const LoopVersion& version : pass.versions) need_for_loop(version);
    for (const ir::Store& store : graph_.stores)
      if (store.target == ir::StoreTarget::State && !types::is_array(state_rate(store)))
        need(store.value, state_rate(store) == Rate::Group);
    for (const ir::HyperInfo& hyper : graph_.hypers)
      for (const NodeId id : {hyper.bound, hyper.unless})
        if (id.valid()) need(id, hyper.rate == Rate::Group);
    for (const ir::StateInfo& state : graph_.states)
      if (state.kept.valid()) need(state.kept, false);
    for (const NodeId end : {graph_.skipped, graph_.held})
      if (end.valid()) need(end, false);
    // Users stand after their operands, so this reaches everything.
    for (std::uint32_t i = static_cast<std::uint32_t>(graph_.nodes.size()); i-- > 0;) {
      if (in_group_[i]) need_operands(NodeId(i), true);
      if (in_model_[i]) need_operands(NodeId(i), false);
    }
  }

  void fill(ScalarProgram& model, ScalarProgram& group) const {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const NodeId id(i);
      if (in_model_[i]) model.nodes.push_back(id);
      if (in_group_[i]) group.nodes.push_back(id);
      if (has_slot_[i]) (is_group(id) ? group : model).slots.push_back(id);
    }
  }

 private:
  [[nodiscard]] Rate state_rate(const ir::Store& store) const {
    return graph_.states[store.index].rate;
  }
  [[nodiscard]] bool is_group(NodeId id) const { return graph_[id].rate == Rate::Group; }

  void need_for_loop(const LoopVersion& version) {
    const auto need_slot = [&](NodeId id) {
      if (!types::fits(graph_[id].rate, Rate::Group)) return;
      need(id, is_group(id));
      has_slot_[id.index] = true;
    };
    for (const Assumption& assumption : version.assumptions) need_slot(assumption.condition);
    for (const StreamStore& store : version.stores) need_slot(store.value);
    for (const NodeId id : version.nodes)
      for (int i = 0; i < graph_[id].operand_count(); ++i)
        need_slot(version.alias[graph_[id].operands[static_cast<std::size_t>(i)].index]);
  }

  /// `id` is read by code of the group program, or of the model program.
  void need(NodeId id, bool by_group) {
    const bool is_literal = graph_[id].kind == NodeKind::Constant;
    if (is_group(id) || (is_literal && by_group)) {
      in_group_[id.index] = true;
      return;
    }
    in_model_[id.index] = true;
    if (by_group) has_slot_[id.index] = true;
  }

  void need_operands(NodeId id, bool by_group) {
    for (int i = 0; i < graph_[id].operand_count(); ++i)
      need(graph_[id].operands[static_cast<std::size_t>(i)], by_group);
  }

  const ir::Graph& graph_;
  std::vector<bool> in_model_, in_group_, has_slot_;
};

}  // namespace

void place_scalars(Plan& plan) { Placer(plan).fill(plan.model, plan.group); }

}  // namespace talweg::plan
