// The graph of one step: values with rates, in an order in which operands come first.
//
// Everything is a value: a branch is a `select`, an assignment is the value that is stored at the
// end. There are no loops and no side effects; every operation is total. Three value types: Scalar
// is float64 (rates const to matrix; of rate row and col what reductions give, before it is
// rounded), Array is the compute type (any rate: an Array of group rate is a scalar rounded once,
// on its way into an array operation), Bool.
//
// A reduction is a node too, the only one that is slower than its operands. In which order it folds
// them depends on shapes alone (ir/sequence.h).
//
// Views share the nodes of the step. A node is the same value in both, but for `step_number`, and
// what a view stores is what `view_step` makes a step of.
//
// Where a step begins (`param`, `grad`, states) and ends (stores) is explicit; flushing of
// subnormals, rounding of scalars and contraction are nodes, so the interpreter, every pass and
// every target see the same arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/ids.h"
#include "compiler/builtins/op.h"
#include "compiler/builtins/reduction.h"
#include "compiler/types/fact.h"
#include "compiler/types/interval.h"
#include "compiler/types/limits.h"
#include "compiler/types/rate.h"
#include "compiler/types/split.h"

namespace talweg::ir {

using types::Rate;
struct NodeTag;
using NodeId = base::Id<NodeTag>;

enum class ValueType : std::uint8_t { Scalar, Array, Bool };

enum class NodeKind : std::uint8_t {
  Constant,  // Scalar or Bool (0/1) of rate const; `value`
  // What the step is given. `index` is into the tables below.
  Param,       // Array, element: param as the call found it
  Grad,        // Array, element: as the caller gave it; `index`: behind so many of the regrads
  State,       // element state: Array; slower: Scalar. Its value before the step
  Input,       // element: Array; model: Scalar
  Given,       // Bool, model
  Hyper,       // Scalar (Bool for a bool hyper that does not follow others), model or group
  StepNumber,  // Scalar, model: t
  CallNumber,  // Scalar, model: calls
  Fact,        // of the tensor, known when the optimizer is built: Scalar or Bool, tensor rate
  // Computation.
  Apply,  // `op` on operands; Select's condition is Bool. All number operands have the node's type,
          // but for Select and comparisons as their signature says
  ToArray,    // Scalar -> Array of the same rate: rounded to the compute type (for F64 the same
              // value)
  DivScalar,  // Array / Scalar of a slower rate: a * r with r = 1/s in float64, rounded once, where
              // r is a finite normal number of the compute type; else a / round(s). operands: a
              // (Array), s (Scalar)
  IsNormal,   // Array -> Bool: finite, not zero, not subnormal in the compute type
  Flush,      // Array: a value that is subnormal in the compute type becomes zero of its sign
  Spread,     // Array or Bool -> the same of rate element: what one matrix, row or column has, as
              // what each of its elements has. So it can be chosen among values that tensors have
              // of which nothing is a matrix
  Reduce,  // Scalar: `fold` of its operands (Array where `over` is an array rate, else Scalar; as
           // many as it takes) at every index value of rate `over`, for those of the model, group
           // or tensor that `rate` says. The last operand is a Bool over facts: the tensors whose
           // values count, of those that have a gradient; on others it is a fold of nothing, or
           // (of rate row and col) means nothing
};

struct Node {
  NodeKind kind = NodeKind::Constant;
  builtins::Op op = builtins::Op::Add;        // for Apply
  builtins::Fold fold = builtins::Fold::Sum;  // for Reduce
  Rate over = Rate::Const;                    // for Reduce
  ValueType type = ValueType::Scalar;
  Rate rate = Rate::Const;
  std::array<NodeId, 3> operands{};  // unused ones are not valid()
  double value = 0;                  // for Constant
  std::uint32_t index = 0;           // for Grad, State, Input, Given, Hyper, Fact

