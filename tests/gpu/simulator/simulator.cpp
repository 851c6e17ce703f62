// From a module to threads that run; see simulator.h.
#include "tests/gpu/simulator/simulator.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <random>
#include <sstream>

#include "compiler/driver/default_modes.h"
#include "tests/gpu/simulator/block.h"
#include "tests/gpu/simulator/exactness.h"
#include "tests/gpu/simulator/instrument.h"
#include "tests/gpu/simulator/intrinsics.h"
#include "tests/gpu/simulator/link.h"
#include "tests/gpu/simulator/retarget.h"

namespace talweg::gpu {

namespace {

using namespace simulator;

using Entry = void (*)(const std::uint64_t* arguments);

std::string bitcode_of(const llvm::Module& module) {
  std::string bitcode;
  llvm::raw_string_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(module, stream);
  return bitcode;
}

std::unique_ptr<llvm::Module> read(const std::string& bitcode, llvm::LLVMContext& context) {
  auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "kernels"), context);
  if (!module) throw Fault("cannot copy the module: " + llvm::toString(module.takeError()));
  return std::move(*module);
}

std::string text_of(Dim dim) {
  return "(" + std::to_string(dim.x) + ", " + std::to_string(dim.y) + ", " + std::to_string(dim.z) +
         ")";
}

Dim place_in(Dim extent, std::uint64_t number) {
  return {static_cast<std::uint32_t>(number % extent.x),
          static_cast<std::uint32_t>(number / extent.x % extent.y),
          static_cast<std::uint32_t>(number / extent.x / extent.y)};
}

struct LoadedKernel {
  Kernel kernel;
  Entry entry = nullptr;
};

/// One launch, as far as faults speak of it.
struct Launch {
  std::string kernel;
  Dim grid, block;
  std::vector<std::uint32_t> block_order;  // [turn] the block that runs then
};

}  // namespace

struct Simulator::Impl {
  Impl(const llvm::Module& given, const DeviceMemory& device, SimulatorOptions wanted)
      : options(wanted),
        bitcode(bitcode_of(given)),
        memory(device, order, wanted.check_races),
        block(memory, order) {
    llvm::LLVMContext context;
    const std::unique_ptr<llvm::Module> module = read(bitcode, context);
    std::string problem;
    llvm::raw_string_ostream stream(problem);
    if (llvm::verifyModule(*module, &stream))
      throw Fault("the module is not well-formed: " + problem);
    check_exactness(*module);
    sites = std::make_unique<Sites>(*module);
    place_variables(*module, memory);
    Hooks hooks(*module, block);
    instrument_accesses(*module, hooks, *sites);
    replace_intrinsics(*module, hooks, *sites);
    block.set_forms(sites->forms());
    const std::vector<Kernel> made = make_entries(*module);
    retarget(*module);
    std::vector<const Variable*> with_values;
    for (const Variable& variable : memory.variables())
      if (module->getGlobalVariable(initial_symbol(variable.name)) != nullptr)
        with_values.push_back(&variable);
    code = std::make_unique<HostCode>(*module);
    for (const Variable* variable : with_values)
      std::memcpy(variable->memory, code->find(initial_symbol(variable->name)), variable->bytes);
    for (const Kernel& kernel : made)
      kernels[kernel.name] = {kernel,
                              reinterpret_cast<Entry>(code->find(entry_symbol(kernel.name)))};
  }

  const LoadedKernel& checked_kernel(const std::string& name, Dim grid, Dim block_size,
                                     std::size_t arguments) const {
    const auto found = kernels.find(name);
    if (found == kernels.end()) throw Fault("there is no kernel " + name);
    const Kernel& kernel = found->second.kernel;
    const std::uint64_t threads = std::uint64_t{block_size.x} * block_size.y * block_size.z;
    if (threads == 0 || threads > kMostThreads || block_size.z > 64 ||
        (kernel.most_threads != 0 && threads > kernel.most_threads))
      throw Fault("kernel " + name + ": a block cannot have " + std::to_string(threads) +
                  " threads");
    const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
    if (blocks == 0 || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535 ||
        blocks > 0x7fffffff)
      throw Fault("kernel " + name + ": a grid cannot be " + text_of(grid));
    if (arguments != kernel.parameters)
      throw Fault("kernel " + name + ": takes " + std::to_string(kernel.parameters) +
                  " arguments, not " + std::to_string(arguments));
    return found->second;
  }

