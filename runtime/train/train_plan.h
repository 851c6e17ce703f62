// Settings as typed, read and checked: everything about a run that can be known before data are
// read.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/train/csv.h"
#include "runtime/train/generate.h"
#include "runtime/train/initialise.h"
#include "runtime/train/loop.h"
#include "runtime/train/model_spec.h"
#include "runtime/train/scaling.h"
#include "runtime/train/session.h"
#include "runtime/train/split.h"

namespace talweg::train {

/// Tensors whose names match `pattern` form a parameter group with these hypers.
struct GroupRule {
  std::string pattern;
  std::vector<std::pair<std::string, double>> hypers;
};

struct TrainPlan {
  ModelSpec model;
  std::optional<Loss> loss;        // absent: by model and target
  std::optional<ScaleSpec> scale;  // absent: by model and data
  SplitSpec split;
  LoopSettings loop;  // frozen tensors are found later
  HeaderMode header = HeaderMode::Auto;
  MissingMode missing = MissingMode::Refuse;
  std::vector<GroupRule> groups;
  Initialisation initialisation;
  std::optional<GenerateSpec> generated;
};

/// Failures (Usage) name the flag; Io for an order file that cannot be read.
support::Result<TrainPlan> read_settings(const TrainSettings& settings);

support::Result<HeaderMode> parse_header_mode(std::string_view text);
/// `PATTERN:hyper=value,...`
support::Result<GroupRule> parse_group_rule(std::string_view text);
/// One epoch a line, sample numbers from 0 between blanks or commas; blank lines are passed over.
support::Result<std::vector<std::vector<std::uint32_t>>> parse_order(std::string_view text,
                                                                     const std::string& source);

}  // namespace talweg::train
