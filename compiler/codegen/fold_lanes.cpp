#include "compiler/codegen/fold_lanes.h"

#include <llvm/IR/Constants.h>

#include <numeric>

#include "compiler/base/check.h"
#include "compiler/ir/make_node.h"
#include "compiler/ir/sequence.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

using builtins::Fold;

namespace {

constexpr std::uint32_t kLanes = ir::kFoldLanes;
constexpr std::uint32_t kSegments = TALWEG_CHUNK_ELEMENTS / TALWEG_SEGMENT_ELEMENTS;
static_assert(TALWEG_SEGMENT_ELEMENTS == ir::kFoldBlock);
static_assert(kSegments <= kLanes, "the segments of a chunk are one block");

const llvm::Align kAlignment(64);

llvm::Value* emit_binary(const Emission& emission, builtins::Op op, llvm::Value* a,
                         llvm::Value* b) {
  const ir::Node node{.kind = ir::NodeKind::Apply, .op = op};
  return emit_operation(emission, node, ir::ValueType::Scalar, {a, b});
}

/// Two results of a fold as one.
llvm::Value* emit_combine(const Emission& emission, Fold fold, llvm::Value* a, llvm::Value* b) {
  switch (fold) {
    case Fold::Min:
      return emit_binary(emission, builtins::Op::Min, a, b);
    case Fold::Max:
      return emit_binary(emission, builtins::Op::Max, a, b);
    case Fold::Sum:
    case Fold::Dot:
    case Fold::Count:
      return emit_binary(emission, builtins::Op::Add, a, b);
  }
  TALWEG_UNREACHABLE("a fold outside the enumeration");
}

llvm::Constant* start_vector(llvm::IRBuilder<>& ir, Fold fold, std::uint32_t count) {
  return llvm::ConstantVector::getSplat(
      llvm::ElementCount::getFixed(count),
      llvm::ConstantFP::get(ir.getDoubleTy(), ir::fold_start(fold)));
}

llvm::Value* emit_half(llvm::IRBuilder<>& ir, llvm::Value* vector, std::uint32_t first,
                       std::uint32_t count) {
  llvm::SmallVector<int, kLanes / 2> places(count);
  std::iota(places.begin(), places.end(), static_cast<int>(first));
  return ir.CreateShuffleVector(vector, places);
}

/// A vector folded by halves.
llvm::Value* emit_fold(const Emission& emission, Fold fold, llvm::Value* vector,
                       std::uint32_t count) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  for (std::uint32_t half = count / 2; half > 0; half /= 2) {
    Emission halved = emission;
    halved.lanes = Lanes(ir, half);
    llvm::Value* low = half == 1 ? ir.CreateExtractElement(vector, std::uint64_t{0})
                                 : emit_half(ir, vector, 0, half);
    llvm::Value* high = half == 1 ? ir.CreateExtractElement(vector, std::uint64_t{1})
                                  : emit_half(ir, vector, half, half);
    vector = emit_combine(halved, fold, low, high);
  }
  return vector;
}

llvm::Value* load_vector(llvm::IRBuilder<>& ir, llvm::Value* memory, std::uint32_t count) {
  return ir.CreateAlignedLoad(llvm::FixedVectorType::get(ir.getDoubleTy(), count), memory,
                              kAlignment);
}

/// double f(lanes): the fold of 64 lanes, emitted once a module.
llvm::Function* fold_function(HelperFunctions& helpers, Fold fold) {
  const Fold kind = fold == Fold::Dot ? Fold::Sum : fold;
  const std::string name = "talweg.fold." + std::string(builtins::info(kind).name);
  llvm::Module& module = helpers.module();
  if (llvm::Function* known = module.getFunction(name)) return known;
  llvm::IRBuilder<> ir(module.getContext());
  llvm::Function* function = add_internal_function(module, name, ir.getDoubleTy(), {ir.getPtrTy()});
  ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  const Emission emission{Lanes(ir, 1), ComputeType::F64, &helpers};
  ir.CreateRet(emit_fold(emission, kind, load_vector(ir, function->getArg(0), kLanes), kLanes));
  return function;
}

}  // namespace

FoldLanes allocate_lanes(llvm::IRBuilder<>& ir, Fold fold) {
  llvm::BasicBlock& entry = ir.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::IRBuilder<> first(&entry, entry.begin());
  const auto allocate = [&](std::uint32_t count) {
    llvm::AllocaInst* memory = first.CreateAlloca(llvm::ArrayType::get(first.getDoubleTy(), count));
    memory->setAlignment(kAlignment);
    return memory;
  };
  return {fold, allocate(kLanes), allocate(kSegments)};
}

void emit_start_lanes(llvm::IRBuilder<>& ir, const FoldLanes& fold) {
  ir.CreateAlignedStore(start_vector(ir, fold.fold, kLanes), fold.lanes, kAlignment);
}

void emit_start_segments(llvm::IRBuilder<>& ir, const FoldLanes& fold) {
  ir.CreateAlignedStore(start_vector(ir, fold.fold, kSegments), fold.segments, kAlignment);
}

void emit_join(const Emission& emission, const FoldLanes& fold, llvm::Value* index,
               llvm::Value* mask, llvm::Value* a, llvm::Value* b) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Type* type = emission.lanes.number_type(ComputeType::F64);
  llvm::Value* place = ir.CreateInBoundsGEP(ir.getDoubleTy(), fold.lanes,
                                            ir.CreateAnd(index, ir.getInt64(kLanes - 1)));
  const llvm::Align alignment(8u * emission.lanes.width());
  llvm::Value* before = ir.CreateAlignedLoad(type, place, alignment);
  const auto widened = [&](llvm::Value* value) { return ir.CreateFPExt(value, type); };
  llvm::Value* after = fold.fold == Fold::Dot
                           ? emission.helpers->emit_fma(emission.lanes, ComputeType::F64,
                                                        widened(a), widened(b), before)
                           : emit_combine(emission, fold.fold, before, widened(a));
  if (mask != nullptr) after = ir.CreateSelect(mask, after, before);
  ir.CreateAlignedStore(after, place, alignment);
}

void emit_end_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const FoldLanes& fold,
                      llvm::Value* segment) {
  llvm::Value* value = ir.CreateCall(fold_function(helpers, fold.fold), {fold.lanes});
  ir.CreateStore(value, ir.CreateInBoundsGEP(ir.getDoubleTy(), fold.segments, segment));
}

llvm::Value* emit_chunk_value(llvm::IRBuilder<>& ir, HelperFunctions& helpers,
                              const FoldLanes& fold) {
  // The segments are the first lanes of a block; folding with lanes that hold the start comes
  // first.
  const Emission emission{Lanes(ir, kSegments), ComputeType::F64, &helpers};
  llvm::Value* segments =
      emit_combine(emission, fold.fold, load_vector(ir, fold.segments, kSegments),
                   start_vector(ir, fold.fold, kSegments));
  return emit_fold(emission, fold.fold, segments, kSegments);
}

}  // namespace talweg::codegen
