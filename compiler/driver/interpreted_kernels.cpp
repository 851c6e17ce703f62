#include "compiler/driver/interpreted_kernels.h"

#include <algorithm>
#include <utility>

#include "compiler/driver/default_modes.h"
#include "compiler/ir/input_demand.h"
#include "compiler/ir/phases.h"
#include "compiler/ir/sequence.h"
#include "compiler/passes/pass.h"

namespace talweg::driver {

namespace {

/// Truths of conditions that a machine has computed.
struct KnownTruths {
  using Truth = bool;
  const ir::Machine& machine;

  [[nodiscard]] bool truth(ir::NodeId condition) const { return machine[condition].truth; }
  static bool always() { return true; }
  static bool both(bool a, bool b) { return a && b; }
  static bool either(bool a, bool b) { return a || b; }
  static bool negated(bool a) { return !a; }
};

const InterpretedKernels& kernels_of(void* self) {
  return *static_cast<const InterpretedKernels*>(self);
}

}  // namespace

InterpretedKernels::InterpretedKernels(ir::Graph graph, types::ComputeType compute,
                                       const ImageTables& tables)
    : graph_(std::move(graph)),
      demand_graph_(passes::run_passes(graph_)),
      compute_(compute),
      tables_(tables),
      domains_(ir::find_domains(graph_)) {
  const std::vector<std::uint32_t> phases = ir::find_phases(graph_);
  for (const ir::NodeId id : ir::find_reductions(graph_)) {
    const ir::Node& node = graph_[id];
    const bool is_blocks = folds_lines(node) && node.rate == types::Rate::Col;
    const std::uint32_t partial = partial_counts_[reduction_source(node)]++;
    const std::uint32_t blocks = is_blocks ? block_partial_count_++ : UINT32_MAX;
    reductions_.push_back({id, reduction_info(graph_, id, phases[id.index], partial, blocks)});
    last_phase_ = std::max(last_phase_, phases[id.index]);
  }
  const auto end_at = [&](ir::NodeId id) {
    if (id.valid()) end_phase_ = std::max(end_phase_, phases[id.index]);
  };
  end_at(graph_.skipped);
  end_at(graph_.held);
  for (const ir::StateInfo& state : graph_.states) end_at(state.kept);
  regrad_phases_ = ir::find_regrad_phases(graph_, phases);
  if (!regrad_phases_.empty()) last_phase_ = std::max(last_phase_, regrad_phases_.back() + 1);
}

Kernels InterpretedKernels::kernels() {
  Kernels result;
  for (std::uint32_t i = 0; i <= last_phase_; ++i) result.phases.push_back(phase(i));
  const bool stores_lines = std::ranges::any_of(graph_.stores, [&](const ir::Store& store) {
    const bool to_state = store.target == ir::StoreTarget::State;
    return to_state && !is_stream(store) && types::is_array(graph_.states[store.index].rate);
  });
  if (stores_lines) result.phases.push_back(line_stores());
  for (const Reduced& reduced : reductions_) result.reductions.push_back(reduced.info);
  result.kernels.self = this;
  result.kernels.end_phase = end_phase_;
  result.kernels.origin_stream = graph_.regrads.empty() ? UINT32_MAX : first_scratch();
  result.kernels.chunk_partial_count = partial_counts_[TALWEG_FROM_CHUNKS];
  result.kernels.tensor_partial_count = partial_counts_[TALWEG_FROM_TENSORS];
  result.kernels.group_partial_count = partial_counts_[TALWEG_FROM_GROUPS];
  result.kernels.matrix_partial_count = partial_counts_[TALWEG_FROM_MATRICES];
  result.kernels.row_partial_count = partial_counts_[TALWEG_FROM_ROWS];
  result.kernels.col_partial_count = partial_counts_[TALWEG_FROM_COLS];
  result.kernels.block_partial_count = block_partial_count_;
  return result;
}

talweg_phase InterpretedKernels::phase(std::uint32_t number) const {
  const bool stores = number == last_phase_;
  talweg_phase phase{};
  phase.model_scalars = [](void* self, const talweg_scalar_args* args) {
    kernels_of(self).run_scalars(*args, types::Rate::Model);
  };
  add_regrad(phase, number);
  phase.group_scalars = [](void* self, const talweg_scalar_args* args) {
    kernels_of(self).run_scalars(*args, types::Rate::Group);
  };
  const bool has_tensor_values = std::ranges::any_of(graph_.nodes, [](const ir::Node& node) {
    return node.rate == types::Rate::Tensor &&
           (node.kind == ir::NodeKind::Reduce || node.kind == ir::NodeKind::State ||
            node.kind == ir::NodeKind::Input || node.kind == ir::NodeKind::Fact);
  });
  const bool stores_of_tensors = std::ranges::any_of(graph_.stores, [&](const ir::Store& store) {
    return store.target == ir::StoreTarget::State &&
           graph_.states[store.index].rate == types::Rate::Tensor;
  });
  if (has_tensor_values || stores_of_tensors)
    phase.tensor_scalars = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                              std::uint32_t end) {
      kernels_of(self).run_tensors(*args, begin, end);
    };
  if (graph_.split) add_line_functions(phase, stores);
  phase.pass = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                  std::uint32_t end) { kernels_of(self).run_pass(*args, begin, end); };
  phase.read_bytes_per_element = read_bytes();
  phase.written_bytes_per_element = stores ? written_bytes() : 0;
  return phase;
}

