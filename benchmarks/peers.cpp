#include "benchmarks/peers.h"

#include <cmath>

namespace talweg::benchmarks {

namespace {

constexpr float kLr = 1e-3F, kBeta1 = 0.9F, kBeta2 = 0.999F, kEps = 1e-8F, kDecay = 1e-2F;

/// Factors that undo the bias of averages which began at zero.
struct Corrections {
  explicit Corrections(double t)
      : first(static_cast<float>(1 / (1 - std::pow(static_cast<double>(kBeta1), t)))),
        second(static_cast<float>(1 / (1 - std::pow(static_cast<double>(kBeta2), t)))) {}
  float first, second;
};

}  // namespace

void twin_of_one(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  for (std::size_t i = begin; i < end; ++i) p[i] += g[i];
}

void twin_of_two(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] += g[i];
    p[i] += g[i];
  }
}

void twin_of_three(const Arrays& a, std::size_t begin, std::size_t end, double) {
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

void adam_plain(const Arrays& a, std::size_t begin, std::size_t end, double t) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  const Corrections correct(t);
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + (1 - kBeta1) * gradient;
    v[i] = kBeta2 * v[i] + (1 - kBeta2) * gradient * gradient;
    p[i] -= kLr * (m[i] * correct.first) / (std::sqrt(v[i] * correct.second) + kEps);
  }
}

void adamw_plain(const Arrays& a, std::size_t begin, std::size_t end, double t) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  const Corrections correct(t);
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + (1 - kBeta1) * gradient;
    v[i] = kBeta2 * v[i] + (1 - kBeta2) * gradient * gradient;
    const float decayed = p[i] - kLr * kDecay * p[i];
    p[i] = decayed - kLr * (m[i] * correct.first) / (std::sqrt(v[i] * correct.second) + kEps);
  }
}

void radam_plain(const Arrays& a, std::size_t begin, std::size_t end, double t) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  const Corrections correct(t);
  const double beta2 = kBeta2, power = std::pow(beta2, t), limit = 2 / (1 - beta2) - 1;
  const double length = limit - 2 * t * power / (1 - power);
  const bool rectifies = length > 5;
  const auto factor =
      static_cast<float>(rectifies ? std::sqrt((length - 4) * (length - 2) * limit /
                                               ((limit - 4) * (limit - 2) * length) * (1 - power))
                                   : 1);
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + (1 - kBeta1) * gradient;
    v[i] = kBeta2 * v[i] + (1 - kBeta2) * gradient * gradient;
    const float step = kLr * (m[i] * correct.first) * factor;
    p[i] -= rectifies ? step / (std::sqrt(v[i]) + kEps) : step;
  }
}

void rmsprop_plain(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  constexpr float kAlpha = 0.99F;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] = kAlpha * m[i] + (1 - kAlpha) * g[i] * g[i];
    p[i] -= kLr * g[i] / (std::sqrt(m[i]) + kEps);
  }
}

void lion_plain(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  constexpr float kSlow = 0.99F;
  for (std::size_t i = begin; i < end; ++i) {
    const float mix = kBeta1 * m[i] + (1 - kBeta1) * g[i];
    const float sign = static_cast<float>(mix > 0) - static_cast<float>(mix < 0);
    p[i] -= kLr * sign;
    m[i] = kSlow * m[i] + (1 - kSlow) * g[i];
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

void sgd_plain(const Arrays& a, std::size_t begin, std::size_t end, double) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  for (std::size_t i = begin; i < end; ++i) p[i] -= kLr * g[i];
}

}  // namespace talweg::benchmarks
