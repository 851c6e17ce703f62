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

}  // namespace

std::string pass_symbol(std::size_t pass) { return "talweg_pass_" + std::to_string(pass); }

bool has_scalar_initial(const ir::Graph& graph, const ir::StateInfo& state) {
  return state.initial.valid() && graph[state.initial].kind != ir::NodeKind::Param &&
         graph[state.initial].rate != types::Rate::Const;
}

void emit_plan(llvm::Module& module, const plan::Plan& plan, const MachineShape& machine,
               const FloatModes& modes) {
  llvm::IRBuilder<> types(module.getContext());
  llvm::Type* pointer = types.getPtrTy();
  llvm::Type* count = types.getInt32Ty();
  HelperFunctions helpers(module, machine);
  emit_model_scalars(*add_covered_function(module, kModelScalarsSymbol, {pointer, pointer}, modes),
                     plan, helpers);
  emit_group_scalars(*add_covered_function(module, kGroupScalarsSymbol, {pointer, pointer}, modes),
                     plan, helpers);
  emit_initial_states(
      *add_covered_function(module, kInitialStatesSymbol, {pointer, pointer}, modes), plan,
      helpers);
  if (ir::places_tensors(plan.graph))
    emit_placement(*add_covered_function(module, kPlaceSymbol, {pointer, pointer}, modes), plan,
                   helpers);
  for (std::size_t i = 0; i < plan.passes.size(); ++i) {
    llvm::Function* body =
        add_covered_function(module, pass_symbol(i), {pointer, pointer, count, count}, modes);
    emit_pass(*body, plan, plan.passes[i], helpers);
  }
}

}  // namespace talweg::codegen
