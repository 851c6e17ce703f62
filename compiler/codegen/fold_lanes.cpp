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
/// Of a segment of at most so many values the other lanes, which would hold the start, are not
/// looked at: many tensors are tiny. A start that is left out changes no bit but one: a dot product
/// of float64 may leave -0 in a lane, which +0 makes +0. So the segment's value may be -0 where it
/// would be +0, and the chunk's fold, which joins the start to every segment, makes them the same.
constexpr std::uint32_t kFew = 16;

const llvm::Align kAlignment(64);

llvm::Value* emit_binary(const Emission& emission, builtins::Op op, llvm::Value* a,
                         llvm::Value* b) {
  const ir::Node node{.kind = ir::NodeKind::Apply, .op = op};
  return emit_operation(emission, node, ir::ValueType::Scalar, {a, b});
}

}  // namespace

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

llvm::Value* emit_joined(const Emission& emission, Fold fold, llvm::Value* before, llvm::Value* a,
                         llvm::Value* b) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  const auto widened = [&](llvm::Value* value) {
    return ir.CreateFPExt(value, emission.lanes.number_type(ComputeType::F64));
  };
  if (fold == Fold::Dot)
    return emission.helpers->emit_fma(emission.lanes, ComputeType::F64, widened(a), widened(b),
                                      before);
  return emit_combine(emission, fold, before, widened(a));
}

