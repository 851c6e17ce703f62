// Scalar functions: slots, scalar states and bound hypers of one rate; see scalar_functions.h.
#include "compiler/codegen/scalar_functions.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/emit_plan.h"
#include "compiler/codegen/scalar_scope.h"
#include "compiler/ir/input_demand.h"

namespace talweg::codegen {

namespace {

struct Setting {
  const plan::Plan& plan;
  llvm::IRBuilder<>& ir;
  llvm::Value* args;
  ScalarScope& scope;
};

/// Scalar states that are stored once per `rate`, and bound hypers of it.
std::vector<const ir::Store*> stores_of(const ir::Graph& graph, types::Rate rate) {
  std::vector<const ir::Store*> stores;
  for (const ir::Store& store : graph.stores)
    if (store.target == ir::StoreTarget::State && graph.states[store.index].rate == rate)
      stores.push_back(&store);
  return stores;
}

std::vector<std::uint32_t> bound_hypers_of(const ir::Graph& graph, types::Rate rate) {
  std::vector<std::uint32_t> hypers;
  for (std::uint32_t i = 0; i < graph.hypers.size(); ++i)
    if (graph.hypers[i].bound.valid() && graph.hypers[i].rate == rate) hypers.push_back(i);
  return hypers;
}

/// Truths of conditions as emitted values.
struct EmittedTruths {
  using Truth = llvm::Value*;
  llvm::IRBuilder<>& ir;
  ScalarScope& scope;

  llvm::Value* truth(ir::NodeId condition) { return scope.value(condition); }
  llvm::Value* always() { return ir.getTrue(); }
  llvm::Value* both(llvm::Value* a, llvm::Value* b) { return ir.CreateAnd(a, b); }
  llvm::Value* either(llvm::Value* a, llvm::Value* b) { return ir.CreateOr(a, b); }
  llvm::Value* negated(llvm::Value* a) { return ir.CreateNot(a); }
};

/// Clears the entries of inputs that this step does not read, as far as conditions up to `rate`
/// tell.
void emit_needed_inputs(const Setting& s, types::Rate rate) {
  if (s.plan.graph.inputs.empty()) return;
  EmittedTruths truths{s.ir, s.scope};
  const auto demand = ir::input_demand(s.plan.graph, rate, truths);
  llvm::Value* needed = load_pointer(s.ir, s.args, offsetof(talweg_scalar_args, needed));
  for (std::size_t i = 0; i < demand.size(); ++i) {
    llvm::Value* place = s.ir.CreateConstInBoundsGEP1_64(s.ir.getInt8Ty(), needed, i);
    llvm::Value* before = s.ir.CreateLoad(s.ir.getInt8Ty(), place);
    llvm::Value* asked = demand[i].value_or(s.ir.getFalse());
    s.ir.CreateStore(s.ir.CreateSelect(asked, before, s.ir.getInt8(0)), place);
  }
}

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

/// Everything that says how the call ends, computed before anything is stored.
void compute_ends(const Setting& s) {
  const ir::Graph& graph = s.plan.graph;
  for (const ir::NodeId end : {graph.skipped, graph.held})
    if (end.valid()) s.scope.value(end);
  for (const ir::StateInfo& state : graph.states)
    if (state.kept.valid()) s.scope.value(state.kept);
}

void store_ends(const Setting& s) {
  const ir::Graph& graph = s.plan.graph;
  if (graph.skipped.valid() || graph.held.valid()) {
    const auto truth = [&](ir::NodeId id) {
      return id.valid() ? s.scope.value(id) : s.ir.getFalse();
    };
    llvm::Value* outcome =
        s.ir.CreateSelect(truth(graph.skipped), s.ir.getInt32(TALWEG_SKIPPED),
                          s.ir.CreateSelect(truth(graph.held), s.ir.getInt32(TALWEG_HELD),
                                            s.ir.getInt32(TALWEG_COMPLETED)));
    s.ir.CreateStore(outcome, load_pointer(s.ir, s.args, offsetof(talweg_scalar_args, outcome)));
  }
  if (!graph.skipped.valid()) return;
  llvm::Value* kept = load_pointer(s.ir, s.args, offsetof(talweg_scalar_args, kept));
  llvm::Value* goes_on = s.ir.CreateNot(s.scope.value(graph.skipped));
  for (std::size_t i = 0; i < graph.states.size(); ++i) {
    const ir::NodeId own = graph.states[i].kept;
    llvm::Value* is_kept = own.valid() ? s.ir.CreateOr(goes_on, s.scope.value(own)) : goes_on;
    s.scope.store_truth(kept, i, is_kept);
  }
}

/// Computes everything, then stores: what is read may lie where something is stored.
void emit_program(const Setting& s, const plan::ScalarProgram& program, types::Rate rate,
                  std::size_t slots_offset) {
  const ir::Graph& graph = s.plan.graph;
  const auto stores = stores_of(graph, rate);
  const auto bound_hypers = bound_hypers_of(graph, rate);
  for (const auto& [function_and_level, batch] : find_batches(graph, program))
    s.scope.compute_together(function_and_level.first, batch);
  for (const ir::NodeId id : program.nodes) s.scope.value(id);
  for (const ir::NodeId id : program.slots) s.scope.value(id);
  for (const ir::Store* store : stores) s.scope.value(store->value);
  for (const std::uint32_t hyper : bound_hypers)
    for (const ir::NodeId id : {graph.hypers[hyper].bound, graph.hypers[hyper].unless})
      if (id.valid()) s.scope.value(id);
  if (rate == types::Rate::Model) compute_ends(s);
  emit_needed_inputs(s, rate);

  llvm::Value* slots = load_pointer(s.ir, s.args, slots_offset);
  llvm::Value* states = load_pointer(s.ir, s.args, offsetof(talweg_scalar_args, new_states));
  llvm::Value* bound = load_pointer(s.ir, s.args, offsetof(talweg_scalar_args, bound));
  for (std::size_t i = 0; i < program.slots.size(); ++i)
    s.scope.store_slot(slots, i, program.slots[i]);
  for (const ir::Store* store : stores) s.scope.store_number(states, store->index, store->value);
  llvm::Value* unbound = load_pointer(s.ir, s.args, offsetof(talweg_scalar_args, unbound));
  for (const std::uint32_t hyper : bound_hypers) {
    const ir::HyperInfo& info = graph.hypers[hyper];
    s.scope.store_number(bound, hyper, info.bound);
    if (info.unless.valid()) s.scope.store_truth(unbound, hyper, s.scope.value(info.unless));
  }
  if (rate == types::Rate::Model) store_ends(s);
}

}  // namespace

void emit_model_scalars(llvm::Function& function, const plan::Plan& plan,
                        HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* args = function.getArg(1);
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers}, {.args = args});
  emit_program({plan, ir, args, scope}, plan.model, types::Rate::Model,
               offsetof(talweg_scalar_args, model_slots));
  ir.CreateRetVoid();
}

