// The image of the interpreter: the graph before optimisation, evaluated by ir::Machine. Slow and
// obvious; what every compiled image is compared with. It has no slots: a pass computes the scalars
// of each group it meets again.
#include <algorithm>
#include <cfenv>
#include <cstring>
#include <deque>
#include <utility>

#include "compiler/driver/compile.h"
#include "compiler/driver/image_tables.h"
#include "compiler/ir/input_demand.h"
#include "compiler/ir/interpret.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/passes.h"

namespace talweg::driver {

namespace {

/// Default floating-point modes while it lives, the caller's afterwards.
class DefaultModes {
 public:
  DefaultModes() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultModes() { std::fesetenv(&saved_); }
  DefaultModes(const DefaultModes&) = delete;
  DefaultModes& operator=(const DefaultModes&) = delete;

 private:
  std::fenv_t saved_{};
};

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

/// A graph as kernels: of a step, of a view, or of the initial value of a state.
class InterpretedKernels {
 public:
  /// `tables` describe the rule, and are not owned.
  InterpretedKernels(ir::Graph graph, types::ComputeType compute, const ImageTables& tables)
      : graph_(std::move(graph)),
        demand_graph_(passes::run_passes(graph_)),
        compute_(compute),
        tables_(tables) {}

  [[nodiscard]] talweg_kernels kernels() {
    talweg_kernels kernels{};
    kernels.model_scalars = [](void* self, const talweg_scalar_args* args) {
      static_cast<InterpretedKernels*>(self)->run_scalars(*args, types::Rate::Model);
    };
    kernels.group_scalars = [](void* self, const talweg_scalar_args* args) {
      static_cast<InterpretedKernels*>(self)->run_scalars(*args, types::Rate::Group);
    };
    kernels.self = this;
    return kernels;
  }

  [[nodiscard]] std::vector<talweg_pass_info> passes() const {
    const auto run = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                        std::uint32_t end) {
      static_cast<InterpretedKernels*>(self)->run_pass(*args, begin, end);
    };
    return {{run, read_bytes(), written_bytes()}};
  }

  void place(const talweg_placement& placement) const {
    ir::Machine machine(graph_, compute_);
    machine.run_scalars(nothing());
    machine.run_tensor({placement.facts, graph_.facts.size()});
    const auto is_present = [&](const auto& entry) {
      return !entry.present.valid() || machine[entry.present].truth;
    };
    *placement.route = 0;
    for (std::size_t i = 0; i < graph_.states.size(); ++i)
      placement.state_present[i] = is_present(graph_.states[i]) ? 1 : 0;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      placement.input_present[i] = is_present(graph_.inputs[i]) ? 1 : 0;
  }

  void run_initial_states(const talweg_scalar_args& args) const {
    const DefaultModes modes;
    ir::ScalarContext hypers_only = nothing();
    hypers_only.hypers.assign(args.hypers, args.hypers + graph_.hypers.size());
    ir::Machine machine(graph_, compute_);
    machine.run_scalars(hypers_only);
    for (std::size_t i = 0; i < graph_.states.size(); ++i)
      if (tables_.image().states[i].initial == TALWEG_INITIAL_SCALAR)
        args.new_states[i] = scalar(machine, graph_.states[i].initial);
  }