void InterpretedKernels::place(const talweg_placement& placement) const {
  ir::Machine machine(graph_, compute_);
  machine.run_scalars(ir::empty_context(graph_));
  const std::vector<double> zeros(
      std::max({graph_.states.size(), graph_.inputs.size(), reductions_.size()}));
  machine.run_tensor({{placement.facts, graph_.facts.size()}, zeros, zeros, zeros});
  const auto is_present = [&](const auto& entry) {
    return !entry.present.valid() || machine[entry.present].truth;
  };
  *placement.route = 0;
  for (std::size_t i = 0; i < graph_.states.size(); ++i)
    placement.state_present[i] = is_present(graph_.states[i]) ? 1 : 0;
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
    placement.input_present[i] = is_present(graph_.inputs[i]) ? 1 : 0;
  for (std::size_t i = 0; i < domains_.size(); ++i)
    placement.in_domain[i] = machine[domains_[i]].truth ? 1 : 0;
  for (std::size_t i = 0; i < graph_.requirements.size(); ++i)
    placement.requirement_met[i] = machine[graph_.requirements[i].condition].truth ? 1 : 0;
}

void InterpretedKernels::run_initial_states(const talweg_scalar_args& args) const {
  const DefaultModes modes;
  ir::ScalarContext hypers_only = ir::empty_context(graph_);
  hypers_only.hypers.assign(args.hypers, args.hypers + graph_.hypers.size());
  ir::Machine machine(graph_, compute_);
  machine.run_scalars(hypers_only);
  for (std::size_t i = 0; i < graph_.states.size(); ++i)
    if (tables_.image().states[i].initial == TALWEG_INITIAL_SCALAR)
      args.new_states[i] = scalar(machine, graph_.states[i].initial);
}

std::uint32_t InterpretedKernels::read_bytes() const {
  const std::vector<bool> live = live_nodes(graph_);
  std::vector<std::pair<ir::NodeKind, std::uint32_t>> read;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const ir::Node& node = graph_.nodes[i];
    if (live[i] && node.operand_count() == 0 && node.rate == types::Rate::Element)
      read.emplace_back(node.kind, node.index);
  }
  std::ranges::sort(read);
  const auto repeated = std::ranges::unique(read);
  const std::size_t streams = read.size() - repeated.size();
  return static_cast<std::uint32_t>(streams) * static_cast<std::uint32_t>(size_bytes(compute_));
}

