#include "compiler/plan/pass_work.h"

#include <algorithm>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/ir/phases.h"
#include "compiler/plan/needs.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

namespace {

/// What a stream holds where the step begins.
bool is_leaf_of(const Stream& stream, const Node& node) {
  switch (stream.kind) {
    case StreamKind::Param:
      return node.kind == NodeKind::Param;
    case StreamKind::Grad:
      return node.kind == NodeKind::Grad && node.index == 0;
    case StreamKind::State:
      return node.kind == NodeKind::State && node.index == stream.index;
    case StreamKind::Input:
      return node.kind == NodeKind::Input && node.index == stream.index;
    case StreamKind::Scratch:
      return false;
  }
  TALWEG_UNREACHABLE("a stream of an unknown kind");
}

class Filler {
 public:
  Filler(const Plan& plan, const std::vector<Stream>& streams, const PassWork& work,
         const Resolved& resolved, LoopVersion& version)
      : graph_(plan.graph),
        plan_(plan),
        streams_(streams),
        work_(work),
        resolved_(resolved),
        version_(version),
        needed_(graph_.nodes.size()),
        left_in_(graph_.nodes.size(), kNone),
        is_overwritten_(streams.size()) {}

  Filled run() {
    note_loads();
    if (!work_.folds.empty() || stores_scratch())
      needs_ = find_needs(graph_, resolved_, work_.known);
    for (const PassWork::Fold& fold : work_.folds) add_fold(fold);
    for (const StreamStore& store : work_.stores) add_store(store);
    add_nodes();
    return std::move(result_);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  [[nodiscard]] NodeId alias(NodeId id) const { return resolved_.alias[id.index]; }

  /// A stream holds such a value where the step begins.
  [[nodiscard]] bool is_first_in(std::uint32_t stream, NodeId value) const {
    return is_leaf_of(streams_[stream], graph_[value]);
  }

  [[nodiscard]] bool is_scratch(std::uint32_t stream) const {
    return streams_[stream].kind == StreamKind::Scratch;
  }

  [[nodiscard]] bool stores_scratch() const {
    return std::ranges::any_of(work_.stores,
                               [&](const StreamStore& store) { return is_scratch(store.stream); });
  }

  void note_loads() {
    for (const StreamLoad& load : work_.loads) {
      const NodeId value = alias(load.node);
      // What stays as it was is read as such.
      if (is_first_in(load.stream, value) || is_before_loop(graph_[value])) continue;
      if (is_scratch(load.stream) && stays_in_place(load.node)) continue;
      left_in_[value.index] = load.stream;
    }
    for (const StreamLoad& load : work_.loads)
      is_overwritten_[load.stream] = !is_first_in(load.stream, alias(load.node));
  }

  // ---- Conditions that are to be known ----

  [[nodiscard]] bool may_ask(NodeId condition) const {
    return !work_.known.empty() && work_.known[condition.index] &&
           !resolved_.truths[condition.index];
  }

  /// Of several the one of the last regrad that the step has come to, then of the next one: what
  /// is known of that one often makes the others indifferent.
  void ask(NodeId condition) {
    const auto distance = [&](NodeId id) {
      std::size_t nearest = SIZE_MAX;
      for (std::size_t i = 0; i < graph_.regrads.size(); ++i)
        if (graph_.regrads[i].condition == id)
          nearest =
              std::min(nearest, i < work_.regrads_come_to ? work_.regrads_come_to - i : i + 1);
      return nearest;
    };
    if (!result_.asks.valid() || distance(condition) < distance(result_.asks))
      result_.asks = condition;
  }

  /// Asks what a condition is made of, as far as it is those of regrads. False if it is of none.
  bool ask_within(NodeId condition) {
    if (resolved_.truths[condition.index]) return false;
    const Node& node = graph_[condition];
    bool asks = may_ask(condition) &&
                std::ranges::find(graph_.regrads, condition, &ir::Regrad::condition) !=
                    graph_.regrads.end();
    if (asks) ask(condition);
    const bool is_logic = node.kind == NodeKind::Apply &&
                          (node.op == Op::And || node.op == Op::Or || node.op == Op::Not);
    for (int i = 0; is_logic && i < node.operand_count(); ++i)
      asks = ask_within(node.operands[static_cast<std::size_t>(i)]) || asks;
    return asks;
  }

  /// Where the step waits nowhere, param is where it has always been.
  [[nodiscard]] bool may_wait() const {
    return std::ranges::any_of(graph_.regrads, [&](const ir::Regrad& regrad) {
      return resolved_.truths[regrad.condition.index] != false;
    });
  }

  void ask_if_it_waits() {
    for (const ir::Regrad& regrad : graph_.regrads) {
      const bool is_open = !resolved_.truths[regrad.condition.index];
      const bool waits = !is_open && *resolved_.truths[regrad.condition.index];
      // It does, or nobody can tell.
      if (waits || (is_open && !may_ask(regrad.condition))) return;
    }
    for (const ir::Regrad& regrad : graph_.regrads)
      if (may_ask(regrad.condition)) ask(regrad.condition);
  }

  /// Whether the gradient that a place holds is in that of the next one, for which the step may
  /// have waited.
  void ask_where_gradient_is(const Node& gradient) {
    std::uint32_t number = gradient.index;
    while (number < graph_.regrads.size() &&
           resolved_.truths[graph_.regrads[number].condition.index] == false)
      ++number;
    if (number < graph_.regrads.size() && may_ask(graph_.regrads[number].condition))
      ask(graph_.regrads[number].condition);
  }

  /// Whether a fold, or what is to be kept in scratch, is of use.
  bool is_wanted(const Need& need) {
    if (need.kind == Need::Kind::Where && !ask_within(need.where.condition) &&
        std::ranges::find(result_.gates, need.where.condition) == result_.gates.end())
      result_.gates.push_back(need.where.condition);
    return need.kind != Need::Kind::Never;
  }

  // ---- Folds and stores ----

  void add_fold(const PassWork::Fold& work) {
    const Partial& fold = plan_.partials_of(work.kind)[work.partial];
    Need need;
    for (const NodeId reduction : fold.reductions) {
      const NodeId domain = alias(ir::domain_of(graph_[reduction]));
      if (resolved_.truths[domain.index] != false && need.kind != Need::Kind::Always &&
          needs_[reduction.index].kind != Need::Kind::Never)
        need = needs_[reduction.index];
    }
    if (!is_wanted(need)) return;
    const NodeId b = fold.b.valid() ? alias(fold.b) : NodeId();
    version_.folds.push_back({work.kind, work.partial, alias(fold.a), b});
    this->need(version_.folds.back().a);
    if (b.valid()) this->need(b);
  }

  void add_store(const StreamStore& store) {
    const NodeId value = alias(store.value);
    if (is_scratch(store.stream)) {
      if (stays_in_place(store.value)) return;
      if (store.stream == work_.origin)
        ask_if_it_waits();
      else if (!is_wanted(needs_[value.index]))
        return;
      else if (graph_[store.value].kind == NodeKind::Grad)
        ask_where_gradient_is(graph_[store.value]);
    }
    if (writes_back(store.stream, value)) return;
    version_.stores.push_back({store.stream, value});
    need(value);
  }

  /// A store would leave what is there.
  bool writes_back(std::uint32_t stream, NodeId value) {
    const auto load = std::ranges::find(work_.loads, stream, &StreamLoad::stream);
    if (load == work_.loads.end()) return is_first_in(stream, value);
    const NodeId there = alias(load->node);
    if (there == value) return true;
    ask_if_chosen(there, value);
    return false;
  }

  /// Asks about what is in a place, if that may be a value.
  bool ask_if_chosen(NodeId there, NodeId value) {
    const Node& node = graph_[there];
    if (there == value) return true;
    if (node.kind != NodeKind::Apply || node.op != Op::Select) return false;
    const bool is_first = ask_if_chosen(alias(node.operands[1]), value);
    if (!ask_if_chosen(alias(node.operands[2]), value) && !is_first) return false;
    ask_within(alias(node.operands[0]));
    return true;
  }

  /// Where the step does not wait, param and gradients are read where they have always been, and
  /// not kept in scratch.
  [[nodiscard]] bool stays_in_place(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::Param) return !work_.origin || !may_wait();
    return node.kind == NodeKind::Grad && node.index < graph_.regrads.size() &&
           alias(graph_.regrads[node.index].gradient) == alias(id);
  }

