// Compiled for AVX-512 (CMakeLists.txt): nothing here may run before has_lanes() was asked, and no
// header with functions that other files share may come in.
#include "tests/elementary/lanes.h"

#include <immintrin.h>

#include "compiler/builtins/elementary/elementary.h"

// glibc's vector functions (libmvec): at most 4 ulp of float64, which the probes of MPFR confirm.
extern "C" {
__m512d _ZGVeN8v_exp(__m512d);
__m512d _ZGVeN8v_expm1(__m512d);
__m512d _ZGVeN8v_log(__m512d);
__m512d _ZGVeN8v_log1p(__m512d);
__m512d _ZGVeN8v_log2(__m512d);
__m512d _ZGVeN8v_sin(__m512d);
__m512d _ZGVeN8v_cos(__m512d);
__m512d _ZGVeN8v_tan(__m512d);
__m512d _ZGVeN8v_tanh(__m512d);
__m512d _ZGVeN8v_atan(__m512d);
__m512d _ZGVeN8vv_pow(__m512d, __m512d);
}

namespace talweg::builtins::tests {

namespace {

/// The arithmetic of compiler/builtins/elementary/arithmetic.h.
struct LaneArithmetic {
  struct Number {
    __m512d v;
  };
  struct Integer {
    __m512i v;
  };
  struct Truth {
    __mmask8 v;
  };

  static __m512i shift_by(int count) { return _mm512_set1_epi64(count); }

  Number number(double value) { return {_mm512_set1_pd(value)}; }
  Integer integer(std::uint64_t value) {
    return {_mm512_set1_epi64(static_cast<long long>(value))};
  }

  Number add(Number a, Number b) { return {_mm512_add_pd(a.v, b.v)}; }
  Number sub(Number a, Number b) { return {_mm512_sub_pd(a.v, b.v)}; }
  Number mul(Number a, Number b) { return {_mm512_mul_pd(a.v, b.v)}; }
  Number div(Number a, Number b) { return {_mm512_div_pd(a.v, b.v)}; }
  Number fma(Number a, Number b, Number c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
  Number sqrt(Number a) { return {_mm512_sqrt_pd(a.v)}; }
  Number neg(Number a) { return {_mm512_xor_pd(a.v, _mm512_set1_pd(-0.0))}; }
  Number abs(Number a) { return {_mm512_abs_pd(a.v)}; }
  Number floor(Number a) {
    return {_mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
  }

  Integer bits(Number a) { return {_mm512_castpd_si512(a.v)}; }
  Number from_bits(Integer a) { return {_mm512_castsi512_pd(a.v)}; }
  Integer add(Integer a, Integer b) { return {_mm512_add_epi64(a.v, b.v)}; }
  Integer sub(Integer a, Integer b) { return {_mm512_sub_epi64(a.v, b.v)}; }
  Integer mul(Integer a, Integer b) { return {_mm512_mullo_epi64(a.v, b.v)}; }
  Integer bit_and(Integer a, Integer b) { return {_mm512_and_si512(a.v, b.v)}; }
  Integer bit_or(Integer a, Integer b) { return {_mm512_or_si512(a.v, b.v)}; }
  Integer bit_xor(Integer a, Integer b) { return {_mm512_xor_si512(a.v, b.v)}; }
  Integer shift_left(Integer a, int count) { return {_mm512_sllv_epi64(a.v, shift_by(count))}; }
  Integer shift_right(Integer a, int count) { return {_mm512_srlv_epi64(a.v, shift_by(count))}; }
  Integer shift_left(Integer a, Integer count) { return {_mm512_sllv_epi64(a.v, count.v)}; }
  Integer shift_right(Integer a, Integer count) { return {_mm512_srlv_epi64(a.v, count.v)}; }

  Truth lt(Number a, Number b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
  Truth le(Number a, Number b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LE_OQ)}; }
  Truth eq(Number a, Number b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)}; }
  Truth ne(Number a, Number b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
  Truth eq(Integer a, Integer b) { return {_mm512_cmpeq_epu64_mask(a.v, b.v)}; }
  Truth lt(Integer a, Integer b) { return {_mm512_cmplt_epu64_mask(a.v, b.v)}; }
  Truth both(Truth a, Truth b) { return {_kand_mask8(a.v, b.v)}; }
  Truth either(Truth a, Truth b) { return {_kor_mask8(a.v, b.v)}; }
  Truth negate(Truth a) { return {_knot_mask8(a.v)}; }

  Number select(Truth c, Number a, Number b) { return {_mm512_mask_blend_pd(c.v, b.v, a.v)}; }
  Integer select(Truth c, Integer a, Integer b) { return {_mm512_mask_blend_epi64(c.v, b.v, a.v)}; }

  template <std::size_t N>
  Integer lookup(const std::uint64_t (&table)[N], Integer index) {
    return {_mm512_i64gather_epi64(index.v, table, 8)};
  }
};

/// `function` of x where x >= low or NaN; NaN below, where the C library would take a slow way.
template <__m512d (*function)(__m512d), int low = 0>
__m512d from(__m512d x) {
  const __mmask8 is_below = _mm512_cmp_pd_mask(x, _mm512_set1_pd(low), _CMP_LT_OQ);
  const __m512d value = function(_mm512_mask_blend_pd(is_below, x, _mm512_set1_pd(1)));
  return _mm512_mask_blend_pd(is_below, value, _mm512_set1_pd(kNaN));
}

__m512d rsqrt_reference(__m512d x) { return _mm512_div_pd(_mm512_set1_pd(1), _mm512_sqrt_pd(x)); }

__m512d clamp_to(double limit, __m512d value) {
  return _mm512_max_pd(_mm512_min_pd(value, _mm512_set1_pd(limit)), _mm512_set1_pd(-limit));
}

/// |result - exact| in ulps of float32, as distance() in float32_check.cpp.
__m512d distance(__m512d result, __m512d exact) {
  const __mmask8 one_is_nan = _mm512_cmp_pd_mask(result, exact, _CMP_UNORD_Q);
  const __mmask8 both_are = _kand_mask8(_mm512_cmp_pd_mask(result, result, _CMP_UNORD_Q),
                                        _mm512_cmp_pd_mask(exact, exact, _CMP_UNORD_Q));
  const __m512d bounded = clamp_to(0x1p128, exact);
  // The power of two at or below it, at least that of the smallest normal float32.
  const __m512i exponent = _mm512_set1_epi64(0x7ff0000000000000);
  __m512d binade = _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(bounded), exponent));
  binade = _mm512_max_pd(_mm512_min_pd(binade, _mm512_set1_pd(0x1p127)), _mm512_set1_pd(0x1p-126));
  const __m512d off = _mm512_abs_pd(_mm512_sub_pd(clamp_to(0x1p128, result), bounded));
  const __m512d ulps = _mm512_div_pd(off, _mm512_mul_pd(binade, _mm512_set1_pd(0x1p-23)));
  const __m512d checked = _mm512_mask_blend_pd(one_is_nan, ulps, _mm512_set1_pd(kInfinity));
  return _mm512_mask_blend_pd(both_are, checked, _mm512_setzero_pd());
}

