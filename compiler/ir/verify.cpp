// What holds of every graph:
//
// Tables
//   1. Names are not empty and unique within their table.
//   2. A hyper is of rate model or group. Its default is no NaN; that of an int is integral, that
//      of a bool 0 or 1. A bound one has a node of its type (Scalar, or Bool for a bool) of its
//      rate or slower.
//   3. A state is of any rate but const. An initial value is what a store to it takes (11),
//      computed from constants, hypers, param, facts and reductions of these alone; or, of an array
//      state too, a Scalar computed from constants and hypers alone.
//   4. An input is of any rate but const. What is present only on some tensors says so by a Bool
//      over facts and constants; so does what is required of tensors.
//  12. A view has an Array computed from constants, hypers that are not bound, states, param, the
//      step number, facts and reductions of these alone.
// Nodes
//   5. A node has as many operands as its kind and operation take, each before it (so there is no
//      cycle).
//   6. `index` names an entry of the table of its kind. Fields that a kind does not use hold their
//      default.
//   7. Operands have the types that the kind or operation takes; the numbers of one operation are
//      all Scalar or all Array. The node has the type that follows.
//   8. A node has the rate that follows: that of its table entry, or the join of its operands.
//   9. A Scalar is not of rate element. A Bool constant is 0 or 1. Nothing, inputs too, is of rate
//      matrix, row or col unless the graph says how tensors are split.
//  13. A reduction takes numbers, Array where `over` is an array rate and else Scalar, of that rate
//      or slower, and last a Bool over facts and constants. It is slower than `over`.
// Stores
//  10. A store names a place that exists, and each place at most once.
//  11. Param and array states take an Array, other states a Scalar; of the place's rate or slower.
// Ends
//  15. `skipped`, `held`, `unless` of hypers and `kept` of states are Bool of rate up to model.
//      Only a bound hyper has `unless`; a state has `kept` only where the graph has `skipped`.
//  14. What holds of regrads stands in verify_regrads.cpp.
#include "compiler/ir/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/ir/make_node.h"
#include "compiler/ir/over_facts.h"
#include "compiler/ir/phases.h"
#include "compiler/ir/verify_regrads.h"

namespace talweg::ir {

using builtins::Signature;
using types::fits;

namespace {

constexpr std::size_t kMaxFaults = 20;

std::string_view text_of(ValueType type) {
  switch (type) {
    case ValueType::Scalar:
      return "scalar";
    case ValueType::Array:
      return "array";
    case ValueType::Bool:
      return "bool";
  }
  return "unknown type";
}

/// True if every node that `root` is computed from, itself included, is allowed.
template <class Allowed>
bool computes_from(const Graph& graph, NodeId root, Allowed allowed) {
  std::vector<NodeId> open{root};
  std::unordered_set<NodeId> seen{root};
  while (!open.empty()) {
    const Node& node = graph[open.back()];
    open.pop_back();
    if (!allowed(node)) return false;
    for (int i = 0; i < node.operand_count(); ++i) {
      const NodeId operand = node.operands[static_cast<std::size_t>(i)];
      if (seen.insert(operand).second) open.push_back(operand);
    }
  }
  return true;
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  std::vector<Fault> run() && {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) check_node(NodeId(i));
    if (faults_.empty()) {  // what follows reads nodes through their operands
      check_domains();
      check_hypers();
      check_states();
      check_inputs();
      check_views();
      check_stores();
      check_ends();
      find_regrad_faults(graph_, faults_);
    }
    return std::move(faults_);
  }

 private:
  template <class... Args>
  void fault(NodeId node, fmt::format_string<Args...> format, Args&&... args) {
    if (faults_.size() < kMaxFaults)
      faults_.push_back({node, fmt::format(format, std::forward<Args>(args)...)});
  }

  [[nodiscard]] bool exists(NodeId id) const { return id.index < graph_.nodes.size(); }

  // ---- Nodes ----

  void check_node(NodeId id) {
    const Node& node = graph_[id];
    if (!check_operands(id, node) || !check_fields(id, node)) return;
    if (node.kind == NodeKind::Apply)
      check_apply(id, node);
    else if (node.kind == NodeKind::Reduce)
      check_reduce(id, node);
    else
      check_conversion(id, node);
    const ValueType type = type_of(graph_, node);
    const Rate rate = rate_of(graph_, node);
    if (node.type != type)
      fault(id, "%{} is {}, but its operands make it {}", id.index, text_of(node.type),
            text_of(type));
    if (node.rate != rate)
      fault(id, "%{} is of rate {}, but its operands make it {}", id.index, to_text(node.rate),
            to_text(rate));
    const bool is_of_matrix = !fits(node.rate, Rate::Tensor) && node.rate != Rate::Element;
    if (is_of_matrix && !graph_.split)
      fault(id, "%{} is of rate {} in a graph without matrices", id.index, to_text(node.rate));
    if (node.type == ValueType::Scalar && node.rate == Rate::Element)
      fault(id, "%{} is a scalar of rate {}", id.index, to_text(node.rate));
    if (node.kind == NodeKind::Constant && node.type == ValueType::Bool && node.value != 0 &&
        node.value != 1)
      fault(id, "%{} is a bool constant that is neither 0 nor 1", id.index);
  }