  std::string site_text(Site site) const {
    if (text_module == nullptr) text_module = read(bitcode, text_context);
    return sites->text(*text_module, site);
  }

  /// "block (0, 0, 0), thread (3, 0, 0)"
  static std::string thread_text(const Launch& launch, std::uint32_t turn, std::uint32_t thread) {
    return "block " + text_of(place_in(launch.grid, launch.block_order[turn])) + ", thread " +
           text_of(place_in(launch.block, thread));
  }

  Fault fault_of(const Launch& launch, std::uint32_t turn, const BlockFault& fault) const {
    std::ostringstream text;
    text << "kernel " << launch.kernel << ", " << thread_text(launch, turn, fault.thread) << ' '
         << fault.cause;
    if (fault.earlier) {
      const auto& earlier = *fault.earlier;
      text << " what " << thread_text(launch, order.block_of(earlier.stamp), earlier.thread)
           << " did (" << site_text(earlier.site) << ")";
    }
    text << "; " << site_text(fault.site);
    if (fault.other_thread) {
      text << "; " << thread_text(launch, turn, *fault.other_thread);
      if (fault.other_site == kNoSite)
        text << " has ended";
      else
        text << " waits, " << site_text(fault.other_site);
    }
    return Fault(text.str());
  }

  void run(const LoadedKernel& kernel, const Launch& launch,
           std::span<const std::uint64_t> arguments) {
    const driver::DefaultModes modes;
    const std::uint32_t threads = launch.block.x * launch.block.y * launch.block.z;
    memory.begin_launch(order.begin_launch(threads));
    block.begin_launch(launch.grid, launch.block, options.order_seed);
    for (std::uint32_t turn = 0; turn < launch.block_order.size(); ++turn) {
      order.begin_block();
      memory.begin_block();
      if (const auto fault = block.run(kernel.entry, arguments.data(),
                                       place_in(launch.grid, launch.block_order[turn])))
        throw fault_of(launch, turn, *fault);
    }
  }

  const SimulatorOptions options;
  const std::string bitcode;  // of the module as it was given
  Order order;
  Memory memory;
  Block block;
  std::unique_ptr<Sites> sites;
  std::unique_ptr<HostCode> code;
  std::map<std::string, LoadedKernel> kernels;
  mutable llvm::LLVMContext text_context;
  mutable std::unique_ptr<llvm::Module> text_module;  // read at the first fault
};

Simulator::Simulator(const llvm::Module& module, DeviceMemory& memory, SimulatorOptions options)
    : impl_(std::make_unique<Impl>(module, memory, options)) {}
Simulator::~Simulator() = default;

void Simulator::launch(std::string_view kernel, Dim grid, Dim block,
                       std::span<const std::uint64_t> arguments) {
  const LoadedKernel& loaded =
      impl_->checked_kernel(std::string(kernel), grid, block, arguments.size());
  Launch launch{std::string(kernel), grid, block, {}};
  launch.block_order.resize(std::size_t{grid.x} * grid.y * grid.z);
  std::iota(launch.block_order.begin(), launch.block_order.end(), 0u);
  if (impl_->options.order_seed != 0) {
    std::mt19937_64 random(impl_->options.order_seed);
    std::shuffle(launch.block_order.begin(), launch.block_order.end(), random);
  }
  impl_->run(loaded, launch, arguments);
}

std::vector<std::string> Simulator::kernels() const {
  std::vector<std::string> names;
  for (const auto& [name, kernel] : impl_->kernels) names.push_back(name);
  return names;
}

}  // namespace talweg::gpu
