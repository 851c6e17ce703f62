// What loads, stores and atomics do, by space, type and number of elements.
#pragma once

#include "tests/gpu/ptx/program.h"

namespace talweg::gpu::ptx {

/// Of loads and stores: values in the first slots, the address in this one, an offset as detail.
inline constexpr std::size_t kAddressSlot = 8;

struct Access {
  Space space = Space::Generic;
  Type type{};
  std::uint32_t lanes = 1;
  [[nodiscard]] std::uint32_t bytes() const { return type.bytes() * lanes; }
};

/// Nothing if there is no such access.
Handler load_handler(const Access& access);
Handler store_handler(const Access& access);

/// Of "add", "cas", ...: the old value in slot 0, operands in slots 2 and 3. Nothing if there is
/// no such operation on the type.
Handler atomic_handler(std::string_view operation, Space space, Type type);

}  // namespace talweg::gpu::ptx
