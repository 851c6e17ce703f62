// The spaces of memory as a block sees them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/gpu/executor.h"
#include "tests/gpu/ptx/program.h"

namespace talweg::gpu::ptx {

struct Thread;

class Memory {
 public:
  Memory(const DeviceMemory& device, const Program& program) : device_(device), program_(program) {
    forget();
  }

  /// Blocks may have been freed since the launch before.
  void forget() { known_.fill(kNothing); }
  /// Of a block that starts: nothing in it is written.
  void clear_shared() { shared_.assign(program_.shared_bytes, std::byte{0xCD}); }

  /// Whether the bytes lie in one block of global memory.
  bool is_global(std::uint64_t address, std::uint32_t bytes) {
    const std::uint64_t granule = address / kGranule;
    std::uint64_t& known = known_[granule % known_.size()];
    if (known == granule && (address + bytes - 1) / kGranule == granule) return true;
    // Memory that counts as all in bounds still has no null.
    if (address < kFirst || !device_.contains(pointer(address), bytes)) return false;
    if (device_.contains(pointer(granule * kGranule), kGranule)) known = granule;
    return true;
  }
  /// Nothing where the bytes do not lie in one variable.
  std::byte* find_shared(std::uint64_t address, std::uint32_t bytes) {
    return is_inside(program_.shared, address, bytes) ? shared_.data() + address : nullptr;
  }
  const std::byte* find_constant(std::uint64_t address, std::uint32_t bytes) {
    return is_inside(program_.constant, address, bytes) ? program_.constant_bytes.data() + address
                                                        : nullptr;
  }
  static bool is_inside(const std::vector<Region>& regions, std::uint64_t address,
                        std::uint32_t bytes) {
    for (const Region& region : regions)
      if (address >= region.begin && address < region.end) return bytes <= region.end - address;
    return false;
  }
  static std::byte* pointer(std::uint64_t address) { return reinterpret_cast<std::byte*>(address); }

 private:
  // Asking for every access is too slow; a granule that lies in a block needs to be asked for once.
  static constexpr std::uint64_t kGranule = 256;
  static constexpr std::uint64_t kFirst = 4096;
  const DeviceMemory& device_;
  const Program& program_;
  std::vector<std::byte> shared_;
  static constexpr std::uint64_t kNothing = ~std::uint64_t{0};
  std::array<std::uint64_t, 1024> known_{};
};

/// Where an access goes; throws Fault where it is misaligned or out of bounds. `bytes` is a power
/// of two.
std::byte* locate(Thread& thread, const Instruction* at, Space space, std::uint64_t address,
                  std::uint32_t bytes, bool is_write);

}  // namespace talweg::gpu::ptx
