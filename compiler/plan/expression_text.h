// Values of a graph as a rule might write them: `norm(grad) per model`, `m / (1 - beta1 ^ t)`.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// "grad", or "grad 2" behind one regrad.
std::string gradient_name(std::uint32_t regrads);

/// Rounding and flushing are left out, as are ways to compute a division. What a step stores is
/// called by its place: `new m`. What is too deep to be shown is `...`.
class ExpressionText {
 public:
  explicit ExpressionText(const ir::Graph& graph);

  /// As deep as fits into `width` columns. `alias` as in LoopVersion, may be empty.
  [[nodiscard]] std::string text(ir::NodeId id, std::span<const ir::NodeId> alias = {},
                                 std::size_t width = 96) const;
  /// What a reduction is for: the mean that divides the sum, the norm that is the root.
  [[nodiscard]] std::string reduction(ir::NodeId reduction,
                                      std::span<const ir::NodeId> alias = {}) const;
  /// "rank >= 2", or what holds where it does not.
  [[nodiscard]] std::string condition(ir::NodeId id, bool holds,
                                      std::span<const ir::NodeId> alias = {}) const;
  /// That all of some hold, without what follows from the others; "true" if it says nothing,
  /// "false" if they cannot.
  [[nodiscard]] std::string conditions(std::span<const Assumption> assumptions,
                                       std::span<const ir::NodeId> alias = {}) const;
  /// The place whose new value a node is: "new m".
  [[nodiscard]] std::optional<std::string> new_value(ir::NodeId id) const;

 private:
  struct Printed {
    std::string text;
    int binding = 0;  // how tightly it holds together
  };
  class Printer;

  void name_new_values();
  void find_uses();
  [[nodiscard]] bool folds_truths(ir::NodeId id) const;

  const ir::Graph& graph_;
  std::map<std::uint32_t, std::string> new_values_;
  std::map<std::uint32_t, ir::NodeId> finished_;      // by reduction: mean, norm, any, all
  std::map<std::uint32_t, ir::NodeId> reduction_of_;  // and back
};

}  // namespace talweg::plan
