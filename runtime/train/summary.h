// A run's outcome as JSON and as a few lines for people.
#pragma once

#include <string>

#include "runtime/train/json_text.h"
#include "runtime/train/objective.h"
#include "runtime/train/problem.h"
#include "runtime/train/session.h"

namespace talweg::train {

/// Settings that decide a run, its outcome, losses and times.
Json summary_json(const TrainSettings& settings, const TrainReport& report,
                  const ModelDescription* description, const std::string& reason);

/// Lines for people. Small models (at most kShownParameters values) show their parameters.
inline constexpr std::uint64_t kShownParameters = 8;
std::string summary_text(const TrainSettings& settings, const TrainReport& report,
                         const Objective& objective);

Json to_json(const Confusion& confusion);
/// "most confused: 8 as 1 (3 times)", or empty when nothing is.
std::string confusion_text(const Confusion& confusion);

}  // namespace talweg::train
