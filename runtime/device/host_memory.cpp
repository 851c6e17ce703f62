// Blocks come from mmap: they are zeroed without being touched, so each page lands on the memory
// node of the thread that first uses it, and they return to the system when freed.
#include "runtime/device/host_memory.h"

#include <sys/mman.h>

#include <cstdint>

namespace talweg::device {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
// Below this a huge page would waste more than it saves in address translation.
constexpr std::size_t kHugeBlockBytes = 4 * kHugePageBytes;

}  // namespace

std::optional<HostBlock> HostBlock::allocate(std::size_t bytes) {
  HostBlock block;
  if (bytes == 0) return block;
  if (bytes > PTRDIFF_MAX - 2 * kHugePageBytes) return std::nullopt;
  const bool is_huge = bytes >= kHugeBlockBytes;
  const std::size_t alignment = is_huge ? kHugePageBytes : kPageBytes;
  const std::size_t mapping_bytes = is_huge ? bytes + alignment : bytes;
  void* const mapping =
      ::mmap(nullptr, mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return std::nullopt;
  block.mapping_ = mapping;
  block.mapping_bytes_ = mapping_bytes;
  const auto address = reinterpret_cast<std::uintptr_t>(mapping);
  const std::size_t skipped = (alignment - address % alignment) % alignment;
  block.data_ = static_cast<std::byte*>(mapping) + skipped;
#ifdef MADV_HUGEPAGE
  // Advice: where the system declines it the block is as good, only slower.
  if (is_huge) static_cast<void>(::madvise(block.data_, bytes, MADV_HUGEPAGE));
#endif
  return block;
}

HostBlock::~HostBlock() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

}  // namespace talweg::device
