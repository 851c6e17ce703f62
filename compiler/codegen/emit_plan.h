// From a plan to an LLVM module: the functions of an image, with the C interface of runtime/abi.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "compiler/codegen/machine.h"
#include "compiler/plan/plan.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::codegen {

/// Names of the functions in the module (and in the object made from it).
inline constexpr const char* kInitialStatesSymbol = "talweg_initial_states";
/// The functions of one phase; empty where it has nothing to do.
struct PhaseSymbols {
  std::array<std::string, plan::kLevels> levels;  // scalar code
  std::string lines, pass;
};
/// Of the kernels of a step, of a view, or of the initial value of a state.
struct KernelSymbols {
  std::vector<PhaseSymbols> phases;
  std::string place;  // where tensors differ; else empty
};
KernelSymbols step_symbols(const plan::Plan& plan);
KernelSymbols view_symbols(const plan::Plan& plan, std::size_t view);
KernelSymbols initial_symbols(const plan::Plan& plan, std::size_t state);  // that has a plan

/// Adds all functions of `plan`, its views and initial values to `module`, whose data layout is
/// set. Nothing in it refers to a symbol outside; no operation has a fast-math flag.
void emit_plan(llvm::Module& module, const plan::Plan& plan, const MachineShape& machine,
               const FloatModes& modes);

}  // namespace talweg::codegen
