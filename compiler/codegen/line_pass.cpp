// A row's elements lie one behind the other but where further dimensions follow the columns
// (talweg_matrix_view.last); those are taken one at a time.
#include "compiler/codegen/line_pass.h"

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/element_body.h"
#include "compiler/codegen/row_block.h"

namespace talweg::codegen {

namespace {

using plan::PartialKind;

class LinePass {
 public:
  LinePass(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
           HelperFunctions& helpers)
      : function_(function),
        plan_(plan),
        pass_(pass),
        helpers_(helpers),
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        tables_(ir_, plan, function.getArg(1)),
        col_slots_(load_line_slots(ir_, function.getArg(1), plan::Level::Col)),
        row_partials_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, row_partials))),
        block_partials_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, block_partials))),
        row_count_(tables_.count(TALWEG_FIELD(talweg_pass_args, row_count))),
        block_col_count_(tables_.count(TALWEG_FIELD(talweg_pass_args, block_col_count))) {}

  void emit() {
    emit_index_loop(ir_, function_,
                    [&](llvm::Value* index, llvm::BasicBlock* next) { emit_block(index, next); });
  }

 private:
  void emit_block(llvm::Value* index, llvm::BasicBlock* next) {
    emit_row_block(ir_, plan_, pass_, tables_, helpers_, index, next,
                   [&](const RowBlock& of, const plan::LoopVersion& version,
                       const ScalarSources& sources) { emit_rows(of, version, sources); });
  }

  const plan::Partial& partial(const plan::ElementFold& fold) const {
    return plan_.partials_of(fold.kind)[fold.partial];
  }

  void emit_rows(const RowBlock& of, const plan::LoopVersion& version,
                 const ScalarSources& sources) {
    if (version.folds.empty()) return;
    std::vector<RowFold> rows;
    for (const plan::ElementFold& fold : version.folds)
      rows.push_back(fold.kind == PartialKind::LineRow ? allocate_row(ir_, partial(fold).fold)
                                                       : RowFold{});
    emit_turns(ir_, ir_.getInt64(0), of.row_count, 1, [&](llvm::Value* at) {
      llvm::Value* number = ir_.CreateAdd(of.first_row, at);
      ScalarSources of_row = sources;
      of_row.row = number;
      emit_row(of, version, of_row, at, number, rows);
    });
  }

  void emit_row(const RowBlock& of, const plan::LoopVersion& version, const ScalarSources& sources,
                llvm::Value* at, llvm::Value* number, const std::vector<RowFold>& rows) {
    const std::vector<llvm::Value*> streams =
        of.starts_at(ir_, plan_, pass_, of.layout.first_element(of.matrix, number));
    ScalarScope scope(plan_, emission(1), sources);
    ElementBody body(plan_, pass_, version, streams, scope, col_slots_);
    const std::uint32_t width = helpers_.machine().lanes(plan_.compute);
    body.prepare(emission(width));
    if (width > 1) body.prepare(emission(1));
    const auto for_rows = [&](const auto& visit) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (version.folds[i].kind == PartialKind::LineRow) visit(i);
    };
    llvm::Value* cols = of.layout.cols();
    llvm::Value* segments =
        ir_.CreateUDiv(ir_.CreateAdd(cols, ir_.getInt64(TALWEG_SEGMENT_ELEMENTS - 1)),
                       ir_.getInt64(TALWEG_SEGMENT_ELEMENTS));
    for_rows([&](std::size_t i) { emit_start_row(ir_, rows[i], segments); });
    llvm::Value* is_first = ir_.CreateICmpEQ(at, ir_.getInt64(0));
    llvm::Value* first_col = of.layout.first_col(of.matrix);
    const auto emit_part = [&](llvm::Value* begin, llvm::Value* end, std::uint32_t lanes) {
      emit_turns(ir_, begin, end, lanes, [&](llvm::Value* col) {
        emit_columns(of, version, body, rows, emission(lanes), col, first_col, is_first);
      });
    };
    emit_turns(ir_, ir_.getInt64(0), cols, TALWEG_SEGMENT_ELEMENTS, [&](llvm::Value* begin) {
      llvm::Value* segment = ir_.CreateUDiv(begin, ir_.getInt64(TALWEG_SEGMENT_ELEMENTS));
      for_rows([&](std::size_t i) { emit_start_row_segment(ir_, helpers_, rows[i], segment); });
      llvm::Value* full = ir_.CreateAdd(begin, ir_.getInt64(TALWEG_SEGMENT_ELEMENTS));
      llvm::Value* end = ir_.CreateSelect(ir_.CreateICmpULT(full, cols), full, cols);
      llvm::Value* whole = ir_.CreateAnd(end, ir_.getInt64(~(std::uint64_t{width} - 1)));
      whole = ir_.CreateSelect(of.layout.is_contiguous(), whole, begin);
      if (width > 1) emit_part(begin, whole, width);
      emit_part(width > 1 ? whole : begin, end, 1);
      for_rows(
          [&](std::size_t i) { emit_end_row_segment(ir_, helpers_, rows[i], segment, segments); });
    });
    for_rows([&](std::size_t i) {
      llvm::Value* start =
          emit_partial_start(ir_, row_partials_, row_count_, partial(version.folds[i]).place);
      ir_.CreateStore(emit_row_value(ir_, helpers_, rows[i], segments),
                      ir_.CreateGEP(ir_.getDoubleTy(), start, number));
    });
  }

  /// Columns `col`, `col` + 1, ... of the row.
  void emit_columns(const RowBlock& of, const plan::LoopVersion& version, ElementBody& body,
                    const std::vector<RowFold>& rows, const Emission& shape, llvm::Value* col,
                    llvm::Value* first_col, llvm::Value* is_first) {
    const Position position{ir_.CreateMul(col, of.layout.stride()), nullptr, col,
                            ir_.CreateAdd(first_col, col)};
    if (shape.lanes.width() > 1) body.emit_prefetch(shape, col, shape.lanes.width());
    body.emit(shape, {position},
              [&](std::size_t i, const Position&, llvm::Value* a, llvm::Value* b) {
                const plan::ElementFold& fold = version.folds[i];
                if (fold.kind == PartialKind::LineRow)
                  return emit_join(shape, rows[i].elements, col, nullptr, a, b);
                llvm::Value* start =
                    emit_partial_start(ir_, block_partials_, block_col_count_, fold.partial);
                emit_join_columns(shape, partial(fold).fold, start, ir_.CreateAdd(of.columns, col),
                                  nullptr, is_first, a, b);
              });
  }

  Emission emission(std::uint32_t width) { return {Lanes(ir_, width), plan_.compute, &helpers_}; }

  llvm::Function& function_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  PassTables tables_;
  const LineSlots col_slots_;
  llvm::Value *row_partials_, *block_partials_, *row_count_, *block_col_count_;
};

}  // namespace

void emit_line_pass(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
                    HelperFunctions& helpers) {
  LinePass(function, plan, pass, helpers).emit();
}

}  // namespace talweg::codegen
