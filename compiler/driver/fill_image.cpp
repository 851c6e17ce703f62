// The tables that say what an image runs, with the functions of a plan found by their symbols.
#include "compiler/driver/fill_image.h"

#include "compiler/codegen/emit_plan.h"
#include "compiler/ir/phases.h"

namespace talweg::driver {

namespace {

using support::Result;

talweg_reduction_info info_of(const plan::Plan& plan, const plan::PlannedReduction& reduction) {
  const bool counts = plan.graph[reduction.node].fold == builtins::Fold::Count;
  const std::uint32_t place =
      counts ? 0 : plan.partials_of(reduction.kind)[reduction.partial].place;
  const bool is_blocks = reduction.kind == plan::PartialKind::LineBlock;
  return reduction_info(plan.graph, reduction.node, reduction.phase, place,
                        is_blocks ? reduction.partial : UINT32_MAX);
}

/// Slots and partial results of a step, a view or an initial value.
void set_counts(talweg_kernels& kernels, const plan::Plan& plan) {
  const auto count = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
  const auto slots = [&](plan::Level level) { return count(plan.slots_of(level)); };
  const auto partials = [&](plan::PartialKind kind) { return count(plan.partials_of(kind)); };
  using enum plan::PartialKind;
  kernels.model_slot_count = slots(plan::Level::Model);
  kernels.group_slot_count = slots(plan::Level::Group);
  kernels.tensor_slot_count = slots(plan::Level::Tensor);
  kernels.matrix_slot_count = slots(plan::Level::Matrix);
  kernels.row_slot_count = slots(plan::Level::Row);
  kernels.col_slot_count = slots(plan::Level::Col);
  kernels.chunk_partial_count = partials(Chunk);
  kernels.group_partial_count = partials(Group);
  kernels.tensor_partial_count = partials(Tensor);
  kernels.matrix_partial_count = partials(Matrix);
  kernels.row_partial_count = partials(LineRow) + partials(Row);
  kernels.col_partial_count = partials(LineBlock) + partials(Col);
  kernels.block_partial_count = partials(LineBlock);
  kernels.end_phase = plan.end_phase;
  kernels.origin_stream =
      plan.origin ? static_cast<std::uint32_t>(plan::stream_count(plan) - plan.scratch.size()) +
                        *plan.origin
                  : UINT32_MAX;
}

class Filler {
 public:
  Filler(ImageTables& tables, const FindFunction& find) : tables_(tables), find_(find) {}

  support::Status fill(const plan::Plan& plan);

 private:
  support::Status fill_initials(const plan::Plan& plan);
  /// The functions of a step, a view or an initial value.
  support::Status set_kernels(const plan::Plan& plan, const codegen::KernelSymbols& symbols,
                              Kernels& result) const;
  void add_domains(const plan::Plan& plan) {
    tables_.add_domains(static_cast<std::uint32_t>(ir::find_domains(plan.graph).size()));
  }
  template <class Function>
  support::Status set(Function& function, const std::string& symbol) const {
    const Result<void*> address = find_(symbol);
    if (!address) return address.failure();
    function = reinterpret_cast<Function>(*address);  // NOLINT: code generated with this type
    return support::ok();
  }

  ImageTables& tables_;
  const FindFunction& find_;
};

support::Status Filler::fill(const plan::Plan& plan) {
  Kernels kernels;
  support::Status status = set_kernels(plan, codegen::step_symbols(plan), kernels);
  if (!status) return status;
  tables_.set_step(std::move(kernels));
  tables_.set_bound_phases(plan.graph, plan.node_phases);
  add_domains(plan);
  tables_.image().scratch_count = static_cast<std::uint32_t>(plan.scratch.size());
  tables_.image().stream_count += tables_.image().scratch_count;
  for (std::size_t i = 0; i < plan.views.size(); ++i) {
    Kernels view;
    status = set_kernels(plan.views[i], codegen::view_symbols(plan, i), view);
    if (!status) return status;
    tables_.set_view(i, std::move(view));
    add_domains(plan.views[i]);
  }
  status = fill_initials(plan);
  if (!status) return status;
  return set(tables_.image().initial_states, codegen::kInitialStatesSymbol);
}

support::Status Filler::fill_initials(const plan::Plan& plan) {
  for (std::size_t i = 0; i < plan.graph.states.size(); ++i) {
    if (tables_.image().states[i].initial != TALWEG_INITIAL_KERNELS) continue;
    if (plan.initials.empty() || !plan.initials[i]) {  // which optimisation has found out
      const ir::Graph& graph = plan.graph;
      const bool is_param = graph[graph.states[i].initial].kind == ir::NodeKind::Param;
      tables_.start_without_kernels(i, is_param ? TALWEG_INITIAL_PARAM : TALWEG_INITIAL_SCALAR);
      continue;
    }
    Kernels kernels;
    const support::Status status =
        set_kernels(*plan.initials[i], codegen::initial_symbols(plan, i), kernels);
    if (!status) return status;
    tables_.set_initial(i, std::move(kernels));
    add_domains(*plan.initials[i]);
  }
  return support::ok();
}

support::Status Filler::set_kernels(const plan::Plan& plan, const codegen::KernelSymbols& symbols,
                                    Kernels& result) const {
  set_counts(result.kernels, plan);
  for (const plan::PlannedReduction& reduction : plan.reductions)
    result.reductions.push_back(info_of(plan, reduction));
  support::Status status = support::ok();
  const auto find = [&](auto& function, const std::string& symbol) {
    if (status && !symbol.empty()) status = set(function, symbol);
  };
  find(result.kernels.place, symbols.place);
  for (std::size_t i = 0; i < symbols.phases.size(); ++i) {
    talweg_phase& phase = result.phases.emplace_back();
    const auto& levels = symbols.phases[i].levels;
    find(phase.model_scalars, levels[static_cast<std::size_t>(plan::Level::Model)]);
    find(phase.group_scalars, levels[static_cast<std::size_t>(plan::Level::Group)]);
    find(phase.tensor_scalars, levels[static_cast<std::size_t>(plan::Level::Tensor)]);
    find(phase.matrix_scalars, levels[static_cast<std::size_t>(plan::Level::Matrix)]);
    find(phase.row_scalars, levels[static_cast<std::size_t>(plan::Level::Row)]);
    find(phase.col_scalars, levels[static_cast<std::size_t>(plan::Level::Col)]);
    find(phase.lines, symbols.phases[i].lines);
    find(phase.pass, symbols.phases[i].pass);
    if (const auto& regrad = plan.phases[i][plan::Level::Model].regrad)
      phase.says_regrad = is_always(plan.graph, plan.graph.regrads[*regrad]) ? 2 : 1;
    if (!plan.phases[i].pass) continue;
    phase.read_bytes_per_element = plan.phases[i].pass->read_bytes_per_element;
    phase.written_bytes_per_element = plan.phases[i].pass->written_bytes_per_element;
  }
  return status;
}

}  // namespace

support::Status fill_image(ImageTables& tables, const plan::Plan& plan, const FindFunction& find) {
  return Filler(tables, find).fill(plan);
}

}  // namespace talweg::driver
