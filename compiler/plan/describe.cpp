#include "compiler/plan/describe.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/plan/expression_text.h"
#include "compiler/plan/matrix_routes.h"
#include "compiler/plan/outcomes.h"

namespace talweg::plan {

namespace {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
}

Bytes operator+(Bytes a, Bytes b) { return {a.read + b.read, a.written + b.written}; }

class Describer {
 public:
  explicit Describer(const Plan& plan)
      : plan_(plan), graph_(plan.graph), names_(graph_), computed_(plan.routes.size()) {}

  Description run() && {
    result_.name = graph_.name;
    result_.compute = plan_.compute;
    add_routes();
    for (std::uint32_t i = 0; i < plan_.phases.size(); ++i) add_phase(i);
    const auto heaviest =
        std::ranges::max_element(result_.routes, {}, [](const auto& r) { return r.bytes.total(); });
    result_.bytes = heaviest->bytes;
    const auto route = static_cast<std::uint32_t>(heaviest - result_.routes.begin());
    for (PhaseDescription& phase : result_.phases)
      for (const PassDescription& pass : phase.passes)
        for (const RouteOfPass& part : pass.routes)
          if (part.route == route) phase.bytes = phase.bytes + part.bytes;
    add_memory();
    for (std::size_t i = 0; i < plan_.views.size(); ++i)
      result_.views.push_back({plan_.views[i].graph.name, bytes_per_element(plan_.views[i])});
    return std::move(result_);
  }

 private:
  void add_routes() {
    const std::vector<std::uint32_t> state_bytes = state_bytes_by_route(plan_);
    for (std::size_t i = 0; i < plan_.routes.size(); ++i) {
      RouteDescription route;
      route.condition = without_truth(names_.conditions(plan_.routes[i].conditions));
      route.state_bytes = state_bytes[i];
      result_.routes.push_back(std::move(route));
    }
  }

  static std::string without_truth(std::string condition) {
    return condition == "true" ? "" : std::move(condition);
  }

  // ---- Phases ----

  void add_phase(std::uint32_t number) {
    const Phase& phase = plan_.phases[number];
    PhaseDescription description;
    for (const PlannedReduction& reduction : plan_.reductions) {
      if (reduction.phase != number || !is_left(reduction)) continue;
      add_once(description.known, names_.reduction(reduction.node));
      const ir::Rate rate = graph_[reduction.node].rate;
      description.waits_for =
          description.waits_for ? types::meet(*description.waits_for, rate) : rate;
    }
    for (std::size_t i = 0; i < kLevels; ++i)
      add_program(static_cast<Level>(i), phase, description);
    if (phase.lines) add_pass(*phase.lines, true, description);
    if (phase.pass) add_pass(*phase.pass, false, description);
    if (const auto& regrad = phase[Level::Model].regrad) {
      description.returns_where = without_truth(condition_text(graph_.regrads[*regrad].condition));
      ++gradients_;
    }
    result_.phases.push_back(std::move(description));
  }

  void add_program(Level level, const Phase& phase, PhaseDescription& description) {
    const ScalarProgram& program = phase[level];
    ProgramDescription text;
    text.level = level;
    for (const std::uint32_t slot : program.slots) {
      const NodeId id = plan_.slots_of(level)[slot];
      if (is_worth_saying(id))
        add_once(text.computes, names_.new_value(id).value_or(names_.text(id)));
    }
    for (const std::uint32_t hyper : program.hypers)
      text.binds.push_back(graph_.hypers[hyper].name);
    for (const std::uint32_t store : program.stores)
      if (const ir::StateInfo& state = graph_.states[graph_.stores[store].index];
          presence_text(state) != kNever)
        text.stores.push_back(state.name);
    for (const std::uint32_t partial : program.partials)
      for (std::string& name : reductions_of(kind_left_by(level), partial))
        add_once(text.leaves, std::move(name));
    if (program.says_end) add_ends(text);
    if (!text.computes.empty() || !text.binds.empty() || !text.stores.empty() ||
        !text.leaves.empty() || !text.ends.empty())
      description.programs.push_back(std::move(text));
  }

