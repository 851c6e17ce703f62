// One thread of a block: its frames, what it waits for, and the memory it sees.
#pragma once

#include <cstring>
#include <string>

#include "tests/gpu/executor.h"
#include "tests/gpu/ptx/memory.h"
#include "tests/gpu/ptx/program.h"

namespace talweg::gpu::ptx {

struct Frame {
  const Code* code = nullptr;
  const Instruction* back = nullptr;  // where the caller goes on
  const Call* call = nullptr;
  std::size_t base = 0;          // in the stack
  std::size_t first_region = 0;  // of its local variables
};

enum class State { Ready, AtBarrier, AtWarp, Ended };

/// What all threads of a launch share.
struct Launch {
  const Program& program;
  Memory& memory;
  std::string kernel;
  Dim grid, block;
};

struct Thread {
  std::uint64_t* r = nullptr;       // slots of the running function
  std::byte* parameters = nullptr;  // its area of bytes
  Launch* launch = nullptr;
  const Instruction* next = nullptr;     // where it goes on
  const Instruction* waiting = nullptr;  // the barrier or shuffle it stands at
  State state = State::Ready;
  bool carry = false;  // CC.CF
  Dim block, index;
  std::uint32_t number = 0;  // in its block
  std::uint64_t executed = 0;
  std::vector<std::uint64_t> stack;
  std::vector<Frame> frames;
  std::vector<Region> regions;  // of local variables of all frames
  std::vector<std::byte> local;

  [[nodiscard]] std::uint32_t lane() const { return number % 32; }
  void start(const Code& entry, std::span<const std::uint64_t> arguments);
  /// Makes `code` the running function; what it has not written is 0xCD.
  void enter(const Code& code, const Instruction* back, const Call* call);
  /// Leaves the running function; nothing: it was the kernel.
  const Instruction* leave();

 private:
  void point_at_frame();
};

/// Throws Fault with kernel, block, thread, and the instruction's line.
[[noreturn]] void stop(const Thread& thread, const Instruction* at, const std::string& why);

/// What registers hold until they are written.
inline constexpr std::uint64_t kUnwritten = 0xCDCDCDCDCDCDCDCD;

}  // namespace talweg::gpu::ptx
