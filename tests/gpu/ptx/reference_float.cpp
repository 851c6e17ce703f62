// Floats by MPFR: the exact value, rounded once to the precision and range of the type.
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/gpu/ptx/opcode_text.h"
#include "tests/gpu/ptx/reference.h"

namespace talweg::gpu::ptx::tests {

namespace {

using U = std::uint64_t;

/// A number of MPFR with a type's precision; results are rounded into its range too.
class Exact {
 public:
  explicit Exact(TypeName type) : type_(type) {
    mpfr_init2(value_, type.bits == 32 ? 24 : 53);
    mpfr_set_emin(type.bits == 32 ? -148 : -1073);
    mpfr_set_emax(type.bits == 32 ? 128 : 1024);
  }
  Exact(TypeName type, U bits) : Exact(type) {
    mpfr_set_d(value_, number_in(type, bits), MPFR_RNDN);
  }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  ~Exact() { mpfr_clear(value_); }

  mpfr_ptr get() { return value_; }
  /// `inexact`: what the operation returned.
  U finish(int inexact) {
    inexact = mpfr_check_range(value_, inexact, MPFR_RNDN);
    mpfr_subnormalize(value_, inexact, MPFR_RNDN);
    return type_.bits == 32 ? std::bit_cast<std::uint32_t>(mpfr_get_flt(value_, MPFR_RNDN))
                            : std::bit_cast<U>(mpfr_get_d(value_, MPFR_RNDN));
  }

