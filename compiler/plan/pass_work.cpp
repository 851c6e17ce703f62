#include "compiler/plan/pass_work.h"

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/ir/phases.h"

namespace talweg::plan {

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

  bool run() {
    note_loads();
    add_roots();
    return add_nodes();
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  [[nodiscard]] NodeId alias(NodeId id) const { return resolved_.alias[id.index]; }

  /// A stream holds such a value where the step begins.
  [[nodiscard]] bool is_first_in(std::uint32_t stream, NodeId value) const {
    return is_leaf_of(streams_[stream], graph_[value]);
  }

  /// A store would leave what is there.
  [[nodiscard]] bool writes_back(std::uint32_t stream, NodeId value) const {
    const auto load = std::ranges::find(work_.loads, stream, &StreamLoad::stream);
    return load == work_.loads.end() ? is_first_in(stream, value) : alias(load->node) == value;
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

  void add_roots() {
    for (const auto& [kind, partial] : work_.folds) {
      const Partial& fold = plan_.partials_of(kind)[partial];
      const bool is_wanted = std::ranges::any_of(fold.reductions, [&](NodeId reduction) {
        const NodeId domain = alias(ir::domain_of(graph_[reduction]));
        return resolved_.live[reduction.index] && resolved_.truths[domain.index] != false;
      });
      if (!is_wanted) continue;
      const NodeId b = fold.b.valid() ? alias(fold.b) : NodeId();
      version_.folds.push_back({kind, partial, alias(fold.a), b});
      need(version_.folds.back().a);
      if (b.valid()) need(b);
    }
    for (const StreamStore& store : work_.stores) {
      const NodeId value = alias(store.value);
      const bool is_wanted = !stays_in_place(store.value) &&
                             (store.stream == work_.origin || resolved_.live[value.index]);
      if ((is_scratch(store.stream) && !is_wanted) || writes_back(store.stream, value)) continue;
      version_.stores.push_back({store.stream, value});
      need(value);
    }
  }

  [[nodiscard]] bool is_scratch(std::uint32_t stream) const {
    return streams_[stream].kind == StreamKind::Scratch;
  }

  /// Where the step does not wait, param and gradients are read where they have always been, and
  /// not kept in scratch.
  [[nodiscard]] bool stays_in_place(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::Param) return !work_.origin || !may_wait();
    return node.kind == NodeKind::Grad && node.index < graph_.regrads.size() &&
           alias(graph_.regrads[node.index].gradient) == alias(id);
  }

  /// The step waits somewhere, for all that is known here: it may have to be put back.
  [[nodiscard]] bool may_wait() const {
    return std::ranges::any_of(graph_.regrads, [&](const ir::Regrad& regrad) {
      return resolved_.truths[regrad.condition.index] != false;
    });
  }

  void need(NodeId id) { needed_[id.index] = true; }

  [[nodiscard]] std::uint32_t stream_of_leaf(const Node& node) const {
    const auto found = std::ranges::find_if(
        streams_, [&](const Stream& stream) { return is_leaf_of(stream, node); });
    TALWEG_CHECK(found != streams_.end(), "a value per element without a stream");
    return static_cast<std::uint32_t>(found - streams_.begin());
  }

  bool add_nodes() {
    bool is_possible = true;
    for (std::uint32_t i = static_cast<std::uint32_t>(graph_.nodes.size()); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (!needed_[i] || is_before_loop(node)) continue;
      version_.nodes.emplace_back(i);
      if (left_in_[i] != kNone) {
        version_.loads.push_back({left_in_[i], NodeId(i)});
      } else if (node.kind == NodeKind::Grad && node.index > 0) {
        is_possible = false;
      } else if (node.operand_count() == 0) {
        const std::uint32_t stream = stream_of_leaf(node);
        if (is_overwritten_[stream]) is_possible = false;
        version_.loads.push_back({stream, NodeId(i)});
      } else {
        for (int k = 0; k < node.operand_count(); ++k)
          need(alias(node.operands[static_cast<std::size_t>(k)]));
      }
    }
    std::ranges::reverse(version_.nodes);
    std::ranges::reverse(version_.loads);
    return is_possible;
  }

  const ir::Graph& graph_;
  const Plan& plan_;
  const std::vector<Stream>& streams_;
  const PassWork& work_;
  const Resolved& resolved_;
  LoopVersion& version_;
  std::vector<bool> needed_;
  std::vector<std::uint32_t> left_in_;  // by node: the stream that an earlier pass left it in
  std::vector<bool> is_overwritten_;    // by stream: an earlier pass has changed what it holds
};

}  // namespace

bool fill_version(const Plan& plan, const std::vector<Stream>& streams, const PassWork& work,
                  const Resolved& resolved, LoopVersion& version) {
  return Filler(plan, streams, work, resolved, version).run();
}

}  // namespace talweg::plan
