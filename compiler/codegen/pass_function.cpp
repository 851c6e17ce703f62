// The chunk walk of an element pass; see pass_function.h.
#include "compiler/codegen/pass_function.h"

#include "compiler/codegen/abi_access.h"
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
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)) {}

  /// for (chunk = chunk_begin; chunk < chunk_end; ++chunk) ...
  void emit() {
    load_arguments();
    llvm::BasicBlock* entry = ir_.GetInsertBlock();
    llvm::BasicBlock* head = block("chunk");
    llvm::BasicBlock* next = block("next");
    llvm::BasicBlock* done = block("done");
    llvm::Value* begin = ir_.CreateZExt(function_.getArg(2), ir_.getInt64Ty());
    llvm::Value* end = ir_.CreateZExt(function_.getArg(3), ir_.getInt64Ty());
    prefetches_ = emit_prefetches(begin, end);
    ir_.CreateCondBr(ir_.CreateICmpULT(begin, end), head, done);

    ir_.SetInsertPoint(head);
    llvm::PHINode* index = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    index->addIncoming(begin, entry);
    emit_chunk(index, next);

    ir_.SetInsertPoint(next);
    llvm::Value* following = ir_.CreateNUWAdd(index, ir_.getInt64(1));
    index->addIncoming(following, next);
    ir_.CreateCondBr(ir_.CreateICmpULT(following, end), head, done);
    ir_.SetInsertPoint(done);
    ir_.CreateRetVoid();
  }

 private:
  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(function_.getContext(), name, &function_);
  }

  void load_arguments() {
    llvm::Value* args = function_.getArg(1);
    chunks_ = load_pointer(ir_, args, offsetof(talweg_pass_args, chunks));
    pointers_ = load_pointer(ir_, args, offsetof(talweg_pass_args, pointers));
    tensor_groups_ = load_pointer(ir_, args, offsetof(talweg_pass_args, tensor_groups));
    model_slots_ = load_pointer(ir_, args, offsetof(talweg_pass_args, model_slots));
    group_slots_ = load_pointer(ir_, args, offsetof(talweg_pass_args, group_slots));
    group_args_ = load_pointer(ir_, args, offsetof(talweg_pass_args, group_args));
    tensor_routes_ = load_pointer(ir_, args, offsetof(talweg_pass_args, tensor_routes));
    tensor_slots_ = load_pointer(ir_, args, offsetof(talweg_pass_args, tensor_slots));
    chunk_partials_ = load_pointer(ir_, args, offsetof(talweg_pass_args, chunk_partials));
    chunk_count_ = load_field(ir_, ir_.getInt64Ty(), args, offsetof(talweg_pass_args, chunk_count));
  }

  llvm::Value* emit_prefetches(llvm::Value* begin, llvm::Value* end) {
    const std::uint64_t bytes_per_chunk =
        std::uint64_t{TALWEG_CHUNK_ELEMENTS} *
        std::max(pass_.read_bytes_per_element, pass_.written_bytes_per_element);
    const std::uint64_t chunks = kOwnCacheBytes / std::max<std::uint64_t>(bytes_per_chunk, 1);
    return ir_.CreateICmpUGT(ir_.CreateSub(end, begin), ir_.getInt64(chunks));
  }

  llvm::Value* load_widened(llvm::Type* type, llvm::Value* object, std::size_t offset) {
    return ir_.CreateZExt(load_field(ir_, type, object, offset), ir_.getInt64Ty());
  }

  /// One chunk; goes to `next` when it is done, or when its tensor is left out.
  void emit_chunk(llvm::Value* index, llvm::BasicBlock* next) {
    llvm::Value* chunk = entry_address(ir_, chunks_, index, sizeof(talweg_chunk));
    llvm::Value* tensor =
        load_widened(ir_.getInt32Ty(), chunk, offsetof(talweg_chunk, tensor_index));
    llvm::Value* row = entry_address(ir_, pointers_, tensor, pass_.streams.size() * sizeof(void*));
    llvm::Value* gradient = load_pointer(ir_, row, TALWEG_STREAM_GRAD * sizeof(void*));
    llvm::BasicBlock* present = block("present");
    ir_.CreateCondBr(ir_.CreateIsNull(gradient), next, present);

    ir_.SetInsertPoint(present);
    llvm::Value* group = ir_.CreateZExt(
        ir_.CreateLoad(ir_.getInt32Ty(),
                       entry_address(ir_, tensor_groups_, tensor, sizeof(std::uint32_t))),
        ir_.getInt64Ty());
    const ScalarSources sources{
        .args = entry_address(ir_, group_args_, group, sizeof(talweg_scalar_args)),
        .model_slots = model_slots_,
        .group_slots =
            entry_address(ir_, group_slots_, group, plan_.group_slots.size() * sizeof(talweg_slot)),
        .tensor_slots = entry_address(ir_, tensor_slots_, tensor,
                                      plan_.tensor_slots.size() * sizeof(talweg_slot))};
    partials_ = ir_.CreateGEP(ir_.getDoubleTy(), chunk_partials_, index);
    emit_routes(tensor, chunk, row, sources, next);
  }

  void emit_routes(llvm::Value* tensor, llvm::Value* chunk, llvm::Value* row,
                   const ScalarSources& sources, llvm::BasicBlock* next) {
    const auto emit_route = [&](std::uint32_t route) {
      for (const plan::LoopVersion& version : pass_.versions)
        if (version.route == route) emit_version(version, chunk, row, sources, next);
    };
    if (plan_.routes.size() == 1) return emit_route(0);
    llvm::Value* taken = ir_.CreateLoad(
        ir_.getInt32Ty(), entry_address(ir_, tensor_routes_, tensor, sizeof(std::uint32_t)));
    llvm::BasicBlock* none = block("no_route");
    llvm::SwitchInst* choice =
        ir_.CreateSwitch(taken, none, static_cast<unsigned>(plan_.routes.size()));
    for (std::uint32_t route = 0; route < plan_.routes.size(); ++route) {
      llvm::BasicBlock* start = block("route");
      choice->addCase(ir_.getInt32(route), start);
      ir_.SetInsertPoint(start);
      emit_route(route);
    }
    ir_.SetInsertPoint(none);
    ir_.CreateUnreachable();
  }

  /// If the version's assumptions hold, its loop and then `next`; the builder is left where they do
  /// not.
  void emit_version(const plan::LoopVersion& version, llvm::Value* chunk, llvm::Value* row,
                    const ScalarSources& sources, llvm::BasicBlock* next) {
    const Emission scalar{Lanes(ir_, 1), plan_.compute, &helpers_};
    ScalarScope scope(plan_, scalar, sources);
    llvm::BasicBlock* otherwise = nullptr;
    if (!version.assumptions.empty()) {
      llvm::Value* holds = nullptr;
      for (const plan::Assumption& assumption : version.assumptions) {
        llvm::Value* condition = scope.value(assumption.condition);
        if (!assumption.holds) condition = ir_.CreateNot(condition);
        holds = holds == nullptr ? condition : ir_.CreateAnd(holds, condition);
      }
      llvm::BasicBlock* chosen = block("version");
      otherwise = block("otherwise");
      ir_.CreateCondBr(holds, chosen, otherwise);
      ir_.SetInsertPoint(chosen);
    }
    emit_element_loop(ir_, plan_, pass_, version, chunk_values(chunk, row), scope, helpers_);
    ir_.CreateBr(next);
    if (otherwise != nullptr) ir_.SetInsertPoint(otherwise);
  }

  /// An input may be missing where no result of this step depends on it; a loop that loads it all
  /// the same is given the parameters.
  llvm::Value* stream_start(llvm::Value* row, std::size_t stream) {
    llvm::Value* start = load_pointer(ir_, row, stream * sizeof(void*));
    if (pass_.streams[stream].kind != plan::StreamKind::Input) return start;
    llvm::Value* param = load_pointer(ir_, row, TALWEG_STREAM_PARAM * sizeof(void*));
    return ir_.CreateSelect(ir_.CreateIsNull(start), param, start);
  }

  ChunkValues chunk_values(llvm::Value* chunk, llvm::Value* row) {
    llvm::Value* first =
        load_field(ir_, ir_.getInt64Ty(), chunk, offsetof(talweg_chunk, first_element));
    const auto size = static_cast<std::uint64_t>(types::size_bytes(plan_.compute));
    llvm::Value* offset = ir_.CreateMul(first, ir_.getInt64(size));
    ChunkValues values;
    for (std::size_t i = 0; i < pass_.streams.size(); ++i) {
      const bool is_used = pass_.streams[i].is_read || pass_.streams[i].is_written;
      llvm::Value* start = is_used ? stream_start(row, i) : nullptr;
      values.streams.push_back(is_used ? ir_.CreateGEP(ir_.getInt8Ty(), start, offset) : nullptr);
    }
    values.element_count =
        load_widened(ir_.getInt32Ty(), chunk, offsetof(talweg_chunk, element_count));
    values.prefetches = prefetches_;
    values.partials = partials_;
    values.partial_stride = chunk_count_;
    return values;
  }

  llvm::Function& function_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  llvm::Value *chunks_ = nullptr, *pointers_ = nullptr, *tensor_groups_ = nullptr;
  llvm::Value *model_slots_ = nullptr, *group_slots_ = nullptr, *group_args_ = nullptr;
  llvm::Value *tensor_routes_ = nullptr, *tensor_slots_ = nullptr, *prefetches_ = nullptr;
  llvm::Value *chunk_partials_ = nullptr, *chunk_count_ = nullptr;
  llvm::Value* partials_ = nullptr;  // of the chunk
};

}  // namespace

void emit_pass(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
               HelperFunctions& helpers) {
  PassFunction(function, plan, pass, helpers).emit();
}

}  // namespace talweg::codegen
