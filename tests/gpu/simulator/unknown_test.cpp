// Forms that the simulator does not know, or that machines compute differently, are refused by
// name.
#include <catch2/catch.hpp>

#include "tests/gpu/simulator/simulate_text.h"

namespace talweg::gpu {

namespace {

using Catch::Contains;

std::string refusal(const std::string& body, const std::string& before = {},
                    const std::string& attributes = {}) {
  DeviceMemory memory;
  const std::string text = before + "\ndefine ptx_kernel void @k(ptr %p, double %y) " + attributes +
                           " {\n  " + body + "\n  ret void\n}\n";
  try {
    simulate(text, memory);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return {};
}

}  // namespace

TEST_CASE("intrinsics that are not known") {
  CHECK_THAT(refusal("%r = call float @llvm.nvvm.ex2.approx.ftz.f32(float 1.0)",
                     "declare float @llvm.nvvm.ex2.approx.ftz.f32(float)"),
             Contains("does not know llvm.nvvm.ex2.approx.ftz.f32, in k: %r = call float"));
  CHECK_THAT(
      refusal("%r = call i32 @llvm.nvvm.activemask()", "declare i32 @llvm.nvvm.activemask()"),
      Contains("llvm.nvvm.activemask"));
  for (const std::string name : {"exp2", "sin", "cos", "log", "log2"})
    CHECK_THAT(refusal("%r = call float @llvm." + name + ".f32(float 1.0)",
                       "declare float @llvm." + name + ".f32(float)"),
               Contains("llvm." + name + ".f32"));
  CHECK_THAT(refusal("%r = call float @llvm.fmuladd.f32(float 1.0, float 2.0, float 3.0)",
                     "declare float @llvm.fmuladd.f32(float, float, float)"),
             Contains("llvm.fmuladd.f32"));
  CHECK_THAT(refusal("%r = call float @llvm.minnum.f32(float 1.0, float 2.0)",
                     "declare float @llvm.minnum.f32(float, float)"),
             Contains("llvm.minnum.f32"));
}

TEST_CASE("arithmetic that depends on the machine") {
  CHECK_THAT(refusal("%r = fadd contract double %y, %y"), Contains("replaced by other arithmetic"));
  CHECK_THAT(refusal("%r = frem double %y, %y"), Contains("a remainder"));
  CHECK_THAT(refusal("%r = fdiv double %y, %y, !fpmath !0\n", "!0 = !{float 2.5}"),
             Contains("may be inexact"));
  CHECK_THAT(refusal("%r = atomicrmw fadd ptr %p, float 1.0 monotonic"),
             Contains("atomic sums of float flush subnormal numbers"));
  CHECK(refusal("%r = atomicrmw fadd ptr %p, double 1.0 monotonic").empty());
  CHECK_THAT(refusal("", {}, "\"denormal-fp-math-f32\"=\"preserve-sign,preserve-sign\""),
             Contains("subnormal numbers are flushed"));
}

TEST_CASE("what is not defined") {
  CHECK_THAT(refusal("call void @elsewhere()", "declare void @elsewhere()"),
             Contains("elsewhere: a function that the module does not define"));
  CHECK_THAT(refusal("store i32 1, ptr addrspace(3) @more, align 4",
                     "@more = external addrspace(3) global [0 x i32]"),
             Contains("more: a variable that the module does not define"));
  CHECK_THAT(refusal("call void asm \"membar.gl;\", \"\"()"), Contains("inline assembly"));
  CHECK_THAT(refusal("store i32 1, ptr addrspace(7) null, align 4"), Contains("address space"));
  // Code generation turns this one into a call of a function that there is none of.
  CHECK_THAT(refusal("%x = load fp128, ptr %p, align 16\n  %r = fadd fp128 %x, %x\n"
                     "  store fp128 %r, ptr %p, align 16"),
             Contains("cannot link code for this machine") && Contains("__addtf3"));
}

TEST_CASE("parameters of kernels have 8 bytes") {
  CHECK(refusal("").empty());
  CHECK_THAT(refusal("", "define ptx_kernel void @j(i32 %n) { ret void }"),
             Contains("j: a parameter has not 8 bytes"));
  CHECK_THAT(refusal("", "define ptx_kernel void @j(ptr byval(i64) %n) { ret void }"),
             Contains("j: the simulator does not know parameters in memory"));
}

}  // namespace talweg::gpu
