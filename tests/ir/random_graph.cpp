#include "tests/ir/random_graph.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "compiler/ir/make_node.h"
#include "compiler/ir/phases.h"

namespace talweg::tests {

using builtins::Op;
using ir::Graph;
using ir::HyperInfo;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;
using ir::ValueType;

std::uint64_t Random::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::size_t Random::below(std::size_t count) { return next() % count; }

double Random::number() {
  using Double = std::numeric_limits<double>;
  using Float = std::numeric_limits<float>;
  static constexpr double kSpecial[] = {0.0,
                                        -0.0,
                                        1.0,
                                        -1.0,
                                        0.5,
                                        2.0,
                                        3.0,
                                        -7.0,
                                        0.1,
                                        1e-3,
                                        Float::min(),
                                        -Float::min(),
                                        Float::denorm_min(),
                                        1e-40,
                                        Float::max(),
                                        -Float::max(),
                                        1e39,
                                        -3e38,
                                        Double::min(),
                                        Double::denorm_min(),
                                        -1e-310,
                                        Double::max(),
                                        Double::infinity(),
                                        -Double::infinity(),
                                        Double::quiet_NaN()};
  if (chance(40)) return kSpecial[below(std::size(kSpecial))];
  const double fraction = static_cast<double>(next() >> 11) * 0x1p-52 - 1;
  if (chance(70)) return fraction * 4;
  return std::ldexp(fraction, static_cast<int>(below(300)) - 150);
}

double Random::array_number(types::ComputeType compute) { return ir::round_to(compute, number()); }

namespace {

/// Reductions of reductions of reductions.
constexpr std::uint32_t kMaxPhases = 3;

class Maker {
 public:
  Maker(std::uint64_t seed, std::size_t node_count, std::size_t most_regrads)
      : random_(seed), node_count_(node_count), most_regrads_(most_regrads) {}

  Graph run() && {
    graph_.name = "random";
    make_tables();
    make_leaves();
    while (graph_.nodes.size() < node_count_) make_node();
    bind_hypers();
    make_stores();
    make_ends();
    make_views();
    return std::move(graph_);
  }

 private:
  void make_tables() {
    const auto hyper = [&](const char* name, HyperInfo::Kind kind, Rate rate, double value) {
      graph_.hypers.push_back({.name = name,
                               .kind = kind,
                               .rate = rate,
                               .default_value = value,
                               .range = {},
                               .bound = {},
                               .unless = {},
                               .doc = {}});
    };
    hyper("lr", HyperInfo::Kind::Number, Rate::Group, 0.1);
    hyper("momentum", HyperInfo::Kind::Number, Rate::Group, 0.9);
    hyper("every", HyperInfo::Kind::Int, Rate::Model, 3);
    hyper("nesterov", HyperInfo::Kind::Bool, Rate::Group, 1);
    hyper("scheduled", HyperInfo::Kind::Number, Rate::Model, 0.5);
    const auto state = [&](const char* name, Rate rate) {
      graph_.states.push_back({.name = name, .rate = rate, .initial = {}, .kept = {}, .doc = {}});
    };
    state("m", Rate::Element);
    state("v", Rate::Element);
    state("mu", Rate::Group);
    state("best", Rate::Model);
    state("trust", Rate::Tensor);
    graph_.inputs.push_back({.name = "hessian", .rate = Rate::Element, .doc = {}});
    graph_.inputs.push_back({.name = "loss", .rate = Rate::Model, .doc = {}});
    graph_.inputs.push_back({.name = "temperature", .rate = Rate::Group, .doc = {}});
    graph_.inputs.push_back({.name = "curvature", .rate = Rate::Tensor, .doc = {}});
    graph_.facts.push_back({.kind = types::FactKind::Size, .text = {}});
    graph_.facts.push_back({.kind = types::FactKind::Tagged, .text = "matrix"});
  }

