// From a plan to an LLVM module: the functions of an image, with the C interface of runtime/abi.
#pragma once

#include <cstddef>
#include <string>

#include "compiler/codegen/machine.h"
#include "compiler/plan/plan.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::codegen {

/// Names of the functions in the module (and in the object made from it).
inline constexpr const char* kModelScalarsSymbol = "talweg_model_scalars";
inline constexpr const char* kGroupScalarsSymbol = "talweg_group_scalars";
inline constexpr const char* kInitialStatesSymbol = "talweg_initial_states";
inline constexpr const char* kPlaceSymbol = "talweg_place";  // where places_tensors() says so
std::string pass_symbol(std::size_t pass);

/// Adds all functions of `plan` to `module`, whose data layout is set. Nothing in it refers to a
/// symbol outside; no operation has a fast-math flag.
void emit_plan(llvm::Module& module, const plan::Plan& plan, const MachineShape& machine,
               const FloatModes& modes);

/// True for a state whose initial value initial_states() computes: a scalar that is not known
/// before a step.
bool has_scalar_initial(const ir::Graph& graph, const ir::StateInfo& state);

}  // namespace talweg::codegen
