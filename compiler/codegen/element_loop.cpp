// Emission of loops over elements; see element_loop.h.
#include "compiler/codegen/element_loop.h"

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/codegen/element_body.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

namespace {

/// A stream is asked for this far ahead of its use. Measured: 512 to 2,048 serve alike in DRAM.
constexpr std::uint32_t kPrefetchBytes = 1024;

class ElementLoop {
 public:
  ElementLoop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
              const plan::LoopVersion& version, const ChunkValues& chunk, ScalarScope& scope,
              HelperFunctions& helpers)
      : ir_(ir),
        plan_(plan),
        pass_(pass),
        version_(version),
        chunk_(chunk),
        helpers_(helpers),
        body_(plan, pass, version, chunk.streams, scope) {}

  void emit() {
    const bool is_fallback = version_.assumptions.empty() && pass_.versions.size() > 1;
    const std::uint32_t width = helpers_.machine().lanes(plan_.compute);
    const bool is_masked = width > 1 && helpers_.machine().tail == TailStyle::Masked;
    const std::uint32_t tail_width = is_masked ? width : 1;
    const Emission main = emission(width);
    const Emission tail = emission(tail_width);
    body_.prepare(main);
    if (tail_width != width) body_.prepare(tail);
    const auto emit_range = [&](llvm::Value* first, llvm::Value* end) {
      // What the other versions do not expect is left to the tail's loop alone: small code is worth
      // more than speed there.
      llvm::Value* done = is_fallback && is_masked ? first : emit_whole_vectors(main, first, end);
      if (done == nullptr) return;
      emit_turns(done, end, tail_width, [&](llvm::Value* index) {
        body_.emit(tail, {{index, is_masked ? mask_from(index, end, width) : nullptr}}, folds_);
      });
    };
    if (version_.folds.empty())
      emit_range(ir_.getInt64(0), chunk_.element_count);
    else
      emit_segments(emit_range);
  }

 private:
  /// The segments of the chunk one after another, each with lanes of its own; then what the chunk
  /// leaves.
  template <class EmitRange>
  void emit_segments(EmitRange emit_range) {
    for (const plan::ChunkFold& fold : version_.folds) {
      folds_.push_back(allocate_lanes(ir_, plan_.chunk_partials[fold.partial].fold));
      emit_start_segments(ir_, folds_.back());
    }
    constexpr std::uint32_t kSegment = TALWEG_SEGMENT_ELEMENTS;
    emit_turns(ir_.getInt64(0), chunk_.element_count, kSegment, [&](llvm::Value* first) {
      for (const FoldLanes& fold : folds_) emit_start_lanes(ir_, fold);
      llvm::Value* full = ir_.CreateNUWAdd(first, ir_.getInt64(kSegment));
      llvm::Value* end = ir_.CreateSelect(ir_.CreateICmpULT(full, chunk_.element_count), full,
                                          chunk_.element_count);
      emit_range(first, end);
      llvm::Value* segment = ir_.CreateUDiv(first, ir_.getInt64(kSegment));
      for (const FoldLanes& fold : folds_) emit_end_segment(ir_, helpers_, fold, segment);
    });
    for (std::size_t i = 0; i < folds_.size(); ++i) {
      llvm::Value* offset =
          ir_.CreateMul(chunk_.partial_stride, ir_.getInt64(version_.folds[i].partial));
      ir_.CreateStore(emit_chunk_value(ir_, helpers_, folds_[i]),
                      ir_.CreateGEP(ir_.getDoubleTy(), chunk_.partials, offset));
    }
  }

  /// The loop for data in cache, that for data in memory, or a choice between them, over [first,
  /// limit). Gives the first element left for the tail; null if there can be none.
  llvm::Value* emit_whole_vectors(const Emission& main, llvm::Value* first, llvm::Value* limit) {
    const MachineShape& machine = helpers_.machine();
    const std::uint32_t interleaved = interleaved_vectors(version_, machine);
    if (main.lanes.width() == 1) return emit_loop(main, first, limit, interleaved, false);
    const auto size = static_cast<std::uint32_t>(types::size_bytes(plan_.compute));
    const std::uint32_t per_line = machine.cache_line_bytes / (main.lanes.width() * size);
    if (interleaved == 1) return emit_loop(main, first, limit, per_line, true);

    llvm::BasicBlock* in_memory = block("memory");
    llvm::BasicBlock* in_cache = block("cache");
    llvm::BasicBlock* rest = block("rest");
    ir_.CreateCondBr(chunk_.prefetches, in_memory, in_cache);
    ir_.SetInsertPoint(in_memory);
    llvm::Value* memory_end = emit_loop(main, first, limit, per_line, true);
    in_memory = ir_.GetInsertBlock();
    ir_.CreateBr(rest);
    ir_.SetInsertPoint(in_cache);
    llvm::Value* cache_end = emit_loop(main, first, limit, interleaved, false);
    in_cache = ir_.GetInsertBlock();
    ir_.CreateBr(rest);
    ir_.SetInsertPoint(rest);
    llvm::PHINode* end = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    end->addIncoming(memory_end, in_memory);
    end->addIncoming(cache_end, in_cache);
    return end;
  }

