// Kernels of the scalar code that the compiler emits for CPUs, one thread a chunk: the simulator
// leaves the CPU's bits, for every operation of the language and for AdamW.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "compiler/builtins/op.h"
#include "compiler/codegen/emit_plan.h"
#include "compiler/passes/pass.h"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"
#include "tests/gpu/simulator/simulator.h"
#include "tests/ir/random_graph.h"

namespace talweg::gpu {

namespace {

using tests::Random;
using types::ComputeType;

constexpr std::uint32_t kElements = 2011, kChunk = 64, kChunks = (kElements + kChunk - 1) / kChunk;

/// A device has no modes to keep.
class NoModes final : public codegen::FloatModes {
 public:
  llvm::Value* emit_enter(llvm::IRBuilderBase&) const override { return nullptr; }
  void emit_leave(llvm::IRBuilderBase&, llvm::Value*) const override {}
};

/// Kernels "model" and "group" run scalar functions of the only phase, "pass" its pass: thread i of
/// all does chunk i.
class Kernels {
 public:
  Kernels(const ir::Graph& graph, ComputeType compute) : module_("kernels", context_) {
    module_.setTargetTriple(llvm::Triple("nvptx64-nvidia-cuda"));
    module_.setDataLayout("e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64");
    const plan::Plan plan = plan::make_plan(passes::run_passes(graph), compute);
    codegen::emit_plan(module_, plan, {.vector_bits = 0, .has_fma = true}, NoModes());
    const codegen::KernelSymbols symbols = codegen::step_symbols(plan);
    REQUIRE(symbols.phases.size() == 1);
    add("model", symbols.phases[0].levels[0]);
    add("group", symbols.phases[0].levels[1]);
    add("pass", symbols.phases[0].pass);
  }
  [[nodiscard]] const llvm::Module& module() const { return module_; }

 private:
  void add(const char* name, const std::string& symbol) {
    if (symbol.empty()) return;
    llvm::Function* function = module_.getFunction(symbol);
    REQUIRE(function != nullptr);
    llvm::IRBuilder<> ir(context_);
    auto* kernel =
        llvm::Function::Create(llvm::FunctionType::get(ir.getVoidTy(), {ir.getPtrTy()}, false),
                               llvm::GlobalValue::ExternalLinkage, name, module_);
    kernel->setCallingConv(llvm::CallingConv::PTX_Kernel);
    ir.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", kernel));
    std::vector<llvm::Value*> arguments{llvm::ConstantPointerNull::get(ir.getPtrTy()),
                                        kernel->getArg(0)};
    if (function->arg_size() == 4) {
      const auto read = [&](llvm::Intrinsic::ID id) { return ir.CreateIntrinsic(id, {}); };
      namespace nv = llvm::Intrinsic;
      llvm::Value* first =
          ir.CreateMul(read(nv::nvvm_read_ptx_sreg_ctaid_x), read(nv::nvvm_read_ptx_sreg_ntid_x));
      first = ir.CreateAdd(first, read(nv::nvvm_read_ptx_sreg_tid_x));
      arguments.push_back(first);
      arguments.push_back(ir.CreateAdd(first, ir.getInt32(1)));
    }
    ir.CreateCall(function, arguments);
    ir.CreateRetVoid();
  }

  llvm::LLVMContext context_;
  llvm::Module module_;
};

/// Everything that functions of one phase without reductions read and write, in device memory; the
/// same values for the same seed.
class Problem {
 public:
  Problem(const talweg_image& image, ComputeType compute, std::uint64_t seed) {
    Random random(seed);
    const std::size_t size = compute == ComputeType::F32 ? 4 : 8;
    for (std::uint32_t i = 0; i < image.stream_count; ++i) {
      streams_.push_back(static_cast<std::byte*>(memory_.allocate(kElements * size)));
      for (std::uint32_t at = 0; at < kElements; ++at) {
        const double number = random.array_number(compute);
        const auto narrow = static_cast<float>(number);
        std::memcpy(streams_.back() + at * size,
                    size == 4 ? static_cast<const void*>(&narrow) : &number, size);
      }
    }
    size_ = size;
    make_arguments(image);
  }

  std::vector<double> values() const {
    std::vector<double> result;
    for (const std::byte* stream : streams_) {
      for (std::uint32_t at = 0; at < kElements; ++at) {
        float narrow = 0;
        double number = 0;
        std::memcpy(size_ == 4 ? static_cast<void*>(&narrow) : &number, stream + at * size_, size_);
        result.push_back(size_ == 4 ? static_cast<double>(narrow) : number);
      }
    }
    return result;
  }