  // ---- Nodes ----

  void need(NodeId id) { needed_[id.index] = true; }

  [[nodiscard]] std::uint32_t stream_of_leaf(const Node& node) const {
    const auto found = std::ranges::find_if(
        streams_, [&](const Stream& stream) { return is_leaf_of(stream, node); });
    TALWEG_CHECK(found != streams_.end(), "a value per element without a stream");
    return static_cast<std::uint32_t>(found - streams_.begin());
  }

  void add_nodes() {
    for (std::uint32_t i = static_cast<std::uint32_t>(graph_.nodes.size()); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (!needed_[i] || is_before_loop(node)) continue;
      version_.nodes.emplace_back(i);
      if (is_moved(NodeId(i))) {
        if (node.kind == NodeKind::Param)
          ask_if_it_waits();
        else
          ask_where_gradient_is(node);
      }
      if (left_in_[i] != kNone)
        version_.loads.push_back({left_in_[i], NodeId(i)});
      else if (node.operand_count() == 0)
        load_leaf(NodeId(i));
      else
        need_operands(node);
    }
    std::ranges::reverse(version_.nodes);
    std::ranges::reverse(version_.loads);
  }

  /// Param or a gradient that is elsewhere where the step has waited.
  [[nodiscard]] bool is_moved(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::Param)
      return is_overwritten_[kParamStream] || left_in_[id.index] != kNone;
    return node.kind == NodeKind::Grad && is_overwritten_[kGradStream] &&
           left_in_[id.index] != kGradStream;
  }

