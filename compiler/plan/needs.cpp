#include "compiler/plan/needs.h"

#include "compiler/ir/phases.h"
#include "compiler/plan/aliases.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;

namespace {

class NeedFinder {
 public:
  NeedFinder(const ir::Graph& graph, const Resolved& resolved, const std::vector<bool>& askable,
             Rate slowest_asked)
      : graph_(graph),
        resolved_(resolved),
        askable_(askable),
        asked_rate_(slowest_asked),
        needs_(graph.nodes.size()) {}

  /// `shared`: what is needed for other tensors, if not for this one.
  std::vector<Need> run(const std::vector<Need>& shared) && {
    constexpr Need kAlways{.kind = Need::Kind::Always, .where = {}};
    ir::Graph::visit_results(graph_, [&](NodeId id) { mark(alias(id), kAlways); });
    for (std::uint32_t i = 0; i < shared.size(); ++i)
      if (graph_.nodes[i].kind == NodeKind::Reduce &&
          types::fits(graph_.nodes[i].rate, Rate::Group))
        mark(NodeId(i), shared[i]);
    for (std::uint32_t i = static_cast<std::uint32_t>(needs_.size()); i-- > 0;)
      if (needs_[i].kind != Need::Kind::Never) mark_operands(graph_.nodes[i], needs_[i]);
    return std::move(needs_);
  }

 private:
  [[nodiscard]] NodeId alias(NodeId id) const { return resolved_.alias[id.index]; }

  void mark(NodeId id, const Need& need) {
    Need& now = needs_[id.index];
    if (now.kind == Need::Kind::Always || need.kind == Need::Kind::Never) return;
    if (now.kind == Need::Kind::Never || need.kind == Need::Kind::Always) {
      now = need;
    } else if (now.where.condition == need.where.condition && now.where.holds != need.where.holds) {
      now.kind = Need::Kind::Always;
    }
  }

  void mark_operands(const Node& node, const Need& need) {
    if (node.kind == NodeKind::Reduce &&
        resolved_.truths[alias(ir::domain_of(node)).index] == false)
      return;  // it ranges over other tensors
    if (node.kind == NodeKind::Apply && node.op == Op::Select) return mark_choice(node, need);
    for (int i = 0; i < node.operand_count(); ++i)
      mark(alias(node.operands[static_cast<std::size_t>(i)]), need);
  }

  /// Scalars are computed as they stand, both arms; but what is in the one that is not chosen
  /// reaches nothing.
  void mark_choice(const Node& node, const Need& need) {
    const NodeId condition = alias(node.operands[0]);
    mark(condition, need);
    const auto truth = resolved_.truths[condition.index];
    for (const bool holds : {true, false}) {
      if (truth && *truth != holds) continue;
      const bool may_ask = !truth && need.kind == Need::Kind::Always && is_askable(condition);
      mark(alias(node.operands[holds ? 1 : 2]),
           may_ask
               ? Need{.kind = Need::Kind::Where, .where = {.condition = condition, .holds = holds}}
               : need);
    }
  }

  [[nodiscard]] bool is_askable(NodeId condition) const {
    return !askable_.empty() && askable_[condition.index] &&
           types::fits(graph_[condition].rate, asked_rate_);
  }

  const ir::Graph& graph_;
  const Resolved& resolved_;
  const std::vector<bool>& askable_;
  const Rate asked_rate_;
  std::vector<Need> needs_;
};

}  // namespace

std::vector<Need> find_needs(const ir::Graph& graph, const Resolved& resolved,
                             const std::vector<bool>& askable) {
  // What is reduced over a group or the model is the same for all tensors: only what is known of
  // the model decides it.
  std::vector<Need> shared =
      NeedFinder(graph, resolved.shared ? *resolved.shared : resolved, askable, Rate::Model)
          .run({});
  if (!resolved.shared && askable.empty()) return shared;
  return NeedFinder(graph, resolved, askable, Rate::Tensor).run(shared);
}

}  // namespace talweg::plan