namespace {

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

/// double f(lanes): all lanes of a block; or the segments of a chunk, which are the first lanes of
/// one: folding with lanes that hold the start comes first. Emitted once a module.
llvm::Function* fold_function(HelperFunctions& helpers, Fold fold, std::uint32_t count) {
  const Fold kind = fold == Fold::Dot ? Fold::Sum : fold;
  const std::string name = "talweg.fold." + std::string(builtins::info(kind).name) +
                           (count == kSegments ? ".segments" : "");
  llvm::Module& module = helpers.module();
  if (llvm::Function* known = module.getFunction(name)) return known;
  llvm::IRBuilder<> ir(module.getContext());
  llvm::Function* function = add_internal_function(module, name, ir.getDoubleTy(), {ir.getPtrTy()});
  ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  const Emission emission{Lanes(ir, count), ComputeType::F64, &helpers};
  llvm::Value* values = load_vector(ir, function->getArg(0), count);
  if (count == kSegments)
    values = emit_combine(emission, kind, values, start_vector(ir, kind, count));
  ir.CreateRet(emit_fold(emission, kind, values, count));
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

namespace {

void emit_starts(llvm::IRBuilder<>& ir, Fold fold, llvm::Value* memory, std::uint32_t first,
                 std::uint32_t count) {
  ir.CreateAlignedStore(start_vector(ir, fold, count),
                        ir.CreateConstInBoundsGEP1_64(ir.getDoubleTy(), memory, first), kAlignment);
}

/// Emits `emit_then` where `condition` holds, else `emit_else`.
template <class EmitThen, class EmitElse>
void emit_either(llvm::IRBuilder<>& ir, llvm::Value* condition, EmitThen emit_then,
                 EmitElse emit_else) {
  const auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(ir.getContext(), name, ir.GetInsertBlock()->getParent());
  };
  llvm::BasicBlock *taken = block("then"), *other = block("else"), *after = block("after");
  ir.CreateCondBr(condition, taken, other);
  ir.SetInsertPoint(taken);
  emit_then();
  ir.CreateBr(after);
  ir.SetInsertPoint(other);
  emit_else();
  ir.CreateBr(after);
  ir.SetInsertPoint(after);
}

template <class EmitThen>
void emit_if(llvm::IRBuilder<>& ir, llvm::Value* condition, EmitThen emit_then) {
  emit_either(ir, condition, emit_then, [] {});
}

}  // namespace

void emit_start_lanes(llvm::IRBuilder<>& ir, const std::vector<FoldLanes>& folds,
                      llvm::Value* count) {
  for (const FoldLanes& fold : folds) emit_starts(ir, fold.fold, fold.lanes, 0, kFew);
  emit_if(ir, ir.CreateICmpUGT(count, ir.getInt64(kFew)), [&] {
    for (const FoldLanes& fold : folds)
      for (std::uint32_t at = kFew; at < kLanes; at += kFew)
        emit_starts(ir, fold.fold, fold.lanes, at, kFew);
  });
}

void emit_start_segments(llvm::IRBuilder<>& ir, const std::vector<FoldLanes>& folds,
                         llvm::Value* count) {
  emit_if(ir, ir.CreateICmpUGT(count, ir.getInt64(TALWEG_SEGMENT_ELEMENTS)), [&] {
    for (const FoldLanes& fold : folds) emit_starts(ir, fold.fold, fold.segments, 0, kSegments);
  });
}

namespace {

void emit_start_all_lanes(llvm::IRBuilder<>& ir, const FoldLanes& fold) {
  emit_starts(ir, fold.fold, fold.lanes, 0, kLanes);
}

/// One value into its lane.
void emit_join_one(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const FoldLanes& fold,
                   llvm::Value* place, llvm::Value* value) {
  const Emission emission{Lanes(ir, 1), ComputeType::F64, &helpers};
  llvm::Value* lane = ir.CreateInBoundsGEP(ir.getDoubleTy(), fold.lanes,
                                           ir.CreateAnd(place, ir.getInt64(kLanes - 1)));
  llvm::Value* before = ir.CreateLoad(ir.getDoubleTy(), lane);
  ir.CreateStore(emit_combine(emission, fold.fold, before, value), lane);
}

llvm::Value* emit_folded(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const FoldLanes& fold) {
  return ir.CreateCall(fold_function(helpers, fold.fold, kLanes), {fold.lanes});
}

}  // namespace

void emit_join(const Emission& emission, const FoldLanes& fold, llvm::Value* index,
               llvm::Value* mask, llvm::Value* a, llvm::Value* b) {
  TALWEG_CHECK(emission.lanes.width() <= kFew, "a vector reaches beyond the lanes in use");
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Type* type = emission.lanes.number_type(ComputeType::F64);
  llvm::Value* place = ir.CreateInBoundsGEP(ir.getDoubleTy(), fold.lanes,
                                            ir.CreateAnd(index, ir.getInt64(kLanes - 1)));
  const llvm::Align alignment(8u * emission.lanes.width());
  llvm::Value* before = ir.CreateAlignedLoad(type, place, alignment);
  llvm::Value* after = emit_joined(emission, fold.fold, before, a, b);
  if (mask != nullptr) after = ir.CreateSelect(mask, after, before);
  ir.CreateAlignedStore(after, place, alignment);
}

RowFold allocate_row(llvm::IRBuilder<>& ir, Fold fold) {
  llvm::BasicBlock& entry = ir.GetInsertBlock()->getParent()->getEntryBlock();
  const Fold of_results = fold == Fold::Dot ? Fold::Sum : fold;
  RowFold row{allocate_lanes(ir, fold), allocate_lanes(ir, of_results),
              allocate_lanes(ir, of_results)};
  llvm::IRBuilder<> first(&entry, entry.begin());
  row.last = first.CreateAlloca(first.getDoubleTy());
  return row;
}

void emit_start_row(llvm::IRBuilder<>& ir, const RowFold& fold, llvm::Value* segment_count) {
  emit_if(ir, ir.CreateICmpUGT(segment_count, ir.getInt64(1)), [&] {
    emit_start_all_lanes(ir, fold.segments);
    emit_start_all_lanes(ir, fold.blocks);
  });
  ir.CreateStore(llvm::ConstantFP::get(ir.getDoubleTy(), ir::fold_start(fold.elements.fold)),
                 fold.last);
}

namespace {

/// The block of segments that ends before `segment`, as a lane of the blocks.
void emit_end_block(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                    llvm::Value* segment) {
  llvm::Value* block =
      ir.CreateUDiv(ir.CreateSub(segment, ir.getInt64(1)), ir.getInt64(ir::kFoldBlock));
  emit_join_one(ir, helpers, fold.blocks, block, emit_folded(ir, helpers, fold.segments));
}

}  // namespace

void emit_start_row_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                            llvm::Value* segment) {
  emit_start_all_lanes(ir, fold.elements);
  llvm::Value* in_block = ir.CreateAnd(segment, ir.getInt64(ir::kFoldBlock - 1));
  llvm::Value* starts_block = ir.CreateAnd(ir.CreateICmpEQ(in_block, ir.getInt64(0)),
                                           ir.CreateICmpNE(segment, ir.getInt64(0)));
  emit_if(ir, starts_block, [&] {
    emit_end_block(ir, helpers, fold, segment);
    emit_start_all_lanes(ir, fold.segments);
  });
}

