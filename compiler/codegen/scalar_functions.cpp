// Scalar functions: slots, scalar states and bound hypers of one rate; see scalar_functions.h.
#include "compiler/codegen/scalar_functions.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/emit_plan.h"
#include "compiler/codegen/scalar_scope.h"
#include "compiler/ir/input_demand.h"
#include "compiler/ir/phases.h"

namespace talweg::codegen {

namespace {

struct Setting {
  const plan::Plan& plan;
  llvm::IRBuilder<>& ir;
  llvm::Value* args;
  ScalarScope& scope;
};

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
void compute_program(const Setting& s, const plan::ScalarProgram& program) {
  const ir::Graph& graph = s.plan.graph;
  for (const auto& [function_and_level, batch] : find_batches(graph, program))
    s.scope.compute_together(function_and_level.first, batch);
  for (const ir::NodeId id : program.nodes) s.scope.value(id);
  for (const std::uint32_t store : program.stores) s.scope.value(graph.stores[store].value);
  for (const std::uint32_t hyper : program.hypers)
    for (const ir::NodeId id : {graph.hypers[hyper].bound, graph.hypers[hyper].unless})
      if (id.valid()) s.scope.value(id);
  if (program.says_end) compute_ends(s);
}

void store_slots(const Setting& s, const plan::ScalarProgram& program,
                 const std::vector<ir::NodeId>& slots_of_rate, llvm::Value* slots) {
  for (const std::uint32_t slot : program.slots)
    s.scope.store_slot(slots, slot, slots_of_rate[slot]);
}

void store_states(const Setting& s, const plan::ScalarProgram& program, llvm::Value* new_states) {
  for (const std::uint32_t i : program.stores) {
    const ir::Store& store = s.plan.graph.stores[i];
    s.scope.store_number(new_states, store.index, store.value);
  }
}

/// What reductions over tensors or groups fold: a value, or the product of two.
llvm::Value* partial_value(const Setting& s, const plan::Partial& partial) {
  llvm::Value* a = s.scope.value(partial.a);
  return partial.b.valid() ? s.ir.CreateFMul(a, s.scope.value(partial.b)) : a;
}

void emit_program(const Setting& s, const plan::ScalarProgram& program, types::Rate rate,
                  std::uint32_t phase) {
  const ir::Graph& graph = s.plan.graph;
  const bool is_model = rate == types::Rate::Model;
  compute_program(s, program);
  if (phase == 0) emit_needed_inputs(s, rate);
  const auto field = [&](std::size_t offset) { return load_pointer(s.ir, s.args, offset); };
  store_slots(s, program, is_model ? s.plan.model_slots : s.plan.group_slots,
              field(is_model ? offsetof(talweg_scalar_args, model_slots)
                             : offsetof(talweg_scalar_args, group_slots)));
  store_states(s, program, field(offsetof(talweg_scalar_args, new_states)));
  llvm::Value* bound = field(offsetof(talweg_scalar_args, bound));
  llvm::Value* unbound = field(offsetof(talweg_scalar_args, unbound));
  for (const std::uint32_t hyper : program.hypers) {
    const ir::HyperInfo& info = graph.hypers[hyper];
    s.scope.store_number(bound, hyper, info.bound);
    if (info.unless.valid()) s.scope.store_truth(unbound, hyper, s.scope.value(info.unless));
  }
  llvm::Value* partials = field(offsetof(talweg_scalar_args, partials));
  for (const std::uint32_t i : program.partials)
    s.ir.CreateStore(partial_value(s, s.plan.group_partials[i]),
                     s.ir.CreateConstInBoundsGEP1_64(s.ir.getDoubleTy(), partials, i));
  if (program.says_end) store_ends(s);
}

void emit_scalars(llvm::Function& function, const plan::Plan& plan, HelperFunctions& helpers,
                  types::Rate rate, std::uint32_t phase) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  llvm::Value* args = function.getArg(1);
  const auto field = [&](std::size_t offset) { return load_pointer(ir, args, offset); };
  const plan::Phase& of = plan.phases[phase];
  const plan::ScalarProgram& program = rate == types::Rate::Model ? of.model : of.group;
  ScalarSources sources{.args = args,
                        .model_slots = field(offsetof(talweg_scalar_args, model_slots)),
                        .reduced = field(offsetof(talweg_scalar_args, reduced)),
                        .program = &program};
  if (rate == types::Rate::Group)
    sources.group_slots = field(offsetof(talweg_scalar_args, group_slots));
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

namespace {

/// What one tensor's scalars are computed from and where they go.
class TensorFunction {
 public:
  TensorFunction(llvm::Function& function, const plan::Plan& plan,
                 const plan::ScalarProgram& program, HelperFunctions& helpers)
      : function_(function),
        plan_(plan),
        program_(program),
        helpers_(helpers),
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        args_(function.getArg(1)) {}