 private:
  TypeName type_;
  mpfr_t value_;
};

U arithmetic(const std::string& name, TypeName type, const Row& row) {
  Exact result(type), a(type, row[0]), b(type, row.size() > 1 ? row[1] : 0),
      c(type, row.size() > 2 ? row[2] : 0);
  if (name == "add") return result.finish(mpfr_add(result.get(), a.get(), b.get(), MPFR_RNDN));
  if (name == "sub") return result.finish(mpfr_sub(result.get(), a.get(), b.get(), MPFR_RNDN));
  if (name == "mul") return result.finish(mpfr_mul(result.get(), a.get(), b.get(), MPFR_RNDN));
  if (name == "div") return result.finish(mpfr_div(result.get(), a.get(), b.get(), MPFR_RNDN));
  if (name == "rcp") return result.finish(mpfr_ui_div(result.get(), 1, a.get(), MPFR_RNDN));
  if (name == "sqrt") return result.finish(mpfr_sqrt(result.get(), a.get(), MPFR_RNDN));
  return result.finish(mpfr_fma(result.get(), a.get(), b.get(), c.get(), MPFR_RNDN));
}

/// Both halves of a register.
U arithmetic_twice(const std::string& name, const Row& row) {
  const TypeName type{'f', 32};
  Row low, high;
  for (const U operand : row) {
    low.push_back(operand & 0xFFFFFFFF);
    high.push_back(operand >> 32);
  }
  const auto half = [&](const Row& part) {
    const U bits = arithmetic(name, type, part);
    return is_nan(type, bits) ? U{0x7FFFFFFF} : bits;
  };
  return half(low) | half(high) << 32;
}

/// -0 below +0, and what is no number above all else.
U extremum(bool greatest, bool keeps_nan, TypeName type, const Row& row) {
  if (is_nan(type, row[0])) return keeps_nan ? row[0] : row[1];
  if (is_nan(type, row[1])) return keeps_nan ? row[1] : row[0];
  const U sign = U{1} << (type.bits - 1);
  const auto key = [sign](U bits) {
    return (bits & sign) != 0 ? sign - 1 - (bits - sign) : sign + bits;
  };
  return (key(row[0]) < key(row[1])) != greatest ? row[0] : row[1];
}

bool test(const std::string& name, TypeName type, U bits) {
  const U sign = U{1} << (type.bits - 1), magnitude = bits & (sign - 1);
  const unsigned fraction = type.bits == 32 ? 23 : 52;
  const U infinity = (sign - 1) >> fraction << fraction, least = U{1} << fraction;
  if (name == "finite") return magnitude < infinity;
  if (name == "infinite") return magnitude == infinity;
  if (name == "number") return magnitude <= infinity;
  if (name == "notanumber") return magnitude > infinity;
  // PTX counts zeros as normal.
  if (name == "normal") return magnitude == 0 || (magnitude >= least && magnitude < infinity);
  return magnitude != 0 && magnitude < least;
}

mpfr_rnd_t rounding_named(std::string_view name) {
  if (name == "rni" || name == "rn") return MPFR_RNDN;
  if (name == "rzi") return MPFR_RNDZ;
  return name == "rmi" ? MPFR_RNDD : MPFR_RNDU;
}

U to_integer(mpfr_rnd_t rounding, TypeName to, TypeName from, U bits) {
  const bool is_signed = to.kind == 's';
  const U top = U{1} << (to.bits - 1), all = top - 1 + top;
  // Registers that 8-bit numbers are in have 16 bits, to which they are widened.
  const U widened = to.bits == 8 ? 0xFFFF : all;
  const U least = is_signed ? widened & ~(top - 1) : 0;
  if (is_nan(from, bits)) return from.bits == 32 && to.bits < 64 ? 0 : is_signed ? least : top;
  Exact value(from, bits);
  if (is_signed) {
    const auto limit = static_cast<std::int64_t>(top - 1);
    if (mpfr_inf_p(value.get()) != 0 || mpfr_fits_slong_p(value.get(), rounding) == 0)
      return mpfr_sgn(value.get()) < 0 ? least : top - 1;
    const std::int64_t whole = mpfr_get_si(value.get(), rounding);
    return whole > limit ? top - 1 : whole < -limit - 1 ? least : static_cast<U>(whole) & widened;
  }
  if (mpfr_sgn(value.get()) < 0) return 0;
  if (mpfr_inf_p(value.get()) != 0 || mpfr_fits_ulong_p(value.get(), rounding) == 0) return all;
  return std::min<U>(mpfr_get_ui(value.get(), rounding), all);
}

U to_float(TypeName to, TypeName from, U bits) {
  Exact result(to);
  if (from.kind == 'f') {
    Exact value(from, bits);
    // In the wide type's precision; rounded once, into the narrow one's range.
    mpfr_set_emin(to.bits == 32 ? -148 : -1073);
    mpfr_set_emax(to.bits == 32 ? 128 : 1024);
    return result.finish(mpfr_set(result.get(), value.get(), MPFR_RNDN));
  }
  if (from.kind == 'u') return result.finish(mpfr_set_ui(result.get(), bits, MPFR_RNDN));
  const auto value = static_cast<std::int64_t>(bits << (64 - from.bits)) >> (64 - from.bits);
  return result.finish(mpfr_set_si(result.get(), value, MPFR_RNDN));
}

U to_whole(mpfr_rnd_t rounding, TypeName type, U bits) {
  Exact result(type), value(type, bits);
  mpfr_rint(result.get(), value.get(), rounding);
  return result.finish(0);
}

std::optional<Reference> conversion(const std::vector<std::string_view>& parts) {
  const TypeName to = type_named(parts[parts.size() - 2]), from = type_named(parts.back());
  const mpfr_rnd_t rounding = parts.size() == 4 ? rounding_named(parts[1]) : MPFR_RNDN;
  if (to.kind != 'f' && from.kind != 'f') return std::nullopt;
  return [=](const Row& row) -> std::optional<U> {
    if (to.kind != 'f') return to_integer(rounding, to, from, row[0]);
    if (to.bits == from.bits && from.kind == 'f') return to_whole(rounding, to, row[0]);
    return to_float(to, from, row[0]);
  };
}

}  // namespace

bool is_nan(TypeName type, U bits) { return std::isnan(number_in(type, bits)); }

double number_in(TypeName type, U bits) {
  return type.bits == 32
             ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
             : std::bit_cast<double>(bits);
}

std::optional<Reference> float_reference(const std::string& opcode) {
  const auto parts = split_opcode(opcode);
  const std::string name(parts[0]);
  if (name == "cvt") return conversion(parts);
  if (opcode.ends_with(".rn.f32x2"))
    return [name](const Row& row) { return std::optional(arithmetic_twice(name, row)); };
  const TypeName type = type_named(parts.back());
  if (type.kind != 'f') return std::nullopt;
  if (parts.size() == 3 && parts[1] == "rn")
    return [name, type](const Row& row) { return std::optional(arithmetic(name, type, row)); };
  if (name == "min" || name == "max") {
    const bool keeps_nan = parts[1] == "NaN", greatest = name == "max";
    return [=](const Row& row) { return std::optional(extremum(greatest, keeps_nan, type, row)); };
  }
  const U sign = U{1} << (type.bits - 1);
  if (name == "neg") return [=](const Row& row) { return std::optional(row[0] ^ sign); };
  if (name == "abs") return [=](const Row& row) { return std::optional(row[0] & ~sign); };
  if (name == "copysign")
    return [=](const Row& row) { return std::optional((row[0] & sign) | (row[1] & ~sign)); };
  if (name == "testp") {
    const std::string property(parts[1]);
    return [=](const Row& row) { return std::optional<U>(test(property, type, row[0]) ? 1 : 0); };
  }
  return std::nullopt;
}

}  // namespace talweg::gpu::ptx::tests
