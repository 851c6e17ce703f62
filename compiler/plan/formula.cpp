#include "compiler/plan/formula.h"

#include <algorithm>
#include <optional>

#include "compiler/plan/outcomes.h"

namespace talweg::plan {

namespace {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using Kind = Formula::Kind;
using Set = Outcomes::Set;

Kind other(Kind kind) { return kind == Kind::All ? Kind::Any : Kind::All; }

/// What makes an All or Any of no part.
Kind nothing_of(Kind kind) { return kind == Kind::All ? Kind::Always : Kind::Never; }

/// Flat: parts of the same kind are taken in, those that change nothing are left out.
Formula joined(Kind kind, std::vector<Formula> parts) {
  Formula result{kind, {}, {}};
  for (Formula& part : parts) {
    if (part.kind == nothing_of(other(kind))) return std::move(part);
    if (part.kind == kind)
      result.parts.insert(result.parts.end(), part.parts.begin(), part.parts.end());
    else if (part.kind != nothing_of(kind))
      result.parts.push_back(std::move(part));
  }
  if (result.parts.empty()) return {nothing_of(kind), {}, {}};
  return result.parts.size() == 1 ? Formula(result.parts.front()) : result;
}

Formula formula_of(const ir::Graph& graph, NodeId id, bool holds) {
  const Node& node = graph[id];
  if (node.kind == NodeKind::Constant)
    return {(node.value != 0) == holds ? Kind::Always : Kind::Never, {}, {}};
  if (node.kind == NodeKind::Apply && node.type == ir::ValueType::Bool) {
    const auto part = [&](std::size_t i, bool truth) {
      return formula_of(graph, node.operands[i], truth);
    };
    switch (node.op) {
      case Op::Not:
        return part(0, !holds);
      case Op::And:
      case Op::Or:
        return joined((node.op == Op::And) == holds ? Kind::All : Kind::Any,
                      {part(0, holds), part(1, holds)});
      case Op::Select:
        return joined(Kind::Any, {joined(Kind::All, {part(0, true), part(1, holds)}),
                                  joined(Kind::All, {part(0, false), part(2, holds)})});
      default:
        break;
    }
  }
  return {Kind::One, {.condition = id, .holds = holds}, {}};
}

void find_ones(const Formula& formula, std::vector<Assumption>& ones) {
  if (formula.kind == Kind::One) {
    const auto is_same = [&](const Assumption& one) {
      return one.condition == formula.one.condition && one.holds == formula.one.holds;
    };
    if (std::ranges::none_of(ones, is_same)) ones.push_back(formula.one);
  }
  for (const Formula& part : formula.parts) find_ones(part, ones);
}

std::size_t length(const Formula& formula) {
  std::size_t sum = formula.kind == Kind::One ? 1 : 0;
  for (const Formula& part : formula.parts) sum += length(part);
  return sum;
}

class Simplifier {
 public:
  explicit Simplifier(const Outcomes& outcomes) : outcomes_(outcomes) {}

  [[nodiscard]] Formula run(const Formula& formula) const {
    Formula result = simplify(formula, outcomes_.all());
    for (const Kind kind : {Kind::All, Kind::Any})
      if (std::optional<Formula> flat = flattened(formula, kind);
          flat && length(*flat) < length(result))
        result = *std::move(flat);
    return result;
  }

 private:
  static bool is_empty(const Set& set) { return std::ranges::count(set, true) == 0; }
  static Set both(Set a, const Set& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = a[i] && b[i];
    return a;
  }
  static Set opposite(Set set) {
    set.flip();
    return set;
  }

  [[nodiscard]] Set where(const Formula& formula) const {
    if (formula.kind == Kind::One) return outcomes_.where(formula.one.condition, formula.one.holds);
    // Any is what is left out by All of the opposites.
    const bool is_any = formula.kind == Kind::Any;
    Set result = formula.kind == Kind::Never ? outcomes_.none() : outcomes_.all();
    for (const Formula& part : formula.parts) {
      const Set of_part = where(part);
      result = both(std::move(result), is_any ? opposite(of_part) : of_part);
    }
    return is_any ? opposite(std::move(result)) : result;
  }

  /// The same in the outcomes `among`. Of parts that say the same the first one stays.
  [[nodiscard]] Formula simplify(Formula formula, const Set& among) const {
    const Set holds = where(formula);
    if (is_empty(both(among, holds))) return {Kind::Never, {}, {}};
    if (is_empty(both(among, opposite(holds)))) return {Kind::Always, {}, {}};
    if (formula.kind == Kind::One) return formula;
    const Kind kind = formula.kind;
    for (std::size_t i = formula.parts.size(); i-- > 0;) {
      Set left = among;  // what the other parts leave open
      for (std::size_t k = 0; k < formula.parts.size(); ++k) {
        if (k == i) continue;
        const Set of_part = where(formula.parts[k]);
        left = both(std::move(left), kind == Kind::All ? of_part : opposite(of_part));
      }
      formula.parts[i] = simplify(std::move(formula.parts[i]), left);
    }
    return joined(kind, std::move(formula.parts));
  }

  /// All of what follows from a formula, or Any of what it follows from, where that is the same.
  [[nodiscard]] std::optional<Formula> flattened(const Formula& formula, Kind kind) const {
    const Set holds = where(formula);
    std::vector<Assumption> ones;
    find_ones(formula, ones);
    Formula flat{nothing_of(kind), {}, {}};
    for (const Assumption& one : ones) {
      const Set of_one = outcomes_.where(one.condition, one.holds);
      const bool fits = is_empty(kind == Kind::All ? both(holds, opposite(of_one))
                                                   : both(of_one, opposite(holds)));
      if (fits) flat = joined(kind, {std::move(flat), {Kind::One, one, {}}});
    }
    if (where(flat) != holds) return std::nullopt;
    return simplify(std::move(flat), outcomes_.all());
  }

  const Outcomes& outcomes_;
};

}  // namespace

Formula simplified(const ir::Graph& graph, std::span<const Assumption> assumptions) {
  std::vector<Formula> parts;
  std::vector<NodeId> conditions;
  for (const Assumption& assumption : assumptions) {
    parts.push_back(formula_of(graph, assumption.condition, assumption.holds));
    conditions.push_back(assumption.condition);
  }
  Formula formula = joined(Kind::All, std::move(parts));
  const Outcomes outcomes(graph, conditions);
  return outcomes.are_few() ? Simplifier(outcomes).run(formula) : formula;
}

std::string to_text(const Formula& formula,
                    const std::function<std::string(const Assumption&)>& text) {
  if (formula.kind == Kind::Always) return "true";
  if (formula.kind == Kind::Never) return "false";
  if (formula.kind == Kind::One) return text(formula.one);
  std::string result;
  for (const Formula& part : formula.parts) {
    if (!result.empty()) result += formula.kind == Kind::All ? " and " : " or ";
    const bool needs_parentheses = formula.kind == Kind::All && part.kind == Kind::Any;
    result += needs_parentheses ? "(" + to_text(part, text) + ")" : to_text(part, text);
  }
  return result;
}

}  // namespace talweg::plan
