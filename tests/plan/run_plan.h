// Runs a plan as generated code would: each program and loop computes only the nodes it lists, and
// finds everything else in slots. Reading a value that is nowhere fails the test.
#pragma once

#include <map>
#include <vector>

#include "compiler/ir/interpret.h"
#include "compiler/plan/plan.h"

namespace talweg::tests {

/// What a step leaves: new values of the places that are written, of bound hypers, and how it ends.
struct Outcome {
  std::map<std::uint32_t, double> streams;   // by stream
  std::map<std::uint32_t, double> states;    // scalar states
  std::map<std::uint32_t, ir::Value> bound;  // by hyper
  std::map<ir::NodeId, bool> ends;           // what says how the call ends, by node
  std::size_t version = 0;                   // the loop that ran
};

Outcome run_plan(const plan::Plan& plan, const ir::ScalarContext& scalars,
                 const ir::ElementContext& element);

/// Requires that the plan leaves what the interpreter of its graph does, bit for bit. Gives the
/// loop that ran.
std::size_t require_plan_agrees(const plan::Plan& plan, const ir::ScalarContext& scalars,
                                const ir::ElementContext& element);

}  // namespace talweg::tests
