// A plan as LLVM's text, as assembly, or as an object.
#pragma once

#include <string>

#include "compiler/plan/plan.h"
#include "compiler/targets/target.h"
#include "runtime/support/result.h"

namespace talweg::driver {

/// An ISA of CompileOptions; Usage failure if it is unknown or this machine cannot run it.
support::Result<const targets::Target*> choose_target(const std::string& isa);

std::string generate(const plan::Plan& plan, const targets::Target& target, targets::CodeKind kind);
/// Prepares the module for a target, and fills it with a plan's code.
void fill_module(llvm::Module& module, const plan::Plan& plan, const targets::Target& target);
std::string generate_llvm_text(const plan::Plan& plan, const targets::Target& target);

}  // namespace talweg::driver
