// Emission and reuse of internal functions; see helper_functions.h.
#include "compiler/codegen/helper_functions.h"

#include <algorithm>
#include <vector>

#include "compiler/builtins/op.h"
#include "compiler/codegen/elementary_functions.h"
#include "compiler/codegen/exact_fma.h"

namespace talweg::codegen {

namespace {

/// `values` of `lanes`, cut into parts of `width` lanes.
llvm::Value* part_of(const Lanes& lanes, llvm::Value* value, std::uint32_t first,
                     std::uint32_t width) {
  if (lanes.width() == width) return value;
  if (width == 1) return lanes.lane(value, first);
  llvm::SmallVector<int, 16> mask;
  for (std::uint32_t i = 0; i < width; ++i) mask.push_back(static_cast<int>(first + i));
  return lanes.builder().CreateShuffleVector(value, mask);
}

/// Two numbers, or vectors of equal width, one after the other.
llvm::Value* joined(llvm::IRBuilder<>& ir, llvm::Value* low, llvm::Value* high) {
  if (!low->getType()->isVectorTy()) {
    llvm::Type* pair = llvm::FixedVectorType::get(low->getType(), 2);
    low = ir.CreateInsertElement(llvm::PoisonValue::get(pair), low, std::uint64_t{0});
    return ir.CreateInsertElement(low, high, std::uint64_t{1});
  }
  const auto* type = llvm::cast<llvm::FixedVectorType>(low->getType());
  llvm::SmallVector<int, 16> mask;
  for (unsigned i = 0; i < 2 * type->getNumElements(); ++i) mask.push_back(static_cast<int>(i));
  return ir.CreateShuffleVector(low, high, mask);
}

}  // namespace

llvm::Function* add_internal_function(llvm::Module& module, const std::string& name,
                                      llvm::Type* result, llvm::ArrayRef<llvm::Type*> parameters) {
  auto* type = llvm::FunctionType::get(result, parameters, false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::NoInline);
  return function;
}

llvm::Value* HelperFunctions::emit_fma(const Lanes& lanes, ComputeType type, llvm::Value* a,
                                       llvm::Value* b, llvm::Value* c) {
  llvm::IRBuilder<>& ir = lanes.builder();
  if (machine_->has_fma)
    return ir.CreateIntrinsic(llvm::Intrinsic::fma, {lanes.number_type(type)}, {a, b, c});
  if (type == ComputeType::F32) return emit_fma_f32(lanes, a, b, c);
  return ir.CreateCall(fma64(lanes.width()), {a, b, c});
}

llvm::Function* HelperFunctions::fma64(std::uint32_t width) {
  const std::string name = "talweg.fma.f64x" + std::to_string(width);
  if (llvm::Function* known = module_->getFunction(name)) return known;
  llvm::IRBuilder<> types(module_->getContext());
  llvm::Type* number = Lanes(types, width).number_type(ComputeType::F64);
  llvm::Type* scalar = types.getDoubleTy();

  llvm::Function* soft = module_->getFunction("talweg.fma.soft");
  if (soft == nullptr) {
    soft = add_internal_function(*module_, "talweg.fma.soft", scalar, {scalar, scalar, scalar});
    emit_soft_fma_body(*soft);
  }
  llvm::Function* function =
      add_internal_function(*module_, name, number, {number, number, number});
  emit_fma_f64_body(*function, width, *soft);
  return function;
}

llvm::Function* HelperFunctions::elementary(builtins::Op op, std::uint32_t width) {
  const std::string name =
      "talweg." + std::string(builtins::info(op).name) + ".f64x" + std::to_string(width);
  if (llvm::Function* known = module_->getFunction(name)) return known;
  llvm::IRBuilder<> types(module_->getContext());
  llvm::Type* number = Lanes(types, width).number_type(ComputeType::F64);
  const llvm::SmallVector<llvm::Type*, 2> parameters(
      static_cast<unsigned>(builtins::info(op).arity), number);
  llvm::Function* function = add_internal_function(*module_, name, number, parameters);
  emit_elementary_body(*function, op, width, *this);
  return function;
}

llvm::Value* HelperFunctions::emit_elementary(const Lanes& lanes, ComputeType type, builtins::Op op,
                                              llvm::ArrayRef<llvm::Value*> operands) {
  if (type == ComputeType::F64) return emit_wide_elementary(lanes, op, operands);
  llvm::IRBuilder<>& ir = lanes.builder();
  llvm::SmallVector<llvm::Value*, 2> widened;
  for (llvm::Value* operand : operands)
    widened.push_back(ir.CreateFPExt(operand, lanes.number_type(ComputeType::F64)));
  return ir.CreateFPTrunc(emit_wide_elementary(lanes, op, widened), lanes.number_type(type));
}

llvm::Value* HelperFunctions::emit_wide_elementary(const Lanes& lanes, builtins::Op op,
                                                   llvm::ArrayRef<llvm::Value*> operands) {
  llvm::IRBuilder<>& ir = lanes.builder();
  const std::uint32_t width = std::min(lanes.width(), machine_->lanes(ComputeType::F64));
  std::vector<llvm::Value*> parts;
  for (std::uint32_t first = 0; first < lanes.width(); first += width) {
    llvm::SmallVector<llvm::Value*, 2> arguments;
    for (llvm::Value* operand : operands)
      arguments.push_back(part_of(lanes, operand, first, width));
    parts.push_back(ir.CreateCall(elementary(op, width), arguments));
  }
  for (std::size_t count = parts.size(); count > 1; count /= 2)
    for (std::size_t i = 0; i < count / 2; ++i)
      parts[i] = joined(ir, parts[2 * i], parts[2 * i + 1]);
  return parts.front();
}

}  // namespace talweg::codegen
