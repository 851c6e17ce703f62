// fma from other operations, for machines without one. Exact for all operands: zeros, subnormals,
// overflow, infinities, NaN.
#pragma once

#include "compiler/codegen/helper_functions.h"

namespace talweg::codegen {

/// float32: the product is exact in float64; the sum is rounded to odd there, so that rounding it
/// again to float32 rounds once (Boldo and Melquiond, "Emulation of FMA and correctly rounded
/// sums", IEEE TC 57, 2008).
llvm::Value* emit_fma_f32(const Lanes& lanes, llvm::Value* a, llvm::Value* b, llvm::Value* c);

/// Fills `function`, float64 of `lanes`' width: error-free product and sums of the same paper where
/// no exponent is near an end of the range, else emit_soft_fma_body's function lane by lane.
void emit_fma_f64_body(llvm::Function& function, std::uint32_t width, llvm::Function& soft_fma);

/// Fills `function`, float64 of one lane, by integer arithmetic of 128 bits.
void emit_soft_fma_body(llvm::Function& function);

}  // namespace talweg::codegen
