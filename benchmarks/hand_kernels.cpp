#include "benchmarks/hand_kernels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "benchmarks/vectors.h"

namespace talweg::benchmarks {

#ifdef TALWEG_BENCHMARK_VECTORS

namespace {

using namespace settings;

/// body(0), ..., body(N - 1), without a loop.
template <std::size_t N, class Body>
[[gnu::always_inline]] inline void each(Body body) {
  [&]<std::size_t... i>(std::index_sequence<i...>) { (body(i), ...); }
  (std::make_index_sequence<N>());
}

template <std::size_t N>
using Vectors = std::array<Vector, N>;

template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> load(const float* from, std::size_t i) {
  Vectors<N> x;
  each<N>([&](std::size_t k) { x[k] = Vector::load(from + i + k * Vector::kLanes); });
  return x;
}

template <std::size_t N>
[[gnu::always_inline]] inline void store(const Vectors<N>& x, float* to, std::size_t i) {
  each<N>([&](std::size_t k) { x[k].store(to + i + k * Vector::kLanes); });
}

/// Averages of the gradient and of its square, and what Adam divides.
struct Moments {
  Vector beta1 = Vector::of(kBeta1), rest1 = Vector::of(kRest1);
  Vector beta2 = Vector::of(kBeta2), rest2 = Vector::of(kRest2);

  template <std::size_t N>
  [[gnu::always_inline]] void update(const Arrays& a, std::size_t i, Vectors<N>& m,
                                     Vectors<N>& v) const {
    Vectors<N> g = load<N>(a.g, i);
    m = load<N>(a.m, i);
    v = load<N>(a.v, i);
    each<N>([&](std::size_t k) { m[k] = beta1 * m[k]; });
    each<N>([&](std::size_t k) { v[k] = beta2 * v[k]; });
    each<N>([&](std::size_t k) { m[k] = fma(rest1, g[k], m[k]); });
    each<N>([&](std::size_t k) { g[k] = g[k] * g[k]; });
    each<N>([&](std::size_t k) { v[k] = fma(rest2, g[k], v[k]); });
    store<N>(m, a.m, i);
    store<N>(v, a.v, i);
  }
};

template <bool decays>
struct Adam {
  explicit Adam(const Step& step)
      : rate(Vector::of(kLr * step.first)), second(Vector::of(step.second)) {}
  static constexpr std::size_t kStates = 2;
  Moments moments;
  Vector rate, second;
  Vector eps = Vector::of(kEps), keep = Vector::of(1 - kLr * kDecay);

  template <std::size_t N>
  [[gnu::always_inline]] void turn(const Arrays& a, std::size_t i) const {
    Vectors<N> p = load<N>(a.p, i), m, v;
    moments.update<N>(a, i, m, v);
    each<N>([&](std::size_t k) { v[k] = sqrt(v[k] * second); });
    each<N>([&](std::size_t k) { m[k] = m[k] * rate; });
    each<N>([&](std::size_t k) { v[k] = v[k] + eps; });
    each<N>([&](std::size_t k) { m[k] = m[k] / v[k]; });
    each<N>([&](std::size_t k) { p[k] = fms(p[k], decays ? keep : Vector::of(1), m[k]); });
    store<N>(p, a.p, i);
  }
};

template <bool rectifies>
struct RAdam {
  explicit RAdam(const Step& step) : rate(Vector::of(kLr * step.first * step.factor)) {}
  static constexpr std::size_t kStates = 2;
  Moments moments;
  Vector rate, eps = Vector::of(kEps);

  template <std::size_t N>
  [[gnu::always_inline]] void turn(const Arrays& a, std::size_t i) const {
    Vectors<N> p = load<N>(a.p, i), m, v;
    moments.update<N>(a, i, m, v);
    if constexpr (rectifies) {
      each<N>([&](std::size_t k) { v[k] = sqrt(v[k]) + eps; });
      each<N>([&](std::size_t k) { m[k] = m[k] / v[k]; });
    }
    each<N>([&](std::size_t k) { p[k] = fnma(rate, m[k], p[k]); });
    store<N>(p, a.p, i);
  }
};

struct RmsProp {
  explicit RmsProp(const Step&) {}
  static constexpr std::size_t kStates = 1;
  Vector rho = Vector::of(kRho), rest = Vector::of(kRestRho);
  Vector lr = Vector::of(kLr), eps = Vector::of(kEps);

  template <std::size_t N>
  [[gnu::always_inline]] void turn(const Arrays& a, std::size_t i) const {
    Vectors<N> p = load<N>(a.p, i), g = load<N>(a.g, i), square = load<N>(a.m, i), q;
    each<N>([&](std::size_t k) { q[k] = g[k] * g[k]; });
    each<N>([&](std::size_t k) { square[k] = rho * square[k]; });
    each<N>([&](std::size_t k) { square[k] = fma(rest, q[k], square[k]); });
    store<N>(square, a.m, i);
    each<N>([&](std::size_t k) { q[k] = sqrt(square[k]) + eps; });
    each<N>([&](std::size_t k) { g[k] = g[k] / q[k]; });
    each<N>([&](std::size_t k) { p[k] = fnma(lr, g[k], p[k]); });
    store<N>(p, a.p, i);
  }
};

struct Lion {
  explicit Lion(const Step&) {}
  static constexpr std::size_t kStates = 1;
  Vector beta = Vector::of(kBeta1), rest = Vector::of(kRest1);
  Vector slow = Vector::of(kRho), slow_rest = Vector::of(kRestRho);
  Vector lr = Vector::of(kLr), one = Vector::of(1);

