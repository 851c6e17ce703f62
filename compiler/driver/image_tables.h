// The tables of an image that describe a rule: hypers, states, inputs, streams. Both backends have
// the same.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/types/compute_type.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::driver {

/// Without functions, tables and scratch.
inline talweg_kernels empty_kernels() {
  talweg_kernels kernels{};
  kernels.origin_stream = UINT32_MAX;
  return kernels;
}

/// Kernels with the tables they point to.
struct Kernels {
  talweg_kernels kernels = empty_kernels();  // `phases` and `reductions` are not set
  std::vector<talweg_phase> phases;
  std::vector<talweg_reduction_info> reductions;
};

/// Owns every string and array that its image points to; so it stays where it is.
class ImageTables {
 public:
  /// `graph` is the graph before optimisation. What runs (functions, passes, slots) is left for the
  /// backend to fill in.
  ImageTables(const ir::Graph& graph, types::ComputeType compute, std::string isa);
  ImageTables(const ImageTables&) = delete;
  ImageTables& operator=(const ImageTables&) = delete;

  talweg_image& image() { return image_; }
  [[nodiscard]] const talweg_image& image() const { return image_; }
  /// In which phase the hypers are computed that the pipeline binds, by the phases of nodes; of the
  /// graph given at first as early as can be, until a backend says what it runs.
  void set_bound_phases(const ir::Graph& graph, const std::vector<std::uint32_t>& phases);
  /// What a step runs.
  void set_step(Kernels kernels);
  /// What a view runs.
  void set_view(std::size_t view, Kernels kernels);
  /// A step or a view tells apart that many sets of tensors.
  void add_domains(std::uint32_t count) {
    image_.domain_count = std::max(image_.domain_count, count);
  }
  /// What computes the initial value of a state that begins as TALWEG_INITIAL_KERNELS.
  void set_initial(std::size_t state, Kernels kernels);
  /// Such a state turned out to need none of that.
  void start_without_kernels(std::size_t state, talweg_initial initial);

 private:
  talweg_kernels keep(Kernels kernels);
  void add_requirements(const ir::Graph& graph);
  void add_hypers(const ir::Graph& graph);
  void add_states(const ir::Graph& graph, types::ComputeType compute);
  void add_inputs(const ir::Graph& graph);
  void add_facts(const ir::Graph& graph);
  void add_views(const ir::Graph& graph);
  const char* keep(const std::string& text) { return strings_.emplace_back(text).c_str(); }

  talweg_image image_{};
  std::deque<std::string> strings_;
  std::vector<talweg_hyper_info> hypers_;
  std::vector<talweg_state_info> states_;
  std::vector<talweg_input_info> inputs_;
  std::vector<talweg_fact_info> facts_;
  std::vector<talweg_view_info> views_;
  std::vector<talweg_kernels> initial_kernels_;
  std::vector<const char*> requirements_;
  std::deque<Kernels> kernels_;  // of the step, of views, of initial values
};

/// What the runtime folds for a reduction. `partial` is the place of what it folds among the
/// partial results of its source, `blocks` among those of row blocks, where they make its columns.
talweg_reduction_info reduction_info(const ir::Graph& graph, ir::NodeId reduction,
                                     std::uint32_t phase, std::uint32_t partial,
                                     std::uint32_t blocks);
talweg_reduction_source reduction_source(const ir::Node& reduction);
/// True if the pass over lines leaves what it folds: elements, per matrix, row or column.
bool folds_lines(const ir::Node& reduction);

/// By node: true if what a step leaves behind (stores, bound hypers) depends on it.
std::vector<bool> live_nodes(const ir::Graph& graph);

}  // namespace talweg::driver
