// PTX decoded: what runs. Every function works on a frame of 64-bit slots, its registers and then
// its constants, and on an area of bytes, its .param variables.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/gpu/ptx/lexer.h"
#include "tests/gpu/ptx/syntax.h"

namespace talweg::gpu::ptx {

struct Instruction;
struct Thread;

/// Does one instruction and returns the next one, or nothing where the thread stops or waits.
using Handler = const Instruction* (*)(Thread&, const Instruction*);

/// Slots of operands: the result, a second result (d|p), then the sources; of loads and stores the
/// values, then the address.
struct Instruction {
  static constexpr std::uint16_t kAlways = 0xFFFF;
  Handler run = nullptr;
  std::int64_t detail = 0;  // an offset, a distance to jump, an index, a kind
  std::uint32_t line = 0;
  std::uint16_t guard = kAlways;  // slot * 2, + 1 if the predicate must not hold
  std::uint16_t s[9] = {};
};

struct Code;

/// Of an area of bytes: a parameter's place.
struct Piece {
  std::uint32_t place = 0, bytes = 0;
};

struct Call {
  const Code* callee = nullptr;  // none: the address in a register decides
  Prototype prototype{};
  std::vector<Piece> arguments, results;  // of the caller
};

struct LocalVariable {
  std::uint64_t bytes = 0;
  std::uint32_t alignment = 1;
};

struct Code {
  std::string name;
  bool is_entry = false;
  bool is_defined = false;
  Prototype prototype;
  Dimensions most_threads, required_threads;
  std::uint32_t line = 0;
  std::vector<Instruction> instructions;
  std::vector<std::uint64_t> constants;
  std::uint32_t register_count = 1;  // slot 0 takes what nobody wants
  std::uint32_t parameter_bytes = 0;
  std::vector<Piece> parameters, results;
  std::vector<LocalVariable> locals;
  std::vector<Call> calls;
  std::vector<std::vector<std::int32_t>> jumps;  // of brx.idx, from it
  [[nodiscard]] std::uint32_t parameter_slot() const {
    return register_count + static_cast<std::uint32_t>(constants.size());
  }
  [[nodiscard]] std::uint32_t frame_slots() const {
    return parameter_slot() + (parameter_bytes + 7) / 8;
  }
};

/// A variable's place in its space.
struct Region {
  std::uint64_t begin = 0, end = 0;
};

struct Program {
  std::shared_ptr<const Text> text;
  std::vector<std::unique_ptr<Code>> functions;
  std::map<std::string, const Code*, std::less<>> by_name;
  std::vector<Region> shared;
  std::uint64_t shared_bytes = 0;
  std::vector<Region> constant;
  std::vector<std::byte> constant_bytes;
};

// Addresses of the generic space are those of this process for global memory. The other spaces lie
// in windows where no address of a process is; so do functions.
inline constexpr std::uint64_t kWindow = std::uint64_t{1} << 60;
inline constexpr std::uint64_t kSharedWindow = 1 * kWindow;
inline constexpr std::uint64_t kLocalWindow = 2 * kWindow;
inline constexpr std::uint64_t kConstWindow = 3 * kWindow;
inline constexpr std::uint64_t kFunctionWindow = 4 * kWindow;
inline constexpr std::uint64_t kFunctionStep = 16;

}  // namespace talweg::gpu::ptx
