// Emission of a loop's body; see element_body.h.
#include "compiler/codegen/element_body.h"

#include <algorithm>
#include <set>

#include "compiler/base/check.h"

namespace talweg::codegen {

std::uint32_t interleaved_vectors(const plan::LoopVersion& version, const MachineShape& machine) {
  // Interleaving pays while values stay in registers; bodies that call functions keep none anyway.
  const std::size_t small = 3 * std::size_t{machine.vector_registers} / 2;
  if (version.nodes.size() <= small) return 4;
  return version.nodes.size() <= 2 * small ? 2 : 1;
}

ElementBody::ElementBody(const plan::Plan& plan, const plan::ElementPass& pass,
                         const plan::LoopVersion& version, const std::vector<llvm::Value*>& streams,
                         ScalarScope& scope)
    : plan_(plan),
      pass_(pass),
      version_(version),
      estimated_roots_(share_of_estimated_roots()),
      streams_(streams),
      scope_(scope),
      loaded_from_(plan.graph.nodes.size(), kComputed) {
  std::set<std::uint32_t> in_use;
  for (const plan::StreamLoad& load : version.loads) {
    loaded_from_[load.node.index] = load.stream;
    in_use.insert(load.stream);
  }
  for (const plan::StreamStore& store : version.stores) in_use.insert(store.stream);
  streams_in_use_.assign(in_use.begin(), in_use.end());
}

/// Roots and quotients go through one slow unit, everything else through two fast ones. So many
/// roots are estimated that both kinds have as much to do. (Cycles a vector on Intel's server cores
/// since Skylake; only speed depends on them.)
double ElementBody::share_of_estimated_roots() const {
  constexpr double kRoot = 12, kQuotient = 10, kEstimatedRoot = 14, kFastUnits = 2;
  double roots = 0, slow = 0, fast = 0;
  for (const ir::NodeId id : version_.nodes) {
    const ir::Node& node = plan_.graph[id];
    const bool is_apply = node.kind == ir::NodeKind::Apply;
    if (is_apply && node.op == builtins::Op::Sqrt) {
      roots += 1;
      slow += kRoot;
    } else if (is_apply && node.op == builtins::Op::Div) {
      slow += kQuotient;
    } else if (node.operand_count() > 0) {
      fast += node.kind == ir::NodeKind::Flush ? 2 : 1;
    }
  }
  if (roots == 0) return 0;
  const double even = (slow - fast / kFastUnits) / (roots * (kRoot + kEstimatedRoot / kFastUnits));
  return std::clamp(even, 0.0, 1.0);
}

ir::NodeId ElementBody::resolved(ir::NodeId id) const {
  while (version_.alias[id.index] != id) id = version_.alias[id.index];
  return id;
}

bool ElementBody::is_element(ir::NodeId id) const {
  return !types::fits(plan_.graph[id].rate, types::Rate::Tensor);
}

void ElementBody::prepare(const Emission& emission) {
  Prepared prepared{emission.lanes.width(), {}};
  prepared.values.assign(plan_.graph.nodes.size(), nullptr);
  const auto prepare_one = [&](ir::NodeId unresolved) {
    const ir::NodeId id = resolved(unresolved);
    if (!is_element(id) && prepared.values[id.index] == nullptr)
      prepared.values[id.index] = emission.lanes.splat(scope_.value(id));
  };
  for (const ir::NodeId id : version_.nodes)
    for (int i = 0; loaded_from_[id.index] == kComputed && i < plan_.graph[id].operand_count(); ++i)
      prepare_one(plan_.graph[id].operands[i]);
  for (const plan::StreamStore& store : version_.stores) prepare_one(store.value);
  for (const plan::ChunkFold& fold : version_.folds) {
    prepare_one(fold.a);
    if (fold.b.valid()) prepare_one(fold.b);
  }
  prepared_.push_back(std::move(prepared));
}

llvm::Value* ElementBody::operand(const Emission& emission, const Values& values, ir::NodeId id,
                                  std::size_t position) {
  id = resolved(id);
  if (is_element(id)) return values[id.index][position];
  const auto shape = std::ranges::find(prepared_, emission.lanes.width(), &Prepared::width);
  return shape->values[id.index];
}

void ElementBody::emit_node(const Emission& emission, const std::vector<Position>& positions,
                            ir::NodeId id, Values& values) {
  const ir::Node& node = plan_.graph[id];
  for (std::size_t at = 0; at < positions.size(); ++at) {
    if (loaded_from_[id.index] != kComputed) {
      values[id.index].push_back(emit_load(emission, loaded_from_[id.index], positions[at]));
      continue;
    }
    llvm::SmallVector<llvm::Value*, 3> operands;
    for (int i = 0; i < node.operand_count(); ++i)
      operands.push_back(operand(emission, values, node.operands[i], at));
    Emission here = emission;
    here.estimates_roots =
        static_cast<double>(at) + 0.5 < estimated_roots_ * static_cast<double>(positions.size());
    values[id.index].push_back(
        emit_operation(here, node, operand_value_type(plan_.graph, node), operands));
  }
}

void ElementBody::emit(const Emission& emission, const std::vector<Position>& positions,
                       std::span<const FoldLanes> folds) {
  Values values(plan_.graph.nodes.size());
  for (const plan::StreamLoad& load : version_.loads)
    emit_node(emission, positions, load.node, values);
  for (const ir::NodeId id : version_.nodes)
    if (loaded_from_[id.index] == kComputed) emit_node(emission, positions, id, values);
  for (std::size_t i = 0; i < folds.size(); ++i)
    for (std::size_t at = 0; at < positions.size(); ++at) {
      const plan::ChunkFold& fold = version_.folds[i];
      llvm::Value* a = operand(emission, values, fold.a, at);
      llvm::Value* b = fold.b.valid() ? operand(emission, values, fold.b, at) : nullptr;
      emit_join(emission, folds[i], positions[at].index, positions[at].mask, a, b);
    }
  for (const plan::StreamStore& store : version_.stores)
    for (std::size_t at = 0; at < positions.size(); ++at)
      emit_store(emission, store.stream, positions[at], operand(emission, values, store.value, at));
}

llvm::Value* ElementBody::emit_load(const Emission& emission, std::uint32_t stream,
                                    const Position& position) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Type* type = emission.lanes.number_type(plan_.compute);
  llvm::Value* address =
      ir.CreateInBoundsGEP(type->getScalarType(), streams_[stream], position.index);
  const llvm::Align alignment(static_cast<std::uint64_t>(types::size_bytes(plan_.compute)));
  if (position.mask == nullptr) return ir.CreateAlignedLoad(type, address, alignment);
  return ir.CreateMaskedLoad(type, address, alignment, position.mask,
                             llvm::Constant::getNullValue(type));
}

void ElementBody::emit_store(const Emission& emission, std::uint32_t stream,
                             const Position& position, llvm::Value* value) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Value* address =
      ir.CreateInBoundsGEP(value->getType()->getScalarType(), streams_[stream], position.index);
  const llvm::Align alignment(static_cast<std::uint64_t>(types::size_bytes(plan_.compute)));
  if (position.mask == nullptr)
    ir.CreateAlignedStore(value, address, alignment);
  else
    ir.CreateMaskedStore(value, address, alignment, position.mask);
}

}  // namespace talweg::codegen
