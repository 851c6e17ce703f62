// A graph as kernels that the interpreter runs: of a step, of a view, or of the initial value of a
// state. Slow and obvious: every function evaluates everything anew, whether it is known by then or
// not, so what phases leave is right from the one on in which it is known; only the last pass
// stores, and where the step waits for a gradient, what it would lose is kept in scratch.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "compiler/driver/image_tables.h"
#include "compiler/ir/graph.h"
#include "compiler/ir/interpret.h"
#include "compiler/types/compute_type.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::driver {

class InterpretedKernels {
 public:
  /// `tables` describe the rule, and are not owned.
  InterpretedKernels(ir::Graph graph, types::ComputeType compute, const ImageTables& tables);
  InterpretedKernels(const InterpretedKernels&) = delete;
  InterpretedKernels& operator=(const InterpretedKernels&) = delete;

  /// Its functions refer to this object.
  [[nodiscard]] Kernels kernels();
  void place(const talweg_placement& placement) const;
  void run_initial_states(const talweg_scalar_args& args) const;
  [[nodiscard]] std::uint32_t domain_count() const {
    return static_cast<std::uint32_t>(domains_.size());
  }
  /// Of scratch: param as the step found it, then the gradients before each regrad.
  [[nodiscard]] std::uint32_t scratch_count() const {
    const auto regrads = static_cast<std::uint32_t>(graph_.regrads.size());
    return regrads == 0 ? 0 : regrads + 1;
  }

  /// What the model function does in the phase behind which the step may wait for a gradient.
  void run_regrad(const talweg_scalar_args& args, std::size_t regrad) const;
  /// What functions of matrices, rows and columns do; `stores`: states of rows and columns too.
  void run_lines_of(const talweg_pass_args& args, types::Rate rate,
                    std::span<const talweg_line_chunk> chunks, bool stores) const;

 private:
  [[nodiscard]] talweg_phase phase(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t read_bytes() const;
  [[nodiscard]] std::uint32_t written_bytes() const;
  [[nodiscard]] bool is_stream(const ir::Store& store) const;
  [[nodiscard]] ir::ScalarContext context(const talweg_scalar_args& args) const;
  [[nodiscard]] double scalar(const ir::Machine& machine, ir::NodeId id) const;
  [[nodiscard]] static bool holds(const ir::Machine& machine, ir::NodeId id);
  void run_scalars(const talweg_scalar_args& args, types::Rate rate) const;
  /// Calls leave(reduction, operands) for those that fold what `source` leaves.
  template <class Leave>
  void visit_partials(talweg_reduction_source source, Leave leave) const {
    for (const Reduced& reduced : reductions_)
      if (reduced.info.source == source && reduced.info.counts == 0)
        leave(reduced, graph_[reduced.node].operands);
  }
  void set_bound(const talweg_scalar_args& args, const ir::Machine& machine, std::size_t i) const;
  void set_ends(const talweg_scalar_args& args, const ir::Machine& machine) const;
  void clear_unread_inputs(const talweg_scalar_args& args, types::Rate rate) const;
  void run_tensor(ir::Machine& machine, const talweg_pass_args& args, std::size_t tensor) const;
  void run_tensors(const talweg_pass_args& args, std::uint32_t begin, std::uint32_t end) const;
  void run_pass(const talweg_pass_args& args, std::uint32_t begin, std::uint32_t end) const;
  void run_chunk(ir::Machine& machine, const talweg_pass_args& args, std::uint32_t chunk) const;
  [[nodiscard]] double load(const void* stream, std::uint64_t element) const;
  void store(void* stream, std::uint64_t element, double value) const;
  [[nodiscard]] bool stays(const ir::Machine& machine, const ir::Store& store) const;
  // interpreted_lines.cpp
  void run_at_line(ir::Machine& machine, const talweg_pass_args& args, types::Rate rate,
                   std::uint64_t number) const;
  void run_at_element(ir::Machine& machine, const talweg_pass_args& args, std::uint32_t tensor,
                      std::uint64_t element) const;
  void leave_line(const ir::Machine& machine, const talweg_pass_args& args, types::Rate rate,
                  std::uint64_t number, bool stores) const;
  void run_blocks(const talweg_pass_args& args, std::uint32_t begin, std::uint32_t end) const;
  void run_block(ir::Machine& machine, const talweg_pass_args& args, std::uint32_t block) const;
  void load_element(const talweg_pass_args& args, std::uint32_t tensor, std::uint64_t element,
                    ir::ElementContext& context) const;
  void add_line_functions(talweg_phase& phase, bool is_last) const;
  [[nodiscard]] talweg_phase line_stores() const;
  void prepare_tensor(ir::Machine& machine, const talweg_pass_args& args,
                      std::uint32_t tensor) const;

  void store_element(const ir::Machine& machine, void* const* streams, std::uint64_t element) const;
  // interpreted_regrads.cpp
  [[nodiscard]] std::uint32_t first_scratch() const;
  void add_regrad(talweg_phase& phase, std::uint32_t number) const;
  [[nodiscard]] std::size_t regrads_before(std::uint64_t phase) const;
  void load_gradients(std::uint64_t phase, void* const* streams, std::uint64_t element,
                      ir::ElementContext& context) const;
  void save_gradients(const ir::Machine& machine, std::uint64_t phase, void* const* streams,
                      std::uint64_t element) const;
  [[nodiscard]] bool has_moved(const ir::Machine& machine) const;

  struct Reduced {
    ir::NodeId node;
    talweg_reduction_info info{};
  };

  ir::Graph graph_;
  ir::Graph demand_graph_;  // after the passes
  types::ComputeType compute_;
  const ImageTables& tables_;
  std::vector<ir::NodeId> domains_;
  std::vector<Reduced> reductions_;
  std::array<std::uint32_t, 6> partial_counts_{};  // by source
  std::uint32_t block_partial_count_ = 0;
  std::uint32_t last_phase_ = 0;
  std::uint32_t end_phase_ = 0;
  std::vector<std::uint32_t> regrad_phases_;
};

}  // namespace talweg::driver
