// Emission of loops over elements; see element_loop.h.
#include "compiler/codegen/element_loop.h"

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/codegen/element_body.h"

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
        version_(version),
        chunk_(chunk),
        helpers_(helpers),
        body_(plan, pass, version, chunk.streams, scope) {}

  void emit() {
    const std::uint32_t width = helpers_.machine().lanes(plan_.compute);
    const std::uint32_t unroll = vectors_per_turn(version_, helpers_.machine());
    const bool is_masked = width > 1 && helpers_.machine().tail == TailStyle::Masked;
    const std::uint32_t tail_width = is_masked ? width : 1;
    const Emission main = emission(width);
    const Emission tail = emission(tail_width);
    body_.prepare(main);
    if (tail_width != width) body_.prepare(tail);

    const std::uint32_t turn = width * unroll;
    llvm::Value* whole =
        ir_.CreateAnd(chunk_.element_count, ir_.getInt64(~(std::uint64_t{turn} - 1)));
    emit_turns(ir_.getInt64(0), whole, turn, [&](llvm::Value* index) {
      if (width > 1) emit_prefetch(index, turn);
      std::vector<Position> positions;
      for (std::uint32_t i = 0; i < unroll; ++i)
        positions.push_back({ir_.CreateNUWAdd(index, ir_.getInt64(i * width)), nullptr});
      body_.emit(main, positions);
    });
    if (turn == 1) return;
    emit_turns(whole, chunk_.element_count, tail_width, [&](llvm::Value* index) {
      body_.emit(tail, {{index, is_masked ? mask_from(index, width) : nullptr}});
    });
  }

 private:
  Emission emission(std::uint32_t width) { return {Lanes(ir_, width), plan_.compute, &helpers_}; }

  /// for (index = first; index < end; index += step) emit_body(index)
  template <class EmitBody>
  void emit_turns(llvm::Value* first, llvm::Value* end, std::uint32_t step, EmitBody emit_body) {
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::Function* function = before->getParent();
    llvm::BasicBlock* turn = llvm::BasicBlock::Create(ir_.getContext(), "turn", function);
    llvm::BasicBlock* done = llvm::BasicBlock::Create(ir_.getContext(), "done", function);
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

  /// Lanes whose element is below element_count.
  llvm::Value* mask_from(llvm::Value* index, std::uint32_t width) {
    llvm::SmallVector<llvm::Constant*, 16> iota;
    for (std::uint32_t i = 0; i < width; ++i) iota.push_back(lane_number(i));
    llvm::Value* left =
        ir_.CreateTrunc(ir_.CreateSub(chunk_.element_count, index), iota[0]->getType());
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
    llvm::Function* function = ir_.GetInsertBlock()->getParent();
    llvm::BasicBlock* ahead = llvm::BasicBlock::Create(ir_.getContext(), "ahead", function);
    llvm::BasicBlock* here = llvm::BasicBlock::Create(ir_.getContext(), "here", function);
    ir_.CreateCondBr(chunk_.prefetches, ahead, here);
    ir_.SetInsertPoint(ahead);
    llvm::Value* offset = ir_.CreateNUWMul(index, ir_.getInt64(size));
    for (const std::uint32_t stream : body_.streams_in_use())
      for (std::uint32_t at = 0; at < turn * size; at += line) {
        llvm::Value* place = ir_.CreateNUWAdd(offset, ir_.getInt64(kPrefetchBytes + at));
        llvm::Value* address = ir_.CreateGEP(ir_.getInt8Ty(), chunk_.streams[stream], place);
        ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {address->getType()},
                            {address, ir_.getInt32(0), ir_.getInt32(3), ir_.getInt32(1)});
      }
    ir_.CreateBr(here);
    ir_.SetInsertPoint(here);
  }

  llvm::IRBuilder<>& ir_;
  const plan::Plan& plan_;
  const plan::LoopVersion& version_;
  const ChunkValues& chunk_;
  HelperFunctions& helpers_;
  ElementBody body_;
};

}  // namespace

void emit_element_loop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                       const plan::LoopVersion& version, const ChunkValues& chunk,
                       ScalarScope& scope, HelperFunctions& helpers) {
  ElementLoop(ir, plan, pass, version, chunk, scope, helpers).emit();
}

}  // namespace talweg::codegen
