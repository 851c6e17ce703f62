// Emission of a loop's body; see element_body.h.
#include "compiler/codegen/element_body.h"

#include <algorithm>
#include <set>

#include "compiler/base/check.h"

namespace talweg::codegen {

std::uint32_t interleaved_vectors(const plan::Plan& plan, const plan::LoopVersion& version,
                                  const MachineShape& machine) {
  // Interleaving pays while values stay in registers; bodies that call functions keep none anyway,
  // and an fma made of other operations takes them all.
  const auto is_fma = [&](ir::NodeId id) { return plan.graph[id].op == builtins::Op::Fma; };
  if (!machine.has_fma && std::ranges::any_of(version.nodes, is_fma)) return 1;
  const std::size_t small = 3 * std::size_t{machine.vector_registers} / 2;
  if (version.nodes.size() <= small) return 4;
  return version.nodes.size() <= 2 * small ? 2 : 1;
}

namespace {

/// Calls visit(id) for what the body takes from slots or computes, resolved.
template <class Visit>
void visit_operands(const plan::Plan& plan, const plan::LoopVersion& version, Visit visit) {
  std::vector<bool> is_loaded(plan.graph.nodes.size());
  for (const plan::StreamLoad& load : version.loads) is_loaded[load.node.index] = true;
  for (const ir::NodeId id : version.nodes)
    for (int i = 0; !is_loaded[id.index] && i < plan.graph[id].operand_count(); ++i)
      visit(version.alias[plan.graph[id].operands[static_cast<std::size_t>(i)].index]);
  for (const plan::StreamStore& store : version.stores) visit(store.value);
  for (const plan::ElementFold& fold : version.folds) {
    visit(fold.a);
    if (fold.b.valid()) visit(fold.b);
  }
}

/// A stream is asked for this far ahead of its use. Measured: 512 to 2,048 serve alike in DRAM.
constexpr std::uint32_t kPrefetchBytes = 1024;

}  // namespace

bool reads_lines(const plan::Plan& plan, const plan::LoopVersion& version) {
  bool reads = false;
  visit_operands(plan, version, [&](ir::NodeId id) {
    const types::Rate rate = plan.graph[id].rate;
    if (rate != types::Rate::Element && !types::fits(rate, types::Rate::Tensor)) reads = true;
  });
  return reads;
}

ElementBody::ElementBody(const plan::Plan& plan, const plan::ElementPass& pass,
                         const plan::LoopVersion& version, const std::vector<llvm::Value*>& streams,
                         ScalarScope& scope, const LineSlots& col_slots)
    : plan_(plan),
      pass_(pass),
      version_(version),
      estimated_roots_(share_of_estimated_roots()),
      streams_(streams),
      scope_(scope),
      col_slots_(col_slots),
      col_slot_(plan.graph.nodes.size()),
      loaded_from_(plan.graph.nodes.size(), kComputed) {
  const auto& slots = plan.slots_of(plan::Level::Col);
  for (std::uint32_t i = 0; i < slots.size(); ++i) col_slot_[slots[i].index] = i;
  visit_operands(plan, version, [&](ir::NodeId id) {
    if (plan.graph[id].rate == types::Rate::Col && !std::ranges::count(cols_, id))
      cols_.push_back(id);
  });
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

bool ElementBody::varies(ir::NodeId id) const {
  const types::Rate rate = plan_.graph[id].rate;
  return rate == types::Rate::Element || rate == types::Rate::Col;
}

void ElementBody::prepare(const Emission& emission) {
  Prepared prepared{emission.lanes.width(), {}};
  prepared.values.assign(plan_.graph.nodes.size(), nullptr);
  visit_operands(plan_, version_, [&](ir::NodeId unresolved) {
    const ir::NodeId id = resolved(unresolved);
    if (!varies(id) && prepared.values[id.index] == nullptr)
      prepared.values[id.index] = emission.lanes.splat(scope_.value(id));
  });
  prepared_.push_back(std::move(prepared));
}

llvm::Value* ElementBody::operand(const Emission& emission, const Values& values, ir::NodeId id,
                                  std::size_t position) {
  id = resolved(id);
  if (varies(id)) return values[id.index][position];
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
                       const Leave& leave) {
  Values values(plan_.graph.nodes.size());
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  for (const plan::StreamLoad& load : version_.loads)
    emit_node(emission, positions, load.node, values);
  for (const ir::NodeId id : cols_)
    for (const Position& position : positions)
      values[id.index].push_back(
          emit_line_load(emission, emit_slot_start(ir, col_slots_, col_slot_[id.index]),
                         position.col, plan_.graph[id].type, position.mask));
  for (const ir::NodeId id : version_.nodes)
    if (loaded_from_[id.index] == kComputed) emit_node(emission, positions, id, values);
  for (std::size_t i = 0; i < version_.folds.size(); ++i)
    for (std::size_t at = 0; at < positions.size(); ++at) {
      const plan::ElementFold& fold = version_.folds[i];
      llvm::Value* a = operand(emission, values, fold.a, at);
      leave(i, positions[at], a, fold.b.valid() ? operand(emission, values, fold.b, at) : nullptr);
    }
  for (const plan::StreamStore& store : version_.stores)
    for (std::size_t at = 0; at < positions.size(); ++at)
      emit_store(emission, store.stream, positions[at], operand(emission, values, store.value, at));
}

llvm::Align ElementBody::alignment_of(const Emission& emission) const {
  const auto element = static_cast<std::uint32_t>(types::size_bytes(plan_.compute));
  return llvm::Align(std::max(element, emission.vector_alignment));
}

llvm::Value* ElementBody::emit_load(const Emission& emission, std::uint32_t stream,
                                    const Position& position) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Type* type = emission.lanes.number_type(plan_.compute);
  llvm::Value* address =
      ir.CreateInBoundsGEP(type->getScalarType(), streams_[stream], position.index);
  const llvm::Align alignment = alignment_of(emission);
  if (position.mask == nullptr) return ir.CreateAlignedLoad(type, address, alignment);
  return ir.CreateMaskedLoad(type, address, alignment, position.mask,
                             llvm::Constant::getNullValue(type));
}

void ElementBody::emit_store(const Emission& emission, std::uint32_t stream,
                             const Position& position, llvm::Value* value) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Value* address =
      ir.CreateInBoundsGEP(value->getType()->getScalarType(), streams_[stream], position.index);
  const llvm::Align alignment = alignment_of(emission);
  if (position.mask == nullptr)
    ir.CreateAlignedStore(value, address, alignment);
  else
    ir.CreateMaskedStore(value, address, alignment, position.mask);
}

void ElementBody::emit_prefetch(const Emission& emission, llvm::Value* index, std::uint32_t turn) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  const auto size = static_cast<std::uint32_t>(types::size_bytes(plan_.compute));
  const std::uint32_t line = emission.helpers->machine().cache_line_bytes;
  llvm::Value* offset = ir.CreateNUWMul(index, ir.getInt64(size));
  for (const std::uint32_t stream : streams_in_use_)
    for (std::uint32_t at = 0; at < turn * size; at += line) {
      llvm::Value* place = ir.CreateNUWAdd(offset, ir.getInt64(kPrefetchBytes + at));
      llvm::Value* address = ir.CreateGEP(ir.getInt8Ty(), streams_[stream], place);
      ir.CreateIntrinsic(llvm::Intrinsic::prefetch, {address->getType()},
                         {address, ir.getInt32(0), ir.getInt32(3), ir.getInt32(1)});
    }
}

}  // namespace talweg::codegen
