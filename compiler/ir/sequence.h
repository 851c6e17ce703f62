// In which order many values become one: what reductions mean.
//
// The order depends on the number of values only, so every target, thread count and split of the
// work gives the same bits. Values are float64.
#pragma once

#include <span>

#include "compiler/builtins/reduction.h"

namespace talweg::ir {

/// Lanes of a block, and values of a block (TALWEG_SEGMENT_ELEMENTS of the ABI).
inline constexpr std::size_t kFoldLanes = 64;
inline constexpr std::size_t kFoldBlock = 1024;

/// What a fold starts from, which changes nothing: 0, +infinity or -infinity.
double fold_start(builtins::Fold fold);

/// A result of a fold with one more value; `b` is the second operand of a dot product.
double join(builtins::Fold fold, double result, double a, double b);

/// Blocks of 1,024 values: value i of a block joins lane i mod 64, in order; the lanes fold by
/// halves (lane i with lane i + 32, then i with i + 16, ... 1). Of more than one block the results
/// are such a sequence in their turn, of sums where the values were products. `b` is the second
/// operand of a dot product, else empty; Count takes ones.
double fold_sequence(builtins::Fold fold, std::span<const double> a,
                     std::span<const double> b = {});

}  // namespace talweg::ir
