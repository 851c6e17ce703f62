// The parts that scalar programs of every level share: computing their nodes, filling slots, states
// and partial results.
#pragma once

#include "compiler/codegen/scalar_scope.h"

namespace talweg::codegen {

/// Where a program is emitted.
struct Setting {
  const plan::Plan& plan;
  llvm::IRBuilder<>& ir;
  llvm::Value* args;  // a talweg_scalar_args
  ScalarScope& scope;
};

/// Computes everything that the program leaves; what is read may lie where it is stored afterwards.
void compute_program(const Setting& setting, const plan::ScalarProgram& program);
/// Fills the slots of one model, group, tensor or matrix.
void store_slots(const Setting& setting, const plan::ScalarProgram& program,
                 const std::vector<ir::NodeId>& slots_of_level, llvm::Value* slots);
void store_states(const Setting& setting, const plan::ScalarProgram& program,
                  llvm::Value* new_states);
/// What reductions fold of this group, tensor or matrix: a value, or the product of two.
llvm::Value* partial_value(const Setting& setting, const plan::Partial& partial);

}  // namespace talweg::codegen
