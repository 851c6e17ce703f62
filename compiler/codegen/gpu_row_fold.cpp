#include "compiler/codegen/gpu_row_fold.h"

#include "compiler/codegen/fold_lanes.h"
#include "compiler/codegen/gpu_threads.h"
#include "compiler/codegen/pass_tables.h"
#include "compiler/ir/sequence.h"
#include "runtime/abi/talweg_gpu_abi.h"

namespace talweg::codegen {

namespace {

constexpr std::uint32_t kThreadsPerSegment = TALWEG_GPU_WARP / 2;
constexpr std::uint32_t kElements = ir::kFoldLanes / kThreadsPerSegment;  // lanes of a thread
constexpr std::uint32_t kResults = ir::kFoldLanes / TALWEG_GPU_WARP;      // likewise, of results

}  // namespace

GpuRowFold::GpuRowFold(llvm::IRBuilder<>& ir, HelperFunctions& helpers, llvm::Value* lane,
                       llvm::Value* cols)
    : ir_(ir),
      one_{Lanes(ir, 1), ComputeType::F64, &helpers},
      lane_(lane),
      cols_(cols),
      segments_(ir.CreateUDiv(ir.CreateAdd(cols, ir.getInt64(ir::kFoldBlock - 1)),
                              ir.getInt64(ir::kFoldBlock))) {}

llvm::AllocaInst* GpuRowFold::add_variable(llvm::Type* type) {
  llvm::BasicBlock& entry = ir_.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::IRBuilder<> first(&entry, entry.begin());
  return first.CreateAlloca(type);
}

std::size_t GpuRowFold::add(builtins::Fold fold) {
  const auto lanes = [&](std::uint32_t count) {
    return add_variable(llvm::FixedVectorType::get(ir_.getDoubleTy(), count));
  };
  const builtins::Fold of_results = fold == builtins::Fold::Dot ? builtins::Fold::Sum : fold;
  rows_.push_back({fold, of_results, lanes(kElements), lanes(kResults), lanes(kResults),
                   add_variable(ir_.getDoubleTy())});
  return rows_.size() - 1;
}

void GpuRowFold::start(const Row& row, llvm::AllocaInst* lanes) {
  ir_.CreateStore(llvm::ConstantFP::get(lanes->getAllocatedType(), ir::fold_start(row.fold)),
                  lanes);
}

void GpuRowFold::emit(const std::function<void(llvm::Value* col, const Join& join)>& emit_element) {
  for (const Row& row : rows_) {
    start(row, row.segments);
    start(row, row.blocks);
    start(row, row.last);
  }
  emit_turns(ir_, ir_.getInt64(0), segments_, 2,
             [&](llvm::Value* pair) { emit_pair(pair, emit_element); });
  emit_where(ir_, ir_.CreateICmpUGT(segments_, ir_.getInt64(ir::kFoldBlock)), [&] {
    for (const Row& row : rows_)
      ir_.CreateStore(folded(row, row.blocks, TALWEG_GPU_WARP), row.last);
  });
}

void GpuRowFold::emit_pair(
    llvm::Value* pair,
    const std::function<void(llvm::Value* col, const Join& join)>& emit_element) {
  for (const Row& row : rows_) start(row, row.elements);
  const auto segment_begin = [&](llvm::Value* segment) {
    return ir_.CreateMul(segment, ir_.getInt64(ir::kFoldBlock));
  };
  const auto lesser = [&](llvm::Value* a, llvm::Value* b) {
    return ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, a, b);
  };
  llvm::Value* half = ir_.CreateUDiv(lane_, ir_.getInt64(kThreadsPerSegment));
  llvm::Value* thread = ir_.CreateAnd(lane_, ir_.getInt64(kThreadsPerSegment - 1));
  llvm::Value* begin = segment_begin(ir_.CreateAdd(pair, half));
  llvm::Value* end = lesser(ir_.CreateAdd(begin, ir_.getInt64(ir::kFoldBlock)), cols_);
  // The first of the two segments is the longer one.
  llvm::Value* turns =
      lesser(ir_.CreateSub(cols_, segment_begin(pair)), ir_.getInt64(ir::kFoldBlock));
  emit_turns(ir_, ir_.getInt64(0), turns, ir::kFoldLanes, [&](llvm::Value* at) {
    llvm::Value* first = ir_.CreateAdd(ir_.CreateAdd(begin, at), thread);
    for (std::uint64_t i = 0; i < kElements; ++i) {
      llvm::Value* col = ir_.CreateAdd(first, ir_.getInt64(i * kThreadsPerSegment));
      emit_where(ir_, ir_.CreateICmpULT(col, end), [&] {
        emit_element(
            col, [&](const Emission& emission, std::size_t place, llvm::Value* a, llvm::Value* b) {
              const Row& row = rows_[place];
              llvm::Value* lanes = ir_.CreateLoad(row.elements->getAllocatedType(), row.elements);
              llvm::Value* joined =
                  emit_joined(emission, row.fold, ir_.CreateExtractElement(lanes, i), a, b);
              ir_.CreateStore(ir_.CreateInsertElement(lanes, joined, i), row.elements);
            });
      });
    }
  });
  for (const Row& row : rows_) end_pair(row, pair);
}

