// An element is at ((outer * rows + row) * inner + in_inner) * cols + col, times last, plus
// in_last: a tensor has a matrix for each outer, in_inner and in_last.
#include "compiler/codegen/matrix_layout.h"

#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

MatrixLayout::MatrixLayout(llvm::IRBuilder<>& ir, const PassTables& tables, llvm::Value* tensor)
    : ir_(ir),
      rows_(tables.view_field(tensor, offsetof(talweg_matrix_view, rows))),
      inner_(tables.view_field(tensor, offsetof(talweg_matrix_view, inner))),
      cols_(tables.view_field(tensor, offsetof(talweg_matrix_view, cols))),
      last_(tables.view_field(tensor, offsetof(talweg_matrix_view, last))),
      first_matrix_(tables.view_field(tensor, offsetof(talweg_matrix_view, first_matrix))),
      first_row_(tables.view_field(tensor, offsetof(talweg_matrix_view, first_row))),
      first_col_(tables.view_field(tensor, offsetof(talweg_matrix_view, first_col))) {}

MatrixLayout::Digits MatrixLayout::digits_of(llvm::Value* element) const {
  const auto split = [&](llvm::Value*& number, llvm::Value* by) {
    by = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umax, by, ir_.getInt64(1));
    llvm::Value* rest = ir_.CreateURem(number, by);
    number = ir_.CreateUDiv(number, by);
    return rest;
  };
  llvm::Value* in_last = split(element, last_);
  llvm::Value* col = split(element, cols_);
  llvm::Value* in_inner = split(element, inner_);
  llvm::Value* row = split(element, rows_);
  return {element, row, in_inner, col, in_last};
}

MatrixLayout::Place MatrixLayout::place_at(const Digits& digits) const {
  const auto [outer, row, in_inner, col, in_last] = digits;
  llvm::Value* matrix = ir_.CreateAdd(ir_.CreateMul(outer, inner_), in_inner);
  llvm::Value* length = ir_.CreateSub(cols_, col);
  if (in_last != nullptr) {
    matrix = ir_.CreateAdd(ir_.CreateMul(matrix, last_), in_last);
    length = ir_.CreateSelect(is_contiguous(), length, ir_.getInt64(1));
  }
  return {ir_.CreateAdd(first_matrix_, matrix),
          ir_.CreateAdd(first_row_, ir_.CreateAdd(ir_.CreateMul(matrix, rows_), row)),
          ir_.CreateAdd(first_col_, ir_.CreateAdd(ir_.CreateMul(matrix, cols_), col)), length};
}

llvm::Value* MatrixLayout::first_element(llvm::Value* matrix, llvm::Value* row) const {
  llvm::Value* in_tensor = ir_.CreateSub(matrix, first_matrix_);
  llvm::Value* in_matrix =
      ir_.CreateSub(ir_.CreateSub(row, first_row_), ir_.CreateMul(in_tensor, rows_));
  llvm::Value* in_last = ir_.CreateURem(in_tensor, last_);
  llvm::Value* rest = ir_.CreateUDiv(in_tensor, last_);
  llvm::Value* in_inner = ir_.CreateURem(rest, inner_);
  llvm::Value* outer = ir_.CreateUDiv(rest, inner_);
  llvm::Value* element = ir_.CreateAdd(ir_.CreateMul(outer, rows_), in_matrix);
  element = ir_.CreateAdd(ir_.CreateMul(element, inner_), in_inner);
  element = ir_.CreateMul(element, cols_);
  return ir_.CreateAdd(ir_.CreateMul(element, last_), in_last);
}

llvm::Value* MatrixLayout::first_col(llvm::Value* matrix) const {
  return ir_.CreateAdd(first_col_, ir_.CreateMul(ir_.CreateSub(matrix, first_matrix_), cols_));
}

llvm::Value* MatrixLayout::row_stride() const {
  return ir_.CreateMul(ir_.CreateMul(inner_, cols_), last_);
}

llvm::Value* MatrixLayout::is_contiguous() const {
  return ir_.CreateICmpEQ(last_, ir_.getInt64(1));
}

}  // namespace talweg::codegen
