#include "tests/gpu/simulator/hooks.h"

#include <llvm/IR/Module.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace talweg::gpu::simulator {

namespace {

// Called on the stacks of fibers, by code that nothing can be thrown through.
extern "C" {

void talweg_simulator_access(Block* block, const void* address, std::uint64_t bytes, Site site) {
  block->access(address, bytes, site);
}

void talweg_simulator_barrier(Block* block, std::uint32_t barrier, std::uint32_t count,
                              std::uint32_t is_aligned, Site site) {
  block->wait_at_barrier(barrier, count, is_aligned != 0, site);
}

std::uint64_t talweg_simulator_in_warp(Block* block, std::uint32_t operation, std::uint32_t mask,
                                       std::uint64_t value, std::uint32_t b, std::uint32_t c,
                                       Site site) {
  return block->in_warp(static_cast<WarpOperation>(operation), mask, {value, b, c}, site);
}

std::uint32_t talweg_simulator_space_of(Block* block, const void* address) {
  return block->space_of(address);
}

void talweg_simulator_trap(Block* block, Site site) { block->stop("reaches a trap", site); }
}

float fma_of_float(float a, float b, float c) { return std::fma(a, b, c); }
double fma_of_double(double a, double b, double c) { return std::fma(a, b, c); }

template <class Function>
void* address_of(Function* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

std::span<const HostSymbol> host_symbols() {
  // Below the hooks: what code generation calls by itself. fma is only called where the processor
  // has none; the C library's is correctly rounded.
  static const std::array<HostSymbol, 10> symbols{{
      {"talweg_simulator_access", address_of(&talweg_simulator_access)},
      {"talweg_simulator_barrier", address_of(&talweg_simulator_barrier)},
      {"talweg_simulator_in_warp", address_of(&talweg_simulator_in_warp)},
      {"talweg_simulator_space_of", address_of(&talweg_simulator_space_of)},
      {"talweg_simulator_trap", address_of(&talweg_simulator_trap)},
      {"fmaf", address_of(&fma_of_float)},
      {"fma", address_of(&fma_of_double)},
      {"memcpy", address_of(&std::memcpy)},
      {"memmove", address_of(&std::memmove)},
      {"memset", address_of(&std::memset)},
  }};
  return symbols;
}

Hooks::Hooks(llvm::Module& module, Block& block) : module_(module) {
  llvm::LLVMContext& context = module.getContext();
  const auto constant = [&](const void* address) {
    return llvm::ConstantExpr::getIntToPtr(
        llvm::ConstantInt::get(llvm::Type::getInt64Ty(context),
                               reinterpret_cast<std::uintptr_t>(address)),
        llvm::PointerType::get(context, 0));
  };
  block_ = constant(&block);
  current_ = constant(block.current());
}

llvm::CallInst* Hooks::call(llvm::IRBuilderBase& ir, const char* name, llvm::Type* result,
                            llvm::ArrayRef<llvm::Value*> arguments) {
  std::vector<llvm::Type*> types{block_->getType()};
  std::vector<llvm::Value*> values{block_};
  for (llvm::Value* argument : arguments) {
    types.push_back(argument->getType());
    values.push_back(argument);
  }
  const llvm::FunctionCallee function =
      module_.getOrInsertFunction(name, llvm::FunctionType::get(result, types, false));
  return ir.CreateCall(function, values);
}

void Hooks::emit_access(llvm::IRBuilderBase& ir, llvm::Value* pointer, llvm::Value* bytes,
                        Site site) {
  pointer = ir.CreateAddrSpaceCast(pointer, ir.getPtrTy());
  bytes = ir.CreateZExtOrTrunc(bytes, ir.getInt64Ty());
  call(ir, "talweg_simulator_access", ir.getVoidTy(), {pointer, bytes, ir.getInt32(site)});
}

void Hooks::emit_barrier(llvm::IRBuilderBase& ir, llvm::Value* barrier, llvm::Value* count,
                         bool is_aligned, Site site) {
  call(ir, "talweg_simulator_barrier", ir.getVoidTy(),
       {barrier, count, ir.getInt32(is_aligned ? 1 : 0), ir.getInt32(site)});
}

llvm::Value* Hooks::emit_in_warp(llvm::IRBuilderBase& ir, WarpOperation operation,
                                 llvm::Value* mask, llvm::Value* value, llvm::Value* b,
                                 llvm::Value* c, Site site) {
  return call(ir, "talweg_simulator_in_warp", ir.getInt64Ty(),
              {ir.getInt32(static_cast<std::uint32_t>(operation)), mask,
               ir.CreateZExtOrTrunc(value, ir.getInt64Ty()), b, c, ir.getInt32(site)});
}

llvm::Value* Hooks::emit_space_of(llvm::IRBuilderBase& ir, llvm::Value* pointer) {
  return call(ir, "talweg_simulator_space_of", ir.getInt32Ty(),
              {ir.CreateAddrSpaceCast(pointer, ir.getPtrTy())});
}

void Hooks::emit_trap(llvm::IRBuilderBase& ir, Site site) {
  call(ir, "talweg_simulator_trap", ir.getVoidTy(), {ir.getInt32(site)});
}

llvm::Value* Hooks::emit_register(llvm::IRBuilderBase& ir, std::uint32_t number) {
  static_assert(offsetof(Thread, registers) == 0);
  llvm::Value* thread = ir.CreateLoad(ir.getPtrTy(), current_);
  return ir.CreateLoad(ir.getInt32Ty(), ir.CreateConstGEP1_32(ir.getInt32Ty(), thread, number));
}

}  // namespace talweg::gpu::simulator