void GpuRowFold::end_pair(const Row& row, llvm::Value* pair) {
  llvm::Value* own = folded(row, row.elements, kThreadsPerSegment);
  llvm::Value* other = emit_exchange(ir_, own, kThreadsPerSegment);
  llvm::Value* is_first = ir_.CreateICmpULT(lane_, ir_.getInt64(kThreadsPerSegment));
  llvm::Value* first = ir_.CreateSelect(is_first, own, other);
  llvm::Value* second = ir_.CreateSelect(is_first, other, own);
  // One segment is its own value; more are a sequence, and so are more than 1,024 of those.
  ir_.CreateStore(first, row.last);
  emit_where(ir_, ir_.CreateICmpUGT(segments_, ir_.getInt64(1)), [&] {
    llvm::Value* after_first = ir_.CreateAdd(pair, ir_.getInt64(1));
    llvm::Value* next = ir_.CreateAdd(pair, ir_.getInt64(2));
    join_result(row, row.segments, pair, first, ir_.getTrue());
    join_result(row, row.segments, after_first, second, ir_.CreateICmpULT(after_first, segments_));
    llvm::Value* in_block = ir_.CreateAnd(next, ir_.getInt64(ir::kFoldBlock - 1));
    llvm::Value* ends = ir_.CreateOr(ir_.CreateICmpEQ(in_block, ir_.getInt64(0)),
                                     ir_.CreateICmpUGE(next, segments_));
    emit_where(ir_, ends, [&] {
      llvm::Value* of_block = folded(row, row.segments, TALWEG_GPU_WARP);
      ir_.CreateStore(of_block, row.last);
      join_result(row, row.blocks, ir_.CreateUDiv(pair, ir_.getInt64(ir::kFoldBlock)), of_block,
                  ir_.getTrue());
      start(row, row.segments);
    });
  });
}

void GpuRowFold::join_result(const Row& row, llvm::AllocaInst* lanes, llvm::Value* number,
                             llvm::Value* value, llvm::Value* holds) {
  llvm::Value* thread = ir_.CreateAnd(number, ir_.getInt64(TALWEG_GPU_WARP - 1));
  llvm::Value* place = ir_.CreateAnd(ir_.CreateUDiv(number, ir_.getInt64(TALWEG_GPU_WARP)),
                                     ir_.getInt64(kResults - 1));
  llvm::Value* is_own = ir_.CreateAnd(holds, ir_.CreateICmpEQ(thread, lane_));
  llvm::Value* result = ir_.CreateLoad(lanes->getAllocatedType(), lanes);
  for (std::uint64_t i = 0; i < kResults; ++i) {
    llvm::Value* before = ir_.CreateExtractElement(result, i);
    llvm::Value* joined = emit_combine(one_, row.of_results, before, value);
    llvm::Value* takes = ir_.CreateAnd(is_own, ir_.CreateICmpEQ(place, ir_.getInt64(i)));
    result = ir_.CreateInsertElement(result, ir_.CreateSelect(takes, joined, before), i);
  }
  ir_.CreateStore(result, lanes);
}

llvm::Value* GpuRowFold::folded(const Row& row, llvm::AllocaInst* lanes, std::uint32_t threads) {
  // Lane i is in thread i mod `threads`.
  llvm::Value* vector = ir_.CreateLoad(lanes->getAllocatedType(), lanes);
  std::vector<llvm::Value*> values;
  for (std::uint64_t i = 0; i < ir::kFoldLanes / threads; ++i)
    values.push_back(ir_.CreateExtractElement(vector, i));
  for (std::size_t half = values.size() / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i)
      values[i] = emit_combine(one_, row.of_results, values[i], values[i + half]);
  llvm::Value* value = values[0];
  for (std::uint32_t half = threads / 2; half > 0; half /= 2)
    value = emit_combine(one_, row.of_results, value, emit_exchange(ir_, value, half));
  return value;
}

llvm::Value* GpuRowFold::value(std::size_t place) {
  return ir_.CreateLoad(ir_.getDoubleTy(), rows_[place].last);
}

}  // namespace talweg::codegen
