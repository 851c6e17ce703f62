// Tables of an image from a graph; see image_tables.h.
#include "compiler/driver/image_tables.h"

#include <algorithm>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/ir/interpret.h"
#include "compiler/ir/phases.h"

namespace talweg::driver {

namespace {

constexpr std::uint32_t kNoStream = UINT32_MAX;
constexpr std::uint32_t kFirstStateStream = TALWEG_STREAM_GRAD + 1;

talweg_rate abi_rate(types::Rate rate) {
  switch (rate) {
    case types::Rate::Const:
    case types::Rate::Model:
      return TALWEG_RATE_MODEL;
    case types::Rate::Group:
      return TALWEG_RATE_GROUP;
    case types::Rate::Tensor:
      return TALWEG_RATE_TENSOR;
    case types::Rate::Matrix:
      return TALWEG_RATE_MATRIX;
    case types::Rate::Row:
      return TALWEG_RATE_ROW;
    case types::Rate::Col:
      return TALWEG_RATE_COL;
    case types::Rate::Element:
      return TALWEG_RATE_ELEMENT;
  }
  TALWEG_UNREACHABLE("a rate outside the enumeration");
}

talweg_hyper_kind abi_kind(ir::HyperInfo::Kind kind) {
  switch (kind) {
    case ir::HyperInfo::Kind::Number:
      return TALWEG_HYPER_NUMBER;
    case ir::HyperInfo::Kind::Int:
      return TALWEG_HYPER_INT;
    case ir::HyperInfo::Kind::Bool:
      return TALWEG_HYPER_BOOL;
  }
  TALWEG_UNREACHABLE("a kind outside the enumeration");
}

talweg_fact_kind abi_fact(types::FactKind kind) {
  switch (kind) {
    case types::FactKind::Rank:
      return TALWEG_FACT_RANK;
    case types::FactKind::Size:
      return TALWEG_FACT_SIZE;
    case types::FactKind::Named:
      return TALWEG_FACT_NAMED;
    case types::FactKind::Tagged:
      return TALWEG_FACT_TAGGED;
    case types::FactKind::Rows:
      return TALWEG_FACT_ROWS;
    case types::FactKind::Cols:
      return TALWEG_FACT_COLS;
    case types::FactKind::Matrices:
      return TALWEG_FACT_MATRICES;
  }
  TALWEG_UNREACHABLE("a fact outside the enumeration");
}

talweg_split abi_split(const std::optional<types::Split>& split) {
  if (!split) return TALWEG_SPLIT_NONE;
  switch (*split) {
    case types::Split::FirstRest:
      return TALWEG_SPLIT_FIRST_REST;
    case types::Split::LastTwo:
      return TALWEG_SPLIT_LAST_TWO;
    case types::Split::TwoLargest:
      return TALWEG_SPLIT_TWO_LARGEST;
  }
  TALWEG_UNREACHABLE("a split outside the enumeration");
}

talweg_dtype abi_dtype(types::ComputeType compute) {
  return compute == types::ComputeType::F32 ? TALWEG_F32 : TALWEG_F64;
}

/// By node: true if it is rounded to the compute type on its way into an array operation.
std::vector<bool> rounded_nodes(const ir::Graph& graph) {
  std::vector<bool> rounded(graph.nodes.size());
  for (const ir::Node& node : graph.nodes) {
    if (node.kind == ir::NodeKind::ToArray) rounded[node.operands[0].index] = true;
    if (node.kind == ir::NodeKind::DivScalar) rounded[node.operands[1].index] = true;
  }
  return rounded;
}

/// By hyper: true if a node that reads it is rounded.
std::vector<bool> rounded_hypers(const ir::Graph& graph) {
  const std::vector<bool> rounded = rounded_nodes(graph);
  std::vector<bool> hypers(graph.hypers.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].kind == ir::NodeKind::Hyper && rounded[i])
      hypers[graph.nodes[i].index] = true;
  for (std::size_t i = 0; i < graph.hypers.size(); ++i)
    if (graph.hypers[i].bound.valid() && rounded[graph.hypers[i].bound.index]) hypers[i] = true;
  return hypers;
}

/// The value of a node of rate const.
double constant_value(const ir::Graph& graph, types::ComputeType compute, ir::NodeId id) {
  ir::Machine machine(graph, compute);
  machine.run_scalars(ir::empty_context(graph));
  return machine[id].number;
}

void describe_initial(const ir::Graph& graph, types::ComputeType compute,
                      const ir::StateInfo& state, talweg_state_info& info) {
  if (!state.initial.valid()) {
    info.initial = TALWEG_INITIAL_ZERO;
  } else if (graph[state.initial].kind == ir::NodeKind::Param) {
    info.initial = TALWEG_INITIAL_PARAM;
  } else if (ir::computes_initial(graph, state)) {
    info.initial = TALWEG_INITIAL_KERNELS;
  } else if (graph[state.initial].rate == types::Rate::Const) {
    info.initial = TALWEG_INITIAL_CONSTANT;
    info.initial_value = constant_value(graph, compute, state.initial);
  } else {
    info.initial = TALWEG_INITIAL_SCALAR;
  }
}

}  // namespace