  void make_leaves() {
    for (const NodeKind kind :
         {NodeKind::Param, NodeKind::Grad, NodeKind::StepNumber, NodeKind::CallNumber})
      graph_.add(ir::make_leaf(kind));
    const auto leaves = [&](NodeKind kind, std::size_t count) {
      for (std::uint32_t i = 0; i < count; ++i) graph_.add(ir::make_leaf(graph_, kind, i));
    };
    leaves(NodeKind::Hyper, graph_.hypers.size());
    leaves(NodeKind::State, graph_.states.size());
    leaves(NodeKind::Input, graph_.inputs.size());
    leaves(NodeKind::Given, graph_.inputs.size());
    leaves(NodeKind::Fact, graph_.facts.size());
    graph_.states[0].initial = NodeId(0);
    graph_.states[1].initial = graph_.add(ir::make_constant(0.25));
    for (const double value : {1.0, 0.0, -0.0, 2.0}) graph_.add(ir::make_constant(value));
    graph_.add(ir::make_truth(random_.chance(50)));
    // What reductions range over.
    const NodeId tagged = pick([&](const Node& node) {
      return node.kind == NodeKind::Fact && node.type == ValueType::Bool;
    });
    domains_ = {graph_.add(ir::make_truth(true)), tagged,
                graph_.add(ir::make_apply(graph_, Op::Not, {tagged}))};
  }

  /// Any fold, over elements, tensors or groups, to any slower rate. Not of what is known late
  /// already: every reduction of a reduction is one phase more.
  void make_reduction() {
    constexpr Rate kOver[] = {Rate::Element, Rate::Element, Rate::Tensor, Rate::Group};
    constexpr Rate kRates[] = {Rate::Model, Rate::Group, Rate::Tensor};
    const Rate over = kOver[random_.below(std::size(kOver))];
    Rate rate = kRates[random_.below(std::size(kRates))];
    if (rate == over || !types::fits(rate, over)) rate = Rate::Model;
    const auto fold = static_cast<builtins::Fold>(random_.below(5));
    const NodeId domain = domains_[random_.chance(60) ? 0 : random_.below(domains_.size())];
    const std::vector<std::uint32_t> phases = ir::find_phases(graph_);
    const ValueType type = over == Rate::Element ? ValueType::Array : ValueType::Scalar;
    const auto operand = [&] {
      return pick([&](const Node& node) {
        return node.type == type && types::fits(node.rate, over) &&
               phases[static_cast<std::size_t>(&node - graph_.nodes.data())] < kMaxPhases;
      });
    };
    const int arity = builtins::info(fold).arity;
    if (arity == 0)
      graph_.add(ir::make_reduce(graph_, fold, over, rate, {domain}));
    else if (arity == 1)
      graph_.add(ir::make_reduce(graph_, fold, over, rate, {operand(), domain}));
    else
      graph_.add(ir::make_reduce(graph_, fold, over, rate, {operand(), operand(), domain}));
  }

  /// An earlier node that `fits`, one of the newer ones more often.
  template <class Fits>
  NodeId pick(Fits&& fits) {
    std::vector<NodeId> candidates;
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i)
      if (fits(graph_.nodes[i])) candidates.emplace_back(i);
    const std::size_t newest = std::min<std::size_t>(candidates.size(), 8);
    if (random_.chance(50)) return candidates[candidates.size() - 1 - random_.below(newest)];
    return candidates[random_.below(candidates.size())];
  }

  NodeId pick(ValueType type) {
    return pick([&](const Node& node) { return node.type == type; });
  }

  NodeId convert(NodeKind kind, NodeId operand) {
    return graph_.add(ir::make_conversion(graph_, kind, {operand}));
  }

  /// Behind something that is known early, so that other phases may follow.
  void make_regrad() {
    const std::vector<std::uint32_t> phases = ir::find_phases(graph_);
    const auto is_early = [&](const Node& node) {
      return phases[static_cast<std::size_t>(&node - graph_.nodes.data())] < kMaxPhases;
    };
    const NodeId condition =
        random_.chance(50) ? graph_.add(ir::make_truth(true)) : pick([&](const Node& node) {
          return node.type == ValueType::Bool && types::fits(node.rate, Rate::Model) &&
                 is_early(node);
        });
    const NodeId before = graph_.regrads.empty() ? NodeId(0) : graph_.regrads.back().param;
    NodeId param = random_.chance(10) ? before : pick([&](const Node& node) {
      return node.type == ValueType::Array && is_early(node);
    });
    const Node& waits = graph_[condition];
    const bool always = waits.kind == NodeKind::Constant && waits.value != 0;
    if (!always && param != before)
      param = graph_.add(ir::make_apply(graph_, Op::Select, {condition, param, before}));
    const auto number = static_cast<std::uint32_t>(graph_.regrads.size()) + 1;
    graph_.regrads.push_back({condition, param, {}});
    Node gradient = ir::make_leaf(NodeKind::Grad);
    gradient.index = number;
    graph_.regrads.back().gradient = graph_.add(gradient);
  }

