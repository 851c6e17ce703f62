// The walk over units, chunks and elements; see gpu_pass.h.
#include "compiler/codegen/gpu_pass.h"

#include <algorithm>
#include <optional>

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/choose_version.h"
#include "compiler/codegen/fold_lanes.h"
#include "compiler/codegen/gpu_elements.h"
#include "compiler/codegen/gpu_kernel.h"
#include "compiler/codegen/gpu_threads.h"
#include "compiler/ir/sequence.h"
#include "runtime/abi/talweg_gpu_abi.h"

namespace talweg::codegen {

namespace {

class GpuPass {
 public:
  GpuPass(llvm::Function& kernel, const plan::Plan& plan, const plan::ElementPass& pass,
          HelperFunctions& helpers)
      : kernel_(kernel), plan_(plan), pass_(pass), helpers_(helpers), ir_(emit_gpu_entry(kernel)) {}

  void emit() {
    thread_ = emit_thread_of_block(ir_);
    warp_ = ir_.CreateLShr(thread_, ir_.getInt32(5));
    const auto wide = [&](llvm::Value* number) { return ir_.CreateZExt(number, ir_.getInt64Ty()); };
    llvm::Value* first = ir_.CreateAdd(kernel_.getArg(kGpuBegin), wide(emit_block_of_grid(ir_)));
    emit_strided_turns(ir_, first, kernel_.getArg(kGpuEnd), wide(emit_blocks_per_grid(ir_)),
                       [&](llvm::Value* index) { emit_unit(index); });
    ir_.CreateRetVoid();
  }

 private:
  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(ir_.getContext(), name, &kernel_);
  }

  llvm::Value* load_widened(llvm::Value* object, std::size_t offset) {
    return ir_.CreateZExt(load_field(ir_, ir_.getInt32Ty(), object, offset), ir_.getInt64Ty());
  }

  void emit_unit(llvm::Value* index) {
    llvm::Value* unit =
        entry_address(ir_, kernel_.getArg(kGpuExtra), index, sizeof(talweg_gpu_unit));
    llvm::Value* first =
        load_field(ir_, ir_.getInt32Ty(), unit, offsetof(talweg_gpu_unit, first_chunk));
    llvm::Value* count =
        load_field(ir_, ir_.getInt32Ty(), unit, offsetof(talweg_gpu_unit, chunk_count));
    llvm::Value* is_shared = ir_.CreateICmpEQ(count, ir_.getInt32(1));
    llvm::BasicBlock *has_chunk = block("has_chunk"), *done = block("unit_done");
    ir_.CreateCondBr(ir_.CreateOr(is_shared, ir_.CreateICmpULT(warp_, count)), has_chunk, done);
    ir_.SetInsertPoint(has_chunk);
    llvm::Value* chunk = ir_.CreateSelect(is_shared, first, ir_.CreateAdd(first, warp_));
    emit_chunk(ir_.CreateZExt(chunk, ir_.getInt64Ty()), is_shared, done);
    ir_.SetInsertPoint(done);
  }

  /// The warp's part of a chunk; then a branch to `done`.
  void emit_chunk(llvm::Value* index, llvm::Value* is_shared, llvm::BasicBlock* done) {
    tables_.emplace(ir_, plan_, kernel_.getArg(kGpuArgs));
    llvm::Value* chunk = entry_address(
        ir_, tables_->pointer(TALWEG_FIELD(talweg_pass_args, chunks)), index, sizeof(talweg_chunk));
    llvm::Value* tensor = load_widened(chunk, offsetof(talweg_chunk, tensor_index));
    llvm::BasicBlock* present = block("present");
    ir_.CreateCondBr(tables_->is_left_out(tensor), done, present);
    ir_.SetInsertPoint(present);
    const ScalarSources sources = tables_->sources_of(tensor);
    const GpuPart part = part_of(chunk, tensor, is_shared);
    const auto emit_version = [&](const plan::LoopVersion& version) {
      const std::vector<llvm::Value*> segments =
          emit_gpu_elements(ir_, plan_, pass_, version, part, sources, *tables_, helpers_);
      for (std::size_t i = 0; i < segments.size(); ++i)
        emit_fold(version.folds[i], segments[i], index, is_shared);
      if (!segments.empty()) emit_where(ir_, is_shared, [&] { emit_block_barrier(ir_); });
    };
    VersionChoice choice(ir_, plan_, pass_, helpers_, sources, emit_version);
    if (plan_.routes.size() == 1)
      choice.emit_route(0, done);
    else
      choice.emit(load_route(tensor), done);
    ir_.CreateUnreachable();
  }

  llvm::Value* load_route(llvm::Value* tensor) {
    llvm::Value* routes = tables_->pointer(TALWEG_FIELD(talweg_pass_args, tensor_routes));
    return ir_.CreateLoad(ir_.getInt32Ty(),
                          entry_address(ir_, routes, tensor, sizeof(std::uint32_t)));
  }