bool InterpretedKernels::is_stream(const ir::Store& store) const {
  return store.target == ir::StoreTarget::Param ||
         graph_.states[store.index].rate == types::Rate::Element;
}

std::uint32_t InterpretedKernels::written_bytes() const {
  const auto streams = std::ranges::count_if(
      graph_.stores, [&](const ir::Store& store) { return is_stream(store); });
  return static_cast<std::uint32_t>(streams) * static_cast<std::uint32_t>(size_bytes(compute_));
}

ir::ScalarContext InterpretedKernels::context(const talweg_scalar_args& args) const {
  ir::ScalarContext context;
  context.hypers.assign(args.hypers, args.hypers + graph_.hypers.size());
  context.states.assign(args.states, args.states + graph_.states.size());
  context.inputs.assign(args.inputs, args.inputs + graph_.inputs.size());
  context.given.assign(args.given, args.given + graph_.inputs.size());
  if (!reductions_.empty()) context.reduced.assign(args.reduced, args.reduced + reductions_.size());
  context.step_number = args.step_number;
  context.call_number = args.call_number;
  return context;
}

double InterpretedKernels::scalar(const ir::Machine& machine, ir::NodeId id) const {
  const ir::Value value = machine[id];
  return graph_[id].type == ir::ValueType::Bool ? (value.truth ? 1 : 0) : value.number;
}

// ---- Scalars ----

void InterpretedKernels::run_scalars(const talweg_scalar_args& args, types::Rate rate) const {
  const DefaultModes modes;
  ir::Machine machine(graph_, compute_);
  machine.run_scalars(context(args));
  for (const ir::Store& store : graph_.stores)
    if (store.target == ir::StoreTarget::State && graph_.states[store.index].rate == rate)
      args.new_states[store.index] = scalar(machine, store.value);
  for (std::size_t i = 0; i < graph_.hypers.size(); ++i)
    if (graph_.hypers[i].bound.valid() && graph_.hypers[i].rate == rate)
      set_bound(args, machine, i);
  if (rate == types::Rate::Model) set_ends(args, machine);
  if (rate == types::Rate::Group)
    visit_partials(TALWEG_FROM_GROUPS, [&](const Reduced& reduced, const auto& operands) {
      const builtins::Fold fold = graph_[reduced.node].fold;
      const double a = machine[operands[0]].number, b = machine[operands[1]].number;
      args.partials[reduced.info.partial] =
          fold == builtins::Fold::Dot ? ir::fold_sequence(fold, {&a, 1}, {&b, 1}) : a;
    });
  if (!graph_.inputs.empty()) clear_unread_inputs(args, rate);
}

bool InterpretedKernels::holds(const ir::Machine& machine, ir::NodeId id) {
  return id.valid() && machine[id].truth;
}

void InterpretedKernels::set_bound(const talweg_scalar_args& args, const ir::Machine& machine,
                                   std::size_t i) const {
  args.bound[i] = scalar(machine, graph_.hypers[i].bound);
  args.unbound[i] = holds(machine, graph_.hypers[i].unless) ? 1 : 0;
}

void InterpretedKernels::set_ends(const talweg_scalar_args& args,
                                  const ir::Machine& machine) const {
  const bool skipped = holds(machine, graph_.skipped);
  const bool held = holds(machine, graph_.held);
  *args.outcome = skipped ? TALWEG_SKIPPED : held ? TALWEG_HELD : TALWEG_COMPLETED;
  for (std::size_t i = 0; i < graph_.states.size(); ++i)
    args.kept[i] = skipped && !holds(machine, graph_.states[i].kept) ? 0 : 1;
}

