// The functions of an image; see emit_plan.h.
//
// What is called from outside is a cover: it sets the floating-point modes, calls a body that is
// not inlined (so that no operation can move across the change of modes), and restores them. On a
// GPU it is a kernel, whose threads call the body for one row each.
#include "compiler/codegen/emit_plan.h"

#include <llvm/IR/Module.h>

#include "compiler/codegen/gpu_kernel.h"
#include "compiler/codegen/gpu_lines.h"
#include "compiler/codegen/gpu_pass.h"
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

/// Bodies of functions, and what is around them on the machine that is emitted for.
class Functions {
 public:
  Functions(llvm::Module& module, const plan::Plan& plan, const MachineShape& machine,
            const FloatModes& modes, HelperFunctions& helpers)
      : module_(module), plan_(plan), is_gpu_(machine.is_gpu), modes_(modes), helpers_(helpers) {}

  /// Where a function's rows or ranges are emitted: (self, args) or (self, args, begin, end).
  llvm::Function& add(const std::string& name, FunctionReach reach) {
    if (is_gpu_) return *add_gpu_function(module_, name, reach);
    llvm::IRBuilder<> types(module_.getContext());
    llvm::SmallVector<llvm::Type*, 4> parameters = {types.getPtrTy(), types.getPtrTy()};
    if (reach == FunctionReach::Range) parameters.append(2, types.getInt32Ty());
    return *add_covered_function(module_, name, parameters, modes_);
  }

  void add_level(const std::string& name, plan::Level level, std::uint32_t phase) {
    if (name.empty()) return;
    switch (level) {
      case plan::Level::Model:
        return emit_model_scalars(add(name, FunctionReach::Row), plan_, phase, helpers_);
      case plan::Level::Group:
        return emit_group_scalars(add(name, FunctionReach::Row), plan_, phase, helpers_);
      case plan::Level::Tensor:
      case plan::Level::Matrix:
      case plan::Level::Row:
      case plan::Level::Col:
        return emit_level_function(add(name, FunctionReach::Range), plan_, level, phase, helpers_);
    }
  }

  void add_lines(const std::string& name, const plan::ElementPass& lines) {
    if (is_gpu_) {
      llvm::Function* kernel = add_gpu_kernel(module_, name);
      emit_gpu_lines(*kernel, plan_, lines, helpers_);
      return keep_in_registers(*kernel);
    }
    emit_line_pass(add(name, FunctionReach::Range), plan_, lines, helpers_);
  }

  void add_pass(const std::string& name, const plan::ElementPass& pass) {
    if (is_gpu_) {
      llvm::Function* kernel = add_gpu_kernel(module_, name);
      emit_gpu_pass(*kernel, plan_, pass, helpers_);
      return keep_in_registers(*kernel);
    }
    emit_pass(add(name, FunctionReach::Range), plan_, pass, helpers_);
  }

  /// The functions that run over all tensors.
  void add_kernels(const KernelSymbols& symbols) {
    for (std::uint32_t i = 0; i < plan_.phases.size(); ++i) {
      const PhaseSymbols& phase = symbols.phases[i];
      for (std::size_t level = 0; level < plan::kLevels; ++level)
        add_level(phase.levels[level], static_cast<plan::Level>(level), i);
      if (!phase.lines.empty()) add_lines(phase.lines, *plan_.phases[i].lines);
      if (!phase.pass.empty()) add_pass(phase.pass, *plan_.phases[i].pass);
    }
    // Tensors are placed where the optimizer is built, which is not on a GPU.
    if (!symbols.place.empty() && !is_gpu_)
      emit_placement(add(symbols.place, FunctionReach::Row), plan_, helpers_);
  }

  void add_initial_states() {
    emit_initial_states(add(kInitialStatesSymbol, FunctionReach::Row), plan_, helpers_);
  }

 private:
  llvm::Module& module_;
  const plan::Plan& plan_;
  const bool is_gpu_;
  const FloatModes& modes_;
  HelperFunctions& helpers_;
};

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
  HelperFunctions helpers(module, machine);
  Functions functions(module, plan, machine, modes, helpers);
  functions.add_kernels(step_symbols(plan));
  functions.add_initial_states();
  for (std::size_t i = 0; i < plan.views.size(); ++i)
    Functions(module, plan.views[i], machine, modes, helpers).add_kernels(view_symbols(plan, i));
  for (std::size_t i = 0; i < plan.initials.size(); ++i)
    if (plan.initials[i])
      Functions(module, *plan.initials[i], machine, modes, helpers)
          .add_kernels(initial_symbols(plan, i));
}

}  // namespace talweg::codegen
