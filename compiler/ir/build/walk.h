// Walks the statements and expressions of a typed rule in order and leaves the nodes they mean.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/ir/build/arithmetic.h"
#include "compiler/ir/build/environment.h"
#include "compiler/ir/build/exits.h"
#include "compiler/ir/graph.h"
#include "compiler/sema/typed_rule.h"

namespace talweg::ir {

/// Both arms of a branch are walked, and what they leave different is merged by selects. Of a
/// branch on a constant only the arm taken is walked.
class Walker {
 public:
  static constexpr int kMaxDepth = 2000;

  /// The graph's tables are those of the rule, less const hypers; `hyper_index[i]` is the place of
  /// the rule's hyper i in them.
  Walker(const sema::TypedRule& rule, Graph& graph, std::vector<std::uint32_t> hyper_index);

  /// The value of an expression.
  NodeId value(sema::TypedExprId id) { return arithmetic_.value(term(id)); }
  /// The value of an expression that stands in no statement.
  NodeId standalone_value(sema::TypedExprId id);
  /// What a state starts as: what a store to it takes, or a Scalar of hypers; `param` itself with
  /// its bits. Reductions range over the tensors that run its stage.
  NodeId initial_value(const sema::TypedState& state);
  /// The Array that a view gives: on tensors that do not run its stage, `param`.
  NodeId view_value(sema::TypedExprId id, const std::optional<sema::TypedExprId>& condition);
  /// What a symbol is worth here.
  NodeId load(sema::Symbol symbol);
  void assign(sema::Symbol symbol, NodeId value);
  /// Gives a bound hyper its value.
  void bind(std::uint32_t hyper, NodeId value);
  /// The value that a hyper was set to; `value` where it was not.
  NodeId unless_set(std::uint32_t hyper, NodeId value);
  /// A stage's statements, for the tensors of its condition (all, if it has none).
  void stage_statements(std::span<const sema::TypedStmt> body,
                        const std::optional<sema::TypedExprId>& condition);
  /// param -= update, for the tensors for which some stage assigned it.
  void subtract_update();
  /// Whether the call ended before this point, as a new node; not valid() if it cannot.
  NodeId exited() { return exits_.exited(); }

  // When all is walked:
  /// What is stored to Param or a State, however the call ends; not valid() if it stays as the step
  /// found it.
  NodeId stored(sema::Symbol symbol);
  /// How the call ends, and for which skips an assignment to a state takes effect; see Graph.
  [[nodiscard]] NodeId skipped() const { return exits_.skipped(); }
  [[nodiscard]] NodeId held() const { return exits_.held(); }
  [[nodiscard]] NodeId kept(std::uint32_t state) const {
    return exits_.kept(place_of_state(state));
  }

  /// The rule is too large for a graph; what was built is of no use.
  [[nodiscard]] bool overflowed() const { return arithmetic_.full() || too_deep_; }
  [[nodiscard]] bool too_deep() const { return too_deep_; }
  /// The statement or standalone expression being walked.
  [[nodiscard]] base::Span span() const { return span_; }

 private:
  static constexpr std::size_t kParamPlace = 0;
  static std::size_t place_of_state(std::uint32_t state) { return kParamPlace + 1 + state; }
  [[nodiscard]] sema::Symbol symbol_of_place(std::size_t place) const;

  using Changes = std::vector<Environment::Change>;
  class Nesting;

  Term term(sema::TypedExprId id);
  Term atom(const sema::TypedExpr& expression);
  Term apply(const sema::ApplyNode& node, const Term& first);
  NodeId choose(const sema::ChooseNode& node, Rate rate);
  // reductions.cpp
  NodeId reduce(const sema::ReduceNode& node, Rate rate);
  NodeId count(Rate over, Rate rate, NodeId domain);
  NodeId count_in_shape(Rate over, Rate rate);
  NodeId fact(types::FactKind kind);
  void statements(std::span<const sema::TypedStmt> body);
  [[nodiscard]] NodeId assigned(sema::Symbol symbol) const;
  void branch(const sema::TypedIf& node);
  Changes arm(NodeId condition, bool holds, std::span<const sema::TypedStmt> body);
  std::vector<NodeId> guard_conditions();
  void exit(const sema::TypedExit& node);
  void regrad();
  NodeId merged_gradient(const Changes& then_changes, const Changes& else_changes,
                         std::size_t before, std::size_t between);
  void merge(NodeId condition, const Changes& then_changes, const Changes& else_changes);
  NodeId after_arm(std::size_t slot, const Changes& changes);
  void merge_tensors(NodeId condition, const Changes& changes);
  NodeId on_tensors(NodeId condition, NodeId then_value, NodeId else_value,
                    Rate place = Rate::Element);
  [[nodiscard]] Rate rate_of_slot(std::size_t slot) const;
  NodeId load_update();
  NodeId leaf(sema::Symbol symbol);

  const sema::TypedRule& rule_;
  Graph& graph_;
  std::vector<std::uint32_t> hyper_index_;
  Arithmetic arithmetic_;
  Environment environment_;
  Exits exits_;
  /// A condition around the statement being walked, and whether it holds there.
  struct Guard {
    NodeId condition;
    bool holds = true;
  };
  std::vector<Guard> guards_;
  std::size_t block_mark_ = 0;  // of the environment, where the block began
  std::unordered_map<std::uint32_t, Rate> local_rates_;
  std::unordered_map<std::uint64_t, NodeId> leaves_;
  NodeId true_;     // valid where stages have conditions
  NodeId tensors_;  // of the stage being walked; not valid(): all
  base::Span span_;
  int depth_ = 0;
  bool too_deep_ = false;
};

}  // namespace talweg::ir