  /// False for what is passed on as it is, and for what makes divisions fast: the divisor is among
  /// the slots too.
  [[nodiscard]] bool is_worth_saying(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::IsNormal || node.operand_count() == 0) return false;
    if (id == graph_.skipped || id == graph_.held) return false;  // said as an end
    if (node.kind != NodeKind::ToArray) return true;
    const bool is_guarded = std::ranges::any_of(graph_.nodes, [&](const Node& other) {
      return other.kind == NodeKind::IsNormal && other.operands[0] == id;
    });
    return !is_guarded && is_worth_saying(node.operands[0]);
  }

  void add_ends(ProgramDescription& text) const {
    if (graph_.skipped.valid())
      text.ends.push_back("skips where " + condition_text(graph_.skipped));
    if (graph_.held.valid())
      text.ends.push_back("holds where " + condition_text(without_skips(graph_.held)));
  }

  /// What a call is held for, in one that is not skipped.
  [[nodiscard]] NodeId without_skips(NodeId held) const {
    const Node& node = graph_[held];
    if (node.kind != NodeKind::Apply || node.op != builtins::Op::And) return held;
    const auto is_not_skipped = [&](NodeId id) {
      const Node& operand = graph_[id];
      return operand.kind == NodeKind::Apply && operand.op == builtins::Op::Not &&
             operand.operands[0] == graph_.skipped;
    };
    if (is_not_skipped(node.operands[0])) return node.operands[1];
    return is_not_skipped(node.operands[1]) ? node.operands[0] : held;
  }

  [[nodiscard]] std::string condition_text(NodeId id) const {
    const Assumption holds[] = {{.condition = id, .holds = true}};
    return names_.conditions(holds);
  }

  /// False for what no pass over elements leaves, as no tensor takes such a route, and for counts.
  [[nodiscard]] bool is_left(const PlannedReduction& reduction) const {
    if (graph_[reduction.node].fold == builtins::Fold::Count) return false;
    const bool is_left_by_pass = reduction.kind == PartialKind::Chunk ||
                                 reduction.kind == PartialKind::LineRow ||
                                 reduction.kind == PartialKind::LineBlock;
    return !is_left_by_pass || left_.contains({reduction.kind, reduction.partial});
  }

  [[nodiscard]] std::vector<std::string> reductions_of(PartialKind kind, std::uint32_t partial,
                                                       std::span<const NodeId> alias = {}) {
    std::vector<std::string> names;
    for (const PlannedReduction& reduction : plan_.reductions)
      if (reduction.kind == kind && reduction.partial == partial &&
          graph_[reduction.node].fold != builtins::Fold::Count)
        add_once(names, names_.reduction(reduction.node, alias));
    return names;
  }

  // ---- Passes ----

  void add_pass(const ElementPass& pass, bool is_over_lines, PhaseDescription& description) {
    PassDescription text;
    text.is_over_lines = is_over_lines;
    for (std::uint32_t route = 0; route < plan_.routes.size(); ++route) {
      if (is_over_lines && !may_have_matrices(graph_, plan_.routes[route])) continue;
      RouteOfPass part = describe_route(pass, route);
      result_.routes[route].bytes = result_.routes[route].bytes + part.bytes;
      if (part.bytes.total() > 0 || !part.leaves.empty()) text.routes.push_back(std::move(part));
    }
    description.passes.push_back(std::move(text));
  }

  [[nodiscard]] RouteOfPass describe_route(const ElementPass& pass, std::uint32_t route) {
    RouteOfPass part;
    part.route = route;
    const std::vector<const LoopVersion*> versions = versions_of(pass, route);
    const LoopVersion* heaviest = nullptr;
    const std::span<const NodeId> alias = alias_of(pass, route);
    for (const LoopVersion* version : versions) {
      part.loops.push_back(describe_loop(pass, *version, alias));
      for (const ElementFold& fold : version->folds) left_.emplace(fold.kind, fold.partial);
      const LoopDescription& loop = part.loops.back();
      if (heaviest != nullptr && loop.bytes.total() <= part.bytes.total()) continue;
      heaviest = version;
      part.bytes = loop.bytes;
      part.reads = loop.reads;
      part.writes = loop.writes;
    }
    TALWEG_CHECK(heaviest != nullptr, "a route without a loop");
    for (const ElementFold& fold : heaviest->folds) {
      for (std::string& name : reductions_of(fold.kind, fold.partial, alias))
        add_once(part.leaves, std::move(name));
    }
    add_repeated(pass, *heaviest, part);
    return part;
  }