std::vector<bool> live_nodes(const ir::Graph& graph) {
  std::vector<bool> live(graph.nodes.size());
  ir::Graph::visit_results(graph, [&](ir::NodeId id) { live[id.index] = true; });
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!live[i]) continue;
    const ir::Node& node = graph.nodes[i];
    for (int k = 0; k < node.operand_count(); ++k)
      live[node.operands[static_cast<std::size_t>(k)].index] = true;
  }
  return live;
}

ImageTables::ImageTables(const ir::Graph& graph, types::ComputeType compute, std::string isa) {
  image_.abi_version = TALWEG_ABI_VERSION;
  image_.compute_dtype = abi_dtype(compute);
  image_.name = keep(graph.name);
  image_.doc = keep(graph.doc);
  image_.isa = keep(isa);
  image_.stream_count = kFirstStateStream;
  image_.split = abi_split(graph.split);
  add_hypers(graph);
  add_states(graph, compute);
  add_inputs(graph);
  add_facts(graph);
  add_views(graph);
  add_requirements(graph);
  const std::vector<bool> live = live_nodes(graph);
  for (std::size_t i = 0; i < live.size(); ++i)
    if (live[i] && graph.nodes[i].kind == ir::NodeKind::Grad) image_.uses_gradient = 1;
}

void ImageTables::add_hypers(const ir::Graph& graph) {
  const std::vector<bool> rounds = rounded_hypers(graph);
  for (std::size_t i = 0; i < graph.hypers.size(); ++i) {
    const ir::HyperInfo& hyper = graph.hypers[i];
    talweg_hyper_info info{};
    info.name = keep(hyper.name);
    info.doc = keep(hyper.doc);
    info.default_value = hyper.default_value;
    info.low = hyper.range.low;
    info.high = hyper.range.high;
    info.low_closed = hyper.range.low_closed ? 1 : 0;
    info.high_closed = hyper.range.high_closed ? 1 : 0;
    info.kind = static_cast<std::uint8_t>(abi_kind(hyper.kind));
    info.rate = static_cast<std::uint8_t>(abi_rate(hyper.rate));
    info.bound = hyper.bound.valid() ? 1 : 0;
    info.follows = hyper.follows ? 1 : 0;
    info.rounds = rounds[i] ? 1 : 0;
    hypers_.push_back(info);
  }
  image_.hypers = hypers_.data();
  image_.hyper_count = static_cast<std::uint32_t>(hypers_.size());
  set_bound_phases(graph, ir::find_phases(graph));
}

void ImageTables::add_states(const ir::Graph& graph, types::ComputeType compute) {
  for (std::uint32_t i = 0; i < graph.states.size(); ++i) {
    const ir::StateInfo& state = graph.states[i];
    const bool is_element = state.rate == types::Rate::Element;
    talweg_state_info info{};
    info.name = keep(state.name);
    info.doc = keep(state.doc);
    info.stream = is_element ? image_.stream_count++ : kNoStream;
    info.rate = static_cast<std::uint8_t>(abi_rate(state.rate));
    const bool is_array = types::is_array(state.rate);
    info.dtype = static_cast<std::uint8_t>(is_array ? abi_dtype(compute) : TALWEG_F64);
    info.is_stored = std::ranges::any_of(graph.stores, [&](const ir::Store& store) {
      return store.target == ir::StoreTarget::State && store.index == i;
    });
    describe_initial(graph, compute, state, info);
    states_.push_back(info);
  }
  image_.states = states_.data();
  image_.state_count = static_cast<std::uint32_t>(states_.size());
}

void ImageTables::add_inputs(const ir::Graph& graph) {
  for (const ir::InputInfo& input : graph.inputs) {
    talweg_input_info info{};
    info.name = keep(input.name);
    info.doc = keep(input.doc);
    info.stream = input.rate == types::Rate::Element ? image_.stream_count++ : kNoStream;
    info.rate = static_cast<std::uint8_t>(abi_rate(input.rate));
    inputs_.push_back(info);
  }
  image_.inputs = inputs_.data();
  image_.input_count = static_cast<std::uint32_t>(inputs_.size());
}

void ImageTables::add_facts(const ir::Graph& graph) {
  for (const types::Fact& fact : graph.facts) {
    talweg_fact_info info{};
    info.text = keep(fact.text);
    info.kind = static_cast<std::uint8_t>(abi_fact(fact.kind));
    facts_.push_back(info);
  }
  image_.facts = facts_.data();
  image_.fact_count = static_cast<std::uint32_t>(facts_.size());
}

