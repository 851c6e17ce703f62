#include "compiler/codegen/gpu_places.h"

#include "runtime/abi/talweg_gpu_abi.h"

namespace talweg::codegen {

namespace {

/// More than a part has elements: a longer piece may as well have this length.
constexpr std::uint64_t kMost = 2 * TALWEG_GPU_WARP_ELEMENTS;
/// For n < kMost / 2 and 1 <= d <= kMost, n / d is n * (2^kShift / d + 1) >> kShift: the factor is
/// too large by at most d / 2^kShift, and n * d < 2^kShift.
constexpr std::uint32_t kShift = 24;
static_assert(kMost / 2 * kMost < (1U << kShift));

}  // namespace

GpuPlaces::GpuPlaces(llvm::IRBuilder<>& ir, const MatrixLayout& layout, llvm::Value* first_element)
    : ir_(ir), layout_(layout) {
  const MatrixLayout::Digits first = layout.digits_of(first_element);
  outer_ = first.outer;
  cols_ = pieces(first.col, layout.cols());
  inner_ = pieces(first.in_inner, layout.inner());
  rows_ = pieces(first.row, layout.rows());
}

llvm::Value* GpuPlaces::wide(llvm::Value* number) {
  return ir_.CreateZExt(number, ir_.getInt64Ty());
}

GpuPlaces::Pieces GpuPlaces::pieces(llvm::Value* begun, llvm::Value* length) {
  const auto narrow = [&](llvm::Value* number) {
    llvm::Value* least =
        ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, number, ir_.getInt64(kMost));
    return ir_.CreateTrunc(least, ir_.getInt32Ty());
  };
  // A tensor without rows has pieces of no length; emitted code must not trap all the same.
  llvm::Value* divisor =
      ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umax, narrow(length), ir_.getInt32(1));
  llvm::Value* reciprocal =
      ir_.CreateAdd(ir_.CreateUDiv(ir_.getInt32(1U << kShift), divisor), ir_.getInt32(1));
  return {begun, narrow(ir_.CreateSub(length, begun)), divisor, reciprocal};
}

GpuPlaces::InPiece GpuPlaces::split(const Pieces& pieces, llvm::Value* index) {
  llvm::Value* is_first = ir_.CreateICmpULT(index, pieces.left);
  llvm::Value* behind = ir_.CreateSub(index, pieces.left);
  llvm::Value* product = ir_.CreateMul(wide(behind), wide(pieces.reciprocal));
  llvm::Value* quotient = ir_.CreateTrunc(ir_.CreateLShr(product, kShift), ir_.getInt32Ty());
  llvm::Value* rest = ir_.CreateSub(behind, ir_.CreateMul(quotient, pieces.length));
  llvm::Value* begun = ir_.CreateSelect(is_first, pieces.begun, ir_.getInt64(0));
  return {ir_.CreateSelect(is_first, ir_.getInt32(0), ir_.CreateAdd(quotient, ir_.getInt32(1))),
          ir_.CreateAdd(begun, wide(ir_.CreateSelect(is_first, index, rest)))};
}

MatrixLayout::Place GpuPlaces::of(llvm::Value* index) {
  const InPiece col = split(cols_, index);
  const InPiece inner = split(inner_, col.piece);
  const InPiece row = split(rows_, inner.piece);
  return layout_.place_at({.outer = ir_.CreateAdd(outer_, wide(row.piece)),
                           .row = row.at,
                           .in_inner = inner.at,
                           .col = col.at});
}

}  // namespace talweg::codegen
