// An optimizer on the host and one whose steps run on the pretended device, over tensors of the
// host's each: all that users see of both is the same.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/gpu/mirrored.hpp"
#include "tests/optimizers.h"

namespace talweg::gpu {

/// A rule for both.
struct Rule {
  std::shared_ptr<driver::Program> program;
  std::shared_ptr<const std::string> ptx;
};

/// Module `m` has a rule `Inputs`, which reads inputs of all rates.
const Rule& compiled(const std::string& text, types::ComputeType compute);

/// A driver of which nothing is used yet.
void start_driver(int devices = 1);

/// What of the driver's is not given back: "2 allocations ", or nothing.
std::string what_is_left();

/// Tensors, their gradients and an optimizer.
template <class Scalar>
struct Side {
  std::vector<std::vector<Scalar>> params, gradients, inputs;
  std::unique_ptr<optimizer::Optimizer> optimizer;

  Side(const Rule& rule, const optimizer::MakeCore& make_core) {
    const std::vector<std::vector<std::uint64_t>> shapes = {{5, 9}, {300}, {}, {0, 3}};
    std::vector<optimizer::Tensor> tensors;
    params.resize(shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      std::size_t count = 1;
      for (const std::uint64_t extent : shapes[i]) count *= extent;
      for (std::size_t k = 0; k < count; ++k)
        params[i].push_back(static_cast<Scalar>(0.3) * static_cast<Scalar>(k % 7 + i) - 1);
      params[i].reserve(1);
      tensors.push_back({"t" + std::to_string(i), shapes[i], params[i].data(), 0, {}});
    }
    gradients = inputs = params;
    for (auto& array : gradients) array.reserve(1);
    // Of a tensor without elements too there are columns.
    for (auto& array : inputs) array.resize(std::max<std::size_t>(array.size(), 3));
    auto made = optimizer::Optimizer::create(rule.program->image(), rule.program,
                                             std::move(tensors), 1, nullptr, make_core);
    INFO((made ? std::string() : made.failure().message));
    REQUIRE(made);
    optimizer = std::make_unique<optimizer::Optimizer>(std::move(*made));
  }

  /// A gradient that depends on the parameters, so that each step sees what the last one left.
  /// `left_out`: a tensor without one.
  support::Result<optimizer::StepOutcome> step(std::uint64_t number, std::size_t left_out = 99) {
    std::vector<const void*> pointers, input_pointers;
    for (std::size_t i = 0; i < params.size(); ++i) {
      for (std::size_t k = 0; k < params[i].size(); ++k) {
        gradients[i][k] = params[i][k] * static_cast<Scalar>(number + 1) +
                          static_cast<Scalar>(k % 3) - static_cast<Scalar>(0.5);
        inputs[i][k] = static_cast<Scalar>(k % 5) / 4;
      }
      pointers.push_back(i == left_out ? nullptr : gradients[i].data());
      input_pointers.push_back(inputs[i].data());
    }
    return optimizer->step(pointers, inputs_of(number, input_pointers));
  }

  /// All that the rule has; those of rows and columns are some elements, of matrices `one`.
  optimizer::StepInputs inputs_of(std::uint64_t number, const std::vector<const void*>& elements) {
    optimizer::StepInputs given;
    const talweg_image& image = optimizer->image();
    const double value = 1.5 / static_cast<double>(number);
    for (std::uint32_t i = 0; i < image.input_count; ++i) {
      const char* name = image.inputs[i].name;
      const auto rate = static_cast<talweg_rate>(image.inputs[i].rate);
      if (rate == TALWEG_RATE_ELEMENT) given.element.emplace_back(name, elements);
      if (rate == TALWEG_RATE_ROW) given.row.emplace_back(name, elements);
      if (rate == TALWEG_RATE_COL) given.col.emplace_back(name, elements);
      if (rate == TALWEG_RATE_MATRIX)
        given.matrix.emplace_back(name, std::vector<const void*>(elements.size(), &one));
      if (rate == TALWEG_RATE_MODEL) given.model.emplace_back(name, value);
      if (rate == TALWEG_RATE_GROUP) given.group.emplace_back(name, std::vector{value + 1});
      if (rate == TALWEG_RATE_TENSOR)
        given.tensor.emplace_back(name, std::vector(elements.size(), value + 2));
    }
    return given;
  }
  double one = 1.25;
};

template <class Scalar>
struct Pair {
  Side<Scalar> host, device;

  explicit Pair(const std::string& text)
      : Pair(compiled(text,
                      sizeof(Scalar) == 4 ? types::ComputeType::F32 : types::ComputeType::F64)) {}
  explicit Pair(const Rule& rule) : host(rule, {}), device(rule, on_device(0, rule.ptx)) {}

  void step(std::uint64_t number, std::size_t left_out = 99) {
    INFO("step " << number);
    const auto here = host.step(number, left_out), there = device.step(number, left_out);
    INFO(tests::failure(there));
    REQUIRE(here);
    REQUIRE(there);
    CHECK(*here == *there);
    check_params();
  }
  void steps(std::uint64_t count) {
    for (std::uint64_t number = 1; number <= count; ++number) {
      step(number, number == 3 ? 1 : 99);
      while (host.optimizer->is_waiting()) step(number, number == 3 ? 1 : 99);
    }
  }
  void check_params() {
    for (std::size_t i = 0; i < host.params.size(); ++i) {
      INFO("tensor " << i);
      CHECK(std::memcmp(host.params[i].data(), device.params[i].data(),
                        host.params[i].size() * sizeof(Scalar)) == 0);
    }
  }
  void check_states() {
    CHECK(host.optimizer->calls() == device.optimizer->calls());
    CHECK(host.optimizer->steps_completed() == device.optimizer->steps_completed());
    const auto here = host.optimizer->persistent(), there = device.optimizer->persistent();
    REQUIRE(here.size() == there.size());
    for (std::size_t i = 0; i < here.size(); ++i) {
      INFO(here[i].name);
      CHECK(here[i].name == there[i].name);
      CHECK(tests::numbers_of(here[i]) == tests::numbers_of(there[i]));
    }
  }
};

}  // namespace talweg::gpu
