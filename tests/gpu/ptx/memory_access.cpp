#include "tests/gpu/ptx/memory_access.h"

#include <algorithm>

#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

namespace {

template <Space space, bool is_write>
std::byte* place_of(Thread& thread, const Instruction* i, std::uint32_t bytes) {
  // Of parameters the place is known, and was looked at when the text was decoded.
  if constexpr (space == Space::Param) return thread.parameters + i->detail;
  const std::uint64_t address =
      thread.r[i->s[kAddressSlot]] + static_cast<std::uint64_t>(i->detail);
  return locate(thread, i, space, address, bytes, is_write);
}

template <Space space, class T, std::uint32_t lanes>
const Instruction* load(Thread& thread, const Instruction* i) {
  T values[lanes];
  std::memcpy(values, place_of<space, false>(thread, i, sizeof values), sizeof values);
  for (std::uint32_t lane = 0; lane < lanes; ++lane) thread.r[i->s[lane]] = to_slot(values[lane]);
  return i + 1;
}

template <Space space, class T, std::uint32_t lanes>
const Instruction* store(Thread& thread, const Instruction* i) {
  T values[lanes];
  for (std::uint32_t lane = 0; lane < lanes; ++lane)
    values[lane] = static_cast<T>(thread.r[i->s[lane]]);
  std::memcpy(place_of<space, true>(thread, i, sizeof values), values, sizeof values);
  return i + 1;
}

template <bool loads, Space space, class T>
Handler with_lanes(std::uint32_t lanes) {
  if constexpr (loads) {
    switch (lanes) {
      case 1:
        return load<space, T, 1>;
      case 2:
        return load<space, T, 2>;
      case 4:
        return load<space, T, 4>;
      case 8:
        return load<space, T, 8>;
      default:
        return nullptr;
    }
  } else {
    switch (lanes) {
      case 1:
        return store<space, T, 1>;
      case 2:
        return store<space, T, 2>;
      case 4:
        return store<space, T, 4>;
      case 8:
        return store<space, T, 8>;
      default:
        return nullptr;
    }
  }
}

template <bool loads, Space space>
Handler with_type(Type type, std::uint32_t lanes) {
  const bool is_signed = loads && type.kind == 's';
  switch (type.bits) {
    case 8:
      return is_signed ? with_lanes<loads, space, std::int8_t>(lanes)
                       : with_lanes<loads, space, std::uint8_t>(lanes);
    case 16:
      return is_signed ? with_lanes<loads, space, std::int16_t>(lanes)
                       : with_lanes<loads, space, std::uint16_t>(lanes);
    case 32:
      return is_signed ? with_lanes<loads, space, std::int32_t>(lanes)
                       : with_lanes<loads, space, std::uint32_t>(lanes);
    case 64:
      return with_lanes<loads, space, std::uint64_t>(lanes);
    default:
      return nullptr;
  }
}

template <bool loads>
Handler with_space(const Access& access) {
  switch (access.space) {
    case Space::Generic:
      return with_type<loads, Space::Generic>(access.type, access.lanes);
    case Space::Global:
      return with_type<loads, Space::Global>(access.type, access.lanes);
    case Space::Shared:
      return with_type<loads, Space::Shared>(access.type, access.lanes);
    case Space::Local:
      return with_type<loads, Space::Local>(access.type, access.lanes);
    case Space::Param:
      return with_type<loads, Space::Param>(access.type, access.lanes);
    case Space::Const:
      if constexpr (loads) return with_type<true, Space::Const>(access.type, access.lanes);
      return nullptr;
  }
  return nullptr;
}

// ---- Atomics ----

template <Space space, class T, class F>
Handler exchange(F) {
  return [](Thread& thread, const Instruction* i) -> const Instruction* {
    std::byte* const place = place_of<space, true>(thread, i, sizeof(T));
    std::uint64_t old_bits = 0;
    std::memcpy(&old_bits, place, sizeof(T));
    const T old = from_slot<T>(old_bits);
    const T made = F{}(old, from_slot<T>(thread.r[i->s[2]]), from_slot<T>(thread.r[i->s[3]]));
    const std::uint64_t made_bits = to_slot(made);
    std::memcpy(place, &made_bits, sizeof(T));
    thread.r[i->s[0]] = old_bits;
    return i + 1;
  };
}

/// Integers wrap around.
template <class T>
T sum(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return canonical(a + b);
}

template <Space space, class T>
Handler on_number(std::string_view operation) {
  // In global memory sums of float32 flush subnormal numbers to zero.
  constexpr bool flushes = std::is_same_v<T, float> && space != Space::Shared;
  if constexpr (!flushes)
    if (operation == "add") return exchange<space, T>([](T a, T b, T) { return sum(a, b); });
  if constexpr (std::is_integral_v<T>) {
    if (operation == "min") return exchange<space, T>([](T a, T b, T) { return std::min(a, b); });
    if (operation == "max") return exchange<space, T>([](T a, T b, T) { return std::max(a, b); });
  }
  return nullptr;
}

template <Space space, class T>
Handler on_bits(std::string_view operation) {
  if (operation == "exch") return exchange<space, T>([](T, T b, T) { return b; });
  if (operation == "cas") return exchange<space, T>([](T a, T b, T c) { return a == b ? c : a; });
  if (operation == "and") return exchange<space, T>([](T a, T b, T) { return a & b; });
  if (operation == "or") return exchange<space, T>([](T a, T b, T) { return a | b; });
  if (operation == "xor") return exchange<space, T>([](T a, T b, T) { return a ^ b; });
  return nullptr;
}

template <Space space>
Handler atomic_of(std::string_view operation, Type type) {
  const bool is_64 = type.bits == 64;
  switch (type.kind) {
    case 'b':
      return is_64 ? on_bits<space, std::uint64_t>(operation)
                   : on_bits<space, std::uint32_t>(operation);
    case 'u':
      return is_64 ? on_number<space, std::uint64_t>(operation)
                   : on_number<space, std::uint32_t>(operation);
    case 's':
      if (is_64 && operation == "add") return nullptr;  // PTX has it for u64 only
      return is_64 ? on_number<space, std::int64_t>(operation)
                   : on_number<space, std::int32_t>(operation);
    default:
      return is_64 ? on_number<space, double>(operation) : on_number<space, float>(operation);
  }
}

}  // namespace

Handler load_handler(const Access& access) { return with_space<true>(access); }
Handler store_handler(const Access& access) { return with_space<false>(access); }

Handler atomic_handler(std::string_view operation, Space space, Type type) {
  if (type.bits < 32) return nullptr;
  switch (space) {
    case Space::Generic:
      return atomic_of<Space::Generic>(operation, type);
    case Space::Global:
      return atomic_of<Space::Global>(operation, type);
    case Space::Shared:
      return atomic_of<Space::Shared>(operation, type);
    default:
      return nullptr;
  }
}

}  // namespace talweg::gpu::ptx
