// The interpreter: the meaning of the language, slow and obvious. No LLVM, no plan.
//
// A Machine holds the values of one graph. It evaluates scalars once for the model and once for
// each group, then one element at a time, exactly as the nodes say.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/types/compute_type.h"

namespace talweg::ir {

/// A value: `number` for Scalar and Array (an Array of float32 holds a float32 value exactly),
/// `truth` for Bool.
struct Value {
  double number = 0;
  bool truth = false;
};

/// What the scalar part of a step sees. All spans are indexed as the graph's tables (unused entries
/// ignored).
struct ScalarContext {
  std::vector<double> hypers;   // of this group, and of the model
  std::vector<double> states;   // scalar states before the step
  std::vector<double> inputs;   // model inputs
  std::vector<bool> given;      // by input
  std::vector<double> reduced;  // by reduction (find_reductions); those of rate model and group
  double step_number = 1;
  double call_number = 1;
};

/// Zeros of the right sizes: enough to evaluate nodes of rate const.
ScalarContext empty_context(const Graph& graph);

/// What one tensor sees.
struct TensorContext {
  std::span<const double> facts;
  std::span<const double> states;   // by state; tensor states only
  std::span<const double> inputs;   // by input; tensor inputs only
  std::span<const double> reduced;  // by reduction; those of rate tensor
};

/// What one matrix, row or column sees.
struct LineContext {
  std::vector<double> states;   // by state; those of its rate
  std::vector<double> inputs;   // by input; those of its rate
  std::vector<double> reduced;  // by reduction; those of its rate
};

/// What one element sees.
struct ElementContext {
  double param = 0;
  double grad = 0;
  std::vector<double> later_grads = {};  // behind each regrad; where one is not known yet, what
                                         // depends on it means nothing
  std::vector<double> states;            // by state; element states only
  std::vector<double> inputs;            // by input; element inputs only
};

class Machine {
 public:
  Machine(const Graph& graph, types::ComputeType compute);

  /// Evaluates every node of rate const, model and group. Reductions are what the context says;
  /// where one is not known yet, what depends on it means nothing.
  void run_scalars(const ScalarContext& context);
  /// Evaluates every node of rate tensor; run_scalars came before.
  void run_tensor(const TensorContext& context);
  /// Evaluates every node of rate matrix, row or col; slower ones came before.
  void run_line(Rate rate, const LineContext& context);
  /// Evaluates every faster node for one element; run_scalars and run_tensor came before.
  void run_element(const ElementContext& context);
  /// What a node was when it was evaluated last.
  [[nodiscard]] Value operator[](NodeId id) const { return values_[id.index]; }

 private:
  const Graph& graph_;
  types::ComputeType compute_;
  std::vector<Value> values_;
  std::vector<std::uint32_t> reduction_;  // by node: which one it is
  std::vector<NodeId> scalar_nodes_, tensor_nodes_, matrix_nodes_, row_nodes_, col_nodes_,
      element_nodes_;
};

/// One operation on values of a type: the definition every target is compared with.
Value apply(builtins::Op op, ValueType operand_type, types::ComputeType compute,
            const Value* operands);
/// Rounds a float64 scalar to the compute type.
double round_to(types::ComputeType compute, double value);
/// A subnormal of the compute type becomes zero of its sign.
double flush(types::ComputeType compute, double value);
/// a / s as NodeKind::DivScalar defines it.
double divide_by_scalar(types::ComputeType compute, double a, double s);

}  // namespace talweg::ir
