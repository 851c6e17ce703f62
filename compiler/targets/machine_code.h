// LLVM's code generator behind two functions: its headers are slow to compile, and every target
// needs the same of it.
#pragma once

#include <string>

#include "compiler/targets/target.h"

namespace talweg::targets {

/// What LLVM calls the machine.
struct Processor {
  std::string triple;
  std::string name;      // "x86-64-v3": decides features and scheduling
  std::string features;  // besides those: "+simd128"
};

void prepare_module(llvm::Module& module, const Processor& processor);
std::string generate_code(llvm::Module& module, const Processor& processor, CodeKind kind);

}  // namespace talweg::targets
