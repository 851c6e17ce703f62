#include "compiler/plan/partials.h"

#include <algorithm>

#include "compiler/ir/phases.h"

namespace talweg::plan {

namespace {

std::vector<Partial>& partials_of(Plan& plan, ir::Rate over) {
  if (over == ir::Rate::Group) return plan.group_partials;
  return over == ir::Rate::Tensor ? plan.tensor_partials : plan.chunk_partials;
}

std::uint32_t place_of(std::vector<Partial>& partials, const ir::Node& reduction) {
  const ir::NodeId a = reduction.operands[0];
  const ir::NodeId b = reduction.fold == builtins::Fold::Dot ? reduction.operands[1] : ir::NodeId();
  auto found = std::ranges::find_if(partials, [&](const Partial& partial) {
    return partial.fold == reduction.fold && partial.a == a && partial.b == b;
  });
  if (found == partials.end())
    found =
        partials.insert(partials.end(), {.fold = reduction.fold, .a = a, .b = b, .domains = {}});
  found->domains.push_back(ir::domain_of(reduction));
  return static_cast<std::uint32_t>(found - partials.begin());
}

}  // namespace

void find_partials(Plan& plan) {
  for (const ir::NodeId id : ir::find_reductions(plan.graph)) {
    const ir::Node& node = plan.graph[id];
    PlannedReduction& reduction = plan.reductions.emplace_back();
    reduction.node = id;
    if (node.fold != builtins::Fold::Count)
      reduction.partial = place_of(partials_of(plan, node.over), node);
  }
}

}  // namespace talweg::plan
