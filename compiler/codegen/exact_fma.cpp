// fma by error-free transformations; see exact_fma.h for the source.
#include "compiler/codegen/exact_fma.h"

#include <llvm/IR/Function.h>

namespace talweg::codegen {

namespace {

constexpr auto kF64 = ComputeType::F64;

struct Sum {
  llvm::Value* rounded;
  llvm::Value* error;
};

/// rounded + error = a + b exactly (Knuth), unless it overflows.
Sum emit_two_sum(llvm::IRBuilder<>& ir, llvm::Value* a, llvm::Value* b) {
  llvm::Value* sum = ir.CreateFAdd(a, b);
  llvm::Value* b_part = ir.CreateFSub(sum, a);
  llvm::Value* a_part = ir.CreateFSub(sum, b_part);
  llvm::Value* error = ir.CreateFAdd(ir.CreateFSub(a, a_part), ir.CreateFSub(b, b_part));
  return {sum, error};
}

/// a + b rounded to odd: of the two numbers around an inexact sum, the one with an odd last bit. An
/// error that is NaN (from an infinity) changes nothing.
llvm::Value* emit_odd_sum(const Lanes& lanes, llvm::Value* a, llvm::Value* b) {
  llvm::IRBuilder<>& ir = lanes.builder();
  const Sum sum = emit_two_sum(ir, a, b);
  llvm::Value* bits = lanes.bits_of(kF64, sum.rounded);
  llvm::Value* is_inexact = ir.CreateFCmpONE(sum.error, lanes.number(kF64, 0));
  llvm::Value* is_even =
      ir.CreateICmpEQ(ir.CreateAnd(bits, lanes.integer(kF64, 1)), lanes.integer(kF64, 0));
  llvm::Value* differing_signs =
      ir.CreateAShr(ir.CreateXor(bits, lanes.bits_of(kF64, sum.error)), lanes.integer(kF64, 63));
  llvm::Value* towards_error = ir.CreateOr(differing_signs, lanes.integer(kF64, 1));  // -1 or 1
  llvm::Value* odd = ir.CreateAdd(bits, towards_error);
  return lanes.from_bits(kF64, ir.CreateSelect(ir.CreateAnd(is_inexact, is_even), odd, bits));
}

/// rounded + error = a * b exactly (Veltkamp, Dekker), where nothing overflows or underflows.
Sum emit_two_product(const Lanes& lanes, llvm::Value* a, llvm::Value* b) {
  llvm::IRBuilder<>& ir = lanes.builder();
  const auto split = [&](llvm::Value* x) -> std::pair<llvm::Value*, llvm::Value*> {
    llvm::Value* scaled = ir.CreateFMul(lanes.number(kF64, 0x1p27 + 1), x);
    llvm::Value* high = ir.CreateFSub(scaled, ir.CreateFSub(scaled, x));
    return {high, ir.CreateFSub(x, high)};
  };
  const auto [a_high, a_low] = split(a);
  const auto [b_high, b_low] = split(b);
  llvm::Value* product = ir.CreateFMul(a, b);
  llvm::Value* error = ir.CreateFSub(ir.CreateFMul(a_high, b_high), product);
  error = ir.CreateFAdd(error, ir.CreateFMul(a_high, b_low));
  error = ir.CreateFAdd(error, ir.CreateFMul(a_low, b_high));
  error = ir.CreateFAdd(error, ir.CreateFMul(a_low, b_low));
  return {product, error};
}

/// Holds in a lane where the error-free form is exact: no operand huge, and the product zero for a
/// zero factor or far from the ends of the range.
llvm::Value* emit_is_tame(const Lanes& lanes, llvm::Value* a, llvm::Value* b, llvm::Value* c) {
  llvm::IRBuilder<>& ir = lanes.builder();
  const auto below = [&](llvm::Value* x, double limit) {
    return ir.CreateFCmpOLT(lanes.abs(x), lanes.number(kF64, limit));
  };
  const auto is_zero = [&](llvm::Value* x) { return ir.CreateFCmpOEQ(x, lanes.number(kF64, 0)); };
  llvm::Value* product = ir.CreateFMul(a, b);
  llvm::Value* is_large = ir.CreateFCmpOGE(lanes.abs(product), lanes.number(kF64, 0x1p-900));
  llvm::Value* tame = ir.CreateOr(is_large, ir.CreateOr(is_zero(a), is_zero(b)));
  tame = ir.CreateAnd(tame, below(product, 0x1p1000));
  tame = ir.CreateAnd(tame, ir.CreateAnd(below(a, 0x1p990), below(b, 0x1p990)));
  return ir.CreateAnd(tame, below(c, 0x1p1000));
}

llvm::Value* emit_tame_fma(const Lanes& lanes, llvm::Value* a, llvm::Value* b, llvm::Value* c) {
  llvm::IRBuilder<>& ir = lanes.builder();
  const Sum product = emit_two_product(lanes, a, b);
  const Sum low = emit_two_sum(ir, c, product.error);
  const Sum high = emit_two_sum(ir, product.rounded, low.rounded);
  llvm::Value* result = ir.CreateFAdd(high.rounded, emit_odd_sum(lanes, low.error, high.error));
  // For a zero product the sum of rounded values is exact and has the right sign.
  llvm::Value* is_zero = ir.CreateFCmpOEQ(product.rounded, lanes.number(kF64, 0));
  return ir.CreateSelect(is_zero, ir.CreateFAdd(product.rounded, c), result);
}

}  // namespace

llvm::Value* emit_fma_f32(const Lanes& lanes, llvm::Value* a, llvm::Value* b, llvm::Value* c) {
  llvm::IRBuilder<>& ir = lanes.builder();
  const auto widen = [&](llvm::Value* x) { return ir.CreateFPExt(x, lanes.number_type(kF64)); };
  llvm::Value* product = ir.CreateFMul(widen(a), widen(b));
  llvm::Value* sum = emit_odd_sum(lanes, product, widen(c));
  return ir.CreateFPTrunc(sum, lanes.number_type(ComputeType::F32));
}

void emit_fma_f64_body(llvm::Function& function, std::uint32_t width, llvm::Function& soft_fma) {
  llvm::LLVMContext& context = function.getContext();
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context, "entry", &function));
  const Lanes lanes(ir, width);
  llvm::Value* a = function.getArg(0);
  llvm::Value* b = function.getArg(1);
  llvm::Value* c = function.getArg(2);
  llvm::BasicBlock* tame = llvm::BasicBlock::Create(context, "tame", &function);
  llvm::BasicBlock* wild = llvm::BasicBlock::Create(context, "wild", &function);
  ir.CreateCondBr(lanes.all(emit_is_tame(lanes, a, b, c)), tame, wild);

  ir.SetInsertPoint(tame);
  ir.CreateRet(emit_tame_fma(lanes, a, b, c));

  ir.SetInsertPoint(wild);
  llvm::Value* result = llvm::PoisonValue::get(lanes.number_type(kF64));
  for (std::uint32_t i = 0; i < width; ++i) {
    llvm::Value* part =
        ir.CreateCall(&soft_fma, {lanes.lane(a, i), lanes.lane(b, i), lanes.lane(c, i)});
    result = lanes.with_lane(result, i, part);
  }
  ir.CreateRet(result);
}

}  // namespace talweg::codegen
