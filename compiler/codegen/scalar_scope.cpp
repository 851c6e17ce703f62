// Resolution of slower values; see scalar_scope.h.
#include "compiler/codegen/scalar_scope.h"

#include <algorithm>
#include <bit>

#include "compiler/base/check.h"
#include "compiler/codegen/abi_access.h"

namespace talweg::codegen {

ScalarScope::ScalarScope(const plan::Plan& plan, const Emission& emission,
                         const ScalarSources& sources)
    : plan_(plan),
      emission_(emission),
      sources_(sources),
      values_(plan.graph.nodes.size(), nullptr),
      slots_(plan.graph.nodes.size(), nullptr),
      slot_(plan.graph.nodes.size()),
      reduction_(plan.graph.nodes.size()) {
  const auto note = [&](const std::vector<ir::NodeId>& of_level, llvm::Value* slots) {
    for (std::uint32_t i = 0; i < of_level.size(); ++i) {
      slots_[of_level[i].index] = slots;
      slot_[of_level[i].index] = i;
    }
  };
  note(plan.slots_of(plan::Level::Model), sources.model_slots);
  note(plan.slots_of(plan::Level::Group), sources.group_slots);
  note(plan.slots_of(plan::Level::Tensor), sources.tensor_slots);
  note(plan.slots_of(plan::Level::Matrix), sources.matrix_slots);
  note(plan.slots_of(plan::Level::Row), sources.row_slots.slots);
  if (sources.program != nullptr)
    for (const ir::NodeId id : sources.program->nodes) slots_[id.index] = nullptr;
  for (std::uint32_t i = 0; i < plan.reductions.size(); ++i)
    reduction_[plan.reductions[i].node.index] = i;
}

llvm::Value* ScalarScope::slots_of(ir::NodeId id) const { return slots_[id.index]; }

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
    const bool is_given = slots_of(next) != nullptr || node.kind == ir::NodeKind::Reduce;
    if (!is_given)
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
  if (node.rate == types::Rate::Row) {
    TALWEG_CHECK(slots_of(id) != nullptr, "a value of a row without a slot");
    return emit_line_load(
        emission_, emit_slot_start(emission_.lanes.builder(), sources_.row_slots, slot_[id.index]),
        sources_.row, node.type);
  }
  TALWEG_CHECK(!types::is_array(node.rate), "a scalar function asks for a value of an element");
  if (llvm::Value* slots = slots_of(id)) return load_slot(slots, slot_[id.index], node.type);
  if (node.kind == ir::NodeKind::Reduce)
    return load_number(sources_.reduced, reduction_[id.index], node.type);
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

/// Entry `index` of an array of float64, in which truths are 0 or 1.
llvm::Value* ScalarScope::load_number(llvm::Value* numbers, std::uint32_t index,
                                      ir::ValueType type) {
  llvm::IRBuilder<>& ir = emission_.lanes.builder();
  llvm::Type* number = ir.getDoubleTy();
  llvm::Value* entry = ir.CreateLoad(number, ir.CreateConstInBoundsGEP1_64(number, numbers, index));
  if (type != ir::ValueType::Bool) return entry;
  return ir.CreateFCmpUNE(entry, llvm::ConstantFP::get(number, 0));
}

llvm::Value* ScalarScope::load_entry(Offset array_offset, llvm::Type* type, std::uint32_t index) {
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
      if (node.rate == types::Rate::Tensor || node.rate == types::Rate::Matrix)
        return load_number(sources_.states, node.index, node.type);
      return load_entry(TALWEG_FIELD(talweg_scalar_args, states), number, node.index);
    case ir::NodeKind::Input:
      if (node.rate == types::Rate::Tensor || node.rate == types::Rate::Matrix)
        return load_number(sources_.inputs, node.index, node.type);
      return load_entry(TALWEG_FIELD(talweg_scalar_args, inputs), number, node.index);
    case ir::NodeKind::Given:
      return ir.CreateIsNotNull(
          load_entry(TALWEG_FIELD(talweg_scalar_args, given), ir.getInt8Ty(), node.index));
    case ir::NodeKind::Hyper: {
      llvm::Value* hyper = load_entry(TALWEG_FIELD(talweg_scalar_args, hypers), number, node.index);
      if (node.type != ir::ValueType::Bool) return hyper;
      return ir.CreateFCmpUNE(hyper, llvm::ConstantFP::get(number, 0));
    }
    case ir::NodeKind::StepNumber:
      return load_field(ir, number, sources_.args, TALWEG_FIELD(talweg_scalar_args, step_number));
    case ir::NodeKind::CallNumber:
      return load_field(ir, number, sources_.args, TALWEG_FIELD(talweg_scalar_args, call_number));
    case ir::NodeKind::Fact:
      return load_number(sources_.facts, node.index, node.type);
    case ir::NodeKind::Param:
    case ir::NodeKind::Grad:
    case ir::NodeKind::Apply:
    case ir::NodeKind::ToArray:
    case ir::NodeKind::DivScalar:
    case ir::NodeKind::IsNormal:
    case ir::NodeKind::Flush:
    case ir::NodeKind::Spread:
    case ir::NodeKind::Reduce:
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
