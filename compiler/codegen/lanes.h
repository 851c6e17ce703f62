// Values of one shape: a scalar, or a vector with one lane an element. Emission of an operation
// asks Lanes for types and constants, so that scalar programs, vector loops and their tails share
// one emission.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>

#include "compiler/types/compute_type.h"

namespace talweg::codegen {

using types::ComputeType;

class Lanes {
 public:
  Lanes(llvm::IRBuilder<>& builder, std::uint32_t width) : builder_(&builder), width_(width) {}

  [[nodiscard]] llvm::IRBuilder<>& builder() const { return *builder_; }
  [[nodiscard]] std::uint32_t width() const { return width_; }

  /// `element` itself for one lane, else a vector of it.
  [[nodiscard]] llvm::Type* shaped(llvm::Type* element) const;
  [[nodiscard]] llvm::Type* number_type(ComputeType type) const;
  /// Integers as wide as the numbers of `type`.
  [[nodiscard]] llvm::Type* bits_type(ComputeType type) const;
  [[nodiscard]] llvm::Type* truth_type() const { return shaped(builder_->getInt1Ty()); }

  /// The same value in all lanes. `value` is rounded to `type`.
  [[nodiscard]] llvm::Constant* number(ComputeType type, double value) const;
  [[nodiscard]] llvm::Constant* integer(ComputeType type, std::uint64_t value) const;
  [[nodiscard]] llvm::Value* splat(llvm::Value* scalar) const;

  [[nodiscard]] llvm::Value* bits_of(ComputeType type, llvm::Value* number) const;
  [[nodiscard]] llvm::Value* from_bits(ComputeType type, llvm::Value* bits) const;
  [[nodiscard]] llvm::Value* unary(llvm::Intrinsic::ID id, llvm::Value* a) const;
  [[nodiscard]] llvm::Value* abs(llvm::Value* a) const { return unary(llvm::Intrinsic::fabs, a); }

  [[nodiscard]] llvm::Value* lane(llvm::Value* value, std::uint32_t index) const;
  [[nodiscard]] llvm::Value* with_lane(llvm::Value* value, std::uint32_t index,
                                       llvm::Value* part) const;
  /// One truth: all lanes hold.
  [[nodiscard]] llvm::Value* all(llvm::Value* truth) const;

 private:
  llvm::IRBuilder<>* builder_;
  std::uint32_t width_;
};

}  // namespace talweg::codegen
