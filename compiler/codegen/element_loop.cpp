// Emission of loops over elements; see element_loop.h.
#include "compiler/codegen/element_loop.h"

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/codegen/element_body.h"
#include "compiler/codegen/matrix_layout.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

namespace {

class ElementLoop {
 public:
  ElementLoop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
              const plan::LoopVersion& version, const ChunkValues& chunk,
              const ScalarSources& sources, const PassTables& tables, HelperFunctions& helpers)
      : ir_(ir),
        plan_(plan),
        pass_(pass),
        version_(version),
        chunk_(chunk),
        sources_(sources),
        tables_(tables),
        helpers_(helpers),
        width_(helpers.machine().lanes(plan.compute)),
        is_masked_(width_ > 1 && helpers.machine().tail == TailStyle::Masked) {}

  void emit() {
    const auto emit_all = [&](const auto& emit_range) {
      if (version_.folds.empty())
        emit_range(ir_.getInt64(0), chunk_.element_count);
      else
        emit_segments(emit_range);
    };
    if (reads_lines(plan_, version_)) {
      col_slots_ = {tables_.pointer(TALWEG_FIELD(talweg_pass_args, col_slots)),
                    tables_.count(TALWEG_FIELD(talweg_pass_args, col_count))};
      return emit_all([&](llvm::Value* first, llvm::Value* end) { emit_rows(first, end); });
    }
    ScalarScope scope(plan_, emission(1), sources_);
    ElementBody body(plan_, pass_, version_, chunk_.streams, scope, col_slots_);
    body_ = &body;
    prepare(body);
    emit_all([&](llvm::Value* first, llvm::Value* end) { emit_range(first, end); });
  }

 private:
  void prepare(ElementBody& body) {
    body.prepare(emission(width_));
    if (!is_masked_ && width_ > 1) body.prepare(emission(1));
  }

  void emit_body(const Emission& shape, const std::vector<Position>& positions) {
    body_->emit(shape, positions,
                [&](std::size_t fold, const Position& position, llvm::Value* a, llvm::Value* b) {
                  emit_join(shape, folds_[fold], position.index, position.mask, a, b);
                });
  }

  /// Elements [first, end) of the chunk; `first` is a multiple of every loop's turn.
  void emit_range(llvm::Value* first, llvm::Value* end) {
    // What the other versions do not expect is left to the tail's loop alone: small code is worth
    // more than speed there.
    llvm::Value* done = version_.is_fallback && is_masked_
                            ? first
                            : emit_whole_vectors(emission(width_), first, end);
    if (done == nullptr) return;
    emit_turns(ir_, done, end, is_masked_ ? width_ : 1, [&](llvm::Value* index) {
      emit_body(emission(is_masked_ ? width_ : 1),
                {{index, is_masked_ ? mask_from(index, end) : nullptr}});
    });
  }

  // ---- Row by row ----

  /// Elements [first, end) of the chunk, which need not start or end with a row.
  void emit_rows(llvm::Value* first, llvm::Value* end) {
    const MatrixLayout layout(ir_, tables_, chunk_.tensor);
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::BasicBlock* row = block("row");
    llvm::BasicBlock* done = block("rows_done");
    ir_.CreateCondBr(ir_.CreateICmpULT(first, end), row, done);
    ir_.SetInsertPoint(row);
    llvm::PHINode* start = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    start->addIncoming(first, before);
    const MatrixLayout::Place place = layout.place_of(ir_.CreateAdd(chunk_.first_element, start));
    llvm::Value* full = ir_.CreateAdd(start, place.length);
    llvm::Value* stop = ir_.CreateSelect(ir_.CreateICmpULT(full, end), full, end);
    ScalarSources sources = tables_.sources_of_matrix(sources_, place.matrix);
    sources.row = place.row;
    ScalarScope scope(plan_, emission(1), sources);
    ElementBody body(plan_, pass_, version_, chunk_.streams, scope, col_slots_);
    body_ = &body;
    prepare(body);
    emit_row_part(start, stop, ir_.CreateSub(place.col, start));
    start->addIncoming(stop, ir_.GetInsertBlock());
    ir_.CreateCondBr(ir_.CreateICmpULT(stop, end), row, done);
    ir_.SetInsertPoint(done);
  }

  /// Elements [first, end) of the chunk, all of one row; that at `index` is in column `index` +
  /// `col_offset` of the optimizer. Vectors start at multiples of their width, as lanes do.
  void emit_row_part(llvm::Value* first, llvm::Value* end, llvm::Value* col_offset) {
    const auto position = [&](llvm::Value* index, llvm::Value* mask) {
      return Position{index, mask, nullptr, ir_.CreateAdd(index, col_offset)};
    };
    if (is_masked_) {
      llvm::Value* aligned = ir_.CreateAnd(first, ir_.getInt64(~(std::uint64_t{width_} - 1)));
      emit_turns(ir_, aligned, end, width_, [&](llvm::Value* index) {
        llvm::Value* passed = ir_.CreateSelect(ir_.CreateICmpULT(index, first), first, index);
        llvm::Value* mask =
            ir_.CreateAnd(ir_.CreateNot(mask_from(index, passed)), mask_from(index, end));
        body_->emit_prefetch(emission(width_), index, width_);
        emit_body(emission(width_), {position(index, mask)});
      });
      return;
    }
    llvm::Value* below = ir_.getInt64(std::uint64_t{width_} - 1);
    llvm::Value* up = ir_.CreateAnd(ir_.CreateAdd(first, below), ir_.CreateNot(below));
    llvm::Value* whole_begin = ir_.CreateSelect(ir_.CreateICmpULT(up, end), up, end);
    const auto emit_part = [&](llvm::Value* from, llvm::Value* to, std::uint32_t width) {
      emit_turns(ir_, from, to, width, [&](llvm::Value* index) {
        if (width > 1) body_->emit_prefetch(emission(width), index, width);
        emit_body(emission(width), {position(index, nullptr)});
      });
    };
    emit_part(first, whole_begin, 1);
    if (width_ == 1) return emit_part(whole_begin, end, 1);
    llvm::Value* whole_end = ir_.CreateAnd(end, ir_.CreateNot(below));
    llvm::Value* is_some = ir_.CreateICmpULT(whole_begin, whole_end);
    emit_part(whole_begin, ir_.CreateSelect(is_some, whole_end, whole_begin), width_);
    emit_part(ir_.CreateSelect(is_some, whole_end, whole_begin), end, 1);
  }