  [[nodiscard]] int operand_count() const;
  bool operator==(const Node&) const = default;
};

struct HyperInfo {
  std::string name;  // the public name
  enum class Kind : std::uint8_t { Number, Int, Bool } kind = Kind::Number;
  Rate rate = Rate::Group;  // Model or Group
  double default_value = 0;
  types::Interval range;
  NodeId bound;  // valid if the pipeline binds it: the Scalar value of this step, range-checked
                 // before any store
  bool follows = false;  // settable all the same: NaN, which asks for what `bound` computes from
                         // other hypers, until it is set
  NodeId unless;  // Bool, of model rate: the call ended before `bound` was evaluated, which is
                  // then not checked; not valid: it is evaluated always
  std::string doc;
};

struct StateInfo {
  std::string name;
  Rate rate = Rate::Element;
  NodeId initial;  // over hypers, constants, param, facts and what they reduce to: what a store to
                   // the state takes, or a Scalar of hypers and constants alone; invalid: 0
  NodeId kept;  // Bool, of model rate, where `skipped` holds: whether an assignment to this state
                // takes effect all the same; not valid: it never does
  NodeId present = {};  // Bool over facts: the tensors that keep it. Invalid: all
  std::string doc;
};

struct InputInfo {
  std::string name;
  Rate rate = Rate::Element;
  NodeId present = {};  // Bool over facts: the tensors whose step may read it. Invalid: all
  std::string doc;
};

/// A value read out in place of the parameters, between steps: of param, states, hypers and the
/// step number, which then counts the completed steps.
struct ViewInfo {
  std::string name;  // the public name
  NodeId value;      // Array, of any rate
  std::string doc;
};

/// What must hold of every tensor where the optimizer is built.
struct Requirement {
  std::string text;  // for people: "rule `SM3` requires rank <= 2"
  NodeId condition;  // Bool over facts
};

enum class StoreTarget : std::uint8_t { Param, State };

/// What a step leaves behind. At most one store a place; a place without one keeps its bits.
struct Store {
  StoreTarget target = StoreTarget::Param;
  std::uint32_t index = 0;  // of the state
  NodeId value;  // Param and element states: Array; slower states: Scalar of the state's rate or
                 // slower
};

inline constexpr std::uint32_t kMaxGradients = types::kMaxWrittenRegrads + 1;  // of one step

/// A point where the step waits for another gradient. What it needs comes before the gradient
/// behind it, and gradients in order.
struct Regrad {
  NodeId condition;  // Bool, of model rate: it does wait; else the gradient stays the one it was
  NodeId param;      // Array: what stands in param from here until the step stores it; where
                     // `condition` does not hold, what stood there before
  NodeId gradient;   // Grad: the one behind it
};

struct Graph {
  std::string name;
  std::string doc;
  std::vector<HyperInfo> hypers;
  std::vector<StateInfo> states;
  std::vector<InputInfo> inputs;
  std::vector<types::Fact> facts;
  std::vector<ViewInfo> views;
  std::vector<Requirement> requirements;
  std::optional<types::Split> split;  // what rates matrix, row and col mean; nothing: it has none
  std::vector<Node> nodes;            // operands before users
  std::vector<Store> stores;
  std::vector<Regrad> regrads;  // in the order in which a step comes to them
  // How the call ends: Bool, of model rate, never both true; not valid: false. The values of stores
  // are right however it ends: those of what does not take effect are what was there.
  NodeId skipped;  // no step was made
  NodeId held;     // the call ended early, and what was assigned until then is kept

  /// Calls visit(id) for every valid id outside `nodes` that what a step leaves behind is read
  /// from: stores, regrads, bound hypers, how it ends. Not for initial values of states.
  template <class Self, class Visit>
  static void visit_results(Self& graph, Visit visit);

  [[nodiscard]] const Node& operator[](NodeId id) const { return nodes[id.index]; }
  NodeId add(Node node);  // appends; computes nothing
};

/// True if tensors differ by their facts, or some may be refused.
bool places_tensors(const Graph& graph);

/// True if a node comes from hypers and constants alone.
bool is_of_hypers(const Graph& graph, NodeId root);

/// True if the step waits whatever it computes.
bool is_always(const Graph& graph, const Regrad& regrad);

/// True if the initial value of a state is neither a Scalar of hypers and constants nor `param` as
/// it is: it takes a run over tensors.
bool computes_initial(const Graph& graph, const StateInfo& state);

/// The graph of a step that does nothing but store the initial value of a state: to param where the
/// state is one of elements, else to the state. The same tables and nodes, without initial values,
/// presence, bound hypers and views.
Graph initial_step(const Graph& graph, std::size_t state);

/// Likewise what stores a view's value to param. Its name is the view's.
Graph view_step(const Graph& graph, std::size_t view);

template <class Self, class Visit>
void Graph::visit_results(Self& graph, Visit visit) {
  const auto visit_valid = [&](auto& id) {
    if (id.valid()) visit(id);
  };
  for (auto& hyper : graph.hypers) {
    visit_valid(hyper.bound);
    visit_valid(hyper.unless);
  }
  for (auto& state : graph.states) visit_valid(state.kept);
  for (auto& store : graph.stores) visit_valid(store.value);
  for (auto& regrad : graph.regrads) {
    visit_valid(regrad.condition);
    visit_valid(regrad.param);
    visit_valid(regrad.gradient);
  }
  visit_valid(graph.skipped);
  visit_valid(graph.held);
}

}  // namespace talweg::ir
