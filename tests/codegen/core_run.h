// Runs an optimizer through its C interface, where a test chooses what the C++ cover hides: who
// runs the parts of a pass, and where gradients lie. All memory is shared with forked processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/optimizer/step.h"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/lined_run.h"

namespace talweg::tests {

/// Zeros that a process and those forked from it have in common.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  SharedMemory& operator=(SharedMemory&&) = delete;

  [[nodiscard]] void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
};

/// Who runs the parts of a pass.
struct Schedule {
  talweg_parallel_for parallel_for = nullptr;  // null: the caller
  void* context = nullptr;
  std::uint32_t parts = 1;
};

/// Plain numbers below 1, of either sign.
double plain_number(std::uint64_t seed);

/// The elements of a shape.
std::uint64_t elements_of(const Shape& shape);

template <class T>
class CoreRun {
 public:
  CoreRun(std::shared_ptr<driver::Program> program, const std::vector<LinedTensor>& tensors,
          std::uint32_t group_count, const Schedule& schedule);

  /// Null: the tensor is left out. Inputs of elements are [input][tensor]; a step that waits for
  /// other gradients takes those, and no inputs, in the next call.
  talweg_outcome step(const std::vector<const void*>& gradients,
                      const std::vector<std::vector<const void*>>& element_inputs = {});
  /// All parameters and all that persists, in one order on every target.
  [[nodiscard]] Outcome everything() const;

  [[nodiscard]] T* param(std::size_t tensor) const {
    return static_cast<T*>(params_[tensor].data());
  }
  [[nodiscard]] talweg_optimizer* core() const { return optimizer_; }

 private:
  void append_states(Outcome& all) const;

  std::shared_ptr<driver::Program> program_;
  std::vector<std::uint64_t> counts_;
  std::vector<SharedMemory> params_;
  std::unique_ptr<SharedMemory> control_, states_;
  std::uint32_t group_count_;
  talweg_optimizer* optimizer_ = nullptr;
};

extern template class CoreRun<float>;
extern template class CoreRun<double>;

/// Gradients of a model, other ones in each step.
template <class T>
class Gradients {
 public:
  explicit Gradients(const std::vector<LinedTensor>& tensors);
  /// Of step `number`, from 1; tensors that are absent in it have none. `again`: those that the
  /// step is given when it waits for the first, second, ... time. They lie where those before lay.
  [[nodiscard]] std::vector<const void*> of_step(std::uint32_t number, std::uint32_t again = 0);

 private:
  const std::vector<LinedTensor>& tensors_;
  std::vector<std::vector<T>> values_;
};

extern template class Gradients<float>;
extern template class Gradients<double>;

/// Step `number`, with other gradients each time that it waits; how often it did.
template <class T>
std::uint32_t whole_step(CoreRun<T>& run, Gradients<T>& gradients, std::uint32_t number) {
  std::uint32_t waits = 0;
  while (run.step(gradients.of_step(number, waits)) == TALWEG_REGRAD) ++waits;
  return waits;
}

}  // namespace talweg::tests
