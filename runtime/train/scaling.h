// How raw features become what a model sees, fitted on the training part alone and kept for
// prediction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/talweg_abi.h"
#include "runtime/support/result.h"
#include "runtime/train/table.h"

namespace talweg::train {

/// scaled = (raw - offset[column]) * factor[column].
struct Scaling {
  std::vector<double> offset, factor;  // [columns]
};

struct ScaleSpec {
  enum class Kind { None, Standard, Max, Divide };
  Kind kind = Kind::None;
  double divisor = 1;  // Divide
};

/// `none`, `standard`, `max` or a positive number to divide by.
support::Result<ScaleSpec> parse_scale_spec(std::string_view text);

/// Fits on the given rows. Standard: mean 0 and deviation 1 a column (divided by n); a column that
/// is constant there becomes 0. Max: the greatest magnitude of a column becomes 1.
/// Fails (Io), naming the column, where its numbers are too large or too close to each other (or to
/// 0) for that to be computed.
support::Result<Scaling> fit_scaling(const ScaleSpec& spec, const Table& table,
                                     std::span<const std::uint32_t> rows);

/// The greatest magnitude of a compute type.
double greatest_value(talweg_dtype dtype);

/// Fails (Io), naming row and column and giving `advice`, if a feature is too large for `dtype`
/// once it is scaled.
support::Status check_range(const Table& table, const Scaling& scaling, talweg_dtype dtype,
                            std::string_view advice);

}  // namespace talweg::train
