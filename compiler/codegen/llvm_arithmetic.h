// The float64 machine of compiler/builtins/elementary over LLVM values: running a template with it
// emits the function's operations. Members are those of builtins::DoubleArithmetic, with the same
// meaning, lane by lane.
#pragma once

#include <llvm/IR/Constants.h>
#include <llvm/IR/GlobalVariable.h>

#include <cstdint>

#include "compiler/codegen/helper_functions.h"
#include "compiler/codegen/lanes.h"

namespace talweg::codegen {

class LlvmArithmetic {
 public:
  struct Number {
    llvm::Value* value;
  };
  struct Integer {
    llvm::Value* value;
  };
  struct Truth {
    llvm::Value* value;
  };

  LlvmArithmetic(const Lanes& lanes, HelperFunctions& helpers)
      : lanes_(lanes), helpers_(helpers), ir_(lanes.builder()) {}

  Number number(double value) { return {lanes_.number(ComputeType::F64, value)}; }
  Integer integer(std::uint64_t value) { return {lanes_.integer(ComputeType::F64, value)}; }

  Number add(Number a, Number b) { return {ir_.CreateFAdd(a.value, b.value)}; }
  Number sub(Number a, Number b) { return {ir_.CreateFSub(a.value, b.value)}; }
  Number mul(Number a, Number b) { return {ir_.CreateFMul(a.value, b.value)}; }
  Number div(Number a, Number b) { return {ir_.CreateFDiv(a.value, b.value)}; }
  Number fma(Number a, Number b, Number c) {
    return {helpers_.emit_fma(lanes_, ComputeType::F64, a.value, b.value, c.value)};
  }
  Number sqrt(Number a) { return {lanes_.unary(llvm::Intrinsic::sqrt, a.value)}; }
  Number neg(Number a) { return {ir_.CreateFNeg(a.value)}; }
  Number abs(Number a) { return {lanes_.abs(a.value)}; }
  Number floor(Number a) { return {lanes_.unary(llvm::Intrinsic::floor, a.value)}; }

  Integer bits(Number a) { return {lanes_.bits_of(ComputeType::F64, a.value)}; }
  Number from_bits(Integer a) { return {lanes_.from_bits(ComputeType::F64, a.value)}; }
  Integer add(Integer a, Integer b) { return {ir_.CreateAdd(a.value, b.value)}; }
  Integer sub(Integer a, Integer b) { return {ir_.CreateSub(a.value, b.value)}; }
  Integer mul(Integer a, Integer b) { return {ir_.CreateMul(a.value, b.value)}; }
  Integer bit_and(Integer a, Integer b) { return {ir_.CreateAnd(a.value, b.value)}; }
  Integer bit_or(Integer a, Integer b) { return {ir_.CreateOr(a.value, b.value)}; }
  Integer bit_xor(Integer a, Integer b) { return {ir_.CreateXor(a.value, b.value)}; }
  Integer shift_left(Integer a, int count) { return shift_left(a, constant_count(count)); }
  Integer shift_right(Integer a, int count) { return shift_right(a, constant_count(count)); }
  Integer shift_left(Integer a, Integer count) { return {ir_.CreateShl(a.value, count.value)}; }
  Integer shift_right(Integer a, Integer count) { return {ir_.CreateLShr(a.value, count.value)}; }

  Truth lt(Number a, Number b) { return {ir_.CreateFCmpOLT(a.value, b.value)}; }
  Truth le(Number a, Number b) { return {ir_.CreateFCmpOLE(a.value, b.value)}; }
  Truth eq(Number a, Number b) { return {ir_.CreateFCmpOEQ(a.value, b.value)}; }
  Truth ne(Number a, Number b) { return {ir_.CreateFCmpUNE(a.value, b.value)}; }
  Truth eq(Integer a, Integer b) { return {ir_.CreateICmpEQ(a.value, b.value)}; }
  Truth lt(Integer a, Integer b) { return {ir_.CreateICmpULT(a.value, b.value)}; }
  Truth both(Truth a, Truth b) { return {ir_.CreateAnd(a.value, b.value)}; }
  Truth either(Truth a, Truth b) { return {ir_.CreateOr(a.value, b.value)}; }
  Truth negate(Truth a) { return {ir_.CreateNot(a.value)}; }

  Number select(Truth c, Number a, Number b) {
    return {ir_.CreateSelect(c.value, a.value, b.value)};
  }
  Integer select(Truth c, Integer a, Integer b) {
    return {ir_.CreateSelect(c.value, a.value, b.value)};
  }

  template <std::size_t N>
  Integer lookup(const std::uint64_t (&table)[N], Integer index) {
    return {emit_lookup(llvm::ArrayRef<std::uint64_t>(table, N), index.value)};
  }

 private:
  Integer constant_count(int count) { return integer(static_cast<std::uint64_t>(count)); }
  llvm::Value* emit_lookup(llvm::ArrayRef<std::uint64_t> table, llvm::Value* index);

  Lanes lanes_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<>& ir_;
};

}  // namespace talweg::codegen
