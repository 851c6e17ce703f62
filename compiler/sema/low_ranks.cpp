// What a condition says of the rank: it is computed for a tensor of that rank, of which nothing
// else is known.
#include "compiler/sema/low_ranks.h"

#include <array>

#include "compiler/builtins/evaluate.h"

namespace talweg::sema {

namespace {

using builtins::Op;

class Evaluation {
 public:
  Evaluation(const RuleBuilder& builder, int rank) : builder_(builder), rank_(rank) {}

  /// The value of an expression, or nothing where more than the rank decides.
  std::optional<double> of(TypedExprId id) {
    if (++visited_ > kMostVisited) return std::nullopt;
    return std::visit([&](const auto& node) { return of_node(node); }, builder_.rule[id].node);
  }

 private:
  /// What decides about matrices is short; a longer condition is not looked through.
  static constexpr int kMostVisited = 64;

  std::optional<double> of_node(const ConstantNode& n) { return n.value; }
  std::optional<double> of_node(const ReduceNode&) { return std::nullopt; }
  std::optional<double> of_node(const BlockNode& n) { return of(n.value); }

  std::optional<double> of_node(const LoadNode& n) {
    const Symbol symbol = n.symbol;
    if (symbol.kind == SymbolKind::Fact &&
        builder_.rule.facts[symbol.index].kind == types::FactKind::Rank)
      return rank_;
    if (symbol.kind != SymbolKind::Local) return std::nullopt;
    const std::optional<TypedExprId> named = builder_.named_value(symbol.index);
    return named ? of(*named) : std::nullopt;
  }

  std::optional<double> of_node(const ChooseNode& n) {
    const std::optional<double> condition = of(n.condition);
    if (!condition) return std::nullopt;
    return of(*condition != 0 ? n.then_value : n.else_value);
  }

  std::optional<double> of_node(const ApplyNode& n) {
    std::array<double, 4> operands{};
    bool known = n.operands.size() <= operands.size();
    for (std::size_t i = 0; i < n.operands.size(); ++i) {
      const std::optional<double> value = of(n.operands[i]);
      if (value && n.op == Op::And && *value == 0) return 0;
      if (value && n.op == Op::Or && *value != 0) return 1;
      if (!value || !known)
        known = false;
      else
        operands[i] = *value;
    }
    if (!known) return std::nullopt;
    return builtins::evaluate(n.op, operands.data());
  }

  const RuleBuilder& builder_;
  double rank_;
  int visited_ = 0;
};

}  // namespace

void LowRanks::exclude(const RuleBuilder& builder, TypedExprId condition, bool holds) {
  for (const int rank : {0, 1}) {
    if (!may_be_[rank]) continue;
    const std::optional<double> value = Evaluation(builder, rank).of(condition);
    may_be_[rank] = !value || (*value != 0) == holds;
  }
}

}  // namespace talweg::sema
