// Types and constants of one shape; see lanes.h.
#include "compiler/codegen/lanes.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/DerivedTypes.h>

namespace talweg::codegen {

llvm::Type* Lanes::shaped(llvm::Type* element) const {
  return width_ == 1 ? element : llvm::FixedVectorType::get(element, width_);
}

llvm::Type* Lanes::number_type(ComputeType type) const {
  return shaped(type == ComputeType::F32 ? builder_->getFloatTy() : builder_->getDoubleTy());
}

llvm::Type* Lanes::bits_type(ComputeType type) const {
  return shaped(type == ComputeType::F32 ? builder_->getInt32Ty() : builder_->getInt64Ty());
}

llvm::Constant* Lanes::number(ComputeType type, double value) const {
  return llvm::ConstantFP::get(number_type(type), value);
}

llvm::Constant* Lanes::integer(ComputeType type, std::uint64_t value) const {
  return llvm::ConstantInt::get(bits_type(type), value);
}

llvm::Value* Lanes::splat(llvm::Value* scalar) const {
  return width_ == 1 ? scalar : builder_->CreateVectorSplat(width_, scalar);
}

llvm::Value* Lanes::bits_of(ComputeType type, llvm::Value* number) const {
  return builder_->CreateBitCast(number, bits_type(type));
}

llvm::Value* Lanes::from_bits(ComputeType type, llvm::Value* bits) const {
  return builder_->CreateBitCast(bits, number_type(type));
}

llvm::Value* Lanes::unary(llvm::Intrinsic::ID id, llvm::Value* a) const {
  return builder_->CreateUnaryIntrinsic(id, a);
}

llvm::Value* Lanes::lane(llvm::Value* value, std::uint32_t index) const {
  return width_ == 1 ? value : builder_->CreateExtractElement(value, index);
}

llvm::Value* Lanes::with_lane(llvm::Value* value, std::uint32_t index, llvm::Value* part) const {
  return width_ == 1 ? part : builder_->CreateInsertElement(value, part, index);
}

llvm::Value* Lanes::all(llvm::Value* truth) const {
  return width_ == 1 ? truth : builder_->CreateAndReduce(truth);
}

}  // namespace talweg::codegen
