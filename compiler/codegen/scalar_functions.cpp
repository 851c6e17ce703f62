// Scalar functions: slots, scalar states and bound hypers of one rate; see scalar_functions.h.
#include "compiler/codegen/scalar_functions.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/emit_plan.h"
#include "compiler/codegen/scalar_program.h"
#include "compiler/codegen/scalar_scope.h"
#include "compiler/ir/input_demand.h"
#include "compiler/ir/phases.h"

namespace talweg::codegen {

namespace {

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
  llvm::Value* needed = load_pointer(s.ir, s.args, TALWEG_FIELD(talweg_scalar_args, needed));
  for (std::size_t i = 0; i < demand.size(); ++i) {
    llvm::Value* place = s.ir.CreateConstInBoundsGEP1_64(s.ir.getInt8Ty(), needed, i);
    llvm::Value* before = s.ir.CreateLoad(s.ir.getInt8Ty(), place);
    llvm::Value* asked = demand[i].value_or(s.ir.getFalse());
    s.ir.CreateStore(s.ir.CreateSelect(asked, before, s.ir.getInt8(0)), place);
  }
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
    s.ir.CreateStore(outcome,
                     load_pointer(s.ir, s.args, TALWEG_FIELD(talweg_scalar_args, outcome)));
  }
  if (!graph.skipped.valid()) return;
  llvm::Value* kept = load_pointer(s.ir, s.args, TALWEG_FIELD(talweg_scalar_args, kept));
  llvm::Value* goes_on = s.ir.CreateNot(s.scope.value(graph.skipped));
  for (std::size_t i = 0; i < graph.states.size(); ++i) {
    const ir::NodeId own = graph.states[i].kept;
    llvm::Value* is_kept = own.valid() ? s.ir.CreateOr(goes_on, s.scope.value(own)) : goes_on;
    s.scope.store_truth(kept, i, is_kept);
  }
}

void emit_program(const Setting& s, const plan::ScalarProgram& program, types::Rate rate,
                  std::uint32_t phase) {
  const ir::Graph& graph = s.plan.graph;
  const bool is_model = rate == types::Rate::Model;
  compute_program(s, program);
  if (program.says_end) compute_ends(s);
  if (program.regrad) s.scope.value(graph.regrads[*program.regrad].condition);
  if (phase == 0) emit_needed_inputs(s, rate);
  const auto field = [&](Offset offset) { return load_pointer(s.ir, s.args, offset); };
  store_slots(s, program, s.plan.slots_of(is_model ? plan::Level::Model : plan::Level::Group),
              field(is_model ? TALWEG_FIELD(talweg_scalar_args, model_slots)
                             : TALWEG_FIELD(talweg_scalar_args, group_slots)));
  store_states(s, program, field(TALWEG_FIELD(talweg_scalar_args, new_states)));
  llvm::Value* bound = field(TALWEG_FIELD(talweg_scalar_args, bound));
  llvm::Value* unbound = field(TALWEG_FIELD(talweg_scalar_args, unbound));
  for (const std::uint32_t hyper : program.hypers) {
    const ir::HyperInfo& info = graph.hypers[hyper];
    s.scope.store_number(bound, hyper, info.bound);
    if (info.unless.valid()) s.scope.store_truth(unbound, hyper, s.scope.value(info.unless));
  }
  llvm::Value* partials = field(TALWEG_FIELD(talweg_scalar_args, partials));
  for (const std::uint32_t i : program.partials)
    s.ir.CreateStore(partial_value(s, s.plan.partials_of(plan::PartialKind::Group)[i]),
                     s.ir.CreateConstInBoundsGEP1_64(s.ir.getDoubleTy(), partials, i));
  if (program.says_end) store_ends(s);
  if (program.regrad)
    s.ir.CreateStore(
        s.ir.CreateZExt(s.scope.value(graph.regrads[*program.regrad].condition), s.ir.getInt32Ty()),
        field(TALWEG_FIELD(talweg_scalar_args, regrad)));
}

void emit_scalars(llvm::Function& function, const plan::Plan& plan, HelperFunctions& helpers,
                  types::Rate rate, std::uint32_t phase) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* args = function.getArg(1);
  const auto field = [&](Offset offset) { return load_pointer(ir, args, offset); };
  const plan::Phase& of = plan.phases[phase];
  const plan::ScalarProgram& program = of[plan::level_of(rate)];
  ScalarSources sources{.args = args,
                        .model_slots = field(TALWEG_FIELD(talweg_scalar_args, model_slots)),
                        .reduced = field(TALWEG_FIELD(talweg_scalar_args, reduced)),
                        .program = &program};
  if (rate == types::Rate::Group)
    sources.group_slots = field(TALWEG_FIELD(talweg_scalar_args, group_slots));
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers}, sources);
  emit_program({plan, ir, args, scope}, program, rate, phase);
  ir.CreateRetVoid();
}

}  // namespace

void emit_model_scalars(llvm::Function& function, const plan::Plan& plan, std::uint32_t phase,
                        HelperFunctions& helpers) {
  emit_scalars(function, plan, helpers, types::Rate::Model, phase);
}

void emit_group_scalars(llvm::Function& function, const plan::Plan& plan, std::uint32_t phase,
                        HelperFunctions& helpers) {
  emit_scalars(function, plan, helpers, types::Rate::Group, phase);
}

void emit_initial_states(llvm::Function& function, const plan::Plan& plan,
                         HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* args = function.getArg(1);
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers}, {.args = args});
  llvm::Value* states = load_pointer(ir, args, TALWEG_FIELD(talweg_scalar_args, new_states));
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
  const auto field = [&](Offset offset) { return load_pointer(ir, placement, offset); };
  ScalarScope scope(plan, {Lanes(ir, 1), plan.compute, &helpers},
                    {.facts = field(TALWEG_FIELD(talweg_placement, facts))});
  const auto store_presence = [&](const auto& table, llvm::Value* present) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      llvm::Value* truth = table[i].present.valid() ? scope.value(table[i].present) : ir.getTrue();
      ir.CreateStore(ir.CreateZExt(truth, ir.getInt8Ty()),
                     ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), present, i));
    }
  };
  store_presence(plan.graph.states, field(TALWEG_FIELD(talweg_placement, state_present)));
  store_presence(plan.graph.inputs, field(TALWEG_FIELD(talweg_placement, input_present)));
  const std::vector<ir::NodeId> domains = ir::find_domains(plan.graph);
  for (std::size_t i = 0; i < domains.size(); ++i)
    scope.store_truth(field(TALWEG_FIELD(talweg_placement, in_domain)), i, scope.value(domains[i]));
  for (std::size_t i = 0; i < plan.graph.requirements.size(); ++i)
    scope.store_truth(field(TALWEG_FIELD(talweg_placement, requirement_met)), i,
                      scope.value(plan.graph.requirements[i].condition));

  const std::vector<plan::Route>& routes = plan.routes;
  llvm::Value* route = ir.getInt32(0);
  for (std::uint32_t i = 1; i < routes.size(); ++i) {
    llvm::Value* taken = ir.getTrue();
    for (const plan::Assumption& assumption : routes[i].conditions) {
      llvm::Value* condition = scope.value(assumption.condition);
      taken = ir.CreateAnd(taken, assumption.holds ? condition : ir.CreateNot(condition));
    }
    route = ir.CreateSelect(taken, ir.getInt32(i), route);
  }
  ir.CreateStore(route, field(TALWEG_FIELD(talweg_placement, route)));
  ir.CreateRetVoid();
}

}  // namespace talweg::codegen
