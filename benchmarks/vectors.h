// The processor's vectors of float32, as far as the hand-written kernels need them: AVX-512 where
// this is compiled for it, else AVX2 with fused multiply-add, else none.
#pragma once

#include <cstddef>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define TALWEG_BENCHMARK_VECTORS 1
#include <immintrin.h>

namespace talweg::benchmarks {

struct Vector {
  static constexpr std::size_t kLanes = 16;
  __m512 value;

  static Vector of(float x) { return {_mm512_set1_ps(x)}; }
  static Vector load(const float* from) { return {_mm512_loadu_ps(from)}; }
  void store(float* to) const { _mm512_storeu_ps(to, value); }
  friend Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.value, b.value)}; }
  friend Vector operator/(Vector a, Vector b) { return {_mm512_div_ps(a.value, b.value)}; }
  friend Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.value, b.value)}; }
};
/// a * b + c, a * b - c, c - a * b, rounded once.
inline Vector fma(Vector a, Vector b, Vector c) {
  return {_mm512_fmadd_ps(a.value, b.value, c.value)};
}
inline Vector fms(Vector a, Vector b, Vector c) {
  return {_mm512_fmsub_ps(a.value, b.value, c.value)};
}
inline Vector fnma(Vector a, Vector b, Vector c) {
  return {_mm512_fnmadd_ps(a.value, b.value, c.value)};
}
inline Vector sqrt(Vector a) { return {_mm512_sqrt_ps(a.value)}; }
/// `magnitude` with the sign of x; 0 where x is.
inline Vector signed_as(Vector magnitude, Vector x) {
  const __mmask16 moves = _mm512_cmp_ps_mask(x.value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
  const __m512 sign = _mm512_and_ps(x.value, _mm512_set1_ps(-0.0F));
  return {_mm512_maskz_or_ps(moves, sign, magnitude.value)};
}

}  // namespace talweg::benchmarks

#elif defined(__AVX2__) && defined(__FMA__)
#define TALWEG_BENCHMARK_VECTORS 1
#include <immintrin.h>

namespace talweg::benchmarks {

struct Vector {
  static constexpr std::size_t kLanes = 8;
  __m256 value;

  static Vector of(float x) { return {_mm256_set1_ps(x)}; }
  static Vector load(const float* from) { return {_mm256_loadu_ps(from)}; }
  void store(float* to) const { _mm256_storeu_ps(to, value); }
  friend Vector operator*(Vector a, Vector b) { return {_mm256_mul_ps(a.value, b.value)}; }
  friend Vector operator/(Vector a, Vector b) { return {_mm256_div_ps(a.value, b.value)}; }
  friend Vector operator+(Vector a, Vector b) { return {_mm256_add_ps(a.value, b.value)}; }
};
/// a * b + c, a * b - c, c - a * b, rounded once.
inline Vector fma(Vector a, Vector b, Vector c) {
  return {_mm256_fmadd_ps(a.value, b.value, c.value)};
}
inline Vector fms(Vector a, Vector b, Vector c) {
  return {_mm256_fmsub_ps(a.value, b.value, c.value)};
}
inline Vector fnma(Vector a, Vector b, Vector c) {
  return {_mm256_fnmadd_ps(a.value, b.value, c.value)};
}
inline Vector sqrt(Vector a) { return {_mm256_sqrt_ps(a.value)}; }
/// `magnitude` with the sign of x; 0 where x is.
inline Vector signed_as(Vector magnitude, Vector x) {
  const __m256 moves = _mm256_cmp_ps(x.value, _mm256_setzero_ps(), _CMP_NEQ_UQ);
  const __m256 sign = _mm256_and_ps(x.value, _mm256_set1_ps(-0.0F));
  return {_mm256_and_ps(moves, _mm256_or_ps(sign, magnitude.value))};
}

}  // namespace talweg::benchmarks
#endif