  /// for (tensor = tensor_begin; tensor < tensor_end; ++tensor) ..., but for those without
  /// gradient.
  void emit() {
    llvm::BasicBlock* entry = ir_.GetInsertBlock();
    llvm::BasicBlock* head = block("tensor");
    llvm::BasicBlock* present = block("present");
    llvm::BasicBlock* next = block("next");
    llvm::BasicBlock* done = block("done");
    llvm::Value* begin = ir_.CreateZExt(function_.getArg(2), ir_.getInt64Ty());
    llvm::Value* end = ir_.CreateZExt(function_.getArg(3), ir_.getInt64Ty());
    ir_.CreateCondBr(ir_.CreateICmpULT(begin, end), head, done);
    ir_.SetInsertPoint(head);
    llvm::PHINode* tensor = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    tensor->addIncoming(begin, entry);
    const std::size_t streams = plan::stream_count(plan_);
    llvm::Value* row = entry_address(ir_, field(offsetof(talweg_pass_args, pointers)), tensor,
                                     streams * sizeof(void*));
    llvm::Value* gradient = load_pointer(ir_, row, TALWEG_STREAM_GRAD * sizeof(void*));
    ir_.CreateCondBr(ir_.CreateIsNull(gradient), next, present);
    ir_.SetInsertPoint(present);
    emit_tensor(tensor);
    ir_.CreateBr(next);
    ir_.SetInsertPoint(next);
    llvm::Value* following = ir_.CreateNUWAdd(tensor, ir_.getInt64(1));
    tensor->addIncoming(following, next);
    ir_.CreateCondBr(ir_.CreateICmpULT(following, end), head, done);
    ir_.SetInsertPoint(done);
    ir_.CreateRetVoid();
  }

 private:
  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(function_.getContext(), name, &function_);
  }
  llvm::Value* field(std::size_t offset) { return load_pointer(ir_, args_, offset); }

  /// The row of a tensor or group in a table with `columns` entries of 8 bytes.
  llvm::Value* row_of(std::size_t offset, llvm::Value* index, std::size_t columns) {
    return entry_address(ir_, field(offset), index, columns * sizeof(double));
  }

  void emit_tensor(llvm::Value* tensor) {
    llvm::Value* groups = field(offsetof(talweg_pass_args, tensor_groups));
    llvm::Value* group = ir_.CreateZExt(
        ir_.CreateLoad(ir_.getInt32Ty(), entry_address(ir_, groups, tensor, sizeof(std::uint32_t))),
        ir_.getInt64Ty());
    const std::size_t states = plan_.graph.states.size();
    llvm::Value* slots =
        row_of(offsetof(talweg_pass_args, tensor_slots), tensor, plan_.tensor_slots.size());
    const ScalarSources sources{
        .args = entry_address(ir_, field(offsetof(talweg_pass_args, group_args)), group,
                              sizeof(talweg_scalar_args)),
        .model_slots = field(offsetof(talweg_pass_args, model_slots)),
        .group_slots =
            row_of(offsetof(talweg_pass_args, group_slots), group, plan_.group_slots.size()),
        .tensor_slots = slots,
        .facts = row_of(offsetof(talweg_pass_args, tensor_facts), tensor, plan_.graph.facts.size()),
        .tensor_states = row_of(offsetof(talweg_pass_args, tensor_states), tensor, states),
        .tensor_inputs =
            row_of(offsetof(talweg_pass_args, tensor_inputs), tensor, plan_.graph.inputs.size()),
        .reduced =
            row_of(offsetof(talweg_pass_args, tensor_reduced), tensor, plan_.reductions.size()),
        .program = &program_};
    ScalarScope scope(plan_, {Lanes(ir_, 1), plan_.compute, &helpers_}, sources);
    const Setting setting{plan_, ir_, sources.args, scope};
    compute_program(setting, program_);
    store_slots(setting, program_, plan_.tensor_slots, slots);
    store_states(setting, program_,
                 row_of(offsetof(talweg_pass_args, new_tensor_states), tensor, states));
    for (const std::uint32_t i : program_.partials) emit_partial(setting, tensor, i);
  }

  void emit_partial(const Setting& setting, llvm::Value* tensor, std::uint32_t partial) {
    llvm::Value* count =
        load_field(ir_, ir_.getInt64Ty(), args_, offsetof(talweg_pass_args, tensor_count));
    llvm::Value* place = ir_.CreateAdd(ir_.CreateMul(count, ir_.getInt64(partial)), tensor);
    ir_.CreateStore(partial_value(setting, plan_.tensor_partials[partial]),
                    ir_.CreateGEP(ir_.getDoubleTy(),
                                  field(offsetof(talweg_pass_args, tensor_partials)), place));
  }

  llvm::Function& function_;
  const plan::Plan& plan_;
  const plan::ScalarProgram& program_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  llvm::Value* args_;
};

}  // namespace

void emit_tensor_scalars(llvm::Function& function, const plan::Plan& plan, std::uint32_t phase,
                         HelperFunctions& helpers) {
  TensorFunction(function, plan, plan.phases[phase].tensor, helpers).emit();
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
  const std::vector<ir::NodeId> domains = ir::find_domains(plan.graph);
  for (std::size_t i = 0; i < domains.size(); ++i)
    scope.store_truth(field(offsetof(talweg_placement, in_domain)), i, scope.value(domains[i]));
  for (std::size_t i = 0; i < plan.graph.requirements.size(); ++i)
    scope.store_truth(field(offsetof(talweg_placement, requirement_met)), i,
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
  ir.CreateStore(route, field(offsetof(talweg_placement, route)));
  ir.CreateRetVoid();
}

}  // namespace talweg::codegen
