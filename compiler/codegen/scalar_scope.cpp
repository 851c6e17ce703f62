// Resolution of slower values; see scalar_scope.h.
#include "compiler/codegen/scalar_scope.h"

#include <algorithm>
#include <bit>

#include "compiler/base/check.h"
#include "compiler/codegen/abi_access.h"

namespace talweg::codegen {

namespace {

constexpr std::uint32_t kNoSlot = 0xffffffffu;

std::vector<std::uint32_t> slot_by_node(const plan::ScalarProgram& program,
                                        std::size_t node_count) {
  std::vector<std::uint32_t> slots(node_count, kNoSlot);
  for (std::size_t i = 0; i < program.slots.size(); ++i)
    slots[program.slots[i].index] = static_cast<std::uint32_t>(i);
  return slots;
}

}  // namespace

ScalarScope::ScalarScope(const plan::Plan& plan, const Emission& emission,
                         const ScalarSources& sources)
    : plan_(plan),
      emission_(emission),
      sources_(sources),
      values_(plan.graph.nodes.size(), nullptr),
      model_slot_(slot_by_node(plan.model, plan.graph.nodes.size())),
      group_slot_(slot_by_node(plan.group, plan.graph.nodes.size())) {}

bool ScalarScope::comes_from_slot(ir::NodeId id) const {
  return (sources_.model_slots != nullptr && model_slot_[id.index] != kNoSlot) ||
         (sources_.group_slots != nullptr && group_slot_[id.index] != kNoSlot);
}

llvm::Value* ScalarScope::value(ir::NodeId id) {
  // Operands first, on a stack of our own: a chain of nodes may be long.
  std::vector<ir::NodeId> pending{id};
  while (!pending.empty()) {
    const ir::NodeId next = pending.back();
    if (values_[next.index] != nullptr) {
      pending.pop_back();
      continue;
    }
    const std::size_t before = pending.size();
    const ir::Node& node = plan_.graph[next];
    if (!comes_from_slot(next))
      for (int i = 0; i < node.operand_count(); ++i)
        if (values_[node.operands[i].index] == nullptr) pending.push_back(node.operands[i]);
    if (pending.size() > before) continue;
    values_[next.index] = emit(next);
    pending.pop_back();
  }
  return values_[id.index];
}

llvm::Value* ScalarScope::emit(ir::NodeId id) {
  const ir::Node& node = plan_.graph[id];
  TALWEG_CHECK(!types::is_array(node.rate), "a scalar function asks for a value of an element");
  if (sources_.model_slots != nullptr && model_slot_[id.index] != kNoSlot)
    return load_slot(sources_.model_slots, model_slot_[id.index], node.type);
  if (sources_.group_slots != nullptr && group_slot_[id.index] != kNoSlot)
    return load_slot(sources_.group_slots, group_slot_[id.index], node.type);
  if (node.operand_count() == 0) return emit_leaf(node);

  llvm::SmallVector<llvm::Value*, 3> operands;
  for (int i = 0; i < node.operand_count(); ++i)
    operands.push_back(values_[node.operands[i].index]);
  return emit_operation(emission_, node, operand_value_type(plan_.graph, node), operands);
}

void ScalarScope::compute_together(builtins::Op op, std::span<const ir::NodeId> ids) {
  const std::size_t most = emission_.helpers->machine().lanes(types::ComputeType::F64);
  while (ids.size() > 1 && most > 1) {
    const auto batch = ids.first(std::min(ids.size(), most));
    ids = ids.subspan(batch.size());
    const Lanes lanes(emission_.lanes.builder(),
                      static_cast<std::uint32_t>(std::bit_ceil(batch.size())));
    llvm::SmallVector<llvm::Value*, 2> operands;
    for (int k = 0; k < plan_.graph[batch[0]].operand_count(); ++k) {
      // Lanes that are left over repeat the first.
      llvm::Value* vector = lanes.splat(value(plan_.graph[batch[0]].operands[k]));
      for (std::uint32_t i = 1; i < batch.size(); ++i)
        vector = lanes.with_lane(vector, i, value(plan_.graph[batch[i]].operands[k]));
      operands.push_back(vector);
    }
    llvm::Value* results =
        emission_.helpers->emit_elementary(lanes, types::ComputeType::F64, op, operands);
    for (std::uint32_t i = 0; i < batch.size(); ++i)
      values_[batch[i].index] = lanes.lane(results, i);
  }
}

llvm::Value* ScalarScope::load_slot(llvm::Value* slots, std::uint32_t index, ir::ValueType type) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  const std::size_t offset = index * sizeof(talweg_slot);
  if (type != ir::ValueType::Bool)
    return load_field(ir, value_type(emission_, type), slots, offset);
  return ir.CreateIsNotNull(load_field(ir, ir.getInt64Ty(), slots, offset));
}

