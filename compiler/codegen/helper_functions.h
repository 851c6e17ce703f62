// Internal functions that emitted code calls: elementary functions, and fma where the machine has
// none. Each is emitted once a module for each vector width it is used at; so the object needs no
// library.
#pragma once

#include <llvm/IR/Module.h>

#include <cstdint>
#include <string>

#include "compiler/builtins/op.h"
#include "compiler/codegen/lanes.h"
#include "compiler/codegen/machine.h"

namespace talweg::codegen {

class HelperFunctions {
 public:
  HelperFunctions(llvm::Module& module, const MachineShape& machine)
      : module_(&module), machine_(&machine) {}

  [[nodiscard]] llvm::Module& module() const { return *module_; }
  [[nodiscard]] const MachineShape& machine() const { return *machine_; }

  /// a * b + c, rounded once.
  llvm::Value* emit_fma(const Lanes& lanes, ComputeType type, llvm::Value* a, llvm::Value* b,
                        llvm::Value* c);
  /// An elementary function (Mod, or Rsqrt and what follows it in Op) of numbers of `type`:
  /// computed in float64, rounded to `type`.
  llvm::Value* emit_elementary(const Lanes& lanes, ComputeType type, builtins::Op op,
                               llvm::ArrayRef<llvm::Value*> operands);

 private:
  llvm::Function* elementary(builtins::Op op, std::uint32_t width);
  llvm::Function* fma64(std::uint32_t width);
  llvm::Value* emit_wide_elementary(const Lanes& lanes, builtins::Op op,
                                    llvm::ArrayRef<llvm::Value*> operands);

  llvm::Module* module_;
  const MachineShape* machine_;
};

/// A function of this module that nothing outside sees and that is never inlined, with an empty
/// body.
llvm::Function* add_internal_function(llvm::Module& module, const std::string& name,
                                      llvm::Type* result, llvm::ArrayRef<llvm::Type*> parameters);

}  // namespace talweg::codegen
