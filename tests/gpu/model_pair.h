// One model twice: on the host, and on the pretended device, whose optimizer must leave the same
// bits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "compiler/ir/graph.h"
#include "runtime/gpu/optimizer.h"
#include "runtime/optimizer/step.h"
#include "tests/gpu/fake_driver/fake_cuda.h"

namespace talweg::gpu {

struct PairTensor {
  std::vector<std::uint64_t> shape;
  std::uint32_t group = 0;
  std::vector<std::string> tags = {};
};

/// The pretended driver as a new process finds it, and its first device's context.
class DriverSession {
 public:
  explicit DriverSession(int devices = 1);
  DriverSession(const DriverSession&) = delete;
  DriverSession& operator=(const DriverSession&) = delete;
  ~DriverSession();

  talweg_cuda_context context = nullptr;
};

/// Memory of the device, of the current context.
class DeviceBytes {
 public:
  explicit DeviceBytes(std::size_t bytes);
  DeviceBytes(DeviceBytes&& other) noexcept;
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;
  DeviceBytes& operator=(DeviceBytes&&) = delete;
  ~DeviceBytes();

  void write(const std::string& bytes, talweg_cuda_stream stream = nullptr);
  [[nodiscard]] std::string read() const;

  talweg_cuda_address address = 0;
  std::size_t bytes = 0;
};

/// A rule compiled for the host and for the device.
struct PairRule {
  PairRule(const std::string& expression, types::ComputeType compute,
           const std::string& module_text = {});
  PairRule(const ir::Graph& graph, types::ComputeType compute);

  /// Whether tensors of these shapes are what the rule requires.
  [[nodiscard]] bool takes(const std::vector<PairTensor>& tensors) const;

  std::shared_ptr<driver::Program> host;
  std::string ptx;
};

class ModelPair {
 public:
  /// Parameters are random numbers.
  ModelPair(const PairRule& rule, std::vector<PairTensor> tensors, std::uint32_t groups = 1,
            std::uint32_t seed = 1);
  ModelPair(const ModelPair&) = delete;
  ModelPair& operator=(const ModelPair&) = delete;
  ~ModelPair();

  /// The same step on both, with new gradients but for tensors in `absent`, and all inputs if
  /// `gives_inputs`. Requires the same end: status, message, outcome. The outcome.
  talweg_outcome step(const std::vector<std::size_t>& absent = {}, bool gives_inputs = true);
  /// New gradients to where those of the last step are; what `step` does before it steps.
  void draw_gradients();
  /// New numbers of inputs that are on the device, to where they are.
  void draw_numbers();
  /// On the host alone, and on the device alone (gradients: where they are, or the null array).
  talweg_status step_host(talweg_outcome* outcome = nullptr, talweg_error* error = nullptr);
  talweg_status step_device(bool names_gradients = true, talweg_error* error = nullptr);

  /// From the next `step` on inputs that are numbers lie in the device's memory; or no longer.
  void place_numbers(bool on_device);

  void set_hyper(const std::string& name, double value);
  /// Parameters, states, counters, hypers, views: the same bits (any NaN is one), else the test
  /// fails.
  void require_same();
  /// Parameters and all that persists; of the device where `on_device`.
  [[nodiscard]] std::string everything(bool on_device);

  talweg_optimizer *host = nullptr, *device = nullptr;
  std::vector<std::string> gradients;
  std::vector<DeviceBytes> device_params, device_gradients;

 private:
  talweg_step_inputs inputs(bool on_device);
  void draw_inputs(bool gives);
  void draw_number(std::uint32_t input);
  void place_number(std::uint32_t input);
  [[nodiscard]] std::string elements(bool on_device, const void* data, std::size_t bytes) const;
  void append_states(bool on_device, std::string& all);
  std::string random_bytes(std::size_t elements);

  const PairRule& rule_;
  const talweg_image& image_;
  std::vector<PairTensor> tensors_;
  std::uint32_t groups_;
  std::mt19937 random_;
  std::size_t element_bytes_;
  std::vector<std::size_t> counts_;
  std::vector<std::string> params_;
  std::vector<bool> absent_;
  void *control_ = nullptr, *states_ = nullptr;
  // What the last step was given.
  std::vector<double> model_inputs_;
  std::vector<std::uint8_t> given_;
  std::vector<std::vector<double>> numbers_;             // [input] of groups and tensors
  std::vector<std::vector<std::string>> arrays_;         // [input][tensor]
  std::vector<std::vector<DeviceBytes>> device_arrays_;  // [input][tensor]
  std::vector<std::vector<const void*>> pointers_;       // [input][tensor]
  bool places_numbers_ = false;
  std::vector<std::optional<DeviceBytes>> sources_;  // [input] its numbers on the device
  std::vector<const void*const*> element_inputs_, line_inputs_;
  std::vector<const double*> group_inputs_, tensor_inputs_;
  std::vector<const void*> gradient_pointers_;
};

}  // namespace talweg::gpu
