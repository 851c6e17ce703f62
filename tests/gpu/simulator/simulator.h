// Runs the NVPTX module that the compiler emits, before code generation, on the host: every thread
// of a block is a fiber, every access to memory is checked. What it computes is bit for bit what
// the module says; a module whose bits would depend on the machine is refused.
//
// Not modelled: the weak order of memory (fences do nothing; threads run one at a time, each until
// it waits at a barrier or in its warp), and order between threads by atomic operations (what one
// guards is reported as a race, a loop that waits for one as a fault). Shuffles and votes
// do not order memory: neither do they on the device, by the PTX ISA.
#pragma once

#include <memory>

#include "tests/gpu/executor.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::gpu {

struct SimulatorOptions {
  bool check_races = true;
  /// 0: blocks, warps and lanes run in the order of their numbers; else in an order made from this.
  std::uint64_t order_seed = 0;
};

class Simulator final : public Executor {
 public:
  /// Keeps a copy of the module. Throws Fault for a form that it does not know: it names the
  /// instruction.
  Simulator(const llvm::Module& module, DeviceMemory& memory, SimulatorOptions options = {});
  ~Simulator() override;

  void launch(std::string_view kernel, Dim grid, Dim block,
              std::span<const std::uint64_t> arguments) override;
  [[nodiscard]] std::vector<std::string> kernels() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::gpu
