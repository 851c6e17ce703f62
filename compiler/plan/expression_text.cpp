#include "compiler/plan/expression_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "compiler/base/check.h"
#include "compiler/plan/expression_signs.h"
#include "compiler/plan/formula.h"
#include "compiler/plan/outcomes.h"

namespace talweg::plan {

std::string gradient_name(std::uint32_t regrads) {
  return regrads == 0 ? "grad" : "grad " + std::to_string(regrads + 1);
}

namespace {

using builtins::Fold;
using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

constexpr int kDeepest = 24;

/// The deepest text that is no wider than `width`, and one at least.
template <class Print>
std::string fitting(std::size_t width, Print print) {
  std::string best = print(1);
  for (int depth = 2; depth <= kDeepest; ++depth) {
    std::string deeper = print(depth);
    if (deeper.size() > width) break;
    best = std::move(deeper);
  }
  return best;
}

bool is_op(const Node& node, Op op) { return node.kind == NodeKind::Apply && node.op == op; }

}  // namespace

/// One expression to a depth.
class ExpressionText::Printer {
 public:
  Printer(const ExpressionText& names, std::span<const NodeId> alias)
      : names_(names), graph_(names.graph_), alias_(alias) {}

  [[nodiscard]] Printed print(NodeId id, int depth) const {
    id = plain(id);
    if (const auto name = names_.new_values_.find(id.index); name != names_.new_values_.end())
      return {name->second, kAtom};
    return inner(id, depth);
  }

  /// Not called by its name.
  [[nodiscard]] Printed inner(NodeId id, int depth) const {
    id = plain(id, true);
    const Node& node = graph_[id];
    if (node.operand_count() == 0) return {leaf(node), kAtom};
    if (depth == 0) return {"...", kAtom};
    if (const auto found = names_.reduction_of_.find(id.index); found != names_.reduction_of_.end())
      return {reduction(found->second, depth), kAtom};
    switch (node.kind) {
      case NodeKind::Reduce:
        return {reduction(id, depth), kAtom};
      case NodeKind::DivScalar:
        return infix({"/", kMultiply}, node.operands[0], node.operands[1], depth);
      case NodeKind::IsNormal:
        return {fmt::format("{} is a normal number", wrapped(node.operands[0], depth, kAdd)),
                kCompare};
      default:
        return apply(node, depth);
    }
  }

  /// That a condition does not hold.
  [[nodiscard]] Printed negated(NodeId id, int depth) const {
    const Node& node = graph_[id];
    if (is_op(node, Op::Not)) return inner(node.operands[0], depth);
    if (node.kind == NodeKind::Apply && node.operand_count() == 2) {
      const auto& [a, b, unused] = node.operands;
      const bool is_unsure = prints_nan(a) || prints_nan(b);
      if (const auto other = opposite(node.op, is_unsure))
        return infix(*infix_of(*other), a, b, depth);
    }
    return {"not " + wrapped(id, depth + 1, kAtom), kNot};
  }

  /// The name and operands of a reduction, as a rule calls it.
  [[nodiscard]] std::string reduction(NodeId id, int depth) const {
    const Node& node = graph_[id];
    const bool is_finished = names_.finished_.contains(id.index);
    NodeId value = node.operands[0];
    std::string name(builtins::info(node.fold).name);
    switch (node.fold) {
      case Fold::Count:
        return fmt::format("count of values per {}", types::to_text(node.rate));
      case Fold::Sum:
        if (is_finished) name = "mean";
        break;
      case Fold::Dot:
        if (is_finished) name = "norm";
        break;
      case Fold::Min:
      case Fold::Max:
        if (!is_finished) break;
        name = node.fold == Fold::Max ? "any" : "all";
        return fmt::format("{}({}) per {}", name, folded_truth(value, depth - 1),
                           types::to_text(node.rate));
    }
    std::string text = print(value, depth - 1).text;
    if (node.fold == Fold::Dot && !is_finished)
      text += ", " + print(node.operands[1], depth - 1).text;
    return fmt::format("{}({}) per {}", name, text, types::to_text(node.rate));
  }

 private:
  /// Gradients keep their numbers, even in a loop where one is that before.
  [[nodiscard]] NodeId resolved(NodeId id) const {
    return alias_.empty() || graph_[id].kind == NodeKind::Grad ? id : alias_[id.index];
  }

  /// Without rounding, flushing, and the two ways to divide by a scalar.
  [[nodiscard]] NodeId plain(NodeId id, bool ignores_names = false) const {
    for (id = resolved(id);; id = resolved(id)) {
      if (!ignores_names && names_.new_values_.contains(id.index)) return id;
      const Node& node = graph_[id];
      if (node.kind == NodeKind::ToArray || node.kind == NodeKind::Flush ||
          node.kind == NodeKind::Spread)
        id = node.operands[0];
      else if (is_op(node, Op::Select) && graph_[node.operands[0]].kind == NodeKind::IsNormal)
        id = node.operands[2];
      else if (const NodeId hyper = followed(node); hyper.valid())
        return hyper;
      else
        return id;
    }
  }

