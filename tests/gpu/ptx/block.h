// Runs the threads of a block, one after another, each until it ends or waits.
#pragma once

#include <span>
#include <vector>

#include "tests/gpu/ptx/thread.h"

namespace talweg::gpu::ptx {

class BlockRunner {
 public:
  BlockRunner(Launch& launch, const Code& entry, std::uint64_t most_instructions);

  /// To the end of all its threads. Throws Fault.
  void run(Dim block, std::span<const std::uint64_t> arguments);
  /// Of all blocks so far.
  [[nodiscard]] std::uint64_t executed() const { return executed_; }

 private:
  void run_thread(Thread& thread);
  bool run_warp(std::span<Thread> warp);
  bool resolve_barrier();
  [[noreturn]] void stop_divergent() const;
  [[nodiscard]] std::uint32_t barrier_of(const Thread& thread) const;
  [[nodiscard]] std::span<Thread> warp(std::size_t number);

  const Code& entry_;
  std::uint64_t most_instructions_;
  std::uint64_t executed_ = 0;
  std::vector<Thread> threads_;
};

}  // namespace talweg::gpu::ptx
