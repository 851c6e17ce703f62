// The chunk walk of an element pass; see pass_function.h.
#include "compiler/codegen/pass_function.h"

#include <algorithm>

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/choose_version.h"
#include "compiler/codegen/element_loop.h"

namespace talweg::codegen {

namespace {

/// A call whose chunks touch more than this asks the memory ahead: less stays in a core's own
/// cache.
constexpr std::uint64_t kOwnCacheBytes = 1u << 20;

class PassFunction {
 public:
  PassFunction(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
               HelperFunctions& helpers)
      : function_(function),
        plan_(plan),
        pass_(pass),
        helpers_(helpers),
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        tables_(ir_, plan, function.getArg(1)),
        chunks_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, chunks))),
        tensor_routes_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, tensor_routes))),
        chunk_partials_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, chunk_partials))),
        chunk_count_(tables_.count(TALWEG_FIELD(talweg_pass_args, chunk_count))) {}

  void emit() {
    prefetches_ = emit_prefetches();
    emit_index_loop(ir_, function_,
                    [&](llvm::Value* index, llvm::BasicBlock* next) { emit_chunk(index, next); });
  }

 private:
  llvm::Value* emit_prefetches() {
    const std::uint64_t bytes_per_chunk =
        std::uint64_t{TALWEG_CHUNK_ELEMENTS} *
        std::max(pass_.read_bytes_per_element, pass_.written_bytes_per_element);
    const std::uint64_t chunks = kOwnCacheBytes / std::max<std::uint64_t>(bytes_per_chunk, 1);
    llvm::Value* count = ir_.CreateSub(ir_.CreateZExt(function_.getArg(3), ir_.getInt64Ty()),
                                       ir_.CreateZExt(function_.getArg(2), ir_.getInt64Ty()));
    llvm::Value* of_call = ir_.CreateMul(count, ir_.getInt64(TALWEG_CHUNK_ELEMENTS));
    llvm::Value* said = tables_.count(TALWEG_FIELD(talweg_pass_args, round_elements));
    llvm::Value* elements =
        ir_.CreateSelect(ir_.CreateICmpEQ(said, ir_.getInt64(0)), of_call, said);
    return ir_.CreateICmpUGT(elements, ir_.getInt64(chunks * TALWEG_CHUNK_ELEMENTS));
  }

  llvm::Value* load_widened(llvm::Type* type, llvm::Value* object, std::size_t offset) {
    return ir_.CreateZExt(load_field(ir_, type, object, offset), ir_.getInt64Ty());
  }

  /// One chunk; goes to `next` when it is done, or when its tensor is left out.
  void emit_chunk(llvm::Value* index, llvm::BasicBlock* next) {
    llvm::Value* chunk = entry_address(ir_, chunks_, index, sizeof(talweg_chunk));
    llvm::Value* tensor =
        load_widened(ir_.getInt32Ty(), chunk, offsetof(talweg_chunk, tensor_index));
    llvm::Value* streams = tables_.streams_of(tensor);
    llvm::Value* gradient = load_pointer_at(ir_, streams, TALWEG_STREAM_GRAD);
    llvm::BasicBlock* present =
        llvm::BasicBlock::Create(function_.getContext(), "present", &function_);
    ir_.CreateCondBr(ir_.CreateIsNull(gradient), next, present);
    ir_.SetInsertPoint(present);
    const ScalarSources sources = tables_.sources_of(tensor);
    const auto emit_loop = [&](const plan::LoopVersion& version) {
      emit_element_loop(ir_, plan_, pass_, version, chunk_values(tensor, chunk, index, streams),
                        sources, tables_, helpers_);
    };
    VersionChoice choice(ir_, plan_, pass_, helpers_, sources, emit_loop);
    if (plan_.routes.size() == 1)
      choice.emit_route(0, next);
    else
      choice.emit(ir_.CreateLoad(ir_.getInt32Ty(),
                                 entry_address(ir_, tensor_routes_, tensor, sizeof(std::uint32_t))),
                  next);
  }

  ChunkValues chunk_values(llvm::Value* tensor, llvm::Value* chunk, llvm::Value* index,
                           llvm::Value* streams) {
    ChunkValues values;
    values.tensor = tensor;
    values.first_element =
        load_field(ir_, ir_.getInt64Ty(), chunk, offsetof(talweg_chunk, first_element));
    const auto size = static_cast<std::uint64_t>(types::size_bytes(plan_.compute));
    llvm::Value* offset = ir_.CreateMul(values.first_element, ir_.getInt64(size));
    for (std::size_t i = 0; i < pass_.streams.size(); ++i) {
      const bool is_used = pass_.streams[i].is_read || pass_.streams[i].is_written;
      llvm::Value* start = is_used ? emit_stream_start(ir_, pass_, streams, i) : nullptr;
      values.streams.push_back(is_used ? ir_.CreateGEP(ir_.getInt8Ty(), start, offset) : nullptr);
    }
    values.element_count =
        load_widened(ir_.getInt32Ty(), chunk, offsetof(talweg_chunk, element_count));
    values.prefetches = prefetches_;
    values.partials = ir_.CreateGEP(ir_.getDoubleTy(), chunk_partials_, index);
    values.partial_stride = chunk_count_;
    return values;
  }

  llvm::Function& function_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  PassTables tables_;
  llvm::Value *chunks_, *tensor_routes_, *chunk_partials_, *chunk_count_;
  llvm::Value* prefetches_ = nullptr;
};

}  // namespace

void emit_pass(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
               HelperFunctions& helpers) {
  PassFunction(function, plan, pass, helpers).emit();
}

}  // namespace talweg::codegen
