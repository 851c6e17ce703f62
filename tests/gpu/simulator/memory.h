// All memory that threads may touch, and whether they may: blocks of DeviceMemory, the module's
// variables, shared memory. Each access is looked up by lines of 256 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/gpu/executor.h"
#include "tests/gpu/simulator/race_check.h"

namespace talweg::gpu::simulator {

/// State spaces, as bits: what an instruction may access.
enum Space : std::uint8_t { kGlobal = 1, kShared = 2, kConstant = 4, kLocal = 8 };

/// An instruction that accesses memory.
struct AccessForm {
  std::uint64_t bytes = 0;
  std::uint64_t alignment = 1;
  AccessKind kind = AccessKind::Read;
  std::uint8_t spaces = 0;
};

/// What is wrong with an access, in words; the earlier access where it is a race.
struct AccessFault {
  std::string text;
  std::optional<PastAccess> earlier;
};

/// A variable of the module.
struct Variable {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t alignment = 1;
  Space space = kGlobal;
  bool is_constant = false;
  std::byte* memory = nullptr;  // set by Memory
};

class Memory {
 public:
  Memory(const DeviceMemory& device, const Order& order, bool check_races);

  /// Gives it memory of its own, aligned to what it says and to no more.
  void add(Variable variable);
  [[nodiscard]] const std::vector<Variable>& variables() const { return variables_; }

  void begin_launch(bool stamps_begin_anew);
  /// Fills shared memory with what nobody should read.
  void begin_block();

  /// Checks and remembers an access to what is not the thread's own stack.
  std::optional<AccessFault> access(std::uintptr_t address, std::uint64_t bytes,
                                    const AccessForm& form, PastAccess now);
  /// The state spaces that an address lies in; 0: none.
  [[nodiscard]] std::uint8_t space_of(std::uintptr_t address);

 private:
  static constexpr std::uint32_t kLineBits = 8, kLineBytes = 1u << kLineBits;

  struct Line {
    std::uintptr_t number = 0;         // its address / 256
    std::uint32_t launch = 0;          // for which what follows was found
    std::uint32_t begin = 0, end = 0;  // what may be touched of it
    std::uint8_t space = 0;
    bool is_constant = false;
    bool is_of_words = true;  // else a cell a byte
    std::vector<Cell> cells;
  };

  Line& line_at(std::uintptr_t address);
  Line& find_line(std::uintptr_t number);
  void find_bounds(Line& line) const;
  void split(Line& line);
  std::optional<PastAccess> find_race(Line& line, std::uint32_t offset, std::uint32_t bytes,
                                      PastAccess now);

  const DeviceMemory& device_;
  const Order& order_;
  const bool check_races_;
  RaceCheck races_;
  std::uint32_t launch_ = 0;
  std::vector<Variable> variables_;
  std::vector<std::unique_ptr<std::byte[]>> variable_memory_;
  std::unordered_map<std::uintptr_t, std::unique_ptr<Line>> lines_;
  std::vector<Line*> recent_;  // by the low bits of their numbers
};

}  // namespace talweg::gpu::simulator
