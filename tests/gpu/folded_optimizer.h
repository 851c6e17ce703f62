// An optimizer on the host, whose folds run on a pretended device that has a copy of its control
// memory.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/gpu/fold_device.h"
#include "tests/gpu/fold_values.h"
#include "tests/gpu/optimizer_tables.h"

namespace talweg::gpu {

/// A tensor whose elements nobody reads.
struct Shaped {
  std::vector<std::uint64_t> shape;
  std::uint32_t group = 0;
};

class FoldedOptimizer {
 public:
  /// Its states are where nothing is. `image` must outlive it.
  FoldedOptimizer(const talweg_image& image, const std::vector<Shaped>& tensors,
                  std::uint32_t group_count);

  /// Random values of everything that is left to be folded.
  void fill(Values kind, std::uint32_t seed);
  /// Some tensors take no part, some are in no domain.
  void choose(std::uint32_t seed, bool choose_domains);
  [[nodiscard]] const talweg_matrix_view* views() const { return tables_.views; }

  /// Folds a phase on the host, and by launches; fails a test where the device's memory then
  /// differs from the host's. How many launches there were.
  std::uint32_t check_phase(std::uint32_t phase, FoldExecutor executor);
  /// That launches change nothing where the stop word is set.
  void check_stop(std::uint32_t phase);

 private:
  struct Launched {
    std::vector<double> control;  // the device's copy, after all
    std::uint32_t launches;
  };
  using Memory = std::unique_ptr<void, decltype(&std::free)>;

  [[nodiscard]] std::vector<double> control() const;
  Launched launch(std::uint32_t phase, FoldExecutor executor, std::uint32_t stop);
  std::vector<double> expect(std::uint32_t phase, std::vector<std::uint8_t>& means_nothing);

  const talweg_image& image_;
  std::uint32_t tensor_count_, group_count_;
  Memory control_{nullptr, std::free}, state_{nullptr, std::free};
  talweg_optimizer* optimizer_ = nullptr;
  optimizer_tables tables_{};
};

}  // namespace talweg::gpu