void ImageTables::add_views(const ir::Graph& graph) {
  for (const ir::ViewInfo& view : graph.views) {
    talweg_view_info info{};
    info.name = keep(view.name);
    info.doc = keep(view.doc);
    views_.push_back(info);
  }
  image_.views = views_.data();
  image_.view_count = static_cast<std::uint32_t>(views_.size());
}

void ImageTables::set_bound_phases(const ir::Graph& graph,
                                   const std::vector<std::uint32_t>& phases) {
  for (std::size_t i = 0; i < hypers_.size(); ++i) {
    std::uint32_t phase = 0;
    for (const ir::NodeId id : {graph.hypers[i].bound, graph.hypers[i].unless})
      if (id.valid()) phase = std::max(phase, phases[id.index]);
    hypers_[i].bound_phase = static_cast<std::uint8_t>(phase);
  }
}

void ImageTables::add_requirements(const ir::Graph& graph) {
  for (const ir::Requirement& requirement : graph.requirements)
    requirements_.push_back(keep(requirement.text));
  image_.requirements = requirements_.data();
  image_.requirement_count = static_cast<std::uint32_t>(requirements_.size());
}

void ImageTables::set_step(Kernels kernels) { image_.step = keep(std::move(kernels)); }

void ImageTables::set_view(std::size_t view, Kernels kernels) {
  views_[view].kernels = keep(std::move(kernels));
}

void ImageTables::set_initial(std::size_t state, Kernels kernels) {
  initial_kernels_.resize(states_.size());
  initial_kernels_[state] = keep(std::move(kernels));
  image_.initial_kernels = initial_kernels_.data();
}

void ImageTables::start_without_kernels(std::size_t state, talweg_initial initial) {
  states_[state].initial = static_cast<std::uint8_t>(initial);
}

talweg_kernels ImageTables::keep(Kernels kernels) {
  Kernels& kept = kernels_.emplace_back(std::move(kernels));
  kept.kernels.phases = kept.phases.data();
  kept.kernels.phase_count = static_cast<std::uint32_t>(kept.phases.size());
  kept.kernels.reductions = kept.reductions.data();
  kept.kernels.reduction_count = static_cast<std::uint32_t>(kept.reductions.size());
  return kept.kernels;
}

bool folds_lines(const ir::Node& reduction) {
  return reduction.over == types::Rate::Element &&
         !types::fits(reduction.rate, types::Rate::Tensor);
}

talweg_reduction_source reduction_source(const ir::Node& reduction) {
  switch (reduction.over) {
    case types::Rate::Group:
      return TALWEG_FROM_GROUPS;
    case types::Rate::Tensor:
      return TALWEG_FROM_TENSORS;
    case types::Rate::Matrix:
      return TALWEG_FROM_MATRICES;
    case types::Rate::Row:
      return TALWEG_FROM_ROWS;
    case types::Rate::Col:
      return TALWEG_FROM_COLS;
    case types::Rate::Element:
      if (!folds_lines(reduction)) return TALWEG_FROM_CHUNKS;
      return reduction.rate == types::Rate::Col ? TALWEG_FROM_COLS : TALWEG_FROM_ROWS;
    case types::Rate::Const:
    case types::Rate::Model:
      break;
  }
  TALWEG_UNREACHABLE("nothing is slower than the model");
}

talweg_reduction_info reduction_info(const ir::Graph& graph, ir::NodeId reduction,
                                     std::uint32_t phase, std::uint32_t partial,
                                     std::uint32_t blocks) {
  const ir::Node& node = graph[reduction];
  const auto fold = [&] {
    switch (node.fold) {
      case builtins::Fold::Min:
        return TALWEG_FOLD_MIN;
      case builtins::Fold::Max:
        return TALWEG_FOLD_MAX;
      case builtins::Fold::Sum:
      case builtins::Fold::Dot:
      case builtins::Fold::Count:
        break;
    }
    return TALWEG_FOLD_SUM;
  };
  const std::vector<ir::NodeId> domains = ir::find_domains(graph);
  const auto domain = std::ranges::find(domains, ir::domain_of(node));
  talweg_reduction_info info{};
  info.fold = static_cast<std::uint8_t>(fold());
  info.source = static_cast<std::uint8_t>(reduction_source(node));
  info.rate = static_cast<std::uint8_t>(abi_rate(node.rate));
  info.counts = node.fold == builtins::Fold::Count ? 1 : 0;
  info.phase = phase;
  info.partial = partial;
  info.blocks = blocks;
  info.domain =
      domain == domains.end() ? UINT32_MAX : static_cast<std::uint32_t>(domain - domains.begin());
  return info;
}

}  // namespace talweg::driver
