// Fitting scalings in float64, in row order.
#include "runtime/train/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/train/number_text.h"

namespace talweg::train {
namespace {

/// Deviations below this share of the mean's magnitude are rounding, not spread.
constexpr double kConstantShare = 1e-12;

void fit_standard(const Table& table, std::span<const std::uint32_t> rows, Scaling& scaling) {
  const std::size_t columns = table.columns();
  const auto count = static_cast<double>(rows.size());
  std::vector<double> variance(columns, 0.0);
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      scaling.offset[c] += table.features[row * columns + c] / count;
    }
  }
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double deviation = table.features[row * columns + c] - scaling.offset[c];
      variance[c] += deviation * deviation / count;
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(variance[c]);
    const bool is_constant = deviation <= kConstantShare * std::abs(scaling.offset[c]);
    scaling.factor[c] = is_constant || deviation == 0 ? 0 : 1 / deviation;
  }
}

void fit_max(const Table& table, std::span<const std::uint32_t> rows, Scaling& scaling) {
  const std::size_t columns = table.columns();
  std::vector<double> greatest(columns, 0.0);
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      greatest[c] = std::max(greatest[c], std::abs(table.features[row * columns + c]));
    }
  }
  for (std::size_t c = 0; c < columns; ++c)
    scaling.factor[c] = greatest[c] > 0 ? 1 / greatest[c] : 1;
}

}  // namespace

support::Result<ScaleSpec> parse_scale_spec(std::string_view text) {
  if (text == "none") return ScaleSpec{ScaleSpec::Kind::None};
  if (text == "standard") return ScaleSpec{ScaleSpec::Kind::Standard};
  if (text == "max") return ScaleSpec{ScaleSpec::Kind::Max};
  const auto divisor = parse_number(text);
  if (divisor && std::isnormal(*divisor) && *divisor > 0) {
    return ScaleSpec{ScaleSpec::Kind::Divide, *divisor};
  }
  return support::Failure{
      support::FailureKind::Usage,
      fmt::format("--scale is auto, none, standard, max or a positive number to divide by, not "
                  "`{}`",
                  text)};
}

Scaling fit_scaling(const ScaleSpec& spec, const Table& table,
                    std::span<const std::uint32_t> rows) {
  Scaling scaling{std::vector<double>(table.columns(), 0.0),
                  std::vector<double>(table.columns(), 1.0)};
  switch (spec.kind) {
    case ScaleSpec::Kind::None:
      break;
    case ScaleSpec::Kind::Standard:
      fit_standard(table, rows, scaling);
      break;
    case ScaleSpec::Kind::Max:
      fit_max(table, rows, scaling);
      break;
    case ScaleSpec::Kind::Divide:
      std::fill(scaling.factor.begin(), scaling.factor.end(), 1 / spec.divisor);
      break;
  }
  return scaling;
}

}  // namespace talweg::train
