// Rows and columns are gone over separately, so a rule that folds both reads its elements twice,
// the second time from cache.
#include "compiler/codegen/gpu_lines.h"

#include <algorithm>
#include <optional>

#include "compiler/codegen/element_body.h"
#include "compiler/codegen/fold_lanes.h"
#include "compiler/codegen/gpu_kernel.h"
#include "compiler/codegen/gpu_row_fold.h"
#include "compiler/codegen/gpu_threads.h"
#include "compiler/codegen/row_block.h"
#include "compiler/ir/sequence.h"
#include "runtime/abi/talweg_gpu_abi.h"

namespace talweg::codegen {

namespace {

using plan::PartialKind;

/// How many rows of a column a thread takes at once: so many that several loads are under way, so
/// few that their values stay in registers.
std::uint32_t rows_at_once(const plan::LoopVersion& version) {
  if (version.nodes.size() <= 8) return 8;
  return version.nodes.size() <= 24 ? 4 : 2;
}

class GpuLines {
 public:
  GpuLines(llvm::Function& kernel, const plan::Plan& plan, const plan::ElementPass& pass,
           HelperFunctions& helpers)
      : kernel_(kernel), plan_(plan), pass_(pass), helpers_(helpers), ir_(emit_gpu_entry(kernel)) {}

  void emit() {
    thread_ = wide(emit_thread_of_block(ir_));
    llvm::Value* first = ir_.CreateAdd(kernel_.getArg(kGpuBegin), wide(emit_block_of_grid(ir_)));
    emit_strided_turns(ir_, first, kernel_.getArg(kGpuEnd), wide(emit_blocks_per_grid(ir_)),
                       [&](llvm::Value* index) { emit_block(index); });
    ir_.CreateRetVoid();
  }

 private:
  void emit_block(llvm::Value* index) {
    llvm::Value* args = kernel_.getArg(kGpuArgs);
    tables_.emplace(ir_, plan_, args);
    col_slots_ = load_line_slots(ir_, args, plan::Level::Col);
    llvm::BasicBlock* next = llvm::BasicBlock::Create(ir_.getContext(), "next", &kernel_);
    emit_row_block(
        ir_, plan_, pass_, *tables_, helpers_, index, next,
        [&](const RowBlock& of, const plan::LoopVersion& version, const ScalarSources& sources) {
          emit_cols(of, version, sources);
          emit_rows(of, version, sources);
        });
    ir_.CreateUnreachable();
    ir_.SetInsertPoint(next);
  }

  llvm::Value* wide(llvm::Value* number) { return ir_.CreateZExt(number, ir_.getInt64Ty()); }

  const plan::Partial& partial(const plan::ElementFold& fold) const {
    return plan_.partials_of(fold.kind)[fold.partial];
  }

  static bool folds(const plan::LoopVersion& version, PartialKind kind) {
    return std::ranges::any_of(version.folds,
                               [&](const plan::ElementFold& fold) { return fold.kind == kind; });
  }

  Emission one() { return {Lanes(ir_, 1), plan_.compute, &helpers_}; }

  /// A block, and where its first element is in each stream; null: not read.
  struct Rows {
    const RowBlock& of;
    const plan::LoopVersion& version;
    const ScalarSources& sources;
    std::vector<llvm::Value*> streams;
    llvm::Value* row_stride;
  };

  Rows rows_of(const RowBlock& of, const plan::LoopVersion& version, const ScalarSources& sources) {
    std::vector<llvm::Value*> streams =
        of.starts_at(ir_, plan_, pass_, of.layout.first_element(of.matrix, of.first_row));
    for (llvm::Value*& stream : streams)
      if (stream != nullptr) stream = emit_global_pointer(ir_, stream);
    return {of, version, sources, std::move(streams), of.layout.row_stride()};
  }

  /// Calls emit_elements(body) with the body of row `at` of the block.
  template <class EmitElements>
  void with_row(const Rows& rows, llvm::Value* at, EmitElements emit_elements) {
    ScalarSources sources = rows.sources;
    sources.row = ir_.CreateAdd(rows.of.first_row, at);
    ScalarScope scope(plan_, one(), sources);
    ElementBody body(plan_, pass_, rows.version, rows.streams, scope, col_slots_);
    body.prepare(one());
    emit_elements(body);
  }

  /// Of the element in row `at` of the block.
  Position position(const Rows& rows, llvm::Value* at, llvm::Value* col) {
    llvm::Value* in_row = ir_.CreateMul(col, rows.of.layout.stride());
    return {ir_.CreateAdd(ir_.CreateMul(at, rows.row_stride), in_row), nullptr, col,
            ir_.CreateAdd(rows.of.layout.first_col(rows.of.matrix), col)};
  }

  // ---- Columns: the block's rows in order ----

