// What is said of conditions is as true as they are, and short.
#include "compiler/plan/formula.h"

#include <catch2/catch.hpp>
#include <random>

#include "compiler/ir/make_node.h"
#include "compiler/plan/expression_signs.h"
#include "compiler/plan/outcomes.h"

namespace talweg::plan {

namespace {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

/// A tensor, and what a hyper is: all that the conditions here ask about.
struct Case {
  double rank = 0, size = 0, named = 0, hyper = 0;
};

class Conditions {
 public:
  Conditions() {
    graph.facts = {{types::FactKind::Rank, ""},
                   {types::FactKind::Size, ""},
                   {types::FactKind::Named, "*.bias"}};
    graph.hypers.emplace_back().name = "beta";
    for (std::uint32_t i = 0; i < 2; ++i)
      numbers_.push_back(graph.add(ir::make_leaf(graph, NodeKind::Fact, i)));
    numbers_.push_back(graph.add(ir::make_leaf(graph, NodeKind::Hyper, 0)));
    named = graph.add(ir::make_leaf(graph, NodeKind::Fact, 2));
  }

  NodeId compare(Op op, std::size_t number, double limit) {
    const NodeId constant = graph.add(ir::make_constant(limit));
    return apply(op, {numbers_[number], constant});
  }
  NodeId rank(Op op, double limit) { return compare(op, 0, limit); }
  NodeId apply(Op op, std::initializer_list<NodeId> operands) {
    return graph.add(ir::make_apply(graph, op, operands));
  }

  [[nodiscard]] bool holds(NodeId id, const Case& at) const {
    const Node& node = graph[id];
    const auto& [a, b, c] = node.operands;
    if (id == named) return at.named != 0;
    if (node.op == Op::Not) return !holds(a, at);
    if (node.op == Op::And) return holds(a, at) && holds(b, at);
    if (node.op == Op::Or) return holds(a, at) || holds(b, at);
    if (node.op == Op::Select) return holds(holds(a, at) ? b : c, at);
    const double x = a == numbers_[0] ? at.rank : a == numbers_[1] ? at.size : at.hyper;
    const double limit = graph[b].value;
    switch (node.op) {
      case Op::Lt:
        return x < limit;
      case Op::Le:
        return x <= limit;
      case Op::Gt:
        return x > limit;
      case Op::Ge:
        return x >= limit;
      case Op::Eq:
        return x == limit;
      default:
        return x != limit;
    }
  }

  [[nodiscard]] bool holds(const Formula& formula, const Case& at) const {
    const auto part = [&](const Formula& one) { return holds(one, at); };
    switch (formula.kind) {
      case Formula::Kind::Always:
        return true;
      case Formula::Kind::Never:
        return false;
      case Formula::Kind::One:
        return holds(formula.one.condition, at) == formula.one.holds;
      case Formula::Kind::All:
        return std::ranges::all_of(formula.parts, part);
      case Formula::Kind::Any:
        break;
    }
    return std::ranges::any_of(formula.parts, part);
  }

  [[nodiscard]] std::string text(const std::vector<Assumption>& assumptions) const {
    return to_text(simplified(graph, assumptions), [&](const Assumption& one) {
      const Node& node = graph[one.condition];
      std::string result = one.holds ? "" : "not ";
      if (one.condition == named) return result + "named";
      const NodeId number = node.operands[0];
      result += number == numbers_[0] ? "rank" : number == numbers_[1] ? "size" : "beta";
      return result + " " + std::string(infix_of(node.op)->symbol) + " " +
             std::to_string(static_cast<int>(graph[node.operands[1]].value));
    });
  }

  ir::Graph graph;
  NodeId named;

