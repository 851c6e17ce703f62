// A graph of what goes into what is walked backwards from everything that has an effect.
#include "compiler/sema/idle_states.h"

#include <map>
#include <utility>

namespace talweg::sema {

namespace {

class ValueGraph {
 public:
  explicit ValueGraph(const TypedRule& rule)
      : rule_(rule),
        first_local_(static_cast<Node>(rule.states.size())),
        effect_(first_local_ + static_cast<Node>(rule.locals.size())),
        sources_(effect_ + 1),
        is_walked_(rule.exprs.size(), false) {}

  void add(const std::vector<TypedStmt>& statements) {
    for (const TypedStmt& statement : statements) add(statement);
  }
  void add_effect(TypedExprId value) { reads(value, effect_); }
  void add_effect(Symbol symbol) {
    const bool is_gone =  // a local of the code that was dropped
        symbol.kind == SymbolKind::Local && symbol.index >= rule_.locals.size();
    if (!is_gone) read(symbol, effect_);
  }

  /// What was read and then left out (the arguments of a function whose value is constant) may
  /// have an effect with other constants.
  void add_left_out() {
    for (std::size_t i = 0; i < is_walked_.size(); ++i)
      if (const auto* load = std::get_if<LoadNode>(&rule_.exprs[i].node); load && !is_walked_[i])
        read(load->symbol, effect_);
  }

  [[nodiscard]] bool changes_more_than_states() const { return changes_more_; }

  /// By state: whether its value reaches an effect.
  std::vector<bool> reaching() {
    std::vector<bool> reached(rule_.states.size(), false);
    for (const std::uint32_t state : walk_back(effect_, true)) reached[state] = true;
    return reached;
  }

  /// The states whose values go into this one, straight or through locals.
  std::vector<std::uint32_t> sources_of(std::uint32_t state) { return walk_back(state, false); }

 private:
  // The states, the locals, one for all that has an effect, then one for each condition.
  using Node = std::uint32_t;

  [[nodiscard]] Node node_of(Symbol symbol) const {
    if (symbol.kind == SymbolKind::Local) return first_local_ + symbol.index;
    const bool is_of_arrays =
        symbol.kind == SymbolKind::State && types::is_array(rule_.states[symbol.index].rate);
    return is_of_arrays ? symbol.index : effect_;
  }

  void read(Symbol symbol, Node reader) {
    if (symbol.kind != SymbolKind::State && symbol.kind != SymbolKind::Local) return;
    if (const Node node = node_of(symbol); node != effect_) sources_[reader].push_back(node);
  }

  /// All that the value of an expression comes from goes into `reader`.
  void reads(TypedExprId id, Node reader) {
    const TypedExpr& expr = rule_[id];
    is_walked_[id.index] = true;
    if (const auto* load = std::get_if<LoadNode>(&expr.node)) {
      read(load->symbol, reader);
    } else if (const auto* apply = std::get_if<ApplyNode>(&expr.node)) {
      for (const TypedExprId operand : apply->operands) reads(operand, reader);
    } else if (const auto* reduce = std::get_if<ReduceNode>(&expr.node)) {
      for (const TypedExprId operand : reduce->operands) reads(operand, reader);
    } else if (const auto* choose = std::get_if<ChooseNode>(&expr.node)) {
      under(choose->condition, [&] {
        sources_[reader].push_back(around_);
        reads(choose->then_value, reader);
        reads(choose->else_value, reader);
      });
    } else if (const auto* block = std::get_if<BlockNode>(&expr.node)) {
      add(block->statements);
      reads(block->value, reader);
    }
  }

  void add(const TypedStmt& statement) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
      const SymbolKind kind = assign->target.kind;
      changes_more_ |= kind != SymbolKind::State && kind != SymbolKind::Local;
      store(assign->value, node_of(assign->target));
    } else if (const auto* branch = std::get_if<TypedIf>(&statement.node)) {
      under(branch->condition, [&] {
        add(branch->then_body);
        add(branch->else_body);
      });
    } else if (const auto* exit = std::get_if<TypedExit>(&statement.node)) {
      store(exit->condition, effect_);
    } else if (std::holds_alternative<TypedRegrad>(statement.node)) {
      changes_more_ = true;
      if (around_ != kNone) sources_[effect_].push_back(around_);
    }
  }

  void store(TypedExprId value, Node target) {
    reads(value, target);
    if (around_ != kNone) sources_[target].push_back(around_);
  }

  /// A condition decides, too, about what is assigned under it. It has a node of its own, so that
  /// it is walked once.
  template <class Work>
  void under(TypedExprId condition, Work work) {
    const auto node = static_cast<Node>(sources_.size());
    sources_.emplace_back();
    store(condition, node);
    const Node outer = std::exchange(around_, node);
    work();
    around_ = outer;
  }

  /// The states that the value of `start` comes from; through other states, or only up to them.
  std::vector<std::uint32_t> walk_back(Node start, bool through_states) {
    ++walk_;
    visited_.resize(sources_.size(), 0);
    std::vector<std::uint32_t> states;
    std::vector<Node> open = {start};
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      if (node != start && node < first_local_ && !through_states) continue;
      for (const Node source : sources_[node]) {
        if (std::exchange(visited_[source], walk_) == walk_) continue;
        if (source < first_local_) states.push_back(source);
        open.push_back(source);
      }
    }
    return states;
  }

  static constexpr Node kNone = 0xffffffffu;

  const TypedRule& rule_;
  Node first_local_;
  Node effect_;
  std::vector<std::vector<Node>> sources_;  // by node
  Node around_ = kNone;                     // the innermost condition around what is walked
  std::vector<bool> is_walked_;             // by expression
  bool changes_more_ = false;
  std::vector<std::uint32_t> visited_;  // by node: the last walk that came by
  std::uint32_t walk_ = 0;
};

}  // namespace

std::vector<IdleState> idle_states(const TypedRule& rule, const std::vector<Symbol>& used) {
  ValueGraph graph(rule);
  for (const TypedStage& stage : rule.stages) {
    graph.add(stage.step);
    graph.add(stage.after);
  }
  for (const TypedView& view : rule.views) graph.add_effect(view.value);
  for (const Symbol symbol : used) graph.add_effect(symbol);
  graph.add_left_out();
  if (!graph.changes_more_than_states()) return {};

  const std::vector<bool> reaching = graph.reaching();
  std::map<std::uint32_t, std::set<std::uint32_t>> readers;  // by state
  for (std::uint32_t reader = 0; reader < rule.states.size(); ++reader) {
    if (reaching[reader] || !types::is_array(rule.states[reader].rate)) continue;
    for (const std::uint32_t state : graph.sources_of(reader))
      if (!reaching[state]) readers[state].insert(reader);
  }
  std::vector<IdleState> idle;
  for (auto& [state, its_readers] : readers)
    if (!rule.states[state].is_previous) idle.push_back({state, std::move(its_readers)});
  return idle;
}

}  // namespace talweg::sema
