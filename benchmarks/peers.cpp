#include "benchmarks/peers.h"

#include <cmath>

namespace talweg::benchmarks {

using namespace settings;

void prepare_adam(Step& step) {
  step.first = static_cast<float>(1 / (1 - std::pow(kExactBeta1, step.t)));
  step.second = static_cast<float>(1 / (1 - std::pow(kExactBeta2, step.t)));
}

void prepare_radam(Step& step) {
  const double beta2 = kExactBeta2, power = std::pow(beta2, step.t), limit = 2 / (1 - beta2) - 1;
  const double length = limit - 2 * step.t * power / (1 - power);
  step.first = static_cast<float>(1 / (1 - std::pow(kExactBeta1, step.t)));
  step.rectifies = length > 5;
  step.factor = static_cast<float>(step.rectifies ? std::sqrt((length - 4) * (length - 2) * limit /
                                                              ((limit - 4) * (limit - 2) * length) *
                                                              (1 - power))
                                                  : 1);
}

void twin_of_one(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  for (std::size_t i = begin; i < end; ++i) p[i] += g[i];
}

void twin_of_two(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] += g[i];
    p[i] += g[i];
  }
}

void twin_of_three(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] += gradient;
    v[i] += gradient;
    p[i] += gradient;
  }
}

void adam_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + kRest1 * gradient;
    v[i] = kBeta2 * v[i] + kRest2 * gradient * gradient;
    p[i] -= kLr * (m[i] * step.first) / (std::sqrt(v[i] * step.second) + kEps);
  }
}

void adamw_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + kRest1 * gradient;
    v[i] = kBeta2 * v[i] + kRest2 * gradient * gradient;
    const float decayed = p[i] - kLr * kDecay * p[i];
    p[i] = decayed - kLr * (m[i] * step.first) / (std::sqrt(v[i] * step.second) + kEps);
  }
}

void radam_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  float* __restrict v = a.v;
  for (std::size_t i = begin; i < end; ++i) {
    const float gradient = g[i];
    m[i] = kBeta1 * m[i] + kRest1 * gradient;
    v[i] = kBeta2 * v[i] + kRest2 * gradient * gradient;
    const float moved = kLr * (m[i] * step.first) * step.factor;
    p[i] -= step.rectifies ? moved / (std::sqrt(v[i]) + kEps) : moved;
  }
}

void rmsprop_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] = kRho * m[i] + kRestRho * g[i] * g[i];
    p[i] -= kLr * g[i] / (std::sqrt(m[i]) + kEps);
  }
}

void lion_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    const float mix = kBeta1 * m[i] + kRest1 * g[i];
    const float sign = static_cast<float>(mix > 0) - static_cast<float>(mix < 0);
    p[i] -= kLr * sign;
    m[i] = kRho * m[i] + kRestRho * g[i];
  }
}

void momentum_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  float* __restrict m = a.m;
  for (std::size_t i = begin; i < end; ++i) {
    m[i] = kBeta1 * m[i] + g[i];
    p[i] -= kLr * m[i];
  }
}

void sgd_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step&) {
  float* __restrict p = a.p;
  const float* __restrict g = a.g;
  for (std::size_t i = begin; i < end; ++i) p[i] -= kLr * g[i];
}

}  // namespace talweg::benchmarks
