// Where the elements of a tensor lie that is seen as matrices (talweg_matrix_view), in emitted
// code: matrices, rows and columns have the numbers that the optimizer gives them.
#pragma once

#include "compiler/codegen/pass_tables.h"

namespace talweg::codegen {

class MatrixLayout {
 public:
  /// Loads the view of a tensor where `ir` stands, which must dominate all later uses.
  MatrixLayout(llvm::IRBuilder<>& ir, const PassTables& tables, llvm::Value* tensor);

  /// The places of an element, counted from the start of the tensor, in its dimensions.
  struct Digits {
    llvm::Value *outer, *row, *in_inner, *col;
    llvm::Value* in_last = nullptr;  // null where rows are known to be contiguous
  };
  [[nodiscard]] Digits digits_of(llvm::Value* element) const;

  struct Place {
    llvm::Value *matrix, *row, *col;
    llvm::Value* length;  // elements from here on in the same row, one behind the other
  };
  /// Of an element, counted from the start of the tensor. (A tensor without rows has no such place;
  /// emitted code must not trap all the same.)
  [[nodiscard]] Place place_of(llvm::Value* element) const { return place_at(digits_of(element)); }
  [[nodiscard]] Place place_at(const Digits& digits) const;

  /// The element in the first column of a row, counted from the start of the tensor.
  [[nodiscard]] llvm::Value* first_element(llvm::Value* matrix, llvm::Value* row) const;
  [[nodiscard]] llvm::Value* first_col(llvm::Value* matrix) const;
  [[nodiscard]] llvm::Value* rows() const { return rows_; }
  [[nodiscard]] llvm::Value* inner() const { return inner_; }
  [[nodiscard]] llvm::Value* cols() const { return cols_; }
  /// How far apart the elements of a row are.
  [[nodiscard]] llvm::Value* stride() const { return last_; }
  /// How far apart the rows of a matrix are.
  [[nodiscard]] llvm::Value* row_stride() const;
  /// i1: the elements of a row lie one behind the other.
  [[nodiscard]] llvm::Value* is_contiguous() const;

 private:
  llvm::IRBuilder<>& ir_;
  llvm::Value *rows_, *inner_, *cols_, *last_;
  llvm::Value *first_matrix_, *first_row_, *first_col_;
};

}  // namespace talweg::codegen
