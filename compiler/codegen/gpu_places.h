// Where the elements of a warp's part of a chunk lie in matrices whose rows are contiguous. A
// division of 64 bits is some thirty instructions on a GPU, so there are some for each part and
// none for each element.
#pragma once

#include "compiler/codegen/matrix_layout.h"

namespace talweg::codegen {

class GpuPlaces {
 public:
  /// Emits what all places share where `ir` stands, which must dominate all later uses.
  GpuPlaces(llvm::IRBuilder<>& ir, const MatrixLayout& layout, llvm::Value* first_element);

  /// Of an element of the part, an i32 below TALWEG_GPU_WARP_ELEMENTS.
  MatrixLayout::Place of(llvm::Value* index);

 private:
  /// A sequence cut in pieces of one length, which begins within one of them.
  struct Pieces {
    llvm::Value* begun;       // of the first piece, before the sequence begins; i64
    llvm::Value* left;        // of the first piece, i32
    llvm::Value* length;      // i32
    llvm::Value* reciprocal;  // of the length, i32
  };
  struct InPiece {
    llvm::Value* piece;  // 0: the first one; i32
    llvm::Value* at;     // within it, i64
  };

  llvm::Value* wide(llvm::Value* number);
  Pieces pieces(llvm::Value* begun, llvm::Value* length);
  InPiece split(const Pieces& pieces, llvm::Value* index);

  llvm::IRBuilder<>& ir_;
  const MatrixLayout& layout_;
  llvm::Value* outer_;          // of the first element
  Pieces cols_, inner_, rows_;  // as the digits of an element follow each other
};

}  // namespace talweg::codegen