  /// Those that some call may take.
  [[nodiscard]] std::vector<const LoopVersion*> versions_of(const ElementPass& pass,
                                                            std::uint32_t route) const {
    std::vector<const LoopVersion*> versions;
    std::vector<std::vector<Assumption>> assumptions;
    for (const LoopVersion& version : pass.versions) {
      if (version.route != route) continue;
      versions.push_back(&version);
      assumptions.push_back(version.assumptions);
    }
    const std::vector<bool> may_be_taken = may_be_first(graph_, assumptions);
    std::vector<const LoopVersion*> result;
    for (std::size_t i = 0; i < versions.size(); ++i)
      if (may_be_taken[i]) result.push_back(versions[i]);
    return result;
  }

  /// What stands for the values of a route, whatever the conditions of its loops.
  static std::span<const NodeId> alias_of(const ElementPass& pass, std::uint32_t route) {
    const auto last =
        std::ranges::find_if(pass.versions.rbegin(), pass.versions.rend(),
                             [&](const LoopVersion& version) { return version.route == route; });
    return last->alias;
  }

  [[nodiscard]] LoopDescription describe_loop(const ElementPass& pass, const LoopVersion& version,
                                              std::span<const NodeId> alias) const {
    LoopDescription loop;
    const Traffic traffic = traffic_of(plan_, pass, version);
    loop.bytes = {traffic.read_bytes, traffic.written_bytes};
    loop.divides_instead = version.is_fallback;
    for (std::uint32_t i = 0; i < pass.streams.size(); ++i) {
      if (traffic.reads[i])
        loop.reads.push_back(stream_name(pass.streams[i], gradient_in(version, i)));
      if (traffic.writes[i]) loop.writes.push_back(stream_name(pass.streams[i]));
    }
    std::vector<Assumption> conditions;
    for (const Assumption& assumption : version.assumptions) {
      if (graph_[assumption.condition].kind == NodeKind::IsNormal)
        loop.multiplies_by_reciprocals = true;
      else if (assumption.condition != graph_.skipped && assumption.condition != graph_.held)
        conditions.push_back(assumption);
      else if (assumption.holds)
        loop.condition =
            assumption.condition == graph_.skipped ? "the call is skipped" : "the call is held";
    }
    if (conditions.empty()) return loop;
    loop.condition +=
        (loop.condition.empty() ? "" : " and ") + names_.conditions(conditions, alias);
    return loop;
  }

  /// What a loop reads back of earlier passes, and what it computes again.
  void add_repeated(const ElementPass& pass, const LoopVersion& version, RouteOfPass& part) {
    std::set<std::uint32_t>& computed = computed_[part.route];
    std::vector<NodeId> again, all;
    for (const NodeId id : version.nodes) {
      const auto load = std::ranges::find(version.loads, id, &StreamLoad::node);
      if (load != version.loads.end()) {
        const Stream& stream = pass.streams[load->stream];
        if (stream.kind == StreamKind::Scratch || names_.new_value(id))
          add_once(part.reads_back, read_back_text(stream, id));
        continue;
      }
      const NodeKind kind = graph_[id].kind;
      if (kind != NodeKind::Apply && kind != NodeKind::DivScalar) continue;
      all.push_back(id);
      if (computed.contains(id.index)) again.push_back(id);
    }
    part.operations = static_cast<std::uint32_t>(all.size());
    part.operations_again = static_cast<std::uint32_t>(again.size());
    for (const NodeId id : again)
      if (!feeds_repeated(id, again, version))
        add_once(part.computes_again,
                 names_.new_value(id).value_or(names_.text(id, version.alias)));
    for (const NodeId id : all) computed.insert(id.index);
  }