llvm::Value* ScalarScope::load_entry(std::size_t array_offset, llvm::Type* type,
                                     std::uint32_t index) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  llvm::Value* array = load_pointer(ir, sources_.args, array_offset);
  return ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_64(type, array, index));
}

llvm::Value* ScalarScope::emit_leaf(const ir::Node& node) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  llvm::Type* number = ir.getDoubleTy();
  switch (node.kind) {
    case ir::NodeKind::Constant:
      if (node.type == ir::ValueType::Bool) return ir.getInt1(node.value != 0);
      return llvm::ConstantFP::get(number, node.value);
    case ir::NodeKind::State:
      return load_entry(offsetof(talweg_scalar_args, states), number, node.index);
    case ir::NodeKind::Input:
      return load_entry(offsetof(talweg_scalar_args, inputs), number, node.index);
    case ir::NodeKind::Given:
      return ir.CreateIsNotNull(
          load_entry(offsetof(talweg_scalar_args, given), ir.getInt8Ty(), node.index));
    case ir::NodeKind::Hyper: {
      llvm::Value* hyper = load_entry(offsetof(talweg_scalar_args, hypers), number, node.index);
      if (node.type != ir::ValueType::Bool) return hyper;
      return ir.CreateFCmpUNE(hyper, llvm::ConstantFP::get(number, 0));
    }
    case ir::NodeKind::StepNumber:
      return load_field(ir, number, sources_.args, offsetof(talweg_scalar_args, step_number));
    case ir::NodeKind::CallNumber:
      return load_field(ir, number, sources_.args, offsetof(talweg_scalar_args, call_number));
    case ir::NodeKind::Fact: {
      llvm::Value* fact =
          ir.CreateLoad(number, ir.CreateConstInBoundsGEP1_64(number, sources_.facts, node.index));
      if (node.type != ir::ValueType::Bool) return fact;
      return ir.CreateFCmpUNE(fact, llvm::ConstantFP::get(number, 0));
    }
    case ir::NodeKind::Param:
    case ir::NodeKind::Grad:
    case ir::NodeKind::Apply:
    case ir::NodeKind::ToArray:
    case ir::NodeKind::DivScalar:
    case ir::NodeKind::IsNormal:
    case ir::NodeKind::Flush:
      break;
  }
  TALWEG_UNREACHABLE("a node that no scalar function is given");
}

void ScalarScope::store_slot(llvm::Value* slots, std::size_t index, ir::NodeId id) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  llvm::Value* stored = value(id);
  if (plan_.graph[id].type == ir::ValueType::Bool) stored = ir.CreateZExt(stored, ir.getInt64Ty());
  ir.CreateStore(stored, ir.CreateConstInBoundsGEP1_64(ir.getInt64Ty(), slots, index));
}

void ScalarScope::store_number(llvm::Value* numbers, std::size_t index, ir::NodeId id) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  llvm::Value* stored = value(id);
  if (plan_.graph[id].type == ir::ValueType::Bool)
    stored = ir.CreateUIToFP(stored, ir.getDoubleTy());
  ir.CreateStore(stored, ir.CreateConstInBoundsGEP1_64(ir.getDoubleTy(), numbers, index));
}

void ScalarScope::store_truth(llvm::Value* bytes, std::size_t index, llvm::Value* truth) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  ir.CreateStore(ir.CreateZExt(truth, ir.getInt8Ty()),
                 ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), bytes, index));
}

}  // namespace talweg::codegen
