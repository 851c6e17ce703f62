#include "tests/gpu/simulator/simulate_text.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

#include <catch2/catch.hpp>

namespace talweg::gpu {

namespace {

constexpr const char* kBegin = R"(
target triple = "nvptx64-nvidia-cuda"
target datalayout = "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.z()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.z()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.z()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.z()
declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare i32 @llvm.nvvm.read.ptx.sreg.warpsize()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.barrier.cta.sync.all(i32)
declare void @llvm.nvvm.barrier.cta.sync.aligned.count(i32, i32)
declare void @llvm.nvvm.bar.warp.sync(i32)
)";

}  // namespace

std::unique_ptr<Simulator> simulate(const std::string& text, DeviceMemory& memory,
                                    SimulatorOptions options) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  const auto module = llvm::parseAssemblyString(kBegin + text, problem, context);
  INFO(problem.getMessage().str() << ", line " << problem.getLineNo() << ": "
                                  << problem.getLineContents().str());
  REQUIRE(module != nullptr);
  return std::make_unique<Simulator>(*module, memory, options);
}

std::string fault_of(const std::string& text, DeviceMemory& memory, Dim grid, Dim block,
                     const std::vector<std::uint64_t>& arguments, SimulatorOptions options) {
  try {
    simulate(text, memory, options)->launch("k", grid, block, arguments);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return {};
}

}  // namespace talweg::gpu