  [[nodiscard]] bool feeds_repeated(NodeId id, const std::vector<NodeId>& again,
                                    const LoopVersion& version) const {
    const auto reads = [&](NodeId user) {
      const Node& node = graph_[user];
      for (int i = 0; i < node.operand_count(); ++i) {
        NodeId operand = version.alias[node.operands[static_cast<std::size_t>(i)].index];
        while (graph_[operand].kind == NodeKind::Flush && operand != id)
          operand = version.alias[graph_[operand].operands[0].index];
        if (operand == id) return true;
      }
      return false;
    };
    return std::ranges::any_of(again, reads);
  }

  [[nodiscard]] std::string read_back_text(const Stream& stream, NodeId id) const {
    const std::string what = names_.new_value(id).value_or(names_.text(id));
    return stream.kind == StreamKind::Scratch ? what + " from " + stream_name(stream) : what;
  }

  /// How many regrads the gradient that a loop loads from a stream stands behind: fewer than the
  /// phase does where the step did not wait.
  [[nodiscard]] std::uint32_t gradient_in(const LoopVersion& version, std::uint32_t stream) const {
    const auto load = std::ranges::find(version.loads, stream, &StreamLoad::stream);
    const bool is_gradient =
        load != version.loads.end() && graph_[load->node].kind == NodeKind::Grad;
    return is_gradient ? graph_[load->node].index : gradients_;
  }

  [[nodiscard]] std::string stream_name(const Stream& stream) const {
    return stream_name(stream, gradients_);
  }
  [[nodiscard]] std::string stream_name(const Stream& stream, std::uint32_t gradient) const {
    switch (stream.kind) {
      case StreamKind::Param:
        return "param";
      case StreamKind::Grad:
        return gradient_name(gradient);
      case StreamKind::State:
        return graph_.states[stream.index].name;
      case StreamKind::Input:
        return graph_.inputs[stream.index].name;
      case StreamKind::Scratch:
        return "scratch " + std::to_string(stream.index);
    }
    TALWEG_UNREACHABLE("a stream of an unknown kind");
  }

  // ---- Memory ----

  [[nodiscard]] std::string presence_text(const ir::StateInfo& state) const {
    return state.present.valid() ? without_truth(condition_text(state.present)) : "";
  }

  void add_memory() {
    using ir::Rate;
    constexpr auto kScalarBytes = static_cast<std::uint32_t>(sizeof(double));
    const auto array_bytes = static_cast<std::uint32_t>(types::size_bytes(plan_.compute));
    for (const ir::StateInfo& state : graph_.states)
      result_.states.push_back(
          {.name = state.name,
           .rate = state.rate,
           .bytes = types::is_array(state.rate) ? array_bytes : kScalarBytes,
           .condition = state.present.valid() ? without_truth(condition_text(state.present)) : ""});
    for (const Rate rate : {Rate::Element, Rate::Col, Rate::Row, Rate::Matrix, Rate::Tensor,
                            Rate::Group, Rate::Model}) {
      std::uint32_t bytes = 0;
      for (const StateDescription& state : result_.states)
        bytes += state.rate == rate && state.condition != kNever ? state.bytes : 0;
      if (rate == Rate::Element) bytes = plan_.state_bytes_per_element;
      if (bytes > 0) result_.state_bytes.emplace_back(rate, bytes);
    }
    for (const NodeId id : plan_.scratch) {
      const std::string holds = names_.new_value(id).value_or(names_.text(id));
      result_.scratch.push_back({holds, array_bytes});
    }
  }

  const Plan& plan_;
  const ir::Graph& graph_;
  const ExpressionText names_;
  std::uint32_t gradients_ = 0;                           // regrads so far
  std::vector<std::set<std::uint32_t>> computed_;         // by route: in passes so far
  std::set<std::pair<PartialKind, std::uint32_t>> left_;  // by passes so far
  Description result_;
};

}  // namespace

Description describe(const Plan& plan) { return Describer(plan).run(); }

}  // namespace talweg::plan