 private:
  [[nodiscard]] std::uint32_t read_bytes() const {
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

  [[nodiscard]] bool is_stream(const ir::Store& store) const {
    return store.target == ir::StoreTarget::Param ||
           graph_.states[store.index].rate == types::Rate::Element;
  }

  [[nodiscard]] std::uint32_t written_bytes() const {
    const auto streams = std::ranges::count_if(
        graph_.stores, [&](const ir::Store& store) { return is_stream(store); });
    return static_cast<std::uint32_t>(streams) * static_cast<std::uint32_t>(size_bytes(compute_));
  }

  [[nodiscard]] ir::ScalarContext context(const talweg_scalar_args& args) const {
    ir::ScalarContext context;
    context.hypers.assign(args.hypers, args.hypers + graph_.hypers.size());
    context.states.assign(args.states, args.states + graph_.states.size());
    context.inputs.assign(args.inputs, args.inputs + graph_.inputs.size());
    context.given.assign(args.given, args.given + graph_.inputs.size());
    context.step_number = args.step_number;
    context.call_number = args.call_number;
    return context;
  }

  [[nodiscard]] double scalar(const ir::Machine& machine, ir::NodeId id) const {
    const ir::Value value = machine[id];
    return graph_[id].type == ir::ValueType::Bool ? (value.truth ? 1 : 0) : value.number;
  }

  void run_scalars(const talweg_scalar_args& args, types::Rate rate) const {
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
    if (!graph_.inputs.empty()) clear_unread_inputs(args, rate);
  }

  [[nodiscard]] static bool holds(const ir::Machine& machine, ir::NodeId id) {
    return id.valid() && machine[id].truth;
  }

  void set_bound(const talweg_scalar_args& args, const ir::Machine& machine, std::size_t i) const {
    args.bound[i] = scalar(machine, graph_.hypers[i].bound);
    if (holds(machine, graph_.hypers[i].unless)) args.unbound[i] = 1;
  }

  void set_ends(const talweg_scalar_args& args, const ir::Machine& machine) const {
    const bool skipped = holds(machine, graph_.skipped);
    if (skipped)
      *args.outcome = TALWEG_SKIPPED;
    else if (holds(machine, graph_.held))
      *args.outcome = TALWEG_HELD;
    for (std::size_t i = 0; i < graph_.states.size(); ++i)
      if (skipped && !holds(machine, graph_.states[i].kept)) args.kept[i] = 0;
  }

  /// Passes drop reads that can make no difference (`if c then x else x`), so what compiled code
  /// asks for is known from the graph they leave: the same inputs are missing everywhere.
  void clear_unread_inputs(const talweg_scalar_args& args, types::Rate rate) const {
    ir::Machine machine(demand_graph_, compute_);
    machine.run_scalars(context(args));
    KnownTruths truths{machine};
    const auto demand = ir::input_demand(demand_graph_, rate, truths);
    for (std::size_t i = 0; i < demand.size(); ++i)
      if (!demand[i].value_or(false)) args.needed[i] = 0;
  }

  /// What constants need to be evaluated.
  [[nodiscard]] ir::ScalarContext nothing() const {
    ir::ScalarContext context;
    context.hypers.resize(graph_.hypers.size());
    context.states.resize(graph_.states.size());
    context.inputs.resize(graph_.inputs.size());
    context.given.resize(graph_.inputs.size());
    return context;
  }

  [[nodiscard]] double load(const void* stream, std::uint64_t element) const {
    if (compute_ == types::ComputeType::F64) return static_cast<const double*>(stream)[element];
    return static_cast<double>(static_cast<const float*>(stream)[element]);
  }

  void store(void* stream, std::uint64_t element, double value) const {
    if (compute_ == types::ComputeType::F64)
      static_cast<double*>(stream)[element] = value;
    else
      static_cast<float*>(stream)[element] = static_cast<float>(value);
  }

  void run_pass(const talweg_pass_args& args, std::uint32_t begin, std::uint32_t end) const {
    const DefaultModes modes;
    ir::Machine machine(graph_, compute_);
    std::uint32_t machine_group = UINT32_MAX;
    for (std::uint32_t i = begin; i < end; ++i) {
      const talweg_chunk& chunk = args.chunks[i];
      void* const* streams =
          args.pointers + std::size_t{chunk.tensor_index} * tables_.image().stream_count;
      if (streams[TALWEG_STREAM_GRAD] == nullptr) continue;
      const std::uint32_t group = args.tensor_groups[chunk.tensor_index];
      if (group != machine_group) machine.run_scalars(context(args.group_args[group]));
      machine_group = group;
      const std::size_t facts = graph_.facts.size();
      machine.run_tensor({args.tensor_facts + chunk.tensor_index * facts, facts});
      run_chunk(machine, chunk, streams);
    }
  }

  /// Whether scalar conditions select for a place what was there: such a place is not written.
  [[nodiscard]] bool stays(const ir::Machine& machine, const ir::Store& store) const {
    ir::NodeId id = store.value;
    while (graph_[id].kind == ir::NodeKind::Apply && graph_[id].op == builtins::Op::Select &&
           graph_[graph_[id].operands[0]].rate != types::Rate::Element)
      id = graph_[id].operands[machine[graph_[id].operands[0]].truth ? 1 : 2];
    if (store.target == ir::StoreTarget::Param) return graph_[id].kind == ir::NodeKind::Param;
    return graph_[id].kind == ir::NodeKind::State && graph_[id].index == store.index;
  }

  void run_chunk(ir::Machine& machine, const talweg_chunk& chunk, void* const* streams) const {
    const talweg_image& image = tables_.image();
    ir::ElementContext element;
    element.states.resize(graph_.states.size());
    element.inputs.resize(graph_.inputs.size());
    for (std::uint64_t at = chunk.first_element; at < chunk.first_element + chunk.element_count;
         ++at) {
      element.param = load(streams[TALWEG_STREAM_PARAM], at);
      if (image.uses_gradient != 0) element.grad = load(streams[TALWEG_STREAM_GRAD], at);
      for (std::size_t i = 0; i < graph_.states.size(); ++i)
        if (image.states[i].stream != UINT32_MAX && streams[image.states[i].stream] != nullptr)
          element.states[i] = load(streams[image.states[i].stream], at);
      for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
        if (image.inputs[i].stream != UINT32_MAX && streams[image.inputs[i].stream] != nullptr)
          element.inputs[i] = load(streams[image.inputs[i].stream], at);
      machine.run_element(element);
      for (const ir::Store& kept : graph_.stores) {
        if (!is_stream(kept) || stays(machine, kept)) continue;
        const std::uint32_t stream = kept.target == ir::StoreTarget::Param
                                         ? TALWEG_STREAM_PARAM
                                         : image.states[kept.index].stream;
        if (streams[stream] != nullptr) store(streams[stream], at, machine[kept.value].number);
      }
    }
  }

  ir::Graph graph_;
  ir::Graph demand_graph_;  // after the passes
  types::ComputeType compute_;
  const ImageTables& tables_;
};

class Interpreter final : public Program {
 public:
  Interpreter(const ir::Graph& graph, types::ComputeType compute)
      : tables_(graph, compute, "interpreter"), step_(graph, compute, tables_) {
    tables_.set_step(step_.kernels(), step_.passes());
    tables_.image().initial_states = [](void* self, const talweg_scalar_args* args) {
      static_cast<InterpretedKernels*>(self)->run_initial_states(*args);
    };
    if (ir::places_tensors(graph))
      tables_.image().place = [](void* self, const talweg_placement* placement) {
        static_cast<InterpretedKernels*>(self)->place(*placement);
      };
    for (std::size_t i = 0; i < graph.views.size(); ++i) {
      InterpretedKernels& view =
          views_.emplace_back(passes::drop_dead_nodes(ir::view_step(graph, i)), compute, tables_);
      tables_.set_view(i, view.kernels(), view.passes());
    }
    for (std::size_t i = 0; i < graph.states.size(); ++i) {
      if (!ir::computes_initial_elements(graph, graph.states[i])) continue;
      InterpretedKernels& initial =
          initials_.emplace_back(ir::initial_step(graph, i), compute, tables_);
      tables_.set_initial(i, initial.kernels(), initial.passes());
    }
  }

  [[nodiscard]] const talweg_image& image() const override { return tables_.image(); }

 private:
  ImageTables tables_;
  InterpretedKernels step_;
  std::deque<InterpretedKernels> views_, initials_;  // images point to them
};

}  // namespace

std::shared_ptr<Program> make_interpreter(const ir::Graph& graph, types::ComputeType compute) {
  return std::make_shared<Interpreter>(graph, compute);
}

}  // namespace talweg::driver
