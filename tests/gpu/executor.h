// Runs GPU kernels without a GPU: the interface of the host simulator (of the module that is
// emitted) and of the interpreter of the PTX text that is made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace talweg::gpu {

/// Memory of the pretended device, in this process. Everything outside of allocated blocks is out
/// of bounds; blocks have room around them that belongs to nobody.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory();

  /// A block filled with 0xCD. `alignment`: a power of two, and to no more is it aligned.
  void* allocate(std::size_t bytes, std::size_t alignment = 256);
  /// Throws std::invalid_argument for what is not a block's start.
  void free(void* start);
  /// Memory of somebody else's that counts as in bounds from now on, until it is dismissed.
  void admit(void* start, std::size_t bytes);
  void dismiss(void* start);
  /// From now on everything counts as in bounds: for kernels over memory of the host, which has
  /// guards of its own.
  void allow_everything() { allows_everything_ = true; }
  /// Whether [address, address + bytes) lies in one block.
  [[nodiscard]] bool contains(const void* address, std::size_t bytes) const;

 private:
  struct Block {
    std::size_t bytes;
    void* memory;  // null: somebody else's
  };
  std::map<const std::byte*, Block> blocks_;  // by their starts
  bool allows_everything_ = false;
};

/// Why a launch was stopped: an access out of bounds or misaligned, a race, a barrier that not all
/// threads reach, a form that is not known. The text names kernel, block and thread, and the
/// instruction.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Dim {
  std::uint32_t x = 1, y = 1, z = 1;
};

class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs all blocks of a grid to their end. Every parameter of a kernel has 8 bytes. Throws Fault;
  /// memory then holds what was written before.
  virtual void launch(std::string_view kernel, Dim grid, Dim block,
                      std::span<const std::uint64_t> arguments) = 0;
  [[nodiscard]] virtual std::vector<std::string> kernels() const = 0;
};

}  // namespace talweg::gpu
