// Where the steps of a rule run: --device.
#pragma once

#include <string>

#include "compiler/driver/compile.h"
#include "compiler/ir/graph.h"
#include "runtime/optimizer/core.hpp"
#include "runtime/support/result.h"

namespace talweg::cli {

struct RuleOptions;

struct Place {
  std::string device = "cpu";     // or "cuda:0"
  std::string processor;          // the GPU's name; empty for the host
  std::string isa;                // of the GPU's kernels; empty for the host
  optimizer::MakeCore make_core;  // for Optimizer::create; empty for the host

  [[nodiscard]] bool is_gpu() const { return !processor.empty(); }
  /// "cuda:0 (NVIDIA H200)".
  [[nodiscard]] std::string text() const {
    return is_gpu() ? device + " (" + processor + ")" : device;
  }
};

/// The place that the options name, with the kernels of a graph (before optimisation) for it.
/// Failures: Usage for a device that is unknown or too old, and for options that are the host's
/// only; Io where there is no driver or it refuses.
support::Result<Place> find_place(const RuleOptions& options, const ir::Graph& graph);

}  // namespace talweg::cli
