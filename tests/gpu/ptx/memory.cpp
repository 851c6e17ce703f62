#include "tests/gpu/ptx/memory.h"

#include <cstdio>

#include "tests/gpu/ptx/thread.h"

namespace talweg::gpu::ptx {

namespace {

std::byte* find(Thread& thread, Space space, std::uint64_t address, std::uint32_t bytes,
                bool is_write) {
  Memory& memory = thread.launch->memory;
  switch (space) {
    case Space::Global:
      return memory.is_global(address, bytes) ? Memory::pointer(address) : nullptr;
    case Space::Shared:
      return memory.find_shared(address, bytes);
    case Space::Local:
      return Memory::is_inside(thread.regions, address, bytes) ? thread.local.data() + address
                                                               : nullptr;
    case Space::Const:
      return is_write ? nullptr : const_cast<std::byte*>(memory.find_constant(address, bytes));
    case Space::Generic:
      switch (address / kWindow * kWindow) {
        case 0:
          return find(thread, Space::Global, address, bytes, is_write);
        case kSharedWindow:
          return find(thread, Space::Shared, address - kSharedWindow, bytes, is_write);
        case kLocalWindow:
          return find(thread, Space::Local, address - kLocalWindow, bytes, is_write);
        case kConstWindow:
          return find(thread, Space::Const, address - kConstWindow, bytes, is_write);
        default:
          return nullptr;
      }
    case Space::Param:
      break;
  }
  return nullptr;
}

}  // namespace

std::byte* locate(Thread& thread, const Instruction* at, Space space, std::uint64_t address,
                  std::uint32_t bytes, bool is_write) {
  std::byte* const place =
      address % bytes == 0 ? find(thread, space, address, bytes, is_write) : nullptr;
  if (place != nullptr) return place;
  char text[100];
  std::snprintf(text, sizeof text, "%s %u bytes at 0x%llx, which %s", is_write ? "writes" : "reads",
                bytes, static_cast<unsigned long long>(address),
                address % bytes != 0 ? "is misaligned" : "is out of bounds");
  stop(thread, at, text);
}

}  // namespace talweg::gpu::ptx
