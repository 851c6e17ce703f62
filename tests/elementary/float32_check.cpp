#include "tests/elementary/float32_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "compiler/base/check.h"
#include "compiler/builtins/evaluate.h"
#include "tests/elementary/exact.h"
#include "tests/elementary/lanes.h"

namespace talweg::builtins::tests {

namespace {

/// Beyond float32's range every value counts as the first one outside.
double clamp_to_range(double value) { return std::clamp(value, -0x1p128, 0x1p128); }

/// The size of an ulp of float32 in the binade of `value`.
double ulp_at(double value) {
  const int exponent = value == 0 ? -126 : std::clamp(std::ilogb(value), -126, 127);
  return std::ldexp(1.0, exponent - 23);
}

/// |result - exact| in float32 ulps, infinite where only one is NaN.
double distance(double result, double exact) {
  if (std::isnan(result) || std::isnan(exact))
    return std::isnan(result) && std::isnan(exact) ? 0 : std::numeric_limits<double>::infinity();
  exact = clamp_to_range(exact);
  return std::fabs(clamp_to_range(result) - exact) / ulp_at(exact);
}

/// One result, as far from the reference as `error` says; the first and every kProbe-th with MPFR
/// as judge of the reference.
void look_at_result(Op op, const float* operands, float result, double good, double error,
                    Float32Seen& seen) {
  if (seen.arguments++ % kProbe == 0) {
    const double wide[2] = {static_cast<double>(operands[0]), static_cast<double>(operands[1])};
    // In float64's ulps of its own binade, at most those of float32's scaled.
    seen.worst_reference_ulp =
        std::max(seen.worst_reference_ulp, error_ulp(op, wide, good) * 0x1p-29);
  }
  if (error > kSurelyGood) {
    ++seen.decided_by_mpfr;
    error = error_ulp(op, operands, result);
  }
  if (error <= seen.worst_ulp) return;
  seen.worst_ulp = error;
  seen.worst[0] = operands[0];
  seen.worst[1] = operands[1];
}

bool is_same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

constexpr std::size_t kBatch = 512;

void look_at_batch(Op op, const float* x, const float* y, std::size_t count, Float32Seen& seen) {
  float results[kBatch];
  double references[kBatch], distances[kBatch];
  compute_lanes(op, x, y, count, results, references, distances);
  const auto look = [&](std::size_t i) {
    const float operands[2] = {x[i], y ? y[i] : 0};
    look_at_result(op, operands, results[i], references[i], distances[i], seen);
  };
  // Nearly always nothing is to be done: neither a probe, nor a new worst, nor one for MPFR.
  const double worst = *std::max_element(distances, distances + count);
  const bool has_probe = seen.arguments % kProbe + count > kProbe || seen.arguments % kProbe == 0;
  if (worst <= seen.worst_ulp && worst <= kSurelyGood && !has_probe) {
    seen.arguments += count;
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (seen.arguments % kProbe == 0) {
      const float operands[2] = {x[i], y ? y[i] : 0};
      TALWEG_CHECK(is_same(evaluate(op, operands), results[i]),
                   "lanes and interpreter differ in an elementary function");
    }
    look(i);
  }
}

}  // namespace

void look_at_float32(Op op, float x, float y, Float32Seen& seen) {
  const float operands[2] = {x, y};
  const float result = evaluate(op, operands);
  const double good = plain_value(op, static_cast<double>(x), static_cast<double>(y));
  look_at_result(op, operands, result, good, distance(static_cast<double>(result), good), seen);
}

void look_at_float32(Op op, std::span<const float> x, std::span<const float> y, Float32Seen& seen) {
  std::size_t done = 0;
  const auto second = [&](std::size_t i) { return y.empty() ? nullptr : y.data() + i; };
  while (has_lanes() && x.size() - done >= kLanes) {
    const std::size_t count = std::min(kBatch, (x.size() - done) / kLanes * kLanes);
    look_at_batch(op, x.data() + done, second(done), count, seen);
    done += count;
  }
  for (; done < x.size(); ++done) look_at_float32(op, x[done], y.empty() ? 0 : y[done], seen);
}

}  // namespace talweg::builtins::tests
