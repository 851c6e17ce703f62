// The image of the interpreter: the graph before optimisation. What every compiled image is
// compared with.
#include <deque>
#include <utility>

#include "compiler/driver/compile.h"
#include "compiler/driver/image_tables.h"
#include "compiler/driver/interpreted_kernels.h"
#include "compiler/passes/passes.h"

namespace talweg::driver {

namespace {

class Interpreter final : public Program {
 public:
  Interpreter(const ir::Graph& graph, types::ComputeType compute)
      : tables_(graph, compute, "interpreter"), step_(passes::step_alone(graph), compute, tables_) {
    tables_.image().scratch_count = step_.scratch_count();
    tables_.image().stream_count += step_.scratch_count();
    Kernels step = step_.kernels();
    if (ir::places_tensors(graph)) step.kernels.place = place;
    tables_.set_step(std::move(step));
    tables_.add_domains(step_.domain_count());
    tables_.image().initial_states = [](void* self, const talweg_scalar_args* args) {
      static_cast<InterpretedKernels*>(self)->run_initial_states(*args);
    };
    for (std::size_t i = 0; i < graph.views.size(); ++i)
      tables_.set_view(i, beside(ir::view_step(graph, i), compute));
    for (std::size_t i = 0; i < graph.states.size(); ++i)
      if (ir::computes_initial(graph, graph.states[i]))
        tables_.set_initial(i, beside(ir::initial_step(graph, i), compute));
  }

  [[nodiscard]] const talweg_image& image() const override { return tables_.image(); }

 private:
  static void place(void* self, const talweg_placement* placement) {
    static_cast<InterpretedKernels*>(self)->place(*placement);
  }

  /// Of a view or an initial value.
  Kernels beside(const ir::Graph& step, types::ComputeType compute) {
    InterpretedKernels& interpreted =
        beside_.emplace_back(passes::drop_dead_nodes(step), compute, tables_);
    Kernels kernels = interpreted.kernels();
    if (interpreted.domain_count() > 0) kernels.kernels.place = place;
    tables_.add_domains(interpreted.domain_count());
    return kernels;
  }

  ImageTables tables_;
  InterpretedKernels step_;
  std::deque<InterpretedKernels> beside_;  // images point to them
};

}  // namespace

std::shared_ptr<Program> make_interpreter(const ir::Graph& graph, types::ComputeType compute) {
  return std::make_shared<Interpreter>(graph, compute);
}

}  // namespace talweg::driver