  template <std::size_t N>
  [[gnu::always_inline]] void turn(const Arrays& a, std::size_t i) const {
    Vectors<N> p = load<N>(a.p, i), m = load<N>(a.m, i), mix;
    const Vectors<N> g = load<N>(a.g, i);
    each<N>([&](std::size_t k) { mix[k] = beta * m[k]; });
    each<N>([&](std::size_t k) { m[k] = slow * m[k]; });
    each<N>([&](std::size_t k) { mix[k] = fma(rest, g[k], mix[k]); });
    each<N>([&](std::size_t k) { m[k] = fma(slow_rest, g[k], m[k]); });
    store<N>(m, a.m, i);
    each<N>([&](std::size_t k) { mix[k] = signed_as(lr, mix[k]); });
    each<N>([&](std::size_t k) { p[k] = fnma(one, mix[k], p[k]); });
    store<N>(p, a.p, i);
  }
};

struct Momentum {
  explicit Momentum(const Step&) {}
  static constexpr std::size_t kStates = 1;
  Vector beta = Vector::of(kBeta1), lr = Vector::of(kLr);

  template <std::size_t N>
  [[gnu::always_inline]] void turn(const Arrays& a, std::size_t i) const {
    Vectors<N> p = load<N>(a.p, i), m = load<N>(a.m, i);
    const Vectors<N> g = load<N>(a.g, i);
    each<N>([&](std::size_t k) { m[k] = fma(beta, m[k], g[k]); });
    store<N>(m, a.m, i);
    each<N>([&](std::size_t k) { p[k] = fnma(lr, m[k], p[k]); });
    store<N>(p, a.p, i);
  }
};

struct Sgd {
  explicit Sgd(const Step&) {}
  static constexpr std::size_t kStates = 0;
  Vector lr = Vector::of(kLr);

  template <std::size_t N>
  [[gnu::always_inline]] void turn(const Arrays& a, std::size_t i) const {
    Vectors<N> p = load<N>(a.p, i);
    const Vectors<N> g = load<N>(a.g, i);
    each<N>([&](std::size_t k) { p[k] = fnma(lr, g[k], p[k]); });
    store<N>(p, a.p, i);
  }
};

template <class Rule>
[[gnu::always_inline]] inline void prefetch(const Arrays& a, std::size_t i) {
  constexpr std::size_t kAhead = 256;  // elements, 1 KB
  _mm_prefetch(a.p + i + kAhead, _MM_HINT_T0);
  _mm_prefetch(a.g + i + kAhead, _MM_HINT_T0);
  if constexpr (Rule::kStates > 0) _mm_prefetch(a.m + i + kAhead, _MM_HINT_T0);
  if constexpr (Rule::kStates > 1) _mm_prefetch(a.v + i + kAhead, _MM_HINT_T0);
}

/// The last elements, fewer than a vector, through a vector of their own.
template <class Rule>
void finish(const Rule& rule, const Arrays& a, std::size_t i, std::size_t end) {
  struct alignas(64) Padded {
    std::array<float, Vector::kLanes> x{};
  } p, g, m, v;
  const std::size_t count = end - i;
  std::copy_n(a.p + i, count, p.x.data());
  std::copy_n(a.g + i, count, g.x.data());
  if (Rule::kStates > 0) std::copy_n(a.m + i, count, m.x.data());
  if (Rule::kStates > 1) std::copy_n(a.v + i, count, v.x.data());
  rule.template turn<1>({p.x.data(), g.x.data(), m.x.data(), v.x.data()}, 0);
  std::copy_n(p.x.data(), count, a.p + i);
  if (Rule::kStates > 0) std::copy_n(m.x.data(), count, a.m + i);
  if (Rule::kStates > 1) std::copy_n(v.x.data(), count, a.v + i);
}

template <class Rule>
void run(const Arrays& a, std::size_t begin, std::size_t end, const Step& step) {
  constexpr std::size_t kLine = 16 / Vector::kLanes, kInterleaved = 4;  // vectors a turn
  const Rule rule(step);
  std::size_t i = begin;
  if (step.in_memory) {
    for (; i + kLine * Vector::kLanes <= end; i += kLine * Vector::kLanes) {
      prefetch<Rule>(a, i);
      rule.template turn<kLine>(a, i);
    }
  } else {
    for (; i + kInterleaved * Vector::kLanes <= end; i += kInterleaved * Vector::kLanes)
      rule.template turn<kInterleaved>(a, i);
  }
  for (; i + Vector::kLanes <= end; i += Vector::kLanes) rule.template turn<1>(a, i);
  if (i < end) finish(rule, a, i, end);
}

void run_radam(const Arrays& a, std::size_t begin, std::size_t end, const Step& step) {
  (step.rectifies ? run<RAdam<true>> : run<RAdam<false>>)(a, begin, end, step);
}

constexpr std::pair<std::string_view, Kernel> kKernels[] = {
    {"AdamW", run<Adam<true>>}, {"Adam", run<Adam<false>>}, {"RAdam", run_radam},
    {"RMSprop", run<RmsProp>},  {"Lion", run<Lion>},        {"SgdMomentum", run<Momentum>},
    {"Sgd", run<Sgd>},
};

}  // namespace

Kernel hand_kernel(std::string_view rule) {
  for (const auto& [name, kernel] : kKernels)
    if (name == rule) return kernel;
  return nullptr;
}

#else

Kernel hand_kernel(std::string_view) { return nullptr; }

#endif

}  // namespace talweg::benchmarks
