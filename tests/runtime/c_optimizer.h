// An optimizer made through the C interface, where a test chooses who runs the parts of a pass.
#pragma once

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include "runtime/memory/state_layout.h"
#include "runtime/optimizer/step.h"
#include "tests/optimizers.h"

namespace talweg::tests {

/// Runs parts backwards, one after another, and notes how many there were.
struct Backwards {
  std::vector<std::uint32_t> counts;  // of parts, a number a call

  static void run(void* context, std::uint32_t count, void (*task)(void*, std::uint32_t),
                  void* argument) {
    static_cast<Backwards*>(context)->counts.push_back(count);
    for (std::uint32_t i = count; i-- > 0;) task(argument, i);
  }
};

/// Of vectors, in one group. What it is made of must outlive it.
class COptimizer {
 public:
  COptimizer(const talweg_image& image, const std::vector<optimizer::Tensor>& tensors,
             Backwards& parts, std::uint32_t thread_count) {
    std::vector<talweg_tensor> described(tensors.size());
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      described[t].name = tensors[t].name.c_str();
      described[t].shape = tensors[t].shape.data();
      described[t].rank = static_cast<std::uint32_t>(tensors[t].shape.size());
      described[t].param = tensors[t].param;
    }
    talweg_optimizer_spec spec{};
    spec.image = &image;
    spec.tensors = described.data();
    spec.tensor_count = static_cast<std::uint32_t>(described.size());
    spec.group_count = 1;
    spec.parallel_for = Backwards::run;
    spec.parallel_context = &parts;
    spec.thread_count = thread_count;
    talweg_error error{};
    require(talweg_measure(&spec, &sizes_, &error), error);
    control_ = allocate(sizes_.control_bytes);
    state_ = allocate(sizes_.state_bytes);
    require(talweg_create(&spec, control_.get(), state_.get(), &optimizer_, &error), error);
  }

  void step(const std::vector<const void*>& gradients) {
    talweg_step_inputs inputs{};
    inputs.gradients = gradients.data();
    talweg_error error{};
    require(talweg_step(optimizer_, &inputs, nullptr, &error), error);
  }
  [[nodiscard]] const talweg_optimizer_sizes& sizes() const { return sizes_; }

 private:
  using Memory = std::unique_ptr<void, decltype(&std::free)>;

  static Memory allocate(std::size_t bytes) {
    constexpr std::size_t kAlignment = TALWEG_STATE_ALIGNMENT;
    return {std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment),
            std::free};
  }
  static void require(talweg_status status, const talweg_error& error) {
    if (status != TALWEG_OK) throw std::runtime_error(error.message);
  }

  talweg_optimizer_sizes sizes_{};
  Memory control_{nullptr, std::free}, state_{nullptr, std::free};
  talweg_optimizer* optimizer_ = nullptr;
};

}  // namespace talweg::tests