  void check_reduce(NodeId id, const Node& node) {
    const int arity = builtins::info(node.fold).arity;
    const ValueType type = types::is_array(node.over) ? ValueType::Array : ValueType::Scalar;
    for (int i = 0; i < arity; ++i) {
      expect(id, i, type);
      const Rate rate = graph_[node.operands[static_cast<std::size_t>(i)]].rate;
      if (!fits(rate, node.over))
        fault(id, "%{} reduces over {}, and its operand is of rate {}", id.index,
              to_text(node.over), to_text(rate));
    }
    if (node.rate == node.over || !fits(node.rate, node.over) || node.rate == Rate::Const)
      fault(id, "%{} reduces from rate {} to rate {}", id.index, to_text(node.over),
            to_text(node.rate));
  }

  void check_domains() {
    over_facts_ = find_over_facts(graph_);
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].kind != NodeKind::Reduce) continue;
      const NodeId domain = domain_of(graph_.nodes[i]);
      if (graph_[domain].type == ValueType::Bool && over_facts_[domain.index]) continue;
      fault(NodeId(i), "the tensors of %{} are no bool over facts", i);
    }
  }

  void check_present(NodeId present, std::string_view name) {
    if (!present.valid()) return;
    if (!exists(present)) return fault({}, "`{}` is present by a node that does not exist", name);
    const Node& node = graph_[present];
    if (node.type != ValueType::Bool || !over_facts_[present.index])
      fault(present, "`{}` is present by {} of rate {}, not a bool over facts", name,
            text_of(node.type), to_text(node.rate));
  }

  bool check_operands(NodeId id, const Node& node) {
    const int count = node.operand_count();
    bool good = true;
    for (int i = 0; i < static_cast<int>(node.operands.size()); ++i) {
      const NodeId operand = node.operands[static_cast<std::size_t>(i)];
      if (i >= count && operand.valid()) {
        fault(id, "%{} has more than its {} operands", id.index, count);
        good = false;
      } else if (i < count && !(operand < id)) {
        fault(id, "operand {} of %{} does not stand before it", i + 1, id.index);
        good = false;
      }
    }
    return good;
  }

  bool check_fields(NodeId id, const Node& node) {
    const auto entries = [&]() -> std::size_t {
      switch (node.kind) {
        case NodeKind::State:
          return graph_.states.size();
        case NodeKind::Input:
        case NodeKind::Given:
          return graph_.inputs.size();
        case NodeKind::Hyper:
          return graph_.hypers.size();
        case NodeKind::Fact:
          return graph_.facts.size();
        case NodeKind::Grad:
          return graph_.regrads.size() + 1;
        case NodeKind::Constant:
        case NodeKind::Param:
        case NodeKind::StepNumber:
        case NodeKind::CallNumber:
        case NodeKind::Apply:
        case NodeKind::ToArray:
        case NodeKind::DivScalar:
        case NodeKind::IsNormal:
        case NodeKind::Flush:
        case NodeKind::Spread:
        case NodeKind::Reduce:
          break;
      }
      return 1;
    };
    if (node.index >= entries()) {
      fault(id, "%{} names entry {} of a table that has {}", id.index, node.index, entries());
      return false;
    }
    const bool value_unused = node.kind != NodeKind::Constant && node.value != 0;
    const bool op_unused = node.kind != NodeKind::Apply && node.op != builtins::Op::Add;
    const bool fold_unused = node.kind != NodeKind::Reduce &&
                             (node.fold != builtins::Fold::Sum || node.over != Rate::Const);
    if (value_unused || op_unused || fold_unused)
      fault(id, "%{} sets a field that its kind does not use", id.index);
    return true;
  }

  void expect(NodeId id, int operand, ValueType type) {
    const NodeId value = graph_[id].operands[static_cast<std::size_t>(operand)];
    if (graph_[value].type != type)
      fault(id, "operand {} of %{} is {}, not {}", operand + 1, id.index,
            text_of(graph_[value].type), text_of(type));
  }

  void expect_number(NodeId id, int operand) {
    const NodeId value = graph_[id].operands[static_cast<std::size_t>(operand)];
    if (graph_[value].type == ValueType::Bool)
      fault(id, "operand {} of %{} is bool, not a number", operand + 1, id.index);
  }

  void expect_same(NodeId id, int first, int count) {
    const Node& node = graph_[id];
    const ValueType type = graph_[node.operands[static_cast<std::size_t>(first)]].type;
    for (int i = first + 1; i < count; ++i) expect(id, i, type);
  }

  void check_apply(NodeId id, const Node& node) {
    const int count = node.operand_count();
    switch (builtins::info(node.op).signature) {
      case Signature::Numbers:
      case Signature::Comparison:
      case Signature::Predicate:
        expect_number(id, 0);
        expect_same(id, 0, count);
        break;
      case Signature::Logic:
        for (int i = 0; i < count; ++i) expect(id, i, ValueType::Bool);
        break;
      case Signature::Choice:
        expect(id, 0, ValueType::Bool);
        expect_same(id, 1, count);
        break;
    }
  }

  void check_conversion(NodeId id, const Node& node) {
    if (node.kind == NodeKind::ToArray) expect(id, 0, ValueType::Scalar);
    if (node.kind == NodeKind::IsNormal || node.kind == NodeKind::Flush)
      expect(id, 0, ValueType::Array);
    if (node.kind == NodeKind::Spread && graph_[node.operands[0]].type == ValueType::Scalar)
      fault(id, "%{} spreads a scalar", id.index);
    if (node.kind == NodeKind::DivScalar) {
      expect(id, 0, ValueType::Array);
      expect(id, 1, ValueType::Scalar);
    }
  }

  // ---- Tables ----

  template <class Table>
  void check_names(const Table& table, std::string_view what) {
    std::unordered_set<std::string_view> seen;
    for (const auto& entry : table) {
      if (entry.name.empty()) fault({}, "{} {} has no name", what == "input" ? "an" : "a", what);
      if (!seen.insert(entry.name).second) fault({}, "two {}s are named `{}`", what, entry.name);
    }
  }

  void check_hypers() {
    check_names(graph_.hypers, "hyper");
    for (const HyperInfo& hyper : graph_.hypers) {
      if (hyper.rate != Rate::Model && hyper.rate != Rate::Group)
        fault({}, "hyper `{}` is of rate {}", hyper.name, to_text(hyper.rate));
      const double value = hyper.default_value;
      const bool is_bool = hyper.kind == HyperInfo::Kind::Bool;
      const bool not_integral = hyper.kind == HyperInfo::Kind::Int && value != std::trunc(value);
      if (std::isnan(value) || not_integral || (is_bool && value != 0 && value != 1))
        fault({}, "the default of hyper `{}` is not of its kind", hyper.name);
      if (hyper.bound.valid()) check_bound(hyper, is_bool ? ValueType::Bool : ValueType::Scalar);
    }
  }

  void check_bound(const HyperInfo& hyper, ValueType type) {
    if (!exists(hyper.bound))
      return fault({}, "hyper `{}` is bound to a node that does not exist", hyper.name);
    const Node& node = graph_[hyper.bound];
    if (node.type != type)
      fault(hyper.bound, "hyper `{}` is bound to a node of type {}", hyper.name,
            text_of(node.type));
    if (!fits(node.rate, hyper.rate))
      fault(hyper.bound, "hyper `{}` is bound to a node of rate {}", hyper.name,
            to_text(node.rate));
  }

  void check_states() {
    check_names(graph_.states, "state");
    for (const StateInfo& state : graph_.states) {
      if (state.rate == Rate::Const) fault({}, "state `{}` is of rate const", state.name);
      if (state.initial.valid()) check_initial(state);
      check_present(state.present, state.name);
    }
  }

  void check_initial(const StateInfo& state) {
    if (!exists(state.initial))
      return fault({}, "state `{}` starts as a node that does not exist", state.name);
    if (!is_known_before_step(graph_, state.initial))
      return fault(state.initial,
                   "state `{}` starts as more than constants, hypers, param and facts give",
                   state.name);
    const Node& node = graph_[state.initial];
    const bool is_array = types::is_array(state.rate);
    const bool is_filled =
        is_array && node.type == ValueType::Scalar && is_of_hypers(graph_, state.initial);
    const ValueType type = is_array ? ValueType::Array : ValueType::Scalar;
    if ((node.type != type && !is_filled) || !fits(node.rate, state.rate))
      fault(state.initial, "state `{}` of rate {} starts as {} of rate {}", state.name,
            to_text(state.rate), text_of(node.type), to_text(node.rate));
  }

  void check_inputs() {
    check_names(graph_.inputs, "input");
    for (const InputInfo& input : graph_.inputs) {
      const bool is_split = graph_.split || !types::is_of_matrices(input.rate);
      if (input.rate == Rate::Const || !is_split)
        fault({}, "input `{}` is of rate {}", input.name, to_text(input.rate));
      check_present(input.present, input.name);
    }
    for (const Requirement& requirement : graph_.requirements)
      check_present(requirement.condition, requirement.text);
  }

  void check_views() {
    check_names(graph_.views, "view");
    for (const ViewInfo& view : graph_.views) {
      if (!exists(view.value))
        return fault({}, "view `{}` is a node that does not exist", view.name);
      if (graph_[view.value].type != ValueType::Array)
        fault(view.value, "view `{}` is {}, not array", view.name,
              text_of(graph_[view.value].type));
      if (!computes_from(graph_, view.value, [&](const Node& node) { return is_seen(node); }))
        fault(view.value, "view `{}` sees more than param, states, hypers and the step number",
              view.name);
    }
  }

  /// A view may see such a node.
  [[nodiscard]] bool is_seen(const Node& node) const {
    if (node.kind == NodeKind::Hyper)
      return !graph_.hypers[node.index].bound.valid() || graph_.hypers[node.index].follows;
    return node.kind != NodeKind::Grad && node.kind != NodeKind::Input &&
           node.kind != NodeKind::Given && node.kind != NodeKind::CallNumber;
  }

  // ---- Stores ----

  void check_stores() {
    bool param_stored = false;
    std::vector<bool> state_stored(graph_.states.size());
    for (const Store& store : graph_.stores) {
      const bool to_param = store.target == StoreTarget::Param;
      if (store.index >= (to_param ? 1 : graph_.states.size())) {
        fault({}, "a store names state {} of {}", store.index, graph_.states.size());
        continue;
      }
      const std::string_view place =
          to_param ? "param" : std::string_view(graph_.states[store.index].name);
      const bool again = to_param ? param_stored : state_stored[store.index];
      if (again) fault({}, "`{}` is stored twice", place);
      if (to_param)
        param_stored = true;
      else
        state_stored[store.index] = true;
      check_stored_value(store, place, to_param ? Rate::Element : graph_.states[store.index].rate);
    }
  }

  void check_stored_value(const Store& store, std::string_view place, Rate rate) {
    if (!exists(store.value))
      return fault({}, "`{}` is stored from a node that does not exist", place);
    const Node& node = graph_[store.value];
    const ValueType type = types::is_array(rate) ? ValueType::Array : ValueType::Scalar;
    if (node.type != type || !fits(node.rate, rate))
      fault(store.value, "`{}` takes {} of rate {}, and is stored from {} of rate {}", place,
            text_of(type), to_text(rate), text_of(node.type), to_text(node.rate));
  }

  // ---- Ends ----

  void check_ends() {
    check_end(graph_.skipped, "`skipped`");
    check_end(graph_.held, "`held`");
    for (const HyperInfo& hyper : graph_.hypers) {
      check_end(hyper.unless, fmt::format("`unless` of hyper `{}`", hyper.name));
      if (hyper.unless.valid() && !hyper.bound.valid())
        fault({}, "hyper `{}` has `unless`, but is not bound", hyper.name);
    }
    for (const StateInfo& state : graph_.states) {
      check_end(state.kept, fmt::format("`kept` of state `{}`", state.name));
      if (state.kept.valid() && !graph_.skipped.valid())
        fault({}, "state `{}` has `kept`, but no step is skipped", state.name);
    }
  }

  void check_end(NodeId id, std::string_view what) {
    if (!id.valid()) return;
    if (!exists(id)) return fault({}, "{} is a node that does not exist", what);
    const Node& node = graph_[id];
    if (node.type != ValueType::Bool || !fits(node.rate, Rate::Model))
      fault(id, "{} is {} of rate {}, not bool of rate model", what, text_of(node.type),
            to_text(node.rate));
  }

  const Graph& graph_;
  std::vector<Fault> faults_;
  std::vector<bool> over_facts_;  // by node
};

}  // namespace

bool is_known_before_step(const Graph& graph, NodeId root) {
  return computes_from(graph, root, [](const Node& node) {
    return node.kind == NodeKind::Constant || node.kind == NodeKind::Hyper ||
           node.kind == NodeKind::Param || node.kind == NodeKind::Fact || node.operand_count() > 0;
  });
}

std::vector<Fault> find_faults(const Graph& graph) { return Verifier(graph).run(); }

void verify(const Graph& graph, std::string_view after) {
  const std::vector<Fault> faults = find_faults(graph);
  if (faults.empty()) return;
  base::check_failed("the graph has no faults",
                     fmt::format("after {}: {}", after, faults.front().message), __FILE__,
                     __LINE__);
}

}  // namespace talweg::ir