  /// The segments of the chunk one after another, each with lanes of its own; then what the chunk
  /// leaves.
  template <class EmitRange>
  void emit_segments(const EmitRange& emit_range) {
    for (const plan::ElementFold& fold : version_.folds)
      folds_.push_back(allocate_lanes(ir_, plan_.partials_of(fold.kind)[fold.partial].fold));
    emit_start_segments(ir_, folds_, chunk_.element_count);
    constexpr std::uint32_t kSegment = TALWEG_SEGMENT_ELEMENTS;
    emit_turns(ir_, ir_.getInt64(0), chunk_.element_count, kSegment, [&](llvm::Value* first) {
      llvm::Value* full = ir_.CreateNUWAdd(first, ir_.getInt64(kSegment));
      llvm::Value* end = ir_.CreateSelect(ir_.CreateICmpULT(full, chunk_.element_count), full,
                                          chunk_.element_count);
      llvm::Value* count = ir_.CreateNUWSub(end, first);
      emit_start_lanes(ir_, folds_, count);
      emit_range(first, end);
      llvm::Value* segment = ir_.CreateUDiv(first, ir_.getInt64(kSegment));
      emit_end_segment(ir_, helpers_, folds_, segment, count);
    });
    std::vector<llvm::Value*> results;
    for (const plan::ElementFold& fold : version_.folds) {
      llvm::Value* offset = ir_.CreateMul(
          chunk_.partial_stride, ir_.getInt64(plan_.partials_of(fold.kind)[fold.partial].place));
      results.push_back(ir_.CreateGEP(ir_.getDoubleTy(), chunk_.partials, offset));
    }
    emit_end_chunk(ir_, helpers_, folds_, results, chunk_.element_count);
  }

  /// The loop for data in cache, that for data in memory, or a choice between them, over [first,
  /// limit). Gives the first element left for the tail; null if there can be none.
  llvm::Value* emit_whole_vectors(const Emission& main, llvm::Value* first, llvm::Value* limit) {
    const MachineShape& machine = helpers_.machine();
    const std::uint32_t interleaved = interleaved_vectors(plan_, version_, machine);
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
    emit_turns(ir_, first, end, turn, [&](llvm::Value* index) {
      if (prefetches) body_->emit_prefetch(main, index, turn);
      std::vector<Position> positions;
      for (std::uint32_t i = 0; i < vectors; ++i)
        positions.push_back(
            {ir_.CreateNUWAdd(index, ir_.getInt64(std::uint64_t{i} * width)), nullptr});
      emit_body(main, positions);
    });
    return turn == 1 ? nullptr : end;
  }

  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(ir_.getContext(), name, ir_.GetInsertBlock()->getParent());
  }

  Emission emission(std::uint32_t width) { return {Lanes(ir_, width), plan_.compute, &helpers_}; }

  /// Lanes whose element is below `end`.
  llvm::Value* mask_from(llvm::Value* index, llvm::Value* end) {
    llvm::SmallVector<llvm::Constant*, 16> iota;
    for (std::uint32_t i = 0; i < width_; ++i) iota.push_back(lane_number(i));
    llvm::Value* left = ir_.CreateTrunc(ir_.CreateSub(end, index), iota[0]->getType());
    return ir_.CreateICmpULT(llvm::ConstantVector::get(iota), ir_.CreateVectorSplat(width_, left));
  }

  /// Compared in integers as wide as an element, so that the comparison has the shape of the data.
  llvm::Constant* lane_number(std::uint32_t i) {
    return plan_.compute == ComputeType::F32 ? ir_.getInt32(i)
                                             : static_cast<llvm::Constant*>(ir_.getInt64(i));
  }

  llvm::IRBuilder<>& ir_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  const plan::LoopVersion& version_;
  const ChunkValues& chunk_;
  const ScalarSources& sources_;
  const PassTables& tables_;
  HelperFunctions& helpers_;
  const std::uint32_t width_;
  const bool is_masked_;
  LineSlots col_slots_;
  ElementBody* body_ = nullptr;
  std::vector<FoldLanes> folds_;
};

}  // namespace

void emit_element_loop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                       const plan::LoopVersion& version, const ChunkValues& chunk,
                       const ScalarSources& sources, const PassTables& tables,
                       HelperFunctions& helpers) {
  ElementLoop(ir, plan, pass, version, chunk, sources, tables, helpers).emit();
}

}  // namespace talweg::codegen
