// Integer arithmetic and conversions between integers, in GMP's numbers without bound.
#include <gmpxx.h>

#include <algorithm>

#include "tests/gpu/ptx/opcode_text.h"
#include "tests/gpu/ptx/reference.h"

namespace talweg::gpu::ptx::tests {

namespace {

mpz_class power(unsigned bits) { return mpz_class(1) << bits; }

mpz_class natural(std::uint64_t value) {
  mpz_class result;
  mpz_import(result.get_mpz_t(), 1, 1, sizeof value, 0, 0, &value);
  return result;
}

mpz_class number(TypeName type, std::uint64_t bits) {
  mpz_class value = natural(bits) % power(type.bits);
  if (type.kind == 's' && value >= power(type.bits - 1)) value -= power(type.bits);
  return value;
}

std::uint64_t to_bits(const mpz_class& value, unsigned bits) {
  mpz_class low;
  mpz_fdiv_r_2exp(low.get_mpz_t(), value.get_mpz_t(), bits);
  std::uint64_t result = 0;
  mpz_export(&result, nullptr, -1, sizeof result, 0, 0, low.get_mpz_t());
  return result;
}

mpz_class shift_down(const mpz_class& value, unsigned bits) {
  mpz_class result;
  mpz_fdiv_q_2exp(result.get_mpz_t(), value.get_mpz_t(), bits);
  return result;
}

using Arithmetic = std::function<std::optional<mpz_class>(const std::vector<mpz_class>&, TypeName)>;

const std::pair<std::string_view, Arithmetic> kArithmetic[] = {
    {"add", [](auto& v, TypeName) { return mpz_class(v[0] + v[1]); }},
    {"sub", [](auto& v, TypeName) { return mpz_class(v[0] - v[1]); }},
    {"min", [](auto& v, TypeName) { return std::min(v[0], v[1]); }},
    {"max", [](auto& v, TypeName) { return std::max(v[0], v[1]); }},
    {"neg", [](auto& v, TypeName) { return mpz_class(-v[0]); }},
    {"abs", [](auto& v, TypeName) { return mpz_class(abs(v[0])); }},
    {"mul.lo", [](auto& v, TypeName) { return mpz_class(v[0] * v[1]); }},
    {"mul.wide", [](auto& v, TypeName) { return mpz_class(v[0] * v[1]); }},
    {"mul.hi", [](auto& v, TypeName t) { return shift_down(v[0] * v[1], t.bits); }},
    {"mad.lo", [](auto& v, TypeName) { return mpz_class(v[0] * v[1] + v[2]); }},
    {"mad.wide", [](auto& v, TypeName) { return mpz_class(v[0] * v[1] + v[2]); }},
    {"mad.hi",
     [](auto& v, TypeName t) { return mpz_class(shift_down(v[0] * v[1], t.bits) + v[2]); }},
};

/// Open by zero, and where the quotient does not fit.
std::optional<std::uint64_t> divided(const mpz_class& a, const mpz_class& b, TypeName type,
                                     bool remainder) {
  if (b == 0 || (type.kind == 's' && b == -1 && a == -power(type.bits - 1))) return std::nullopt;
  return to_bits(remainder ? mpz_class(a % b) : mpz_class(a / b), type.bits);
}

}  // namespace

std::optional<Reference> integer_reference(const std::string& opcode) {
  const std::size_t dot = opcode.rfind('.');
  const std::string name = opcode.substr(0, dot);
  const TypeName type = type_named(opcode.substr(dot + 1));
  if (type.kind != 'u' && type.kind != 's') return std::nullopt;
  if (name == "div" || name == "rem")
    return [type, name](const Row& row) {
      return divided(number(type, row[0]), number(type, row[1]), type, name == "rem");
    };
  const auto* found = std::ranges::find(kArithmetic, name, [](auto& row) { return row.first; });
  if (found == std::end(kArithmetic)) return std::nullopt;
  const bool is_wide = name.ends_with(".wide");
  return [type, is_wide, compute = found->second](const Row& row) {
    std::vector<mpz_class> values;
    for (std::size_t i = 0; i < row.size(); ++i)
      values.push_back(number({type.kind, is_wide && i == 2 ? type.bits * 2 : type.bits}, row[i]));
    return std::optional(to_bits(*compute(values, type), is_wide ? type.bits * 2 : type.bits));
  };
}

std::optional<Reference> conversion_reference(const std::string& opcode) {
  const auto parts = split_opcode(opcode);
  if (parts[0] != "cvt" || parts.size() != 3) return std::nullopt;
  const TypeName to = type_named(parts[1]), from = type_named(parts[2]);
  if (to.kind == 'f' || from.kind == 'f') return std::nullopt;
  // Registers that 8-bit numbers are in have 16 bits, to which they are widened.
  return [to, from](const Row& row) {
    const mpz_class kept = number(to, to_bits(number(from, row[0]), to.bits));
    return std::optional(to_bits(kept, std::max(to.bits, 16U)));
  };
}

}  // namespace talweg::gpu::ptx::tests
