// Random well-typed graphs and random inputs for them: what every property of graphs is tested on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/ir/interpret.h"
#include "compiler/types/compute_type.h"

namespace talweg::tests {

/// SplitMix64: the same numbers everywhere for one seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 to count - 1.
  std::size_t below(std::size_t count);
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  /// Often a special value (zeros, subnormals of either type, ends of ranges, infinities, NaN),
  /// else a number of any magnitude.
  double number();
  /// number() as a value of the compute type.
  double array_number(types::ComputeType compute);

 private:
  std::uint64_t state_;
};

/// A graph without faults: every kind of node and operation may occur, rates const, model, group,
/// tensor and element, reductions of all kinds in up to three phases after the first, some hypers
/// bound, most places stored, some calls skipped or held, up to two views. It has about
/// `node_count` nodes, and hypers, states and inputs of all kinds. It waits for up to
/// `most_regrads` new gradients, always or under a condition.
ir::Graph random_graph(std::uint64_t seed, std::size_t node_count, std::size_t most_regrads = 0);

ir::ScalarContext random_scalars(const ir::Graph& graph, Random& random);
ir::ElementContext random_element(const ir::Graph& graph, types::ComputeType compute,
                                  Random& random);

/// The same bits, any NaN being like another.
bool same(double a, double b);
bool same(const std::vector<ir::Value>& a, const std::vector<ir::Value>& b);

}  // namespace talweg::tests
