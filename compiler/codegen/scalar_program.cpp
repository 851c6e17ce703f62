#include "compiler/codegen/scalar_program.h"

#include <algorithm>
#include <map>
#include <set>

namespace talweg::codegen {

namespace {

bool is_elementary(builtins::Op op) {
  return op >= builtins::Op::Rsqrt && op <= builtins::Op::Atan;
}

/// Elementary functions of the program that can be computed side by side: by function, then by how
/// many calls of that function lie before one another.
using Batches = std::map<std::pair<builtins::Op, int>, std::vector<ir::NodeId>>;

Batches find_batches(const ir::Graph& graph, const plan::ScalarProgram& program) {
  Batches batches;
  std::set<builtins::Op> functions;
  for (const ir::NodeId id : program.nodes)
    if (graph[id].kind == ir::NodeKind::Apply && is_elementary(graph[id].op))
      functions.insert(graph[id].op);
  for (const builtins::Op function : functions) {
    std::vector<int> calls_before(graph.nodes.size());
    for (const ir::NodeId id : program.nodes) {
      const ir::Node& node = graph[id];
      int& calls = calls_before[id.index];
      for (int k = 0; k < node.operand_count(); ++k)
        calls = std::max(calls, calls_before[node.operands[k].index]);
      if (node.kind != ir::NodeKind::Apply || node.op != function) continue;
      if (node.type == ir::ValueType::Scalar) batches[{function, calls}].push_back(id);
      ++calls;
    }
  }
  return batches;
}

}  // namespace

void compute_program(const Setting& s, const plan::ScalarProgram& program) {
  const ir::Graph& graph = s.plan.graph;
  for (const auto& [function_and_level, batch] : find_batches(graph, program))
    s.scope.compute_together(function_and_level.first, batch);
  for (const ir::NodeId id : program.nodes) s.scope.value(id);
  for (const std::uint32_t store : program.stores) s.scope.value(graph.stores[store].value);
  for (const std::uint32_t hyper : program.hypers)
    for (const ir::NodeId id : {graph.hypers[hyper].bound, graph.hypers[hyper].unless})
      if (id.valid()) s.scope.value(id);
}

void store_slots(const Setting& s, const plan::ScalarProgram& program,
                 const std::vector<ir::NodeId>& slots_of_level, llvm::Value* slots) {
  for (const std::uint32_t slot : program.slots)
    s.scope.store_slot(slots, slot, slots_of_level[slot]);
}

void store_states(const Setting& s, const plan::ScalarProgram& program, llvm::Value* new_states) {
  for (const std::uint32_t i : program.stores) {
    const ir::Store& store = s.plan.graph.stores[i];
    s.scope.store_number(new_states, store.index, store.value);
  }
}

llvm::Value* partial_value(const Setting& s, const plan::Partial& partial) {
  llvm::Value* a = s.scope.value(partial.a);
  return partial.b.valid() ? s.ir.CreateFMul(a, s.scope.value(partial.b)) : a;
}

}  // namespace talweg::codegen