void emit_end_row_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                          llvm::Value* segment, llvm::Value* segment_count) {
  llvm::Value* value = emit_folded(ir, helpers, fold.elements);
  ir.CreateStore(value, fold.last);
  emit_if(ir, ir.CreateICmpUGT(segment_count, ir.getInt64(1)),
          [&] { emit_join_one(ir, helpers, fold.segments, segment, value); });
}

llvm::Value* emit_row_value(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                            llvm::Value* segment_count) {
  // One segment is its own value; more are a sequence, and so are more than 1,024 of those.
  emit_if(ir, ir.CreateICmpUGT(segment_count, ir.getInt64(1)), [&] {
    ir.CreateStore(emit_folded(ir, helpers, fold.segments), fold.last);
    emit_if(ir, ir.CreateICmpUGT(segment_count, ir.getInt64(ir::kFoldBlock)), [&] {
      emit_end_block(ir, helpers, fold, segment_count);
      ir.CreateStore(emit_folded(ir, helpers, fold.blocks), fold.last);
    });
  });
  return ir.CreateLoad(ir.getDoubleTy(), fold.last);
}

void emit_join_columns(const Emission& emission, Fold fold, llvm::Value* columns,
                       llvm::Value* index, llvm::Value* mask, llvm::Value* is_first, llvm::Value* a,
                       llvm::Value* b) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  llvm::Type* type = emission.lanes.number_type(ComputeType::F64);
  llvm::Value* place = ir.CreateGEP(ir.getDoubleTy(), columns, index);
  llvm::Value* start = emission.lanes.number(ComputeType::F64, ir::fold_start(fold));
  const llvm::Align alignment(8);
  llvm::Value* before =
      mask == nullptr
          ? static_cast<llvm::Value*>(ir.CreateAlignedLoad(type, place, alignment))
          : ir.CreateMaskedLoad(type, place, alignment, mask, llvm::Constant::getNullValue(type));
  before = ir.CreateSelect(is_first, start, before);
  llvm::Value* after = emit_joined(emission, fold, before, a, b);
  if (mask == nullptr)
    ir.CreateAlignedStore(after, place, alignment);
  else
    ir.CreateMaskedStore(after, place, alignment, mask);
}

void emit_end_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers,
                      const std::vector<FoldLanes>& folds, llvm::Value* segment,
                      llvm::Value* count) {
  const auto store = [&](const FoldLanes& fold, llvm::Value* value) {
    ir.CreateStore(value, ir.CreateInBoundsGEP(ir.getDoubleTy(), fold.segments, segment));
  };
  const auto emit_few = [&] {
    const Emission emission{Lanes(ir, kFew), ComputeType::F64, &helpers};
    for (const FoldLanes& fold : folds)
      store(fold, emit_fold(emission, fold.fold, load_vector(ir, fold.lanes, kFew), kFew));
  };
  const auto emit_all = [&] {
    for (const FoldLanes& fold : folds) store(fold, emit_folded(ir, helpers, fold));
  };
  emit_either(ir, ir.CreateICmpULE(count, ir.getInt64(kFew)), emit_few, emit_all);
}

void emit_end_chunk(llvm::IRBuilder<>& ir, HelperFunctions& helpers,
                    const std::vector<FoldLanes>& folds, const std::vector<llvm::Value*>& results,
                    llvm::Value* count) {
  const auto emit_one = [&] {
    const Emission emission{Lanes(ir, 1), ComputeType::F64, &helpers};
    for (std::size_t i = 0; i < folds.size(); ++i) {
      llvm::Value* segment = ir.CreateLoad(ir.getDoubleTy(), folds[i].segments);
      llvm::Value* start = emission.lanes.number(ComputeType::F64, ir::fold_start(folds[i].fold));
      ir.CreateStore(emit_combine(emission, folds[i].fold, segment, start), results[i]);
    }
  };
  const auto emit_all = [&] {
    for (std::size_t i = 0; i < folds.size(); ++i)
      ir.CreateStore(
          ir.CreateCall(fold_function(helpers, folds[i].fold, kSegments), {folds[i].segments}),
          results[i]);
  };
  emit_either(ir, ir.CreateICmpULE(count, ir.getInt64(TALWEG_SEGMENT_ELEMENTS)), emit_one,
              emit_all);
}

}  // namespace talweg::codegen