/// Passes drop reads that can make no difference (`if c then x else x`), so what compiled code
/// asks for is known from the graph they leave: the same inputs are missing everywhere.
void InterpretedKernels::clear_unread_inputs(const talweg_scalar_args& args,
                                             types::Rate rate) const {
  ir::ScalarContext scalars = context(args);
  scalars.reduced = ir::empty_context(demand_graph_).reduced;  // no known condition asks for one
  ir::Machine machine(demand_graph_, compute_);
  machine.run_scalars(scalars);
  KnownTruths truths{machine};
  const auto demand = ir::input_demand(demand_graph_, rate, truths);
  for (std::size_t i = 0; i < demand.size(); ++i)
    if (!demand[i].value_or(false)) args.needed[i] = 0;
}

// ---- Tensors ----

void InterpretedKernels::run_tensor(ir::Machine& machine, const talweg_pass_args& args,
                                    std::size_t tensor) const {
  const auto row = [tensor](const double* table, std::size_t columns) {
    return table == nullptr ? std::span<const double>()
                            : std::span(table + tensor * columns, columns);
  };
  machine.run_tensor({row(args.tensor_facts, graph_.facts.size()),
                      row(args.tensor_states, graph_.states.size()),
                      row(args.tensor_inputs, graph_.inputs.size()),
                      row(args.tensor_reduced, reductions_.size())});
}

void InterpretedKernels::run_tensors(const talweg_pass_args& args, std::uint32_t begin,
                                     std::uint32_t end) const {
  const DefaultModes modes;
  ir::Machine machine(graph_, compute_);
  for (std::size_t tensor = begin; tensor < end; ++tensor) {
    if (args.pointers[tensor * tables_.image().stream_count + TALWEG_STREAM_GRAD] == nullptr)
      continue;
    machine.run_scalars(context(args.group_args[args.tensor_groups[tensor]]));
    run_tensor(machine, args, tensor);
    for (const ir::Store& store : graph_.stores)
      if (store.target == ir::StoreTarget::State &&
          graph_.states[store.index].rate == types::Rate::Tensor)
        args.new_tensor_states[tensor * graph_.states.size() + store.index] =
            scalar(machine, store.value);
    visit_partials(TALWEG_FROM_TENSORS, [&](const Reduced& reduced, const auto& operands) {
      const builtins::Fold fold = graph_[reduced.node].fold;
      const double a = machine[operands[0]].number, b = machine[operands[1]].number;
      args.tensor_partials[reduced.info.partial * args.tensor_count + tensor] =
          fold == builtins::Fold::Dot ? ir::fold_sequence(fold, {&a, 1}, {&b, 1}) : a;
    });
  }
}

// ---- Elements ----

double InterpretedKernels::load(const void* stream, std::uint64_t element) const {
  if (compute_ == types::ComputeType::F64) return static_cast<const double*>(stream)[element];
  return static_cast<double>(static_cast<const float*>(stream)[element]);
}

void InterpretedKernels::store(void* stream, std::uint64_t element, double value) const {
  if (compute_ == types::ComputeType::F64)
    static_cast<double*>(stream)[element] = value;
  else
    static_cast<float*>(stream)[element] = static_cast<float>(value);
}

/// What is slower than matrices.
void InterpretedKernels::prepare_tensor(ir::Machine& machine, const talweg_pass_args& args,
                                        std::uint32_t tensor) const {
  machine.run_scalars(context(args.group_args[args.tensor_groups[tensor]]));
  run_tensor(machine, args, tensor);
}

void InterpretedKernels::load_element(const talweg_pass_args& args, std::uint32_t tensor,
                                      std::uint64_t at, ir::ElementContext& element) const {
  const talweg_image& image = tables_.image();
  void* const* streams = args.pointers + std::size_t{tensor} * image.stream_count;
  element.states.resize(graph_.states.size());
  element.inputs.resize(graph_.inputs.size());
  element.param = load(streams[TALWEG_STREAM_PARAM], at);
  if (image.uses_gradient != 0) element.grad = load(streams[TALWEG_STREAM_GRAD], at);
  if (!graph_.regrads.empty()) load_gradients(args.phase, streams, at, element);
  for (std::size_t i = 0; i < graph_.states.size(); ++i)
    if (image.states[i].stream != UINT32_MAX && streams[image.states[i].stream] != nullptr)
      element.states[i] = load(streams[image.states[i].stream], at);
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
    if (image.inputs[i].stream != UINT32_MAX && streams[image.inputs[i].stream] != nullptr)
      element.inputs[i] = load(streams[image.inputs[i].stream], at);
}

