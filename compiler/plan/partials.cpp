#include "compiler/plan/partials.h"

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/ir/phases.h"

namespace talweg::plan {

PartialKind kind_of(const ir::Node& reduction) {
  switch (reduction.over) {
    case ir::Rate::Group:
      return PartialKind::Group;
    case ir::Rate::Tensor:
      return PartialKind::Tensor;
    case ir::Rate::Matrix:
      return PartialKind::Matrix;
    case ir::Rate::Row:
      return PartialKind::Row;
    case ir::Rate::Col:
      return PartialKind::Col;
    case ir::Rate::Element:
      if (types::fits(reduction.rate, ir::Rate::Tensor)) return PartialKind::Chunk;
      return reduction.rate == ir::Rate::Col ? PartialKind::LineBlock : PartialKind::LineRow;
    case ir::Rate::Const:
    case ir::Rate::Model:
      break;
  }
  TALWEG_UNREACHABLE("nothing is slower than the model");
}

namespace {

std::uint32_t place_of(const ir::Graph& graph, std::vector<Partial>& partials, ir::NodeId id) {
  const ir::Node& reduction = graph[id];
  const ir::NodeId a = reduction.operands[0];
  const ir::NodeId b = reduction.fold == builtins::Fold::Dot ? reduction.operands[1] : ir::NodeId();
  auto found = std::ranges::find_if(partials, [&](const Partial& partial) {
    return partial.fold == reduction.fold && partial.a == a && partial.b == b;
  });
  if (found == partials.end())
    found = partials.insert(partials.end(),
                            {.fold = reduction.fold, .a = a, .b = b, .reductions = {}, .place = 0});
  found->reductions.push_back(id);
  return static_cast<std::uint32_t>(found - partials.begin());
}

}  // namespace

void find_partials(Plan& plan) {
  for (const ir::NodeId id : ir::find_reductions(plan.graph)) {
    const ir::Node& node = plan.graph[id];
    PlannedReduction& reduction = plan.reductions.emplace_back();
    reduction.node = id;
    reduction.kind = kind_of(node);
    if (node.fold != builtins::Fold::Count)
      reduction.partial =
          place_of(plan.graph, plan.partials[static_cast<std::size_t>(reduction.kind)], id);
  }
  // The two that share a table stand in it one behind the other.
  const auto number = [&](PartialKind first, PartialKind second) {
    std::uint32_t place = 0;
    for (const PartialKind kind : {first, second})
      for (Partial& partial : plan.partials[static_cast<std::size_t>(kind)])
        partial.place = place++;
  };
  number(PartialKind::LineRow, PartialKind::Row);
  number(PartialKind::LineBlock, PartialKind::Col);
  for (const PartialKind kind :
       {PartialKind::Chunk, PartialKind::Group, PartialKind::Tensor, PartialKind::Matrix}) {
    std::uint32_t place = 0;
    for (Partial& partial : plan.partials[static_cast<std::size_t>(kind)]) partial.place = place++;
  }
}

}  // namespace talweg::plan
