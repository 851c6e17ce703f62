// fma on machines without one is exact: against std::fma on cases that break shortcuts.
#include <fmt/format.h>

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

template <class T>
struct Cases {
  std::vector<T> a, b, c;
};

template <class T>
T from_bits(std::uint64_t bits) {
  if constexpr (sizeof(T) == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  if constexpr (sizeof(T) == 8) return std::bit_cast<double>(bits);
}

/// A number of random fraction with an exponent within `spread` of 0.
template <class T>
T near_one(Random& random, int spread) {
  const auto exponent =
      static_cast<int>(random.below(static_cast<std::size_t>(2 * spread + 1))) - spread;
  const double fraction = 1 + static_cast<double>(random.next() >> 12) * 0x1p-52;
  return static_cast<T>(std::ldexp(random.chance(50) ? fraction : -fraction, exponent));
}

/// An addend that meets the product where rounding is hard.
template <class T>
T hard_addend(Random& random, T a, T b) {
  const T product = a * b;
  const int digits = std::numeric_limits<T>::digits;
  switch (random.below(6)) {
    case 0:
      return -product;  // what is left is the product's rounding error
    case 1:
      return -std::nextafter(product, random.chance(50) ? T(0) : T(INFINITY));
    // The product is near half a unit in the last place of the addend, or far below it.
    case 2:
      return std::ldexp(product, digits - static_cast<int>(random.below(3)));
    case 3:
      return -std::ldexp(product, digits + static_cast<int>(random.below(3)));
    case 4:
      return std::ldexp(near_one<T>(random, 2),
                        std::ilogb(std::isfinite(product) && product != 0 ? product : T(1)) +
                            static_cast<int>(random.below(160)) - 80);
    default:
      return static_cast<T>(random.number());
  }
}

template <class T>
Cases<T> hard_cases(std::size_t count) {
  Random random(7);
  Cases<T> cases;
  const int spread = std::numeric_limits<T>::max_exponent;
  for (std::size_t i = 0; i < count; ++i) {
    T a = near_one<T>(random, random.chance(50) ? 4 : spread / 2 + 40);
    T b = near_one<T>(random, random.chance(50) ? 4 : spread / 2 + 40);
    if (random.chance(15)) a = static_cast<T>(random.number());
    if (random.chance(15)) b = from_bits<T>(random.next());
    if (random.chance(20)) a = std::round(a * 1024) / 1024;  // few bits: exact ties
    if (random.chance(20)) b = std::round(b * 1024) / 1024;
    cases.a.push_back(a);
    cases.b.push_back(b);
    cases.c.push_back(hard_addend(random, a, b));
  }
  return cases;
}

/// a * b + c by the image of operation_graph(Fma).
template <class T>
std::vector<T> run_fma(const talweg_image& image, const Cases<T>& cases) {
  Cases<T> copy = cases;
  std::vector<T> result(cases.a.size());
  void* const pointers[] = {copy.a.data(), copy.b.data(), copy.c.data(), result.data()};
  run_only_phase(image, pointers, cases.a.size());
  return result;
}

template <class T>
void check_fma(types::ComputeType compute, std::size_t count) {
  const Cases<T> cases = hard_cases<T>(count);
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(operation_graph(builtins::Op::Fma), compute, isa);
    const std::vector<T> result = run_fma(program->image(), cases);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const T expected = std::fma(cases.a[i], cases.b[i], cases.c[i]);
      if (same(static_cast<double>(expected), static_cast<double>(result[i]))) continue;
      if (++wrong <= 3)
        UNSCOPED_INFO(fmt::format("{}: fma({:a}, {:a}, {:a}) is {:a}, got {:a}", isa, cases.a[i],
                                  cases.b[i], cases.c[i], expected, result[i]));
    }
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("fma of float32 rounds once on every target") {
  check_fma<float>(types::ComputeType::F32, 1'000'000);
}

TEST_CASE("fma of float64 rounds once on every target") {
  check_fma<double>(types::ComputeType::F64, 1'000'000);
}

}  // namespace talweg::tests