/// What the function named by Op is looked at with.
using Compute = void(const float* x, const float* y, std::size_t count, float* results,
                     double* references, double* distances);

template <Op op, auto reference>
void compute(const float* x, const float* y, std::size_t count, float* results, double* references,
             double* distances) {
  LaneArithmetic arithmetic;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const __m512d a = _mm512_cvtps_pd(_mm256_loadu_ps(x + i));
    LaneArithmetic::Number operands[2] = {{a}, {a}};
    __m512d good;
    if constexpr (op == Op::Pow) {
      operands[1].v = _mm512_cvtps_pd(_mm256_loadu_ps(y + i));
      good = reference(a, operands[1].v);
    } else {
      good = reference(a);
    }
    const __m256 result = _mm512_cvtpd_ps(elementary(arithmetic, op, operands).v);
    _mm256_storeu_ps(results + i, result);
    _mm512_storeu_pd(references + i, good);
    _mm512_storeu_pd(distances + i, distance(_mm512_cvtps_pd(result), good));
  }
}

constexpr struct {
  Op op;
  Compute* compute;
} kFunctions[] = {
    {Op::Rsqrt, compute<Op::Rsqrt, rsqrt_reference>},
    {Op::Exp, compute<Op::Exp, _ZGVeN8v_exp>},
    {Op::Expm1, compute<Op::Expm1, _ZGVeN8v_expm1>},
    {Op::Log, compute<Op::Log, from<_ZGVeN8v_log>>},
    {Op::Log1p, compute<Op::Log1p, from<_ZGVeN8v_log1p, -1>>},
    {Op::Log2, compute<Op::Log2, from<_ZGVeN8v_log2>>},
    {Op::Pow, compute<Op::Pow, _ZGVeN8vv_pow>},
    {Op::Sin, compute<Op::Sin, _ZGVeN8v_sin>},
    {Op::Cos, compute<Op::Cos, _ZGVeN8v_cos>},
    {Op::Tan, compute<Op::Tan, _ZGVeN8v_tan>},
    {Op::Tanh, compute<Op::Tanh, _ZGVeN8v_tanh>},
    {Op::Atan, compute<Op::Atan, _ZGVeN8v_atan>},
};

}  // namespace

bool has_lanes() { return __builtin_cpu_supports("x86-64-v4") != 0; }

void compute_lanes(Op op, const float* x, const float* y, std::size_t count, float* results,
                   double* references, double* distances) {
  for (const auto& row : kFunctions)
    if (row.op == op) return row.compute(x, y, count, results, references, distances);
  TALWEG_UNREACHABLE("no function of this operation");
}

}  // namespace talweg::builtins::tests
