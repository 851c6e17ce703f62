// Every form that LLVM makes of what kernels may hold is known, for each architecture.
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Target/TargetOptions.h>

#include <catch2/catch.hpp>

#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/ptx/summary.h"

namespace talweg::gpu::ptx::tests {

namespace {

struct Architecture {
  const char *processor, *features;
};

/// tests/gpu/ptx/forms.ll as PTX.
std::string forms_for(const Architecture& architecture, llvm::CodeGenOptLevel level) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  const llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  INFO(error);
  REQUIRE(target != nullptr);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, architecture.processor, architecture.features, options,
                                  std::nullopt, std::nullopt, level));
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  const std::unique_ptr<llvm::Module> module =
      llvm::parseAssemblyFile(TALWEG_SOURCE_DIR "/tests/gpu/ptx/forms.ll", diagnostic, context);
  INFO(diagnostic.getMessage().str());
  REQUIRE(module != nullptr);
  module->setTargetTriple(triple);
  module->setDataLayout(machine->createDataLayout());
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream stream(code);
  llvm::legacy::PassManager passes;
  REQUIRE_FALSE(
      machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile));
  passes.run(*module);
  return {code.begin(), code.end()};
}

constexpr Architecture kArchitectures[] = {
    {"sm_80", "+ptx70"}, {"sm_90", "+ptx78"}, {"sm_100", "+ptx86"}, {"sm_100", "+ptx88"}};

const Summary& named(const std::vector<Summary>& all, const std::string& name) {
  for (const Summary& summary : all)
    if (summary.kernel == name) return summary;
  FAIL("no kernel " + name);
  return all.front();
}

}  // namespace

TEST_CASE("every form of PTX that LLVM makes of kernels is known") {
  for (const Architecture& architecture : kArchitectures)
    for (const auto level : {llvm::CodeGenOptLevel::None, llvm::CodeGenOptLevel::Default}) {
      INFO(architecture.processor << " " << architecture.features);
      DeviceMemory memory;
      const PtxInterpreter interpreter(forms_for(architecture, level), memory);
      CHECK(interpreter.kernels().size() == 10);
    }
}

TEST_CASE("LLVM's wide accesses and local variables are seen") {
  for (const Architecture& architecture : kArchitectures) {
    const auto all = summarize(forms_for(architecture, llvm::CodeGenOptLevel::Default));
    CHECK(named(all, "accesses").loads.at(16) >= 2);
    // One instruction for 32 bytes came with version 8.8.
    CHECK(named(all, "accesses").loads.contains(32) ==
          (architecture.features == std::string_view("+ptx88")));
    CHECK(named(all, "accesses").stores.at(16) >= 1);
    CHECK_FALSE(named(all, "accesses").uses_local_memory());
    CHECK(named(all, "blocks").local_bytes == 32);
    CHECK(named(all, "aggregates").functions.size() == 3);
    CHECK(named(all, "indirect").functions == std::set<std::string>{"indirect", "plus", "times"});
  }
}

TEST_CASE("functions by address, structures and copies run") {
  for (const Architecture& architecture : kArchitectures)
    for (const auto level : {llvm::CodeGenOptLevel::None, llvm::CodeGenOptLevel::Default}) {
      DeviceMemory memory;
      PtxInterpreter interpreter(forms_for(architecture, level), memory);
      const auto address = [](const void* pointer) {
        return reinterpret_cast<std::uint64_t>(pointer);
      };
      auto* numbers = static_cast<std::int32_t*>(memory.allocate(64));
      const std::uint64_t argument = address(numbers);
      interpreter.launch("indirect", {}, {2}, {&argument, 1});
      CHECK(numbers[0] == 3);  // 0 + 3
      CHECK(numbers[1] == 3);  // 1 * 3

      auto* floats = static_cast<float*>(memory.allocate(32));
      for (int i = 0; i < 8; ++i) floats[i] = static_cast<float>(i + 1);
      const std::uint64_t argument2 = address(floats);
      interpreter.launch("aggregates", {}, {}, {&argument2, 1});
      // The first double stays; the second is a sum of integers that are in the same bytes.
      CHECK(floats[0] == 1);
      CHECK(std::bit_cast<std::uint32_t>(floats[1]) == 0x40000000);

      auto* from = static_cast<std::byte*>(memory.allocate(100));
      auto* to = static_cast<std::uint64_t*>(memory.allocate(100));
      const std::uint64_t arguments[] = {address(to), address(from), 3};
      interpreter.launch("blocks", {}, {}, arguments);
      // Three bytes of 3, and then the local variable that nobody wrote, over all.
      CHECK(to[0] == 0xCDCDCDCDCDCDCDCD);
    }
}

TEST_CASE("loops of LLVM's that run too far are found, in global and in local memory") {
  for (const Architecture& architecture : kArchitectures) {
    DeviceMemory memory;
    PtxInterpreter interpreter(forms_for(architecture, llvm::CodeGenOptLevel::Default), memory);
    auto* numbers = static_cast<double*>(memory.allocate(10 * sizeof(double)));
    for (int i = 0; i < 10; ++i) numbers[i] = i;
    std::uint64_t arguments[] = {reinterpret_cast<std::uint64_t>(numbers), 10};
    interpreter.launch("loop_kept", {}, {}, arguments);
    CHECK(numbers[9] == 27);
    arguments[1] = 11;
    CHECK_THROWS_WITH(interpreter.launch("loop_kept", {}, {}, arguments),
                      Catch::Contains("reads 8 bytes") && Catch::Contains("out of bounds"));

    void* bytes = memory.allocate(64);
    std::uint64_t copies[] = {reinterpret_cast<std::uint64_t>(bytes),
                              reinterpret_cast<std::uint64_t>(memory.allocate(64)), 3};
    CHECK_NOTHROW(interpreter.launch("blocks", {}, {}, copies));
    copies[2] = 4;  // of a local array of four
    CHECK_THROWS_WITH(interpreter.launch("blocks", {}, {}, copies),
                      Catch::Contains("writes 8 bytes") && Catch::Contains("st.local.b64"));
  }
}

}  // namespace talweg::gpu::ptx::tests