  /// The hyper of `if it was set then hyper else what it follows`.
  [[nodiscard]] NodeId followed(const Node& node) const {
    if (!is_op(node, Op::Select)) return {};
    for (const NodeId arm : {node.operands[1], node.operands[2]})
      if (graph_[arm].kind == NodeKind::Hyper && graph_.hypers[graph_[arm].index].follows)
        return arm;
    return {};
  }

  /// The divisor s where a node is 1 / s rounded, by which is multiplied in place of a division.
  [[nodiscard]] NodeId divisor(NodeId id) const {
    id = resolved(id);
    if (graph_[id].kind != NodeKind::ToArray) return {};
    const Node& quotient = graph_[graph_[id].operands[0]];
    if (!is_op(quotient, Op::Div)) return {};
    const Node& one = graph_[quotient.operands[0]];
    const bool is_reciprocal = one.kind == NodeKind::Constant && one.value == 1;
    return is_reciprocal ? quotient.operands[1] : NodeId();
  }

  /// Of `select(c, 1, 0)` or `select(c, 0, 1)`, which `any` and `all` fold.
  [[nodiscard]] std::string folded_truth(NodeId id, int depth) const {
    const Node& choice = graph_[plain(id)];
    const bool is_truth = graph_[plain(choice.operands[1])].value == 1;
    return (is_truth ? print(choice.operands[0], depth) : negated(choice.operands[0], depth)).text;
  }

  [[nodiscard]] std::string leaf(const Node& node) const {
    switch (node.kind) {
      case NodeKind::Constant:
        if (node.type == ir::ValueType::Bool) return node.value != 0 ? "true" : "false";
        return types::number_text(node.value);
      case NodeKind::Param:
        return "param";
      case NodeKind::Grad:
        return gradient_name(node.index);
      case NodeKind::State:
        return graph_.states[node.index].name;
      case NodeKind::Input:
        return graph_.inputs[node.index].name;
      case NodeKind::Given:
        return fmt::format("given({})", graph_.inputs[node.index].name);
      case NodeKind::Hyper:
        return graph_.hypers[node.index].name;
      case NodeKind::StepNumber:
        return "t";
      case NodeKind::CallNumber:
        return "calls";
      case NodeKind::Fact: {
        const types::Fact& fact = graph_.facts[node.index];
        return types::is_truth(fact.kind)
                   ? fmt::format("{} \"{}\"", types::to_text(fact.kind), fact.text)
                   : std::string(types::to_text(fact.kind));
      }
      default:
        TALWEG_UNREACHABLE("a node without operands that is no leaf");
    }
  }

  [[nodiscard]] std::string wrapped(NodeId id, int depth, int binding) const {
    const Printed printed = print(id, depth - 1);
    return printed.binding < binding ? "(" + printed.text + ")" : printed.text;
  }

  [[nodiscard]] Printed infix(const Infix& sign, NodeId a, NodeId b, int depth) const {
    return {
        fmt::format("{} {} {}", wrapped(a, depth, sign.binding == kPower ? kAtom : sign.binding),
                    sign.symbol, wrapped(b, depth, sign.binding + (sign.groups_right ? 0 : 1))),
        sign.binding};
  }

  [[nodiscard]] Printed apply(const Node& node, int depth) const {
    const auto& [a, b, c] = node.operands;
    switch (node.op) {
      case Op::Mul:
        if (const NodeId by = divisor(b); by.valid()) return infix({"/", kMultiply}, a, by, depth);
        if (const NodeId by = divisor(a); by.valid()) return infix({"/", kMultiply}, b, by, depth);
        if (plain(a) == plain(b)) return {wrapped(a, depth, kAtom) + " ^ 2", kPower};
        break;
      case Op::Fma:
        return fma(a, b, c, depth);
      case Op::Neg:
        return {"-" + wrapped(a, depth, kSign), kSign};
      case Op::Not:
        return negated(plain(a), depth);
      case Op::Select:
        return {fmt::format("if {} then {} else {}", wrapped(a, depth, kOr), wrapped(b, depth, kOr),
                            wrapped(c, depth, kOr)),
                kIf};
      default:
        break;
    }
    if (const auto sign = infix_of(node.op)) return infix(*sign, a, b, depth);
    std::string operands = print(a, depth - 1).text;
    if (b.valid()) operands += ", " + print(b, depth - 1).text;
    return {fmt::format("{}({})", builtins::info(node.op).name, operands), kAtom};
  }

  /// A hyper stands for what it is once it follows others, which is in its range.
  [[nodiscard]] bool prints_nan(NodeId id) const {
    id = plain(id);
    return graph_[id].kind != NodeKind::Hyper && may_be_nan(graph_, id);
  }

