// fma of float64 by integer arithmetic; see exact_fma.h.
//
// The product of two 53-bit significands and the addend are placed at the top of 128-bit integers,
// the one with the smaller exponent is shifted down (bits lost are remembered in the last one), the
// two are added or subtracted, and the sum is rounded once to 53 bits, or to fewer where the result
// is subnormal.
//
// Products and shifts by variable distances are made of operations on 64 bits: for those on 128
// some machines (WebAssembly) would call a library.
#include <llvm/IR/Function.h>

#include "compiler/codegen/exact_fma.h"

namespace talweg::codegen {

namespace {

constexpr std::uint64_t kInfinityBits = 0x7ff0000000000000;
constexpr std::uint64_t kMagnitudeMask = 0x7fffffffffffffff;
constexpr std::uint64_t kFractionMask = 0x000fffffffffffff;
constexpr int kFractionBits = 52;
constexpr int kProductShift = 20;  // brings bit 104 or 105 of the product to 124 or 125
constexpr int kAddendShift = 72;   // brings bit 52 of the addend to 124
constexpr int kSmallestExponent = -1022;

class SoftFma {
 public:
  explicit SoftFma(llvm::Function& function)
      : function_(function),
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)) {}

  void emit() {
    for (unsigned i = 0; i < 3; ++i) {
      bits_[i] = ir_.CreateBitCast(function_.getArg(i), ir_.getInt64Ty());
      magnitude_[i] = ir_.CreateAnd(bits_[i], ir_.getInt64(kMagnitudeMask));
    }
    llvm::Value* is_special = ir_.getFalse();
    for (llvm::Value* magnitude : magnitude_)
      is_special =
          ir_.CreateOr(is_special, ir_.CreateOr(is_zero(magnitude), is_infinite(magnitude)));
    llvm::BasicBlock* special = block("special");
    llvm::BasicBlock* general = block("general");
    ir_.CreateCondBr(is_special, special, general);
    ir_.SetInsertPoint(special);
    emit_special();
    ir_.SetInsertPoint(general);
    emit_general();
  }

