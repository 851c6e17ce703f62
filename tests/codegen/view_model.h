// A model whose rules have views: made, stepped, and its views read out and swapped in.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/optimizer/optimizer.hpp"
#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/optimizers.h"
#include "tests/sample_size.h"

namespace talweg::tests {

using Shape = std::vector<std::uint64_t>;

template <class T>
inline constexpr types::ComputeType kComputes = sizeof(T) == 4 ? types::ComputeType::F32
                                                               : types::ComputeType::F64;

/// Bytes of all tensors of one type, as doubles are compared: NaN by NaN.
template <class T>
struct Model {
  /// Dimensions that are rows and columns, where that is not to be as the rule says.
  struct Split {
    std::uint32_t kind = TALWEG_SPLIT_NONE, at = 0, to = 0;
  };
  std::vector<Shape> shapes;
  std::vector<Split> splits;  // [tensor]
  std::vector<std::vector<T>> params, grads;

  explicit Model(std::vector<Shape> of_shapes) : shapes(std::move(of_shapes)) {
    splits.resize(shapes.size());
    Random random(5);
    for (const Shape& shape : shapes) {
      std::size_t size = 1;
      for (const std::uint64_t extent : shape) size *= extent;
      for (auto* list : {&params, &grads}) {
        auto& values = list->emplace_back(size);
        for (T& value : values) value = static_cast<T>(random.array_number(kComputes<T>));
      }
    }
  }
  explicit Model(const std::vector<std::size_t>& sizes) : Model(vectors(sizes)) {}

  static std::vector<Shape> vectors(const std::vector<std::size_t>& sizes) {
    std::vector<Shape> shapes;
    for (const std::size_t size : sizes) shapes.push_back({size});
    return shapes;
  }

  optimizer::Optimizer optimizer(const std::shared_ptr<driver::Program>& program,
                                 std::uint32_t threads) {
    std::vector<optimizer::Tensor> tensors;
    for (std::size_t i = 0; i < params.size(); ++i)
      tensors.push_back({"w" + std::to_string(i),
                         shapes[i],
                         params[i].data(),
                         static_cast<std::uint32_t>(i % 2),
                         {},
                         splits[i].kind,
                         splits[i].at,
                         splits[i].to});
    return make_optimizer(program->image(), std::move(tensors), 2, threads, program);
  }

  /// Zeros and subnormals stay.
  void make_finite() {
    for (auto* list : {&params, &grads})
      for (auto& values : *list)
        for (T& value : values)
          if (!std::isfinite(value) || std::fabs(value) > T{1000}) value = T{0.75};
  }

  /// The last tensor never has a gradient.
  support::Status step(optimizer::Optimizer& optimizer) {
    std::vector<const void*> pointers;
    for (const auto& grad : grads) pointers.push_back(grad.data());
    pointers.back() = nullptr;
    const auto stepped = optimizer.step(pointers);
    return stepped ? support::ok() : support::Status(stepped.failure());
  }

  std::vector<std::vector<T>> read(optimizer::Optimizer& optimizer, const std::string& view) {
    auto values = params;
    std::vector<void*> outs;
    for (auto& value : values) {
      std::fill(value.begin(), value.end(), T{-7});
      outs.push_back(value.data());
    }
    const auto status = optimizer.read_view(view, outs);
    if (!status) FAIL(status.failure().message);
    return values;
  }
};

template <class T>
bool same_bits(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].size() != b[i].size() ||
        (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(T)) != 0))
      return false;
  return true;
}

template <class T>
bool same_values(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < a[i].size(); ++k)
      if (!same(static_cast<double>(a[i][k]), static_cast<double>(b[i][k]))) return false;
  return true;
}

/// All views before any step and after each of two.
template <class T>
std::vector<std::vector<std::vector<T>>> all_views(Model<T> model,
                                                   const std::shared_ptr<driver::Program>& program,
                                                   std::uint32_t threads) {
  auto optimizer = model.optimizer(program, threads);
  std::uint32_t hyper = 0;
  while (optimizer.image().hypers[hyper].rate != TALWEG_RATE_GROUP) ++hyper;
  REQUIRE(optimizer.set_hyper(optimizer.image().hypers[hyper].name, 2, 1));
  std::vector<std::vector<std::vector<T>>> seen;
  for (int step = 0; step <= 2; ++step) {
    if (step > 0) REQUIRE(model.step(optimizer));
    for (const std::string& view : optimizer.views()) {
      seen.push_back(model.read(optimizer, view));
      const auto before = model.params;
      REQUIRE(optimizer.swap_in(view));
      REQUIRE(same_bits(model.params, seen.back()));
      REQUIRE(optimizer.swap_out());
      REQUIRE(same_bits(model.params, before));
    }
  }
  return seen;
}

/// On every target and any number of threads the views of such a model are the interpreter's.
template <class T>
void require_same_views(const Model<T>& model, const ir::Graph& graph,
                        const std::vector<std::uint32_t>& thread_counts = {1, 2, 3, 8, 16}) {
  const auto expected = all_views<T>(model, driver::make_interpreter(graph, kComputes<T>), 1);
  const std::vector<std::string> isas = isas_here();
  for (const std::string& isa : isas) {
    if (sample_part() < 1 && isa != isas.back()) continue;
    const auto program = compile_for(graph, kComputes<T>, isa);
    for (const std::uint32_t threads : thread_counts) {
      const auto actual = all_views<T>(model, program, threads);
      INFO(graph.name << ", " << isa << ", " << threads << " threads");
      REQUIRE(actual.size() == expected.size());
      for (std::size_t i = 0; i < actual.size(); ++i) REQUIRE(same_values(actual[i], expected[i]));
    }
  }
}

/// Steps leave the same whether views are read and swapped in between or not.
template <class T>
void require_same_steps(Model<T> model, const ir::Graph& graph) {
  constexpr auto kCompute = sizeof(T) == 4 ? types::ComputeType::F32 : types::ComputeType::F64;
  const auto program = compile_for(graph, kCompute, isas_here().back());
  Model<T> other = model;
  auto optimizer = model.optimizer(program, 2), plain = other.optimizer(program, 2);
  for (int step = 0; step < 3; ++step) {
    for (const std::string& view : optimizer.views()) {
      model.read(optimizer, view);
      REQUIRE(optimizer.swap_in(view));
      REQUIRE(optimizer.swap_out());
    }
    REQUIRE(model.step(optimizer));
    REQUIRE(other.step(plain));
    REQUIRE(same_bits(model.params, other.params));
    REQUIRE((persistent_bytes(optimizer) == persistent_bytes(plain)));
  }
}

}  // namespace talweg::tests
