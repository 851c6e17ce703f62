#include "compiler/ir/sequence.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "compiler/base/check.h"
#include "compiler/builtins/evaluate.h"

namespace talweg::ir {

using builtins::Fold;
using builtins::Op;

namespace {

/// Two results of a fold as one.
double combine(Fold fold, double x, double y) {
  const double operands[2] = {x, y};
  switch (fold) {
    case Fold::Sum:
    case Fold::Dot:
    case Fold::Count:
      return builtins::evaluate(Op::Add, operands);
    case Fold::Min:
      return builtins::evaluate(Op::Min, operands);
    case Fold::Max:
      return builtins::evaluate(Op::Max, operands);
  }
  TALWEG_UNREACHABLE("a fold outside the enumeration");
}

double fold_block(Fold fold, std::span<const double> a, std::span<const double> b) {
  std::array<double, kFoldLanes> lanes;
  lanes.fill(fold_start(fold));
  for (std::size_t i = 0; i < a.size(); ++i) {
    double& lane = lanes[i % kFoldLanes];
    lane = fold == Fold::Dot ? std::fma(a[i], b[i], lane) : combine(fold, lane, a[i]);
  }
  for (std::size_t half = kFoldLanes / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] = combine(fold, lanes[i], lanes[i + half]);
  return lanes[0];
}

}  // namespace

double join(Fold fold, double result, double a, double b) {
  return fold == Fold::Dot ? std::fma(a, b, result) : combine(fold, result, a);
}

double fold_start(Fold fold) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (fold) {
    case Fold::Sum:
    case Fold::Dot:
    case Fold::Count:
      return 0;
    case Fold::Min:
      return kInfinity;
    case Fold::Max:
      return -kInfinity;
  }
  TALWEG_UNREACHABLE("a fold outside the enumeration");
}

double fold_sequence(Fold fold, std::span<const double> a, std::span<const double> b) {
  if (a.size() <= kFoldBlock) return fold_block(fold, a, b);
  std::vector<double> blocks;
  for (std::size_t first = 0; first < a.size(); first += kFoldBlock) {
    const std::size_t count = std::min(kFoldBlock, a.size() - first);
    blocks.push_back(
        fold_block(fold, a.subspan(first, count), b.empty() ? b : b.subspan(first, count)));
  }
  return fold_sequence(fold == Fold::Dot ? Fold::Sum : fold, blocks);
}

}  // namespace talweg::ir
