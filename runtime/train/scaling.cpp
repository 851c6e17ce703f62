// Fitting scalings in float64, in row order.
#include "runtime/train/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/train/number_text.h"

namespace talweg::train {
namespace {

/// Deviations below this share of the mean's magnitude are rounding, not spread.
constexpr double kConstantShare = 1e-12;

support::Failure cannot_scale(const Table& table, std::size_t column, std::string_view why) {
  return {support::FailureKind::Io, fmt::format("{}: the column `{}` cannot be scaled: {}",
                                                table.source, table.feature_names[column], why)};
}

support::Status fit_standard(const Table& table, std::span<const std::uint32_t> rows,
                             Scaling& scaling) {
  const std::size_t columns = table.columns();
  const auto count = static_cast<double>(rows.size());
  std::vector<double> variance(columns, 0.0);
  std::vector<double> greatest(columns, 0.0);
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      scaling.offset[c] += table.features[row * columns + c] / count;
    }
  }
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double deviation = table.features[row * columns + c] - scaling.offset[c];
      variance[c] += deviation * deviation / count;
      greatest[c] = std::max(greatest[c], std::abs(deviation));
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    if (!std::isfinite(scaling.offset[c]) || !std::isfinite(variance[c])) {
      return cannot_scale(table, c,
                          "its numbers are so large that their squares overflow; use --scale max, "
                          "or write them in a larger unit");
    }
    const double rounding = kConstantShare * std::abs(scaling.offset[c]);
    if (greatest[c] > rounding && variance[c] < std::numeric_limits<double>::min()) {
      return cannot_scale(table, c,
                          "its numbers are so close to each other that the squares of their "
                          "distances are lost; use --scale max, or write them in a smaller unit");
    }
    const double deviation = std::sqrt(variance[c]);
    const bool is_constant = deviation <= rounding;
    scaling.factor[c] = is_constant || deviation == 0 ? 0 : 1 / deviation;
  }
  return support::ok();
}

support::Status fit_max(const Table& table, std::span<const std::uint32_t> rows, Scaling& scaling) {
  const std::size_t columns = table.columns();
  std::vector<double> greatest(columns, 0.0);
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      greatest[c] = std::max(greatest[c], std::abs(table.features[row * columns + c]));
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    scaling.factor[c] = greatest[c] > 0 ? 1 / greatest[c] : 1;
    if (std::isfinite(scaling.factor[c])) continue;
    return cannot_scale(table, c,
                        "its numbers are so close to 0 that dividing by the greatest overflows; "
                        "write them in a smaller unit");
  }
  return support::ok();
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

support::Result<Scaling> fit_scaling(const ScaleSpec& spec, const Table& table,
                                     std::span<const std::uint32_t> rows) {
  Scaling scaling{std::vector<double>(table.columns(), 0.0),
                  std::vector<double>(table.columns(), 1.0)};
  support::Status status = support::ok();
  switch (spec.kind) {
    case ScaleSpec::Kind::None:
      break;
    case ScaleSpec::Kind::Standard:
      status = fit_standard(table, rows, scaling);
      break;
    case ScaleSpec::Kind::Max:
      status = fit_max(table, rows, scaling);
      break;
    case ScaleSpec::Kind::Divide:
      std::fill(scaling.factor.begin(), scaling.factor.end(), 1 / spec.divisor);
      break;
  }
  if (!status) return status.failure();
  return scaling;
}

double greatest_value(talweg_dtype dtype) {
  return dtype == TALWEG_F32 ? double{std::numeric_limits<float>::max()}
                             : std::numeric_limits<double>::max();
}

support::Status check_range(const Table& table, const Scaling& scaling, talweg_dtype dtype,
                            std::string_view advice) {
  const std::size_t columns = table.columns();
  const double greatest = greatest_value(dtype);
  for (std::size_t i = 0; i < table.features.size(); ++i) {
    const std::size_t c = i % columns;
    const double scaled = (table.features[i] - scaling.offset[c]) * scaling.factor[c];
    if (std::abs(scaled) <= greatest) continue;
    return support::Failure{
        support::FailureKind::Io,
        fmt::format("{}: `{}` is {}, too large for a {} after scaling; {}",
                    row_place(table, i / columns), table.feature_names[c], table.features[i],
                    dtype == TALWEG_F32 ? "float32" : "float64", advice)};
  }
  return support::ok();
}

}  // namespace talweg::train
