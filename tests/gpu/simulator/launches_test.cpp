// What every kernel does around its work: it goes over all indices once, leaves out rows that a
// list does not name, and does nothing once a step has stopped.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <array>
#include <catch2/catch.hpp>
#include <vector>

#include "compiler/codegen/gpu_kernel.h"
#include "runtime/abi/talweg_abi.h"
#include "tests/gpu/simulator/simulator.h"

namespace talweg::gpu {

namespace {

constexpr std::uint32_t kIndices = 200;
constexpr std::size_t kStride = sizeof(talweg_scalar_args) / sizeof(std::uint32_t);

/// Kernel "range" adds 1 to a number of each index, "row" to the first word of each row's
/// arguments.
class Counting {
 public:
  Counting() : module_("kernels", context_) {
    module_.setTargetTriple(llvm::Triple("nvptx64-nvidia-cuda"));
    module_.setDataLayout("e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64");
    add_body(*codegen::add_gpu_function(module_, "range", codegen::FunctionReach::Range));
    add_body(*codegen::add_gpu_function(module_, "row", codegen::FunctionReach::Row));
    memory_.allow_everything();
    simulator_ = std::make_unique<Simulator>(module_, memory_);
  }

  /// The numbers, of which each index has the first of `stride`.
  std::vector<std::uint32_t> launch(const char* kernel, std::size_t stride,
                                    const std::uint8_t* list, std::uint32_t stop) {
    std::vector<std::uint32_t> numbers(kIndices * stride);
    const auto number = [](const void* pointer) {
      return reinterpret_cast<std::uint64_t>(pointer);
    };
    const std::array<std::uint64_t, 5> arguments{number(numbers.data()), 0, kIndices, number(list),
                                                 number(&stop)};
    simulator_->launch(kernel, {2}, {32}, arguments);
    std::vector<std::uint32_t> counts;
    for (std::size_t i = 0; i < kIndices; ++i) counts.push_back(numbers[i * stride]);
    return counts;
  }

 private:
  void add_body(llvm::Function& body) {
    llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context_, "entry", &body));
    llvm::Value* place = body.getArg(1);
    if (body.arg_size() == 4) place = ir.CreateGEP(ir.getInt32Ty(), place, body.getArg(2));
    ir.CreateStore(ir.CreateAdd(ir.CreateLoad(ir.getInt32Ty(), place), ir.getInt32(1)), place);
    ir.CreateRetVoid();
  }

  llvm::LLVMContext context_;
  llvm::Module module_;
  DeviceMemory memory_;
  std::unique_ptr<Simulator> simulator_;
};

}  // namespace

TEST_CASE("threads of a kernel go over each index once") {
  Counting counting;
  const std::vector<std::uint32_t> once(kIndices, 1);
  CHECK(counting.launch("range", 1, nullptr, 0) == once);
  CHECK(counting.launch("row", kStride, nullptr, 0) == once);
}

TEST_CASE("kernels leave out rows that a list does not name") {
  Counting counting;
  std::array<std::uint8_t, kIndices> list{};
  std::vector<std::uint32_t> expected(kIndices);
  for (std::size_t i = 0; i < kIndices; i += 3) list[i] = 1, expected[i] = 1;
  CHECK(counting.launch("row", kStride, list.data(), 0) == expected);
}

TEST_CASE("kernels of a step that has stopped do nothing") {
  Counting counting;
  const std::vector<std::uint32_t> none(kIndices, 0);
  CHECK(counting.launch("range", 1, nullptr, 1) == none);
  CHECK(counting.launch("row", kStride, nullptr, 1) == none);
}

}  // namespace talweg::gpu