 private:
  std::vector<NodeId> numbers_;
};

NodeId random_condition(Conditions& conditions, std::mt19937& random, int depth) {
  const auto below = [&](unsigned count) { return random() % count; };
  const auto part = [&] { return random_condition(conditions, random, depth - 1); };
  if (depth == 0 || below(4) == 0) {
    constexpr Op kComparisons[] = {Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq, Op::Ne};
    if (below(5) == 0) return conditions.named;
    return conditions.compare(kComparisons[below(6)], below(3), below(3) + 0.5 * below(2));
  }
  switch (below(4)) {
    case 0:
      return conditions.apply(Op::Not, {part()});
    case 1:
      return conditions.apply(Op::And, {part(), part()});
    case 2:
      return conditions.apply(Op::Or, {part(), part()});
    default:
      return conditions.apply(Op::Select, {part(), part(), part()});
  }
}

template <class Visit>
void visit_cases(Visit visit) {
  for (double rank = 0; rank < 5; ++rank)
    for (double size = 0; size < 5; ++size)
      for (const double named : {0, 1})
        for (double hyper = -0.25; hyper < 4; hyper += 0.25) visit({rank, size, named, hyper});
}

}  // namespace

TEST_CASE("what is said of conditions holds where they do") {
  std::mt19937 random(7);
  int shorter = 0;
  for (int i = 0; i < 400; ++i) {
    Conditions conditions;
    const std::vector<Assumption> assumptions = {
        {.condition = random_condition(conditions, random, 4), .holds = random() % 2 == 0},
        {.condition = random_condition(conditions, random, 2), .holds = true}};
    const Formula formula = simplified(conditions.graph, assumptions);
    bool may = false;
    visit_cases([&](const Case& at) {
      const bool all_hold = std::ranges::all_of(assumptions, [&](const Assumption& assumption) {
        return conditions.holds(assumption.condition, at) == assumption.holds;
      });
      may = may || all_hold;
      REQUIRE(conditions.holds(formula, at) == all_hold);
    });
    REQUIRE(may_hold(conditions.graph, assumptions) == may);
    REQUIRE((formula.kind == Formula::Kind::Never) == !may);
    shorter += formula.kind == Formula::Kind::One ? 1 : 0;
  }
  CHECK(shorter > 20);
}

TEST_CASE("what follows is not said, nor what never holds") {
  Conditions c;
  const NodeId matrix = c.rank(Op::Ge, 2), vector = c.rank(Op::Lt, 2), cube = c.rank(Op::Eq, 3);
  CHECK(c.text({{vector, true}, {matrix, false}}) == "rank < 2");
  CHECK(c.text({{vector, true}, {matrix, true}}) == "false");
  CHECK(c.text({{matrix, true}, {cube, true}}) == "rank == 3");
  CHECK(c.text({{c.apply(Op::Or, {matrix, vector}), true}}) == "true");
  CHECK(c.text({{c.rank(Op::Le, 64), true}}) == "true");
  const NodeId first = c.apply(Op::And, {matrix, c.named}),
               second = c.apply(Op::And, {vector, c.named});
  CHECK(c.text({{c.apply(Op::Or, {first, second}), true}}) == "named");
  CHECK(c.text({{c.apply(Op::And, {vector, c.named}), false}, {matrix, false}}) ==
        "not named and not rank >= 2");
}

TEST_CASE("numbers that may be NaN are not told by what does not hold of them") {
  Conditions c;
  const NodeId above = c.compare(Op::Gt, 2, 0), below = c.compare(Op::Le, 2, 0);
  CHECK(c.text({{c.apply(Op::Or, {above, below}), true}}) == "true");
  c.graph.hypers[0].follows = true;  // NaN says that it was not set
  CHECK(c.text({{c.apply(Op::Or, {above, below}), true}}) == "beta > 0 or beta <= 0");
  CHECK(may_be_first(c.graph, {{{above, true}}, {{below, true}}, {}}) ==
        std::vector<bool>{true, true, true});
  CHECK(may_be_first(c.graph, {{{above, true}}, {{above, false}}, {}}) ==
        std::vector<bool>{true, true, false});
}

}  // namespace talweg::plan