  void make_node() {
    if (graph_.regrads.size() < most_regrads_ && random_.chance(4)) return make_regrad();
    const std::size_t kind = random_.below(100);
    if (kind < 6)
      graph_.add(ir::make_constant(random_.number()));
    else if (kind < 16)
      convert(NodeKind::ToArray, pick(ValueType::Scalar));
    else if (kind < 26)
      graph_.add(ir::make_conversion(graph_, NodeKind::DivScalar,
                                     {pick(ValueType::Array), pick(ValueType::Scalar)}));
    else if (kind < 30)
      convert(NodeKind::IsNormal, pick(ValueType::Array));
    else if (kind < 38)
      convert(NodeKind::Flush, pick(ValueType::Array));
    else if (kind < 51)
      make_select();
    else if (kind < 55)
      make_reduction();
    else
      make_operation();
  }

  void make_select() {
    constexpr ValueType kTypes[] = {ValueType::Array, ValueType::Array, ValueType::Scalar,
                                    ValueType::Bool};
    const ValueType type = kTypes[random_.below(std::size(kTypes))];
    const NodeId condition = pick([&](const Node& node) {
      return node.type == ValueType::Bool &&
             (type != ValueType::Scalar || !types::is_array(node.rate));
    });
    graph_.add(ir::make_apply(graph_, Op::Select, {condition, pick(type), pick(type)}));
  }

  void make_operation() {
    // Arithmetic more often than functions: those make zeros, infinities and NaN of most values.
    constexpr Op kCommon[] = {Op::Add, Op::Sub, Op::Mul, Op::Fma,
                              Op::Neg, Op::Abs, Op::Min, Op::Sqrt};
    const Op op = random_.chance(50) ? kCommon[random_.below(std::size(kCommon))]
                                     : static_cast<Op>(random_.below(builtins::kOpCount));
    const builtins::OpInfo& row = builtins::info(op);
    if (row.signature == builtins::Signature::Choice) return make_select();
    ValueType type = random_.chance(70) ? ValueType::Array : ValueType::Scalar;
    if (row.signature == builtins::Signature::Logic) type = ValueType::Bool;
    const NodeId a = pick(type);
    const NodeId b = random_.chance(5) ? a : pick(type);
    if (row.arity == 1)
      graph_.add(ir::make_apply(graph_, op, {a}));
    else if (row.arity == 2)
      graph_.add(ir::make_apply(graph_, op, {a, b}));
    else
      graph_.add(ir::make_apply(graph_, op, {a, b, pick(type)}));
  }

  NodeId pick_scalar(Rate rate) {
    return pick([&](const Node& node) {
      return node.type == ValueType::Scalar && types::fits(node.rate, rate);
    });
  }

  void bind_hypers() {
    if (random_.chance(50)) graph_.hypers[4].bound = pick_scalar(Rate::Model);
    if (random_.chance(50)) graph_.hypers[1].bound = pick_scalar(Rate::Group);
  }

  void make_stores() {
    const auto store = [&](ir::StoreTarget target, std::uint32_t index, NodeId value) {
      graph_.stores.push_back({.target = target, .index = index, .value = value});
    };
    const NodeId param = random_.chance(40) ? normalised() : pick(ValueType::Array);
    store(ir::StoreTarget::Param, 0, convert(NodeKind::Flush, param));
    for (std::uint32_t i = 0; i < graph_.states.size(); ++i) {
      if (random_.chance(20)) continue;
      const Rate rate = graph_.states[i].rate;
      store(ir::StoreTarget::State, i,
            types::is_array(rate) ? pick(ValueType::Array) : pick_scalar(rate));
    }
  }

  /// What all inputs make together, by a reduction of it: where a pass keeps it for the next one.
  NodeId normalised() {
    NodeId value = pick(ValueType::Array);
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const bool is_read = node.operand_count() == 0 && node.rate == Rate::Element;
      if (!is_read || random_.chance(20)) continue;
      value = graph_.add(ir::make_apply(graph_, Op::Max, {value, NodeId(i)}));
    }
    constexpr Rate kRates[] = {Rate::Model, Rate::Group, Rate::Tensor};
    const Rate rate = kRates[random_.below(std::size(kRates))];
    const NodeId sum = graph_.add(
        ir::make_reduce(graph_, builtins::Fold::Sum, Rate::Element, rate, {value, domains_[0]}));
    return graph_.add(ir::make_conversion(graph_, NodeKind::DivScalar, {value, sum}));
  }

