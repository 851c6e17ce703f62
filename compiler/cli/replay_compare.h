// The measure of the reference cases: a difference relative to the largest magnitude of that tensor
// so far.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace talweg::cli {

/// Where the largest difference was.
struct Worst {
  double error = 0;  // infinite where one of two values is not finite and the other is another
  std::string what;  // "params", "state m", "values", ...
  std::uint64_t step = 0;  // from 1
  std::size_t tensor = 0, element = 0;
  double ours = 0, truth = 0;
};

/// Compares tensors of one kind over the steps of a run.
class Comparison {
 public:
  explicit Comparison(std::string what) { worst_.what = std::move(what); }

  /// Counts values (the start, say) towards the magnitude of a tensor without comparing them.
  void magnitude(std::size_t tensor, std::span<const double> values);
  /// Compares a tensor after a step; its own values count towards its magnitude. A different number
  /// of elements is an infinite error.
  void compare(std::uint64_t step, std::size_t tensor, std::span<const double> ours,
               std::span<const double> truth);

  [[nodiscard]] const Worst& worst() const { return worst_; }
  [[nodiscard]] std::uint64_t compared() const { return compared_; }

 private:
  std::vector<double> magnitudes_;
  Worst worst_;
  std::uint64_t compared_ = 0;
};

}  // namespace talweg::cli
