#include "compiler/ir/build/walk.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/ir/make_node.h"

namespace talweg::ir {

using sema::Symbol;
using sema::SymbolKind;

/// Counts how deep calls nest; beyond kMaxDepth the walker stops.
class Walker::Nesting {
 public:
  explicit Nesting(Walker& walker) : walker_(walker) {
    if (++walker_.depth_ > kMaxDepth) walker_.too_deep_ = true;
  }
  ~Nesting() { --walker_.depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Walker& walker_;
};

Walker::Walker(const sema::TypedRule& rule, Graph& graph, std::vector<std::uint32_t> hyper_index)
    : rule_(rule),
      graph_(graph),
      hyper_index_(std::move(hyper_index)),
      arithmetic_(graph),
      environment_(rule),
      exits_(graph, arithmetic_, place_of_state(static_cast<std::uint32_t>(rule.states.size()))) {
  const auto has_condition = [](const sema::TypedStage& stage) {
    return stage.condition.has_value();
  };
  if (std::any_of(rule.stages.begin(), rule.stages.end(), has_condition))
    true_ = arithmetic_.add(make_truth(true));
}

// ---- Symbols ----

/// The value a symbol has where the step begins, one node for each.
NodeId Walker::leaf(Symbol symbol) {
  const std::uint64_t key = static_cast<std::uint64_t>(symbol.kind) << 32 | symbol.index;
  if (const auto known = leaves_.find(key); known != leaves_.end()) return known->second;
  Node node;
  switch (symbol.kind) {
    case SymbolKind::Param:
      node = make_leaf(NodeKind::Param);
      break;
    case SymbolKind::Grad:
      node = make_leaf(NodeKind::Grad);
      break;
    case SymbolKind::T:
      node = make_leaf(NodeKind::StepNumber);
      break;
    case SymbolKind::Calls:
      node = make_leaf(NodeKind::CallNumber);
      break;
    case SymbolKind::Hyper: {
      const sema::TypedHyper& hyper = rule_.hypers[symbol.index];
      TALWEG_CHECK(!hyper.bound, "a bound hyper is read before its stage begins");
      if (hyper.rate != Rate::Const)
        node = make_leaf(graph_, NodeKind::Hyper, hyper_index_[symbol.index]);
      else if (hyper.kind == sema::HyperKind::Bool)
        node = make_truth(hyper.default_value != 0);
      else
        node = make_constant(hyper.default_value);
      break;
    }
    case SymbolKind::State:
      node = make_leaf(graph_, NodeKind::State, symbol.index);
      break;
    case SymbolKind::Input:
      node = make_leaf(graph_, NodeKind::Input, symbol.index);
      break;
    case SymbolKind::Given:
      node = make_leaf(graph_, NodeKind::Given, symbol.index);
      break;
    case SymbolKind::Fact:
      node = make_leaf(graph_, NodeKind::Fact, symbol.index);
      break;
    case SymbolKind::Update:
    case SymbolKind::Local:
      TALWEG_UNREACHABLE("a local is read before it is assigned");
  }
  const NodeId id = arithmetic_.add(node);
  leaves_.emplace(key, id);
  return id;
}

/// The value a symbol was given; not valid() if it is as the step found it.
NodeId Walker::assigned(Symbol symbol) const { return environment_[environment_.slot(symbol)]; }

NodeId Walker::load(Symbol symbol) {
  switch (symbol.kind) {
    case SymbolKind::T:
    case SymbolKind::Calls:
    case SymbolKind::Input:
    case SymbolKind::Given:
    case SymbolKind::Fact:
      return leaf(symbol);
    case SymbolKind::Update:
      return load_update();
    case SymbolKind::Param:
    case SymbolKind::Grad:
    case SymbolKind::Hyper:
    case SymbolKind::State:
    case SymbolKind::Local:
      break;
  }
  const NodeId value = assigned(symbol);
  return value.valid() ? value : leaf(symbol);
}

/// The step to subtract is the gradient until a stage says otherwise, for each tensor.
NodeId Walker::load_update() {
  const NodeId value = assigned({SymbolKind::Update, 0});
  if (!value.valid()) return load({SymbolKind::Grad, 0});
  const NodeId tensors = environment_[Environment::kUpdateAssigned];
  return tensors.valid() && tensors != true_
             ? on_tensors(tensors, value, load({SymbolKind::Grad, 0}))
             : value;
}

void Walker::assign(Symbol symbol, NodeId value) {
  const bool is_array_place =
      symbol.kind == SymbolKind::Param ||
      (symbol.kind == SymbolKind::State && types::is_array(rule_.states[symbol.index].rate));
  environment_.set(environment_.slot(symbol), is_array_place ? arithmetic_.flush(value) : value);
  if (symbol.kind == SymbolKind::Update && true_.valid())
    environment_.set(Environment::kUpdateAssigned, true_);
}

void Walker::bind(std::uint32_t hyper, NodeId value) {
  environment_.set(environment_.slot({SymbolKind::Hyper, hyper}), value);
}

NodeId Walker::unless_set(std::uint32_t hyper, NodeId value) {
  const std::uint32_t index = hyper_index_[hyper];
  const bool is_bool = graph_.hypers[index].kind == HyperInfo::Kind::Bool;
  const NodeId number = arithmetic_.add(make_leaf(graph_, NodeKind::Hyper, index));
  const auto compare = [&](builtins::Op op, NodeId other) {
    return arithmetic_.value(
        arithmetic_.apply(op, std::array{Term{.node = number, .left = {}, .right = {}},
                                         Term{.node = other, .left = {}, .right = {}}}));
  };
  const NodeId is_set = compare(builtins::Op::Eq, number);  // it is NaN where it was not
  const NodeId set = is_bool ? compare(builtins::Op::Ne, arithmetic_.constant(0)) : number;
  return arithmetic_.select(is_set, set, value);
}

void Walker::subtract_update() {
  const Term param{.node = load({SymbolKind::Param, 0}), .left = {}, .right = {}};
  NodeId step = assigned({SymbolKind::Update, 0});
  // Every stage that assigns it may stand in an arm that no tensor can take.
  if (!step.valid() && true_.valid()) return;
  if (!step.valid()) step = load({SymbolKind::Grad, 0});
  const Term update{.node = step, .left = {}, .right = {}};
  const Term difference = arithmetic_.apply(builtins::Op::Sub, std::array{param, update});
  const NodeId tensors = environment_[Environment::kUpdateAssigned];
  assign({SymbolKind::Param, 0}, arithmetic_.value(difference));
  if (tensors.valid() && tensors != true_)
    environment_.set(environment_.slot({SymbolKind::Param, 0}),
                     on_tensors(tensors, assigned({SymbolKind::Param, 0}), param.node));
}

// ---- Tensors that go different ways ----

/// An Array that is one value on the tensors of `condition` and another on the rest.
NodeId Walker::on_tensors(NodeId condition, NodeId then_value, NodeId else_value, Rate place) {
  if (then_value == else_value) return then_value;
  return arithmetic_.choose(condition, arithmetic_.to_array(then_value),
                            arithmetic_.to_array(else_value), place);
}

NodeId Walker::initial_value(const sema::TypedState& state) {
  const NodeId tensors = state.condition ? standalone_value(*state.condition) : NodeId();
  const bool is_anywhere = !tensors.valid() || (graph_[tensors].kind == NodeKind::Constant &&
                                                graph_[tensors].value != 0);
  tensors_ = is_anywhere ? NodeId() : tensors;
  const NodeId start = standalone_value(*state.initial);
  tensors_ = {};
  if (overflowed() || !types::is_array(state.rate) || graph_[start].kind == NodeKind::Param ||
      is_of_hypers(graph_, start))
    return start;
  return arithmetic_.flush(arithmetic_.to_array(start));
}

NodeId Walker::view_value(sema::TypedExprId id, const std::optional<sema::TypedExprId>& condition) {
  if (!condition) return arithmetic_.to_array(standalone_value(id));
  const NodeId tensors = standalone_value(*condition);
  const NodeId param = load({SymbolKind::Param, 0});
  if (graph_[tensors].kind == NodeKind::Constant)
    return graph_[tensors].value != 0 ? arithmetic_.to_array(standalone_value(id)) : param;
  tensors_ = tensors;
  const NodeId value = standalone_value(id);
  tensors_ = {};
  return on_tensors(tensors, value, param);
}

void Walker::stage_statements(std::span<const sema::TypedStmt> body,
                              const std::optional<sema::TypedExprId>& condition) {
  block_mark_ = environment_.mark();
  tensors_ = {};
  if (!condition) return statements(body);
  const NodeId tensors = standalone_value(*condition);
  if (graph_[tensors].kind == NodeKind::Constant) {
    if (graph_[tensors].value != 0) statements(body);
    return;
  }
  tensors_ = tensors;
  const std::size_t mark = environment_.mark();
  statements(body);
  merge_tensors(tensors, environment_.take_back(mark));
  tensors_ = {};
}

/// Arrays keep what they were on the other tensors; scalar states belong to no tensor and change;
/// locals end with the stage.
void Walker::merge_tensors(NodeId condition, const Changes& changes) {
  std::vector<Environment::Change> merged;
  for (const Environment::Change& change : changes) {
    if (change.slot == Environment::kUpdateAssigned) {
      const NodeId before = environment_[change.slot];
      const NodeId now = !before.valid() ? condition
                         : before == true_
                             ? true_
                             : arithmetic_.value(arithmetic_.apply(
                                   builtins::Op::Or,
                                   std::array{Term{.node = before, .left = {}, .right = {}},
                                              Term{.node = condition, .left = {}, .right = {}}}));
      merged.push_back({change.slot, now});
      continue;
    }
    const Symbol symbol = environment_.symbol(change.slot);
    const bool is_scalar_state =
        symbol.kind == SymbolKind::State && !types::is_array(rule_.states[symbol.index].rate);
    if (symbol.kind == SymbolKind::Local) continue;
    if (is_scalar_state) {
      merged.push_back(change);
      continue;
    }
    // What `update` holds on tensors for which nothing assigned it is never read.
    const bool is_first_update =
        symbol.kind == SymbolKind::Update && !environment_[change.slot].valid();
    merged.push_back({change.slot, is_first_update ? arithmetic_.to_array(change.value)
                                                   : on_tensors(condition, change.value,
                                                                after_arm(change.slot, {}),
                                                                rate_of_slot(change.slot))});
  }
  for (const Environment::Change& change : merged) environment_.set(change.slot, change.value);
}

// ---- Expressions ----

NodeId Walker::standalone_value(sema::TypedExprId id) {
  span_ = rule_[id].span;
  return value(id);
}

/// A sum of many terms is a long chain of left operands: it is walked by a loop, and only what
/// stands to the right of an operator nests.
Term Walker::term(sema::TypedExprId id) {
  const Nesting nesting(*this);
  const auto as_apply = [&](sema::TypedExprId expression) {
    const auto* node = std::get_if<sema::ApplyNode>(&rule_[expression].node);
    return node && !node->operands.empty() ? node : nullptr;
  };
  std::vector<const sema::ApplyNode*> chain;
  while (const sema::ApplyNode* node = as_apply(id)) {
    chain.push_back(node);
    id = node->operands[0];
  }
  Term result = atom(rule_[id]);
  for (; !chain.empty() && !overflowed(); chain.pop_back()) result = apply(*chain.back(), result);
  return result;
}

Term Walker::apply(const sema::ApplyNode& node, const Term& first) {
  std::array<Term, 3> operands{first, {}, {}};
  TALWEG_CHECK(node.operands.size() <= operands.size(), "an operation with too many operands");
  for (std::size_t i = 1; i < node.operands.size(); ++i) operands[i] = term(node.operands[i]);
  return arithmetic_.apply(node.op, std::span(operands).first(node.operands.size()));
}

Term Walker::atom(const sema::TypedExpr& expression) {
  if (overflowed()) return {.node = arithmetic_.constant(0), .left = {}, .right = {}};
  NodeId node;
  if (const auto* constant = std::get_if<sema::ConstantNode>(&expression.node)) {
    node =
        arithmetic_.add(expression.type.kind == sema::Kind::Bool ? make_truth(constant->value != 0)
                                                                 : make_constant(constant->value));
  } else if (const auto* symbol = std::get_if<sema::LoadNode>(&expression.node)) {
    node = load(symbol->symbol);
  } else if (const auto* chosen = std::get_if<sema::ChooseNode>(&expression.node)) {
    node = choose(*chosen, expression.type.rate);
  } else if (const auto* reduced = std::get_if<sema::ReduceNode>(&expression.node)) {
    node = reduce(*reduced, expression.type.rate);
  } else {
    const auto* block = std::get_if<sema::BlockNode>(&expression.node);
    TALWEG_CHECK(block, "an operation without operands");
    statements(block->statements);
    node = value(block->value);
  }
  return {.node = node, .left = {}, .right = {}};
}

NodeId Walker::choose(const sema::ChooseNode& node, Rate rate) {
  const NodeId condition = value(node.condition);
  if (graph_[condition].kind == NodeKind::Constant)
    return value(graph_[condition].value != 0 ? node.then_value : node.else_value);
  const std::size_t mark = environment_.mark();
  const NodeId then_value = value(node.then_value);
  const Changes then_changes = environment_.take_back(mark);
  const NodeId else_value = value(node.else_value);
  const Changes else_changes = environment_.take_back(mark);
  merge(condition, then_changes, else_changes);
  return arithmetic_.choose(condition, then_value, else_value, rate);
}

// ---- Statements ----

void Walker::statements(std::span<const sema::TypedStmt> body) {
  const Nesting nesting(*this);
  for (const sema::TypedStmt& statement : body) {
    if (overflowed()) return;
    span_ = statement.span;
    if (const auto* assignment = std::get_if<sema::TypedAssign>(&statement.node)) {
      if (assignment->target.kind == SymbolKind::Local)
        local_rates_.try_emplace(assignment->target.index, rule_[assignment->value].type.rate);
      assign(assignment->target, value(assignment->value));
    } else if (const auto* exit_statement = std::get_if<sema::TypedExit>(&statement.node))
      exit(*exit_statement);
    else if (std::holds_alternative<sema::TypedRegrad>(statement.node))
      regrad();
    else
      branch(std::get<sema::TypedIf>(statement.node));
  }
}

void Walker::branch(const sema::TypedIf& node) {
  const NodeId condition = value(node.condition);
  if (graph_[condition].kind == NodeKind::Constant)
    return statements(graph_[condition].value != 0 ? node.then_body : node.else_body);
  const std::size_t before = graph_.regrads.size();
  const Changes then_changes = arm(condition, true, node.then_body);
  const std::size_t between = graph_.regrads.size();
  const Changes else_changes = arm(condition, false, node.else_body);
  const NodeId gradient = merged_gradient(then_changes, else_changes, before, between);
  merge(condition, then_changes, else_changes);
  if (gradient.valid()) environment_.set(environment_.slot({SymbolKind::Grad, 0}), gradient);
}

Walker::Changes Walker::arm(NodeId condition, bool holds, std::span<const sema::TypedStmt> body) {
  const std::size_t mark = environment_.mark();
  guards_.push_back({condition, holds});
  statements(body);
  guards_.pop_back();
  return environment_.take_back(mark);
}

std::vector<NodeId> Walker::guard_conditions() {
  std::vector<NodeId> conditions;
  for (const Guard& guard : guards_)
    conditions.push_back(
        guard.holds ? guard.condition
                    : arithmetic_.add(make_apply(graph_, builtins::Op::Not, {guard.condition})));
  return conditions;
}

/// The gradient behind a regrad is a leaf of its own, and is the one before where the step does not
/// wait.
void Walker::regrad() {
  const NodeId condition = exits_.reached(guard_conditions());
  const bool is_known = graph_[condition].kind == NodeKind::Constant;
  if (is_known && graph_[condition].value == 0) return;
  const NodeId before =
      graph_.regrads.empty() ? leaf({SymbolKind::Param, 0}) : graph_.regrads.back().param;
  const NodeId here = load({SymbolKind::Param, 0});
  const bool stays = is_known || here == before;
  const NodeId there = stays ? here : arithmetic_.select(condition, here, before);
  leaf({SymbolKind::Grad, 0});  // gradients stand in order
  const auto number = static_cast<std::uint32_t>(graph_.regrads.size()) + 1;
  const NodeId gradient = arithmetic_.add(make_leaf(graph_, NodeKind::Grad, number));
  graph_.regrads.push_back({condition, there, gradient});
  environment_.set(environment_.slot({SymbolKind::Grad, 0}), gradient);
}

/// What `grad` is behind a branch one of whose arms waits for new gradients, and ends with one of
/// them, while the other leaves it as the caller gave it: where that other arm is taken, none of
/// them came, and they are the one before. Not valid() for any other branch.
NodeId Walker::merged_gradient(const Changes& then_changes, const Changes& else_changes,
                               std::size_t before, std::size_t between) {
  const bool then_waits = between > before;
  if (then_waits == (graph_.regrads.size() > between)) return {};
  const std::size_t slot = environment_.slot({SymbolKind::Grad, 0});
  const NodeId newest = after_arm(slot, then_waits ? then_changes : else_changes);
  const NodeId other = after_arm(slot, then_waits ? else_changes : then_changes);
  const auto is_gradient = [&](NodeId id) { return graph_[id].kind == NodeKind::Grad; };
  const bool is_known = is_gradient(newest) && graph_[newest].index > before &&
                        is_gradient(other) && graph_[other].index == before;
  return is_known ? newest : NodeId();
}

/// A skip leaves what its own block assigned to states until here, a hold all that was assigned.
void Walker::exit(const sema::TypedExit& node) {
  std::vector<NodeId> conditions = guard_conditions();
  conditions.push_back(value(node.condition));
  const std::vector<bool> in_block = environment_.set_since(block_mark_);
  exits_.add(node.kind, conditions, [&](std::size_t place) -> NodeId {
    const std::size_t slot = environment_.slot(symbol_of_place(place));
    const Symbol symbol = symbol_of_place(place);
    // What `previous` reads is of completed steps.
    if (symbol.kind == SymbolKind::State && rule_.states[symbol.index].is_previous) return {};
    const bool is_kept =
        node.kind == sema::ExitKind::Hold || (place != kParamPlace && in_block[slot]);
    return is_kept ? environment_[slot] : NodeId();
  });
}

Symbol Walker::symbol_of_place(std::size_t place) const {
  if (place == kParamPlace) return {SymbolKind::Param, 0};
  return {SymbolKind::State, static_cast<std::uint32_t>(place - place_of_state(0))};
}

NodeId Walker::stored(Symbol symbol) {
  const std::size_t place =
      symbol.kind == SymbolKind::Param ? kParamPlace : place_of_state(symbol.index);
  return exits_.stored(place, assigned(symbol), [&] { return leaf(symbol); });
}

/// What a slot holds after an arm that made `changes`; not valid() for a local that it does not
/// know.
NodeId Walker::after_arm(std::size_t slot, const Changes& changes) {
  const auto changed = std::lower_bound(
      changes.begin(), changes.end(), slot,
      [](const Environment::Change& change, std::size_t wanted) { return change.slot < wanted; });
  if (changed != changes.end() && changed->slot == slot) return changed->value;
  if (environment_[slot].valid()) return environment_[slot];
  const Symbol symbol = environment_.symbol(slot);
  if (symbol.kind == SymbolKind::Local) return {};
  if (symbol.kind == SymbolKind::Update)
    return after_arm(environment_.slot({SymbolKind::Grad, 0}), changes);
  return leaf(symbol);
}

/// The rate that the language gives what a slot holds; its node may have a slower one. That of a
/// local is the rate of what it was declared as.
Rate Walker::rate_of_slot(std::size_t slot) const {
  const Symbol symbol = environment_.symbol(slot);
  if (symbol.kind == SymbolKind::State) return rule_.states[symbol.index].rate;
  if (symbol.kind == SymbolKind::Hyper) return rule_.hypers[symbol.index].rate;
  if (symbol.kind == SymbolKind::Local) return local_rates_.at(symbol.index);
  return Rate::Element;
}

/// A local that only one arm knows ends with it.
void Walker::merge(NodeId condition, const Changes& then_changes, const Changes& else_changes) {
  std::set<std::size_t> slots;
  for (const Changes* changes : {&then_changes, &else_changes})
    for (const Environment::Change& change : *changes) slots.insert(change.slot);
  std::vector<Environment::Change> merged;
  for (const std::size_t slot : slots) {
    const NodeId then_value = after_arm(slot, then_changes);
    const NodeId else_value = after_arm(slot, else_changes);
    if (!then_value.valid() || !else_value.valid()) continue;
    const bool same = then_value == else_value;
    merged.push_back(
        {slot, same ? then_value
                    : arithmetic_.choose(condition, then_value, else_value, rate_of_slot(slot))});
  }
  // Only now: what a slot held before is still asked for while others merge.
  for (const Environment::Change& change : merged) environment_.set(change.slot, change.value);
}

}  // namespace talweg::ir
