// The choice between the loop versions of a pass, once a chunk or row block: the route of its
// tensor, then the first version whose assumptions hold.
#pragma once

#include "compiler/codegen/pass_tables.h"

namespace talweg::codegen {

/// Emits `emit_loop(version)` for each version where it is the one to run, then a branch to `next`.
/// The builder is left in a block that is never reached.
template <class EmitLoop>
class VersionChoice {
 public:
  VersionChoice(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                HelperFunctions& helpers, const ScalarSources& sources, EmitLoop emit_loop)
      : ir_(ir),
        plan_(plan),
        pass_(pass),
        helpers_(helpers),
        sources_(sources),
        emit_loop_(emit_loop) {}

  /// `route`: i32, of the tensor.
  void emit(llvm::Value* route, llvm::BasicBlock* next) {
    llvm::BasicBlock* none = block("none");
    llvm::SwitchInst* choice =
        ir_.CreateSwitch(route, none, static_cast<unsigned>(plan_.routes.size()));
    for (std::uint32_t i = 0; i < plan_.routes.size(); ++i) {
      llvm::BasicBlock* start = block("route");
      choice->addCase(ir_.getInt32(i), start);
      ir_.SetInsertPoint(start);
      emit_route(i, next);
      ir_.CreateUnreachable();
    }
    ir_.SetInsertPoint(none);
    ir_.CreateUnreachable();
    ir_.SetInsertPoint(block("after"));
  }

  /// Where there is one route.
  void emit_route(std::uint32_t route, llvm::BasicBlock* next) {
    for (const plan::LoopVersion& version : pass_.versions)
      if (version.route == route) emit_version(version, next);
  }

 private:
  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(ir_.getContext(), name, ir_.GetInsertBlock()->getParent());
  }

  /// If the version's assumptions hold, its loop and then `next`; the builder is left where they do
  /// not.
  void emit_version(const plan::LoopVersion& version, llvm::BasicBlock* next) {
    llvm::BasicBlock* otherwise = block("otherwise");
    if (!version.assumptions.empty()) {
      ScalarScope scope(plan_, {Lanes(ir_, 1), plan_.compute, &helpers_}, sources_);
      llvm::Value* holds = nullptr;
      for (const plan::Assumption& assumption : version.assumptions) {
        llvm::Value* condition = scope.value(assumption.condition);
        if (!assumption.holds) condition = ir_.CreateNot(condition);
        holds = holds == nullptr ? condition : ir_.CreateAnd(holds, condition);
      }
      llvm::BasicBlock* chosen = block("version");
      ir_.CreateCondBr(holds, chosen, otherwise);
      ir_.SetInsertPoint(chosen);
    }
    emit_loop_(version);
    ir_.CreateBr(next);
    ir_.SetInsertPoint(otherwise);
  }

  llvm::IRBuilder<>& ir_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  HelperFunctions& helpers_;
  const ScalarSources& sources_;
  EmitLoop emit_loop_;
};

}  // namespace talweg::codegen
