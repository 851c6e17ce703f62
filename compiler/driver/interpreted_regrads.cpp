// Steps that wait for gradients, in the interpreter. Everything is evaluated anew in each phase, so
// what param and the gradients were is kept in scratch: param, then the gradient before each
// regrad.
#include <algorithm>
#include <array>
#include <utility>

#include "compiler/driver/default_modes.h"
#include "compiler/driver/interpreted_kernels.h"

namespace talweg::driver {

std::uint32_t InterpretedKernels::first_scratch() const {
  return tables_.image().stream_count - tables_.image().scratch_count;
}

/// Regrads behind whose phase this one comes.
std::size_t InterpretedKernels::regrads_before(std::uint64_t phase) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(regrad_phases_, phase) -
                                  regrad_phases_.begin());
}

namespace {

/// Functions of the model see no phase: there is one for each regrad.
template <std::size_t... regrads>
constexpr auto model_functions(std::index_sequence<regrads...>) {
  return std::array<talweg_scalar_function, sizeof...(regrads)>{
      [](void* self, const talweg_scalar_args* args) {
        static_cast<const InterpretedKernels*>(self)->run_regrad(*args, regrads);
      }...};
}

constexpr auto kModelFunctions = model_functions(std::make_index_sequence<ir::kMaxGradients>());

}  // namespace

void InterpretedKernels::add_regrad(talweg_phase& phase, std::uint32_t number) const {
  const auto found = std::ranges::find(regrad_phases_, number);
  if (found == regrad_phases_.end()) return;
  phase.says_regrad = 1;
  phase.model_scalars = kModelFunctions[static_cast<std::size_t>(found - regrad_phases_.begin())];
}

void InterpretedKernels::run_regrad(const talweg_scalar_args& args, std::size_t regrad) const {
  run_scalars(args, types::Rate::Model);
  const DefaultModes modes;
  ir::Machine machine(graph_, compute_);
  machine.run_scalars(context(args));
  *args.regrad = machine[graph_.regrads[regrad].condition].truth ? 1 : 0;
}

/// What param was, and all gradients that there have been, in a phase.
void InterpretedKernels::load_gradients(std::uint64_t phase, void* const* streams,
                                        std::uint64_t element, ir::ElementContext& context) const {
  const std::size_t count = regrads_before(phase);
  if (count == 0) return;
  void* const* scratch = streams + first_scratch();
  const double newest = context.grad;
  context.param = load(scratch[0], element);
  context.grad = load(scratch[1], element);
  for (std::size_t i = 1; i < count; ++i)
    context.later_grads.push_back(load(scratch[1 + i], element));
  context.later_grads.push_back(newest);
}

/// Where the step is about to wait, keeps what it would lose and moves param.
void InterpretedKernels::save_gradients(const ir::Machine& machine, std::uint64_t phase,
                                        void* const* streams, std::uint64_t element) const {
  const auto found = std::ranges::find(regrad_phases_, phase);
  if (found == regrad_phases_.end()) return;
  const auto number = static_cast<std::size_t>(found - regrad_phases_.begin());
  void* const* scratch = streams + first_scratch();
  if (number == 0) store(scratch[0], element, load(streams[TALWEG_STREAM_PARAM], element));
  store(scratch[1 + number], element, load(streams[TALWEG_STREAM_GRAD], element));
  const ir::Regrad& regrad = graph_.regrads[number];
  if (machine[regrad.condition].truth && graph_[regrad.param].kind != ir::NodeKind::Param)
    store(streams[TALWEG_STREAM_PARAM], element, machine[regrad.param].number);
}

/// Whether the step has waited somewhere.
bool InterpretedKernels::has_moved(const ir::Machine& machine) const {
  return std::ranges::any_of(
      graph_.regrads, [&](const ir::Regrad& regrad) { return machine[regrad.condition].truth; });
}

}  // namespace talweg::driver