void emit_group_scalars(llvm::Function& function, const plan::Plan& plan,
                        HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* args = function.getArg(1);
  const ScalarSources sources{
      .args = args,
      .model_slots = load_pointer(ir, args, offsetof(talweg_scalar_args, model_slots))};
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers}, sources);
  emit_program({plan, ir, args, scope}, plan.group, types::Rate::Group,
               offsetof(talweg_scalar_args, group_slots));
  ir.CreateRetVoid();
}

void emit_initial_states(llvm::Function& function, const plan::Plan& plan,
                         HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* args = function.getArg(1);
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers}, {.args = args});
  llvm::Value* states = load_pointer(ir, args, offsetof(talweg_scalar_args, new_states));
  // Constants too: the image asks for what was computed before the passes, which may have folded
  // it.
  for (std::size_t i = 0; i < plan.graph.states.size(); ++i) {
    const ir::NodeId initial = plan.graph.states[i].initial;
    if (initial.valid() && plan.graph[initial].type == ir::ValueType::Scalar)
      scope.store_number(states, i, initial);
  }
  ir.CreateRetVoid();
}

void emit_placement(llvm::Function& function, const plan::Plan& plan, HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* placement = function.getArg(1);
  const auto field = [&](std::size_t offset) { return load_pointer(ir, placement, offset); };
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers},
                    {.facts = field(offsetof(talweg_placement, facts))});
  const auto store_presence = [&](const auto& table, llvm::Value* present) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      llvm::Value* truth = table[i].present.valid() ? scope.value(table[i].present) : ir.getTrue();
      ir.CreateStore(ir.CreateZExt(truth, ir.getInt8Ty()),
                     ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), present, i));
    }
  };
  store_presence(plan.graph.states, field(offsetof(talweg_placement, state_present)));
  store_presence(plan.graph.inputs, field(offsetof(talweg_placement, input_present)));

  const std::vector<plan::Route>& routes = plan.passes.front().routes;
  llvm::Value* route = ir.getInt32(0);
  for (std::uint32_t i = 1; i < routes.size(); ++i) {
    llvm::Value* taken = ir.getTrue();
    for (const plan::Assumption& assumption : routes[i].conditions) {
      llvm::Value* condition = scope.value(assumption.condition);
      taken = ir.CreateAnd(taken, assumption.holds ? condition : ir.CreateNot(condition));
    }
    route = ir.CreateSelect(taken, ir.getInt32(i), route);
  }
  ir.CreateStore(route, field(offsetof(talweg_placement, route)));
  ir.CreateRetVoid();
}

}  // namespace talweg::codegen