  void load_leaf(NodeId id) {
    if (graph_[id].kind == NodeKind::Grad && graph_[id].index > 0) {
      result_.is_possible = false;
      return;
    }
    const std::uint32_t stream = stream_of_leaf(graph_[id]);
    if (is_overwritten_[stream]) result_.is_possible = false;
    version_.loads.push_back({stream, id});
  }

  void need_operands(const Node& node) {
    if (node.kind == NodeKind::Apply && node.op == Op::Select) ask_within(alias(node.operands[0]));
    for (int k = 0; k < node.operand_count(); ++k)
      need(alias(node.operands[static_cast<std::size_t>(k)]));
  }

  const ir::Graph& graph_;
  const Plan& plan_;
  const std::vector<Stream>& streams_;
  const PassWork& work_;
  const Resolved& resolved_;
  LoopVersion& version_;
  Filled result_;
  std::vector<Need> needs_;  // by node; empty where nobody asks
  std::vector<bool> needed_;
  std::vector<std::uint32_t> left_in_;  // by node: the stream that an earlier pass left it in
  std::vector<bool> is_overwritten_;    // by stream: an earlier pass has changed what it holds
};

}  // namespace

Filled fill_version(const Plan& plan, const std::vector<Stream>& streams, const PassWork& work,
                    const Resolved& resolved, LoopVersion& version) {
  return Filler(plan, streams, work, resolved, version).run();
}

void name_gradients(const ir::Graph& graph, const PassWork& work, LoopVersion& version) {
  for (StreamLoad& load : version.loads) {
    const auto given = std::ranges::find(work.loads, load.stream, &StreamLoad::stream);
    if (given == work.loads.end() || graph[given->node].kind != NodeKind::Grad) continue;
    const NodeId before = std::exchange(load.node, given->node);
    if (before == load.node) continue;
    // Gradients are made of nothing, so the new name may stand first.
    std::erase(version.nodes, before);
    version.nodes.insert(version.nodes.begin(), load.node);
    std::ranges::replace(version.alias, before, load.node);
    for (StreamStore& store : version.stores)
      if (store.value == before) store.value = load.node;
    for (ElementFold& fold : version.folds)
      for (NodeId* operand : {&fold.a, &fold.b})
        if (*operand == before) *operand = load.node;
  }
}

}  // namespace talweg::plan
