// The instruction forms that are known: opcode with all its modifiers, as written, to what does it
// and which operands it takes. Loads, stores, atomics, moves, jumps and calls, whose operands vary,
// are elsewhere (decode_*.cpp).
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/gpu/ptx/program.h"
#include "tests/gpu/ptx/thread.h"

namespace talweg::gpu::ptx {

/// Bits of no type: registers of any type of their size, and numbers of either kind.
template <class U>
struct Bits {
  U bits = 0;
  Bits() = default;
  Bits(U given) : bits(given) {}
  operator U() const { return bits; }
};
using B16 = Bits<std::uint16_t>;
using B32 = Bits<std::uint32_t>;
using B64 = Bits<std::uint64_t>;

template <class T>
T from_slot(std::uint64_t slot) {
  if constexpr (std::is_same_v<T, bool>)
    return (slot & 1) != 0;
  else if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<float>(static_cast<std::uint32_t>(slot));
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(slot);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(slot);
  else
    return T{static_cast<decltype(T::bits)>(slot)};
}

/// Signed numbers are widened with their sign: a register may be wider than what is put in it.
template <class T>
std::uint64_t to_slot(T value) {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<std::uint32_t>(value);
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<std::uint64_t>(value);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::uint64_t>(value);
  else
    return value.bits;
}

template <class T>
constexpr Type type_for() {
  if constexpr (std::is_same_v<T, bool>)
    return {'p', 1};
  else if constexpr (std::is_floating_point_v<T>)
    return {'f', sizeof(T) * 8};
  else if constexpr (std::is_integral_v<T>)
    return {std::is_signed_v<T> ? 's' : 'u', sizeof(T) * 8};
  else
    return {'b', sizeof(T) * 8};
}

/// Where results of float32 that are not numbers are made, their bits are those of a GPU.
inline float canonical(float value) {
  return value == value ? value : std::bit_cast<float>(0x7FFFFFFFU);
}
inline double canonical(double value) { return value; }

struct Form {
  Handler run = nullptr;
  std::vector<Type> operands{};  // the result first, if there is one
  std::int64_t detail = 0;
  bool has_result = true;
  bool takes_pair = false;  // d|p
  bool requires_pair = false;
  bool takes_wider = false;  // registers may be wider than their types: cvt
};

class Forms {
 public:
  static const Forms& all();
  [[nodiscard]] const Form* find(std::string_view opcode) const {
    const auto found = forms_.find(std::string(opcode));
    return found == forms_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<std::string> names() const;

  void add(const std::string& opcode, Form form);

  /// A result that depends on the operands alone: R function(A...).
  template <class R, class... A, class F>
  Form& pure(const std::string& opcode, F) {
    Form form;
    form.run = [](Thread& thread, const Instruction* i) -> const Instruction* {
      thread.r[i->s[0]] =
          evaluate<R, F, A...>(thread.r, i, std::make_index_sequence<sizeof...(A)>());
      return i + 1;
    };
    form.operands = {type_for<R>(), type_for<A>()...};
    add(opcode, std::move(form));
    return forms_.at(opcode);
  }

 private:
  template <class R, class F, class... A, std::size_t... N>
  static std::uint64_t evaluate(const std::uint64_t* r, const Instruction* i,
                                std::index_sequence<N...>) {
    const R result = static_cast<R>(F{}(from_slot<A>(r[i->s[2 + N]])...));
    if constexpr (std::is_floating_point_v<R>)
      return to_slot(canonical(result));
    else
      return to_slot(result);
  }

  std::unordered_map<std::string, Form> forms_;
};

void add_integer_forms(Forms& forms);
void add_division_forms(Forms& forms);
void add_bit_forms(Forms& forms);
void add_float_forms(Forms& forms);
void add_comparison_forms(Forms& forms);
void add_conversion_forms(Forms& forms);
void add_warp_forms(Forms& forms);

}  // namespace talweg::gpu::ptx
