// From a plan to an LLVM module: the functions of an image, with the C interface of runtime/abi.
#pragma once

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
inline constexpr const char* kPlaceSymbol = "talweg_place";  // where places_tensors() says so
/// Of the kernels of a step, of a view, or of the initial value of a state.
struct KernelSymbols {
  std::string model_scalars, group_scalars;
  std::vector<std::string> passes;
  std::string place;  // of a view whose tensors take several routes; else empty
};
KernelSymbols step_symbols(const plan::Plan& plan);
KernelSymbols view_symbols(const plan::Plan& plan, std::size_t view);
KernelSymbols initial_symbols(const plan::Plan& plan, std::size_t state);  // that has a plan

/// Adds all functions of `plan`, its views and initial values to `module`, whose data layout is
/// set. Nothing in it refers to a symbol outside; no operation has a fast-math flag.
void emit_plan(llvm::Module& module, const plan::Plan& plan, const MachineShape& machine,
               const FloatModes& modes);

}  // namespace talweg::codegen