  /// A loop over whole turns of `vectors` vectors; `first` is a multiple of a turn's elements.
  /// Gives the first element left; null if every element is in a whole turn.
  llvm::Value* emit_loop(const Emission& main, llvm::Value* first, llvm::Value* limit,
                         std::uint32_t vectors, bool prefetches) {
    const std::uint32_t width = main.lanes.width();
    const std::uint32_t turn = width * vectors;
    llvm::Value* end = ir_.CreateAnd(limit, ir_.getInt64(~(std::uint64_t{turn} - 1)));
    emit_turns(first, end, turn, [&](llvm::Value* index) {
      if (prefetches) emit_prefetch(index, turn);
      std::vector<Position> positions;
      for (std::uint32_t i = 0; i < vectors; ++i)
        positions.push_back(
            {ir_.CreateNUWAdd(index, ir_.getInt64(std::uint64_t{i} * width)), nullptr});
      body_.emit(main, positions, folds_);
    });
    return turn == 1 ? nullptr : end;
  }

  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(ir_.getContext(), name, ir_.GetInsertBlock()->getParent());
  }

  Emission emission(std::uint32_t width) { return {Lanes(ir_, width), plan_.compute, &helpers_}; }

  /// for (index = first; index < end; index += step) emit_body(index)
  template <class EmitBody>
  void emit_turns(llvm::Value* first, llvm::Value* end, std::uint32_t step, EmitBody emit_body) {
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::BasicBlock* turn = block("turn");
    llvm::BasicBlock* done = block("done");
    ir_.CreateCondBr(ir_.CreateICmpULT(first, end), turn, done);
    ir_.SetInsertPoint(turn);
    llvm::PHINode* index = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    emit_body(index);
    llvm::Value* next = ir_.CreateNUWAdd(index, ir_.getInt64(step));
    index->addIncoming(first, before);
    index->addIncoming(next, ir_.GetInsertBlock());
    ir_.CreateCondBr(ir_.CreateICmpULT(next, end), turn, done);
    ir_.SetInsertPoint(done);
  }

  /// Lanes whose element is below `end`.
  llvm::Value* mask_from(llvm::Value* index, llvm::Value* end, std::uint32_t width) {
    llvm::SmallVector<llvm::Constant*, 16> iota;
    for (std::uint32_t i = 0; i < width; ++i) iota.push_back(lane_number(i));
    llvm::Value* left = ir_.CreateTrunc(ir_.CreateSub(end, index), iota[0]->getType());
    return ir_.CreateICmpULT(llvm::ConstantVector::get(iota), ir_.CreateVectorSplat(width, left));
  }

  /// Compared in integers as wide as an element, so that the comparison has the shape of the data.
  llvm::Constant* lane_number(std::uint32_t i) {
    return plan_.compute == ComputeType::F32 ? ir_.getInt32(i)
                                             : static_cast<llvm::Constant*>(ir_.getInt64(i));
  }

  /// Asks for the cache lines of a later turn of every stream in use.
  void emit_prefetch(llvm::Value* index, std::uint32_t turn) {
    const auto size = static_cast<std::uint32_t>(types::size_bytes(plan_.compute));
    const std::uint32_t line = helpers_.machine().cache_line_bytes;
    llvm::Value* offset = ir_.CreateNUWMul(index, ir_.getInt64(size));
    for (const std::uint32_t stream : body_.streams_in_use())
      for (std::uint32_t at = 0; at < turn * size; at += line) {
        llvm::Value* place = ir_.CreateNUWAdd(offset, ir_.getInt64(kPrefetchBytes + at));
        llvm::Value* address = ir_.CreateGEP(ir_.getInt8Ty(), chunk_.streams[stream], place);
        ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {address->getType()},
                            {address, ir_.getInt32(0), ir_.getInt32(3), ir_.getInt32(1)});
      }
  }

  llvm::IRBuilder<>& ir_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  const plan::LoopVersion& version_;
  const ChunkValues& chunk_;
  HelperFunctions& helpers_;
  ElementBody body_;
  std::vector<FoldLanes> folds_;
};

}  // namespace

void emit_element_loop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                       const plan::LoopVersion& version, const ChunkValues& chunk,
                       ScalarScope& scope, HelperFunctions& helpers) {
  ElementLoop(ir, plan, pass, version, chunk, scope, helpers).emit();
}

}  // namespace talweg::codegen