  NodeId pick_model_truth() {
    if (random_.chance(30)) {
      const NodeId most = graph_.add(
          ir::make_reduce(graph_, builtins::Fold::Max, Rate::Element, Rate::Model,
                          {pick(ValueType::Array), domains_[random_.below(domains_.size())]}));
      return graph_.add(ir::make_apply(graph_, Op::Lt, {most, pick_scalar(Rate::Model)}));
    }
    return pick([&](const Node& node) {
      return node.type == ValueType::Bool && types::fits(node.rate, Rate::Model);
    });
  }

  /// Whether the stores agree with the ends does not matter to whoever computes them.
  void make_ends() {
    if (random_.chance(30)) graph_.held = pick_model_truth();
    for (HyperInfo& hyper : graph_.hypers)
      if (hyper.bound.valid() && random_.chance(30)) hyper.unless = pick_model_truth();
    if (!random_.chance(30)) return;
    graph_.skipped = pick_model_truth();
    for (ir::StateInfo& state : graph_.states)
      if (random_.chance(30)) state.kept = pick_model_truth();
  }

  /// By node: whether a view may read it.
  [[nodiscard]] std::vector<bool> seen_by_views() const {
    std::vector<bool> seen;
    for (const Node& node : graph_.nodes) {
      bool is_seen = node.kind != NodeKind::Grad && node.kind != NodeKind::Input &&
                     node.kind != NodeKind::Given && node.kind != NodeKind::CallNumber;
      if (node.kind == NodeKind::Hyper) is_seen = !graph_.hypers[node.index].bound.valid();
      for (int i = 0; i < node.operand_count(); ++i)
        is_seen = is_seen && seen[node.operands[static_cast<std::size_t>(i)].index];
      seen.push_back(is_seen);
    }
    return seen;
  }

  void make_views() {
    const std::vector<bool> seen = seen_by_views();
    for (const char* name : {"averaged", "ema.evaluation"}) {
      if (random_.chance(30)) continue;
      const NodeId value = pick([&](const Node& node) {
        return node.type == ValueType::Array &&
               seen[static_cast<std::size_t>(&node - graph_.nodes.data())];
      });
      graph_.views.push_back({.name = name, .value = value, .doc = {}});
    }
  }

  Random random_;
  std::size_t node_count_;
  std::size_t most_regrads_;
  std::vector<NodeId> domains_;
  Graph graph_;
};

}  // namespace

Graph random_graph(std::uint64_t seed, std::size_t node_count, std::size_t most_regrads) {
  return Maker(seed, node_count, most_regrads).run();
}

ir::ScalarContext random_scalars(const Graph& graph, Random& random) {
  ir::ScalarContext context;
  for (const HyperInfo& hyper : graph.hypers) {
    double value = random.number();
    if (hyper.kind == HyperInfo::Kind::Bool) value = random.chance(50) ? 1 : 0;
    if (hyper.kind == HyperInfo::Kind::Int) value = static_cast<double>(random.below(10));
    context.hypers.push_back(value);
  }
  for (std::size_t i = 0; i < graph.states.size(); ++i) context.states.push_back(random.number());
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    context.inputs.push_back(random.number());
    context.given.push_back(random.chance(50));
  }
  context.step_number = static_cast<double>(1 + random.below(1000));
  context.call_number = context.step_number + static_cast<double>(random.below(10));
  return context;
}

ir::ElementContext random_element(const Graph& graph, types::ComputeType compute, Random& random) {
  ir::ElementContext context;
  context.param = random.array_number(compute);
  context.grad = random.array_number(compute);
  for (std::size_t i = 0; i < graph.states.size(); ++i)
    context.states.push_back(random.array_number(compute));
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    context.inputs.push_back(random.array_number(compute));
  for (std::size_t i = 0; i < graph.regrads.size(); ++i)
    context.later_grads.push_back(random.array_number(compute));
  return context;
}

bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same(const std::vector<ir::Value>& a, const std::vector<ir::Value>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ir::Value& x, const ir::Value& y) {
                      return same(x.number, y.number) && x.truth == y.truth;
                    });
}

}  // namespace talweg::tests
