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
  KernelSymbols result;
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Phase& phase = plan.phases[i];
    // The first phase also says which inputs the step reads.
    const bool asks_inputs = i == 0 && !plan.graph.inputs.empty();
    const auto name = [&](bool is_there, const char* what) {
      return is_there ? prefix + what + "_" + std::to_string(i) : std::string();
    };
    result.phases.push_back(
        {.model_scalars = name(!phase.model.is_empty() || asks_inputs, "model_scalars"),
         .group_scalars = name(!phase.group.is_empty() || asks_inputs, "group_scalars"),
         .tensor_scalars = name(!phase.tensor.is_empty(), "tensor_scalars"),
         .pass = name(phase.pass.has_value(), "pass")});
  }
  return result;
}

/// The functions that run over all tensors.
void emit_kernels(llvm::Module& module, const plan::Plan& plan, const KernelSymbols& symbols,
                  const FloatModes& modes, HelperFunctions& helpers) {
  llvm::IRBuilder<> types(module.getContext());
  llvm::Type* pointer = types.getPtrTy();
  llvm::Type* count = types.getInt32Ty();
  const auto add = [&](const std::string& name, llvm::ArrayRef<llvm::Type*> parameters,
                       const auto& emit_body) {
    if (!name.empty()) emit_body(*add_covered_function(module, name, parameters, modes));
  };
  for (std::uint32_t i = 0; i < plan.phases.size(); ++i) {
    const PhaseSymbols& phase = symbols.phases[i];
    add(phase.model_scalars, {pointer, pointer},
        [&](llvm::Function& function) { emit_model_scalars(function, plan, i, helpers); });
    add(phase.group_scalars, {pointer, pointer},
        [&](llvm::Function& function) { emit_group_scalars(function, plan, i, helpers); });
    add(phase.tensor_scalars, {pointer, pointer, count, count},
        [&](llvm::Function& function) { emit_tensor_scalars(function, plan, i, helpers); });
    add(phase.pass, {pointer, pointer, count, count}, [&](llvm::Function& function) {
      emit_pass(function, plan, *plan.phases[i].pass, helpers);
    });
  }
  add(symbols.place, {pointer, pointer},
      [&](llvm::Function& function) { emit_placement(function, plan, helpers); });
}

}  // namespace

KernelSymbols step_symbols(const plan::Plan& plan) {
  KernelSymbols result = symbols(plan, "talweg_");
  if (ir::places_tensors(plan.graph)) result.place = "talweg_place";
  return result;
}

KernelSymbols view_symbols(const plan::Plan& plan, std::size_t view) {
  const std::string prefix = "talweg_view_" + std::to_string(view) + "_";
  KernelSymbols result = symbols(plan.views[view], prefix);
  if (plan.views[view].routes.size() > 1) result.place = prefix + "place";
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
  for (std::size_t i = 0; i < plan.views.size(); ++i)
    emit_kernels(module, plan.views[i], view_symbols(plan, i), modes, helpers);
  for (std::size_t i = 0; i < plan.initials.size(); ++i)
    if (plan.initials[i])
      emit_kernels(module, *plan.initials[i], initial_symbols(plan, i), modes, helpers);
}

}  // namespace talweg::codegen
