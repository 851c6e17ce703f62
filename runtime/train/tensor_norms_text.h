// Norms of tensors as JSON and as lines for people.
#pragma once

#include <span>
#include <string>

#include "runtime/train/json_text.h"
#include "runtime/train/tensor_norms.h"

namespace talweg::train {

/// {"step": 1, "epoch": 1, "gradient": {NAME: norm, ...}, "parameter": {...}, "update": {...}}
Json to_json(std::span<const std::string> names, const StepNorms& norms);
/// {"first": ..., "last": ...}, each as above.
Json to_json(const RunNorms& norms);
/// Two lines: the smallest and the largest gradient, first and last.
std::string norms_text(const RunNorms& norms);

}  // namespace talweg::train
