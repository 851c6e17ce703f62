// Which parts of the language random rules have used, and how often: a list that is fixed
// beforehand, so that what never occurs is seen.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "compiler/ir/graph.h"

namespace talweg::tests {

/// By feature, in how many rules it occurred. Made with every feature there is.
class Coverage {
 public:
  Coverage();
  void add_rule(const std::set<std::string>& features);
  void add(const std::map<std::string, std::uint64_t>& counts);
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t> counts_;
};

/// "op exp of elements", "node div_scalar", "rate group": what a graph consists of.
std::set<std::string> features_of(const ir::Graph& graph);

}  // namespace talweg::tests
