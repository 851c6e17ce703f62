#include <cstring>
#include <new>

#include "tests/gpu/executor.h"

namespace talweg::gpu {

namespace {

constexpr std::size_t kRoom = 4096;
constexpr std::size_t kAlignment = 4096;

}  // namespace

DeviceMemory::~DeviceMemory() {
  for (const auto& [start, block] : blocks_)
    ::operator delete(block.memory, std::align_val_t(kAlignment));
}

void* DeviceMemory::allocate(std::size_t bytes, std::size_t alignment) {
  void* memory =
      ::operator new(kRoom + 2 * alignment + bytes + kRoom, std::align_val_t(kAlignment));
  // At an odd multiple of its alignment: what relies on more is found.
  const std::uintptr_t first = (reinterpret_cast<std::uintptr_t>(memory) + kRoom) / alignment + 1;
  auto* start = reinterpret_cast<std::byte*>((first | 1U) * alignment);
  std::memset(start, 0xCD, bytes);
  blocks_.emplace(start, Block{bytes, memory});
  return start;
}

void DeviceMemory::free(void* start) {
  const auto found = blocks_.find(static_cast<const std::byte*>(start));
  if (found == blocks_.end() || found->second.memory == nullptr)
    throw std::invalid_argument("not the start of a block");
  ::operator delete(found->second.memory, std::align_val_t(kAlignment));
  blocks_.erase(found);
}

void DeviceMemory::admit(void* start, std::size_t bytes) {
  blocks_.emplace(static_cast<const std::byte*>(start), Block{bytes, nullptr});
}

void DeviceMemory::dismiss(void* start) { blocks_.erase(static_cast<const std::byte*>(start)); }

bool DeviceMemory::contains(const void* address, std::size_t bytes) const {
  if (allows_everything_) return true;
  const auto* begin = static_cast<const std::byte*>(address);
  auto after = blocks_.upper_bound(begin);
  if (after == blocks_.begin()) return false;
  --after;
  const auto offset = static_cast<std::size_t>(begin - after->first);
  return offset <= after->second.bytes && bytes <= after->second.bytes - offset;
}

}  // namespace talweg::gpu