 private:
  struct Number {
    llvm::Value* significand;  // i64, bit 52 set
    llvm::Value* exponent;     // i64: the value is significand * 2^(exponent - 1075)
  };
  struct Wide {
    llvm::Value* magnitude;    // i128
    llvm::Value* exponent;     // i64, of bit 0
    llvm::Value* is_negative;  // i1
  };

  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(function_.getContext(), name, &function_);
  }
  llvm::Value* is_zero(llvm::Value* magnitude) {
    return ir_.CreateICmpEQ(magnitude, ir_.getInt64(0));
  }
  llvm::Value* is_infinite(llvm::Value* magnitude) {  // or NaN
    return ir_.CreateICmpUGE(magnitude, ir_.getInt64(kInfinityBits));
  }
  llvm::Value* leading_zeros(llvm::Value* value) {
    return ir_.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, value, ir_.getTrue());
  }

  /// Some operand is zero, infinite or NaN: one rounded operation is enough.
  void emit_special() {
    llvm::Value* c = function_.getArg(2);
    llvm::Value* product = ir_.CreateFMul(function_.getArg(0), function_.getArg(1));
    llvm::Value* finite_factors =
        ir_.CreateNot(ir_.CreateOr(is_infinite(magnitude_[0]), is_infinite(magnitude_[1])));
    llvm::Value* zero_factor = ir_.CreateOr(is_zero(magnitude_[0]), is_zero(magnitude_[1]));
    // A product that underflows to a zero must not lose its sign to the addend's.
    llvm::Value* only_product = ir_.CreateAnd(
        ir_.CreateAnd(finite_factors, ir_.CreateNot(zero_factor)), is_zero(magnitude_[2]));
    llvm::Value* result = ir_.CreateSelect(only_product, product, ir_.CreateFAdd(product, c));
    // A product that overflows must not meet an infinite addend.
    llvm::Value* only_addend = ir_.CreateAnd(finite_factors, is_infinite(magnitude_[2]));
    ir_.CreateRet(ir_.CreateSelect(only_addend, ir_.CreateFAdd(c, c), result));
  }

  Number unpack(llvm::Value* magnitude) {
    llvm::Value* fraction = ir_.CreateAnd(magnitude, ir_.getInt64(kFractionMask));
    llvm::Value* exponent = ir_.CreateLShr(magnitude, kFractionBits);
    llvm::Value* is_subnormal = ir_.CreateICmpEQ(exponent, ir_.getInt64(0));
    llvm::Value* shift =
        ir_.CreateAnd(ir_.CreateSub(leading_zeros(magnitude), ir_.getInt64(63 - kFractionBits)),
                      ir_.getInt64(63));
    llvm::Value* normal = ir_.CreateOr(fraction, ir_.getInt64(kFractionMask + 1));
    return {ir_.CreateSelect(is_subnormal, ir_.CreateShl(fraction, shift), normal),
            ir_.CreateSelect(is_subnormal, ir_.CreateSub(ir_.getInt64(1), shift), exponent)};
  }

  llvm::Value* widened(llvm::Value* value) { return ir_.CreateZExt(value, ir_.getInt128Ty()); }
  llvm::Value* low_half(llvm::Value* value) { return ir_.CreateTrunc(value, ir_.getInt64Ty()); }
  llvm::Value* high_half(llvm::Value* value) { return low_half(ir_.CreateLShr(value, 64)); }
  llvm::Value* joined(llvm::Value* high, llvm::Value* low) {
    return ir_.CreateOr(ir_.CreateShl(widened(high), 64), widened(low));
  }

  /// All bits of the product of two significands, by parts of 32 bits.
  llvm::Value* product_of(llvm::Value* a, llvm::Value* b) {
    const auto low = [&](llvm::Value* x) { return ir_.CreateAnd(x, ir_.getInt64(0xffffffff)); };
    const auto high = [&](llvm::Value* x) { return ir_.CreateLShr(x, 32); };
    llvm::Value* middle =
        ir_.CreateAdd(ir_.CreateMul(high(a), low(b)), ir_.CreateMul(low(a), high(b)));
    llvm::Value* outer = joined(ir_.CreateMul(high(a), high(b)), ir_.CreateMul(low(a), low(b)));
    return ir_.CreateAdd(outer, ir_.CreateShl(widened(middle), 32));
  }

  /// `value` of 128 bits shifted by `distance`, an i64 below 128.
  llvm::Value* shifted_down(llvm::Value* value, llvm::Value* distance) {
    llvm::Value* high = high_half(value);
    llvm::Value* within = ir_.CreateAnd(distance, ir_.getInt64(63));
    llvm::Value* low = ir_.CreateIntrinsic(llvm::Intrinsic::fshr, {ir_.getInt64Ty()},
                                           {high, low_half(value), within});
    llvm::Value* is_far = ir_.CreateICmpUGE(distance, ir_.getInt64(64));
    high = ir_.CreateLShr(high, within);
    return joined(ir_.CreateSelect(is_far, ir_.getInt64(0), high),
                  ir_.CreateSelect(is_far, high, low));
  }
  llvm::Value* shifted_up(llvm::Value* value, llvm::Value* distance) {
    llvm::Value* low = low_half(value);
    llvm::Value* within = ir_.CreateAnd(distance, ir_.getInt64(63));
    llvm::Value* high = ir_.CreateIntrinsic(llvm::Intrinsic::fshl, {ir_.getInt64Ty()},
                                            {high_half(value), low, within});
    llvm::Value* is_far = ir_.CreateICmpUGE(distance, ir_.getInt64(64));
    low = ir_.CreateShl(low, within);
    return joined(ir_.CreateSelect(is_far, low, high),
                  ir_.CreateSelect(is_far, ir_.getInt64(0), low));
  }

  void emit_general() {
    const Number a = unpack(magnitude_[0]);
    const Number b = unpack(magnitude_[1]);
    const Number c = unpack(magnitude_[2]);
    const Wide product{ir_.CreateShl(product_of(a.significand, b.significand), kProductShift),
                       ir_.CreateSub(ir_.CreateAdd(a.exponent, b.exponent),
                                     ir_.getInt64(2 * 1075 + kProductShift)),
                       ir_.CreateICmpSLT(ir_.CreateXor(bits_[0], bits_[1]), ir_.getInt64(0))};
    const Wide addend{ir_.CreateShl(widened(c.significand), kAddendShift),
                      ir_.CreateSub(c.exponent, ir_.getInt64(1075 + kAddendShift)),
                      ir_.CreateICmpSLT(bits_[2], ir_.getInt64(0))};
    emit_round(emit_sum(product, addend));
  }

  /// `shifted` down from `value`, and shifted up again `restored`; bit 0 tells of lost bits.
  llvm::Value* keep_loss(llvm::Value* shifted, llvm::Value* restored, llvm::Value* value) {
    llvm::Value* is_lossy = ir_.CreateICmpNE(restored, value);
    return ir_.CreateOr(shifted, ir_.CreateZExt(is_lossy, value->getType()));
  }

  Wide emit_sum(const Wide& x, const Wide& y) {
    llvm::Value* difference = ir_.CreateSub(x.exponent, y.exponent);
    llvm::Value* x_leads = ir_.CreateICmpSGE(difference, ir_.getInt64(0));
    const auto leading = [&](llvm::Value* of_x, llvm::Value* of_y) {
      return ir_.CreateSelect(x_leads, of_x, of_y);
    };
    llvm::Value* distance = ir_.CreateBinaryIntrinsic(
        llvm::Intrinsic::umin, leading(difference, ir_.CreateNeg(difference)), ir_.getInt64(127));
    llvm::Value* large = leading(x.magnitude, y.magnitude);
    llvm::Value* other = leading(y.magnitude, x.magnitude);
    llvm::Value* shifted = shifted_down(other, distance);
    llvm::Value* small = keep_loss(shifted, shifted_up(shifted, distance), other);
    llvm::Value* same_sign = ir_.CreateICmpEQ(x.is_negative, y.is_negative);
    llvm::Value* sum =
        ir_.CreateSelect(same_sign, ir_.CreateAdd(large, small), ir_.CreateSub(large, small));
    llvm::Value* swaps_sign = ir_.CreateICmpSLT(sum, llvm::ConstantInt::get(sum->getType(), 0));
    return {ir_.CreateSelect(swaps_sign, ir_.CreateNeg(sum), sum), leading(x.exponent, y.exponent),
            ir_.CreateXor(leading(x.is_negative, y.is_negative), swaps_sign)};
  }

  /// Rounds to float64, ties to even, and returns it. An exact zero is +0.
  void emit_round(const Wide& sum) {
    llvm::BasicBlock* zero = block("zero");
    llvm::BasicBlock* nonzero = block("nonzero");
    ir_.CreateCondBr(ir_.CreateIsNull(sum.magnitude), zero, nonzero);
    ir_.SetInsertPoint(zero);
    ir_.CreateRet(llvm::ConstantFP::get(ir_.getDoubleTy(), 0));

    ir_.SetInsertPoint(nonzero);
    llvm::Value* zeros = low_half(leading_zeros(sum.magnitude));
    llvm::Value* exponent = ir_.CreateSub(ir_.CreateAdd(sum.exponent, ir_.getInt64(127)), zeros);
    llvm::Value* normal = shifted_up(sum.magnitude, zeros);
    llvm::Value* is_lossy = ir_.CreateICmpNE(low_half(normal), ir_.getInt64(0));
    llvm::Value* top = ir_.CreateOr(high_half(normal), ir_.CreateZExt(is_lossy, ir_.getInt64Ty()));
    llvm::Value* missing = ir_.CreateSub(ir_.getInt64(kSmallestExponent), exponent);
    missing = clamp(missing, 0, 63);
    llvm::Value* shifted = ir_.CreateLShr(top, missing);
    llvm::Value* kept = keep_loss(shifted, ir_.CreateShl(shifted, missing), top);
    llvm::Value* significand = round_off(kept, 63 - kFractionBits);
    llvm::Value* biased =
        ir_.CreateAdd(clamp(exponent, kSmallestExponent, 1024), ir_.getInt64(-kSmallestExponent));
    llvm::Value* bits = ir_.CreateAdd(ir_.CreateShl(biased, kFractionBits), significand);
    bits = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, bits, ir_.getInt64(kInfinityBits));
    llvm::Value* sign =
        ir_.CreateShl(ir_.CreateZExt(sum.is_negative, ir_.getInt64Ty()), ir_.getInt64(63));
    ir_.CreateRet(ir_.CreateBitCast(ir_.CreateOr(bits, sign), ir_.getDoubleTy()));
  }

  llvm::Value* clamp(llvm::Value* value, int low, int high) {
    value = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, value,
                                      ir_.getInt64(static_cast<std::uint64_t>(std::int64_t{low})));
    return ir_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, value,
                                     ir_.getInt64(static_cast<std::uint64_t>(std::int64_t{high})));
  }

  /// Drops the last `count` bits, rounding to nearest, ties to even.
  llvm::Value* round_off(llvm::Value* value, int count) {
    llvm::Value* quotient = ir_.CreateLShr(value, static_cast<std::uint64_t>(count));
    llvm::Value* dropped = ir_.CreateAnd(value, ir_.getInt64((1ull << count) - 1));
    llvm::Value* odd = ir_.CreateAnd(quotient, ir_.getInt64(1));
    // Above one half, or one half and odd: dropped + odd > half.
    llvm::Value* up =
        ir_.CreateICmpUGT(ir_.CreateAdd(dropped, odd), ir_.getInt64(1ull << (count - 1)));
    return ir_.CreateAdd(quotient, ir_.CreateZExt(up, ir_.getInt64Ty()));
  }

  llvm::Function& function_;
  llvm::IRBuilder<> ir_;
  std::array<llvm::Value*, 3> bits_{};
  std::array<llvm::Value*, 3> magnitude_{};
};

}  // namespace

void emit_soft_fma_body(llvm::Function& function) { SoftFma(function).emit(); }

}  // namespace talweg::codegen