void InterpretedKernels::run_pass(const talweg_pass_args& args, std::uint32_t begin,
                                  std::uint32_t end) const {
  const DefaultModes modes;
  ir::Machine machine(graph_, compute_);
  std::uint32_t last_tensor = UINT32_MAX;
  for (std::uint32_t i = begin; i < end; ++i) {
    const std::uint32_t tensor = args.chunks[i].tensor_index;
    void* const* streams = args.pointers + std::size_t{tensor} * tables_.image().stream_count;
    if (streams[TALWEG_STREAM_GRAD] == nullptr) continue;
    if (tensor != last_tensor) prepare_tensor(machine, args, tensor);
    last_tensor = tensor;
    run_chunk(machine, args, i);
  }
}

/// Whether scalar conditions select for a place what was there: such a place is not written.
bool InterpretedKernels::stays(const ir::Machine& machine, const ir::Store& store) const {
  ir::NodeId id = store.value;
  while (graph_[id].kind == ir::NodeKind::Apply && graph_[id].op == builtins::Op::Select &&
         graph_[graph_[id].operands[0]].rate != types::Rate::Element)
    id = graph_[id].operands[machine[graph_[id].operands[0]].truth ? 1 : 2];
  if (store.target == ir::StoreTarget::Param)
    return graph_[id].kind == ir::NodeKind::Param && !has_moved(machine);
  return graph_[id].kind == ir::NodeKind::State && graph_[id].index == store.index;
}

void InterpretedKernels::store_element(const ir::Machine& machine, void* const* streams,
                                       std::uint64_t element) const {
  for (const ir::Store& kept : graph_.stores) {
    if (!is_stream(kept) || stays(machine, kept)) continue;
    const std::uint32_t stream = kept.target == ir::StoreTarget::Param
                                     ? TALWEG_STREAM_PARAM
                                     : tables_.image().states[kept.index].stream;
    if (streams[stream] != nullptr) store(streams[stream], element, machine[kept.value].number);
  }
}

void InterpretedKernels::run_chunk(ir::Machine& machine, const talweg_pass_args& args,
                                   std::uint32_t index) const {
  const talweg_image& image = tables_.image();
  const bool stores = args.phase == last_phase_;
  const talweg_chunk& chunk = args.chunks[index];
  void* const* streams = args.pointers + std::size_t{chunk.tensor_index} * image.stream_count;
  std::vector<std::vector<double>> first(reductions_.size()), second(reductions_.size());
  for (std::uint64_t at = chunk.first_element; at < chunk.first_element + chunk.element_count;
       ++at) {
    run_at_element(machine, args, chunk.tensor_index, at);
    if (stores) {
      store_element(machine, streams, at);
      continue;
    }
    if (!graph_.regrads.empty()) save_gradients(machine, args.phase, streams, at);
    visit_partials(TALWEG_FROM_CHUNKS, [&](const Reduced& reduced, const auto& operands) {
      const auto place = static_cast<std::size_t>(&reduced - reductions_.data());
      first[place].push_back(machine[operands[0]].number);
      if (graph_[reduced.node].fold == builtins::Fold::Dot)
        second[place].push_back(machine[operands[1]].number);
    });
  }
  if (stores) return;
  visit_partials(TALWEG_FROM_CHUNKS, [&](const Reduced& reduced, const auto&) {
    const auto place = static_cast<std::size_t>(&reduced - reductions_.data());
    args.chunk_partials[reduced.info.partial * args.chunk_count + index] =
        ir::fold_sequence(graph_[reduced.node].fold, first[place], second[place]);
  });
}

}  // namespace talweg::driver
