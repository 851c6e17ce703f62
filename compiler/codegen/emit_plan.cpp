// The functions of an image; see emit_plan.h.
//
// What is called from outside is a cover: it sets the floating-point modes, calls a body that is
// not inlined (so that no operation can move across the change of modes), and restores them.
#include "compiler/codegen/emit_plan.h"

#include <llvm/IR/Module.h>

#include "compiler/codegen/helper_functions.h"
#include "compiler/codegen/level_functions.h"
#include "compiler/codegen/line_pass.h"
#include "compiler/codegen/pass_function.h"
#include "compiler/codegen/scalar_functions.h"
#include "compiler/ir/phases.h"

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

constexpr const char* kLevelNames[plan::kLevels] = {"model",  "group", "tensor",
                                                    "matrix", "row",   "col"};

KernelSymbols symbols(const plan::Plan& plan, const std::string& prefix) {
  KernelSymbols result;
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Phase& phase = plan.phases[i];
    const std::string number = "_" + std::to_string(i);
    PhaseSymbols& symbols = result.phases.emplace_back();
    for (std::size_t level = 0; level < plan::kLevels; ++level) {
      // The first phase also says which inputs the step reads.
      const bool asks_inputs = i == 0 && level <= std::size_t{1} && !plan.graph.inputs.empty();
      if (!phase.programs[level].is_empty() || asks_inputs)
        symbols.levels[level] = prefix + kLevelNames[level] + "_scalars" + number;
    }
    if (phase.lines) symbols.lines = prefix + "lines" + number;
    if (phase.pass) symbols.pass = prefix + "pass" + number;
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
    const llvm::SmallVector<llvm::Type*, 4> of_range = {pointer, pointer, count, count};
    for (std::size_t number = 0; number < plan::kLevels; ++number) {
      const auto level = static_cast<plan::Level>(number);
      const bool is_range = level >= plan::Level::Tensor;
      add(phase.levels[number],
          is_range ? llvm::ArrayRef<llvm::Type*>(of_range)
                   : llvm::ArrayRef<llvm::Type*>(of_range).take_front(2),
          [&](llvm::Function& function) {
            if (level == plan::Level::Model)
              emit_model_scalars(function, plan, i, helpers);
            else if (level == plan::Level::Group)
              emit_group_scalars(function, plan, i, helpers);
            else
              emit_level_function(function, plan, level, i, helpers);
          });
    }
    add(phase.lines, of_range, [&](llvm::Function& function) {
      emit_line_pass(function, plan, *plan.phases[i].lines, helpers);
    });
    add(phase.pass, of_range, [&](llvm::Function& function) {
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

namespace {

/// Of what runs beside steps.
KernelSymbols value_symbols(const plan::Plan& plan, const std::string& prefix) {
  KernelSymbols result = symbols(plan, prefix);
  const bool differs = !ir::find_domains(plan.graph).empty();
  if (differs || plan.routes.size() > 1) result.place = prefix + "place";
  return result;
}

}  // namespace

KernelSymbols view_symbols(const plan::Plan& plan, std::size_t view) {
  return value_symbols(plan.views[view], "talweg_view_" + std::to_string(view) + "_");
}

KernelSymbols initial_symbols(const plan::Plan& plan, std::size_t state) {
  return value_symbols(*plan.initials[state], "talweg_initial_" + std::to_string(state) + "_");
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