  /// a * b + c, of which the sum is no deeper than the product.
  [[nodiscard]] Printed fma(NodeId a, NodeId b, NodeId c, int depth) const {
    const NodeId first = plain(a);
    const bool is_minus = is_op(graph_[first], Op::Neg);
    if (is_minus) a = graph_[first].operands[0];
    return {fmt::format("{} {} {} * {}", wrapped(c, depth, kAdd), is_minus ? "-" : "+",
                        wrapped(a, depth, kMultiply), wrapped(b, depth, kMultiply)),
            kAdd};
  }

  const ExpressionText& names_;
  const ir::Graph& graph_;
  std::span<const NodeId> alias_;
};

ExpressionText::ExpressionText(const ir::Graph& graph) : graph_(graph) {
  name_new_values();
  find_uses();
}

/// Of a value that is what was there where some condition fails, the other one.
void ExpressionText::name_new_values() {
  for (const ir::Store& store : graph_.stores) {
    const bool is_param = store.target == ir::StoreTarget::Param;
    const std::string name = "new " + (is_param ? "param" : graph_.states[store.index].name);
    const auto is_old = [&](NodeId id) {
      const Node& node = graph_[id];
      return is_param ? node.kind == NodeKind::Param
                      : node.kind == NodeKind::State && node.index == store.index;
    };
    for (NodeId id = store.value; id.valid() && graph_[id].operand_count() > 0;) {
      new_values_.emplace(id.index, name);
      const Node& node = graph_[id];
      if (!is_op(node, Op::Select)) break;
      if (is_old(node.operands[1]))
        id = node.operands[2];
      else if (is_old(node.operands[2]))
        id = node.operands[1];
      else
        break;
    }
  }
}

/// True for `select(c, 1, 0)` and `select(c, 0, 1)`, which `any` and `all` fold.
bool ExpressionText::folds_truths(NodeId id) const {
  while (graph_[id].kind == NodeKind::ToArray || graph_[id].kind == NodeKind::Flush ||
         graph_[id].kind == NodeKind::Spread)
    id = graph_[id].operands[0];
  const Node& node = graph_[id];
  const auto is_number = [&](NodeId operand, double value) {
    while (graph_[operand].kind == NodeKind::ToArray) operand = graph_[operand].operands[0];
    return graph_[operand].kind == NodeKind::Constant && graph_[operand].value == value;
  };
  if (!is_op(node, Op::Select)) return false;
  const auto& [condition, a, b] = node.operands;
  return (is_number(a, 1) && is_number(b, 0)) || (is_number(a, 0) && is_number(b, 1));
}

void ExpressionText::find_uses() {
  for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if (node.kind != NodeKind::Apply) continue;
    const Node& reduced = graph_[node.operands[0]];
    if (reduced.kind != NodeKind::Reduce) continue;
    bool finishes = false;
    switch (reduced.fold) {
      case Fold::Sum: {  // a mean: divided by a count, or by 1 where there is nothing
        if (node.op != Op::Div) break;
        const Node& divisor = graph_[node.operands[1]];
        finishes =
            is_op(divisor, Op::Max) && std::ranges::any_of(divisor.operands, [&](NodeId operand) {
              return operand.valid() && graph_[operand].kind == NodeKind::Constant &&
                     graph_[operand].value == 1;
            });
        break;
      }
      case Fold::Dot:
        finishes = node.op == Op::Sqrt && reduced.operands[0] == reduced.operands[1];
        break;
      case Fold::Min:
      case Fold::Max:
        finishes = node.op == Op::Gt && graph_[node.operands[1]].kind == NodeKind::Constant &&
                   graph_[node.operands[1]].value == 0 && folds_truths(reduced.operands[0]);
        break;
      case Fold::Count:
        break;
    }
    if (!finishes) continue;
    finished_.emplace(node.operands[0].index, NodeId(i));
    reduction_of_.emplace(i, node.operands[0]);
  }
}

std::string ExpressionText::text(NodeId id, std::span<const NodeId> alias,
                                 std::size_t width) const {
  const Printer printer(*this, alias);
  return fitting(width, [&](int depth) { return printer.inner(id, depth).text; });
}

std::string ExpressionText::reduction(NodeId id, std::span<const NodeId> alias) const {
  constexpr std::size_t kWidth = 110;
  const Printer printer(*this, alias);
  return fitting(kWidth, [&](int depth) { return printer.reduction(id, depth); });
}

std::string ExpressionText::condition(NodeId id, bool holds, std::span<const NodeId> alias) const {
  constexpr std::size_t kWidth = 72;
  const Printer printer(*this, alias);
  return fitting(kWidth, [&](int depth) {
    return holds ? printer.inner(id, depth).text : printer.negated(id, depth).text;
  });
}

std::string ExpressionText::conditions(std::span<const Assumption> assumptions,
                                       std::span<const NodeId> alias) const {
  return to_text(simplified(graph_, assumptions),
                 [&](const Assumption& one) { return condition(one.condition, one.holds, alias); });
}

std::optional<std::string> ExpressionText::new_value(NodeId id) const {
  const auto found = new_values_.find(id.index);
  return found == new_values_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace talweg::plan