  void emit_cols(const RowBlock& of, const plan::LoopVersion& version,
                 const ScalarSources& sources) {
    if (!folds(version, PartialKind::LineBlock)) return;
    std::vector<llvm::AllocaInst*> sums;
    for (const plan::ElementFold& fold : version.folds)
      sums.push_back(fold.kind == PartialKind::LineBlock ? add_variable(ir_.getDoubleTy())
                                                         : nullptr);
    const Rows rows = rows_of(of, version, sources);
    emit_turns(ir_, thread_, of.layout.cols(), TALWEG_GPU_THREADS, [&](llvm::Value* col) {
      for (std::size_t i = 0; i < sums.size(); ++i)
        if (sums[i] != nullptr)
          ir_.CreateStore(llvm::ConstantFP::get(ir_.getDoubleTy(),
                                                ir::fold_start(partial(version.folds[i]).fold)),
                          sums[i]);
      const std::uint32_t at_once = rows_at_once(version);
      llvm::Value* together = ir_.CreateAnd(of.row_count, ir_.getInt64(-std::int64_t{at_once}));
      keep_rolled(emit_turns(ir_, ir_.getInt64(0), together, at_once, [&](llvm::Value* first) {
        for (std::uint32_t i = 0; i < at_once; ++i)
          emit_in_col(rows, ir_.CreateNUWAdd(first, ir_.getInt64(i)), col, sums);
      }));
      keep_rolled(emit_turns(ir_, together, of.row_count, 1,
                             [&](llvm::Value* at) { emit_in_col(rows, at, col, sums); }));
      for (std::size_t i = 0; i < sums.size(); ++i)
        if (sums[i] != nullptr) store_col(of, version.folds[i], col, sums[i]);
    });
  }

  void emit_in_col(const Rows& rows, llvm::Value* at, llvm::Value* col,
                   const std::vector<llvm::AllocaInst*>& sums) {
    with_row(rows, at, [&](ElementBody& body) {
      body.emit(one(), {position(rows, at, col)},
                [&](std::size_t i, const Position&, llvm::Value* a, llvm::Value* b) {
                  if (sums[i] == nullptr) return;
                  llvm::Value* before = ir_.CreateLoad(ir_.getDoubleTy(), sums[i]);
                  const builtins::Fold fold = partial(rows.version.folds[i]).fold;
                  ir_.CreateStore(emit_joined(one(), fold, before, a, b), sums[i]);
                });
    });
  }

  void store_col(const RowBlock& of, const plan::ElementFold& fold, llvm::Value* col,
                 llvm::AllocaInst* sum) {
    llvm::Value* start = emit_partial_start(
        ir_, tables_->pointer(TALWEG_FIELD(talweg_pass_args, block_partials)),
        tables_->count(TALWEG_FIELD(talweg_pass_args, block_col_count)), fold.partial);
    ir_.CreateStore(ir_.CreateLoad(ir_.getDoubleTy(), sum),
                    ir_.CreateGEP(ir_.getDoubleTy(), start, ir_.CreateAdd(of.columns, col)));
  }

  // ---- Rows: a warp each ----

  void emit_rows(const RowBlock& of, const plan::LoopVersion& version,
                 const ScalarSources& sources) {
    if (!folds(version, PartialKind::LineRow)) return;
    GpuRowFold folding(ir_, helpers_, ir_.CreateAnd(thread_, ir_.getInt64(TALWEG_GPU_WARP - 1)),
                       of.layout.cols());
    std::vector<std::size_t> places(version.folds.size(), version.folds.size());
    for (std::size_t i = 0; i < version.folds.size(); ++i)
      if (version.folds[i].kind == PartialKind::LineRow)
        places[i] = folding.add(partial(version.folds[i]).fold);
    llvm::Value* warp = ir_.CreateUDiv(thread_, ir_.getInt64(TALWEG_GPU_WARP));
    constexpr std::uint32_t kWarps = TALWEG_GPU_THREADS / TALWEG_GPU_WARP;
    const Rows rows = rows_of(of, version, sources);
    emit_turns(ir_, warp, of.row_count, kWarps, [&](llvm::Value* at) {
      llvm::Value* number = ir_.CreateAdd(of.first_row, at);
      with_row(rows, at, [&](ElementBody& body) {
        folding.emit([&](llvm::Value* col, const GpuRowFold::Join& join) {
          body.emit(one(), {position(rows, at, col)},
                    [&](std::size_t i, const Position&, llvm::Value* a, llvm::Value* b) {
                      if (places[i] < version.folds.size()) join(one(), places[i], a, b);
                    });
        });
      });
      for (std::size_t i = 0; i < places.size(); ++i)
        if (places[i] < version.folds.size())
          store_row(version.folds[i], number, folding.value(places[i]));
    });
  }

  void store_row(const plan::ElementFold& fold, llvm::Value* number, llvm::Value* value) {
    llvm::Value* lane = ir_.CreateAnd(thread_, ir_.getInt64(TALWEG_GPU_WARP - 1));
    llvm::Value* start = emit_partial_start(
        ir_, tables_->pointer(TALWEG_FIELD(talweg_pass_args, row_partials)),
        tables_->count(TALWEG_FIELD(talweg_pass_args, row_count)), partial(fold).place);
    emit_where(ir_, ir_.CreateICmpEQ(lane, ir_.getInt64(0)),
               [&] { ir_.CreateStore(value, ir_.CreateGEP(ir_.getDoubleTy(), start, number)); });
  }

  llvm::AllocaInst* add_variable(llvm::Type* type) {
    llvm::BasicBlock& entry = kernel_.getEntryBlock();
    llvm::IRBuilder<> first(&entry, entry.begin());
    return first.CreateAlloca(type);
  }

  llvm::Function& kernel_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  std::optional<PassTables> tables_;  // loaded for each block: registers are dearer
  LineSlots col_slots_;               // likewise
  llvm::Value* thread_ = nullptr;
};

}  // namespace

void emit_gpu_lines(llvm::Function& kernel, const plan::Plan& plan, const plan::ElementPass& pass,
                    HelperFunctions& helpers) {
  GpuLines(kernel, plan, pass, helpers).emit();
}

}  // namespace talweg::codegen
