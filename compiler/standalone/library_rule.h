// What a library says of one rule, beside its kernels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/plan/plan.h"
#include "compiler/targets/target.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::standalone {

/// A rule's kernels for GPUs of an architecture and newer ones.
struct GpuCode {
  const targets::Target* target;
  std::string ptx;
};

struct LibraryRule {
  std::string prefix;      // of the names of its own functions: "adamw"
  std::string class_name;  // in Python: "AdamW"
  const ir::Graph* graph;  // before optimisation
  const plan::Plan* plan;
  std::vector<GpuCode> gpu_codes = {};  // the newest last; of all rules of a library for the same
};

/// Hypers that a caller may set, in the order of the struct of hypers.
std::vector<std::uint32_t> settable_hypers(const talweg_image& image);

/// What hypers, inputs and states are called in C and Python, by their numbers in the image.
struct FieldNames {
  std::vector<std::string> hypers, inputs, states;
};
FieldNames field_names(const talweg_image& image);

/// What the rules of a library are called as classes of its Python and JavaScript modules: a `_`
/// behind tells a rule from a word of a language and from another rule.
std::vector<std::string> class_names(const std::vector<std::string>& rules);

/// Why the rule has no step on plain arrays without an optimizer (runtime/standalone/flat.c), as a
/// sentence without an end; empty if it has one.
std::string why_no_flat_step(const LibraryRule& rule);
inline bool has_flat_step(const LibraryRule& rule) { return why_no_flat_step(rule).empty(); }

}  // namespace talweg::standalone