  GpuPart part_of(llvm::Value* chunk, llvm::Value* tensor, llvm::Value* is_shared) {
    GpuPart part;
    part.tensor = tensor;
    part.lane = ir_.CreateAnd(thread_, ir_.getInt32(TALWEG_GPU_WARP - 1));
    llvm::Value* skipped = ir_.CreateSelect(
        is_shared, ir_.CreateMul(warp_, ir_.getInt32(TALWEG_GPU_WARP_ELEMENTS)), ir_.getInt32(0));
    llvm::Value* of_chunk =
        load_field(ir_, ir_.getInt32Ty(), chunk, offsetof(talweg_chunk, element_count));
    llvm::Value* left = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::usub_sat, of_chunk, skipped);
    part.count = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, left,
                                           ir_.getInt32(TALWEG_GPU_WARP_ELEMENTS));
    part.first_element = ir_.CreateAdd(
        load_field(ir_, ir_.getInt64Ty(), chunk, offsetof(talweg_chunk, first_element)),
        ir_.CreateZExt(skipped, ir_.getInt64Ty()));
    const auto size = static_cast<std::uint64_t>(types::size_bytes(plan_.compute));
    llvm::Value* offset = ir_.CreateMul(part.first_element, ir_.getInt64(size));
    llvm::Value* row = tables_->streams_of(tensor);
    part.load_streams = [this, offset, row] {
      std::vector<llvm::Value*> streams;
      for (std::size_t i = 0; i < pass_.streams.size(); ++i) {
        const bool is_used = pass_.streams[i].is_read || pass_.streams[i].is_written;
        llvm::Value* start = is_used ? emit_stream_start(ir_, pass_, row, i) : nullptr;
        streams.push_back(
            is_used ? ir_.CreateGEP(ir_.getInt8Ty(), emit_global_pointer(ir_, start), offset)
                    : nullptr);
      }
      return streams;
    };
    return part;
  }

  /// The value of the chunk from those of segments, in threads 0 and 16 of the warp; stored by one
  /// thread.
  void emit_fold(const plan::ElementFold& fold, llvm::Value* segment, llvm::Value* chunk,
                 llvm::Value* is_shared) {
    const plan::Partial& partial = plan_.partials_of(fold.kind)[fold.partial];
    const builtins::Fold kind =
        partial.fold == builtins::Fold::Dot ? builtins::Fold::Sum : partial.fold;
    const Emission one{Lanes(ir_, 1), ComputeType::F64, &helpers_};
    llvm::Value* start = one.lanes.number(ComputeType::F64, ir::fold_start(kind));
    segment = emit_combine(one, kind, segment, start);
    llvm::Value* lane = ir_.CreateAnd(thread_, ir_.getInt32(TALWEG_GPU_WARP - 1));
    llvm::Value* place = ir_.CreateMul(tables_->count(TALWEG_FIELD(talweg_pass_args, chunk_count)),
                                       ir_.getInt64(partial.place));
    llvm::Value* result = ir_.CreateGEP(
        ir_.getDoubleTy(), tables_->pointer(TALWEG_FIELD(talweg_pass_args, chunk_partials)),
        ir_.CreateAdd(place, chunk));
    const auto store_first = [&](llvm::Value* thread, llvm::Value* value) {
      emit_where(ir_, ir_.CreateICmpEQ(thread, ir_.getInt32(0)),
                 [&] { ir_.CreateStore(value, result); });
    };
    const auto folded = [&](llvm::Value* value, std::uint32_t from) {
      for (std::uint32_t half = from; half > 0; half /= 2)
        value = emit_combine(one, kind, value, emit_exchange(ir_, value, half));
      return value;
    };
    llvm::BasicBlock *shared = block("shared"), *alone = block("alone"), *after = block("folded");
    ir_.CreateCondBr(is_shared, shared, alone);

    ir_.SetInsertPoint(alone);
    store_first(lane, emit_combine(one, kind, segment, emit_exchange(ir_, segment, 16)));
    ir_.CreateBr(after);

    // Segment s of the chunk is in thread 0 or 16 of warp s / 2.
    ir_.SetInsertPoint(shared);
    llvm::GlobalVariable* memory = segments_of(fold.partial);
    const auto entry = [&](llvm::Value* number) {
      return ir_.CreateInBoundsGEP(ir_.getDoubleTy(), memory, number);
    };
    emit_where(ir_, ir_.CreateICmpEQ(ir_.CreateAnd(lane, ir_.getInt32(15)), ir_.getInt32(0)),
               [&] { ir_.CreateStore(segment, entry(ir_.CreateLShr(thread_, ir_.getInt32(4)))); });
    emit_block_barrier(ir_);
    emit_where(ir_, ir_.CreateICmpEQ(warp_, ir_.getInt32(0)), [&] {
      llvm::Value* value =
          ir_.CreateLoad(ir_.getDoubleTy(), entry(ir_.CreateAnd(lane, ir_.getInt32(15))));
      store_first(lane, folded(value, 8));
    });
    ir_.CreateBr(after);
    ir_.SetInsertPoint(after);
  }

  /// The block's memory for the segments of one fold.
  llvm::GlobalVariable* segments_of(std::uint32_t partial) {
    constexpr std::uint32_t kSegments = TALWEG_CHUNK_ELEMENTS / TALWEG_SEGMENT_ELEMENTS;
    const std::string name = "talweg.segments." + std::to_string(partial);
    if (llvm::GlobalVariable* known = helpers_.module().getNamedGlobal(name)) return known;
    llvm::Type* type = llvm::ArrayType::get(ir_.getDoubleTy(), kSegments);
    auto* memory =
        new llvm::GlobalVariable(helpers_.module(), type, false, llvm::GlobalValue::InternalLinkage,
                                 llvm::PoisonValue::get(type), name, nullptr,
                                 llvm::GlobalValue::NotThreadLocal, kSharedSpace);
    memory->setAlignment(llvm::Align(8));
    return memory;
  }

  llvm::Function& kernel_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  std::optional<PassTables> tables_;  // loaded for each chunk: registers are dearer
  llvm::Value *thread_ = nullptr, *warp_ = nullptr;
};

}  // namespace

void emit_gpu_pass(llvm::Function& kernel, const plan::Plan& plan, const plan::ElementPass& pass,
                   HelperFunctions& helpers) {
  GpuPass(kernel, plan, pass, helpers).emit();
}

}  // namespace talweg::codegen
