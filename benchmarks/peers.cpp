#include "benchmarks/peers.h"

#include <cmath>

namespace talweg::benchmarks {

namespace {

constexpr float kLr = 1e-3F, kBeta1 = 0.9F, kBeta2 = 0.999F, kEps = 1e-8F, kDecay = 1e-2F;

}  // namespace

void adamw_twin(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] += gradient;
    v[i] -= gradient;
    p[i] += gradient;
  }
}

void adamw_plain(const Arrays& a, std::size_t begin, std::size_t end, double t) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  const auto c1 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(kBeta1), t)));
  const auto c2 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(kBeta2), t)));
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + (1 - kBeta1) * gradient;
    v[i] = kBeta2 * v[i] + (1 - kBeta2) * gradient * gradient;
    const float decayed = p[i] - kLr * kDecay * p[i];
    p[i] = decayed - kLr * (m[i] * c1) / (std::sqrt(v[i] * c2) + kEps);
  }
}

void momentum_twin(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] += g[i];
    p[i] += g[i];
  }
}

void momentum_plain(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] = kBeta1 * m[i] + g[i];
    p[i] -= kLr * m[i];
  }
}

void sgd_twin(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  for (std::size_t i = begin; i < end; ++i) p[i] += g[i];
}

void sgd_plain(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  for (std::size_t i = begin; i < end; ++i) p[i] -= kLr * g[i];
}

}  // namespace talweg::benchmarks
