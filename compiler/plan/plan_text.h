// A plan as `talweg plan` shows it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "compiler/plan/describe.h"
#include "compiler/plan/expression_text.h"

namespace talweg::plan {

/// Parameters for which a time is predicted.
inline constexpr double kPredictedParameters = 1e8;

/// What this machine was measured to move.
struct MeasuredBandwidth {
  double bytes_per_second = 0;
  unsigned threads = 1;
};

/// `bandwidth`: null if it was not measured.
std::string plan_text(const plan::Description& plan, const MeasuredBandwidth* bandwidth,
                      bool color);
nlohmann::json plan_json(const plan::Description& plan, const MeasuredBandwidth* bandwidth);

}  // namespace talweg::plan
