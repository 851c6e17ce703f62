// Machines whose arithmetic has no modes: IEEE 754 with subnormals and round to nearest.
#pragma once

#include "compiler/codegen/machine.h"

namespace talweg::targets {

class OnlyModes final : public codegen::FloatModes {
 public:
  llvm::Value* emit_enter(llvm::IRBuilderBase&) const override { return nullptr; }
  void emit_leave(llvm::IRBuilderBase&, llvm::Value*) const override {}
};

}  // namespace talweg::targets
