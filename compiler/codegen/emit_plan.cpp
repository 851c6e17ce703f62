// The functions of an image; see emit_plan.h.
//
// What is called from outside is a cover: it sets the floating-point modes, calls a body that is
// not inlined (so that no operation can move across the change of modes), and restores them.
#include "compiler/codegen/emit_plan.h"

#include <llvm/IR/Module.h>

#include "compiler/codegen/helper_functions.h"
#include "compiler/codegen/pass_function.h"
#include "compiler/codegen/scalar_functions.h"

namespace talweg::codegen {

namespace {

llvm::Function* add_covered_function(llvm::Module& module, const std::string& name,
                                     llvm::ArrayRef<llvm::Type*> parameters,
                                     const FloatModes& modes) {
  llvm::IRBuilder<> ir(module.getContext());
  llvm::Function* body = add_internal_function(module, name + ".body", ir.getVoidTy(), parameters);
  auto* cover = llvm::Function::Create(body->getFunctionType(), llvm::GlobalValue::ExternalLinkage,
                                       name, module);
  cover->addFnAttr(llvm::Attribute::NoUnwind);
  ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", cover));
  llvm::Value* saved = modes.emit_enter(ir);
  llvm::SmallVector<llvm::Value*, 4> arguments;
  for (llvm::Argument& argument : cover->args()) arguments.push_back(&argument);
  ir.CreateCall(body, arguments);
  modes.emit_leave(ir, saved);
  ir.CreateRetVoid();
  return body;
}

KernelSymbols symbols(const plan::Plan& plan, const std::string& prefix) {
  KernelSymbols result{prefix + "model_scalars", prefix + "group_scalars", {}, {}};
  for (std::size_t i = 0; i < plan.passes.size(); ++i)
    result.passes.push_back(prefix + "pass_" + std::to_string(i));
  return result;
}

/// The functions that run over all tensors: scalars, then passes.
void emit_kernels(llvm::Module& module, const plan::Plan& plan, const KernelSymbols& symbols,
                  const FloatModes& modes, HelperFunctions& helpers) {
  llvm::IRBuilder<> types(module.getContext());
  llvm::Type* pointer = types.getPtrTy();
  llvm::Type* count = types.getInt32Ty();
  emit_model_scalars(
      *add_covered_function(module, symbols.model_scalars, {pointer, pointer}, modes), plan,
      helpers);
  emit_group_scalars(
      *add_covered_function(module, symbols.group_scalars, {pointer, pointer}, modes), plan,
      helpers);
  for (std::size_t i = 0; i < plan.passes.size(); ++i) {
    llvm::Function* body =
        add_covered_function(module, symbols.passes[i], {pointer, pointer, count, count}, modes);
    emit_pass(*body, plan, plan.passes[i], helpers);
  }
  if (!symbols.place.empty())
    emit_placement(*add_covered_function(module, symbols.place, {pointer, pointer}, modes), plan,
                   helpers);
}

}  // namespace

KernelSymbols step_symbols(const plan::Plan& plan) { return symbols(plan, "talweg_"); }

KernelSymbols view_symbols(const plan::Plan& plan, std::size_t view) {
  const std::string prefix = "talweg_view_" + std::to_string(view) + "_";
  KernelSymbols result = symbols(plan.views[view], prefix);
  if (plan.views[view].passes.front().routes.size() > 1) result.place = prefix + "place";
  return result;
}

KernelSymbols initial_symbols(const plan::Plan& plan, std::size_t state) {
  return symbols(*plan.initials[state], "talweg_initial_" + std::to_string(state) + "_");
}

void emit_plan(llvm::Module& module, const plan::Plan& plan, const MachineShape& machine,
               const FloatModes& modes) {
  llvm::Type* pointer = llvm::PointerType::getUnqual(module.getContext());
  HelperFunctions helpers(module, machine);
  emit_kernels(module, plan, step_symbols(plan), modes, helpers);
  emit_initial_states(
      *add_covered_function(module, kInitialStatesSymbol, {pointer, pointer}, modes), plan,
      helpers);
  if (ir::places_tensors(plan.graph))
    emit_placement(*add_covered_function(module, kPlaceSymbol, {pointer, pointer}, modes), plan,
                   helpers);
  for (std::size_t i = 0; i < plan.views.size(); ++i)
    emit_kernels(module, plan.views[i], view_symbols(plan, i), modes, helpers);
  for (std::size_t i = 0; i < plan.initials.size(); ++i)
    if (plan.initials[i])
      emit_kernels(module, *plan.initials[i], initial_symbols(plan, i), modes, helpers);
}

}  // namespace talweg::codegen