  talweg_scalar_args* scalars = nullptr;
  talweg_pass_args* pass = nullptr;
  [[nodiscard]] DeviceMemory& memory() { return memory_; }

 private:
  template <class T>
  T* array(std::size_t count) {
    auto* data = static_cast<T*>(memory_.allocate(std::max<std::size_t>(count, 1) * sizeof(T)));
    std::memset(static_cast<void*>(data), 0, std::max<std::size_t>(count, 1) * sizeof(T));
    return data;
  }

  void make_arguments(const talweg_image& image) {
    scalars = array<talweg_scalar_args>(1);
    scalars->step_number = scalars->call_number = 7;
    auto* hypers = array<double>(image.hyper_count);
    for (std::uint32_t i = 0; i < image.hyper_count; ++i) hypers[i] = image.hypers[i].default_value;
    scalars->hypers = hypers;
    scalars->states = array<double>(image.state_count);
    scalars->new_states = array<double>(image.state_count);
    scalars->inputs = array<double>(image.input_count);
    scalars->bound = array<double>(image.hyper_count);
    scalars->model_slots = array<talweg_slot>(image.step.model_slot_count);
    scalars->group_slots = array<talweg_slot>(image.step.group_slot_count);
    pass = array<talweg_pass_args>(1);
    auto* chunks = array<talweg_chunk>(kChunks);
    for (std::uint32_t i = 0; i < kChunks; ++i)
      chunks[i] = {i * kChunk, std::min(kElements - i * kChunk, kChunk), 0};
    pass->chunks = chunks;
    auto** pointers = array<void*>(streams_.size());
    for (std::size_t i = 0; i < streams_.size(); ++i) pointers[i] = streams_[i];
    pass->pointers = pointers;
    pass->tensor_groups = pass->tensor_routes = array<std::uint32_t>(1);
    pass->model_slots = scalars->model_slots;
    pass->group_slots = scalars->group_slots;
    pass->group_args = scalars;
    pass->chunk_count = kChunks;
    pass->tensor_count = 1;
  }

  DeviceMemory memory_;
  std::vector<std::byte*> streams_;
  std::size_t size_ = 0;
};

std::vector<double> run_here(const talweg_image& image, ComputeType compute, std::uint64_t seed) {
  Problem problem(image, compute, seed);
  REQUIRE(image.step.phase_count == 1);
  const talweg_phase& phase = image.step.phases[0];
  if (phase.model_scalars != nullptr) phase.model_scalars(image.step.self, problem.scalars);
  if (phase.group_scalars != nullptr) phase.group_scalars(image.step.self, problem.scalars);
  phase.pass(image.step.self, problem.pass, 0, kChunks);
  return problem.values();
}

std::vector<double> run_simulated(const ir::Graph& graph, const talweg_image& image,
                                  ComputeType compute, std::uint64_t seed) {
  Problem problem(image, compute, seed);
  const Kernels kernels(graph, compute);
  Simulator simulator(kernels.module(), problem.memory(), {.order_seed = seed});
  const auto argument = [](const void* pointer) {
    return std::vector<std::uint64_t>{reinterpret_cast<std::uintptr_t>(pointer)};
  };
  for (const std::string name : {"model", "group"})
    for (const std::string& kernel : simulator.kernels())
      if (kernel == name) simulator.launch(name, {1}, {1}, argument(problem.scalars));
  simulator.launch("pass", {kChunks / 8}, {8}, argument(problem.pass));
  return problem.values();
}

void require_same_bits(const ir::Graph& graph) {
  for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
    const auto program = tests::compile_for(graph, compute, "scalar");
    const auto expected = run_here(program->image(), compute, 5);
    const auto actual = run_simulated(graph, program->image(), compute, 5);
    REQUIRE(expected.size() == actual.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (!tests::same(expected[i], actual[i])) ++wrong;
    CAPTURE(graph.name, compute == ComputeType::F32);
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("every operation leaves the CPU's bits") {
  for (const builtins::OpInfo& row : builtins::op_table()) {
    CAPTURE(row.name);
    require_same_bits(tests::operation_graph(row.op));
  }
}

TEST_CASE("AdamW leaves the CPU's bits") { require_same_bits(tests::adamw_graph()); }

}  // namespace talweg::gpu
