// The library's rules of rows, columns and matrices leave the same bits on every target, through
// the runtime: with vectors, matrices and a batch of them, each in a group of its own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "runtime/optimizer/optimizer.hpp"
#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"
#include "tests/optimizers.h"
#include "tests/sample_size.h"

namespace talweg::tests {

namespace {

using Shapes = std::vector<std::vector<std::uint64_t>>;

std::size_t elements(const std::vector<std::uint64_t>& shape) {
  std::size_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;
  return count;
}

/// Six steps from the same numbers whatever the program; every byte that they leave, of parameters
/// and of what is kept.
template <class Scalar>
std::string after_steps(const std::shared_ptr<driver::Program>& program, const Shapes& shapes) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  const auto numbers = [&](std::size_t count) {
    std::vector<Scalar> values(count);
    for (Scalar& value : values) value = static_cast<Scalar>(normal(random));
    return values;
  };
  std::vector<std::vector<Scalar>> params;
  std::vector<optimizer::Tensor> tensors;
  params.reserve(shapes.size());
  for (std::uint32_t i = 0; i < shapes.size(); ++i) {
    params.push_back(numbers(elements(shapes[i])));
    tensors.push_back({std::to_string(i), shapes[i], params.back().data(), i, {}});
  }
  auto optimizer = make_optimizer(program->image(), tensors,
                                  static_cast<std::uint32_t>(shapes.size()), 2, program);
  for (int step = 0; step < 6; ++step) {
    std::vector<std::vector<Scalar>> gradients;
    std::vector<const void*> pointers;
    for (const auto& shape : shapes) {
      gradients.push_back(numbers(elements(shape)));
      // A whole step, a row and a few single elements without gradient.
      if (step == 3) std::ranges::fill(gradients.back(), Scalar(0));
      std::fill_n(gradients.back().begin(), shape.back(), Scalar(0));
      pointers.push_back(gradients.back().data());
    }
    REQUIRE(optimizer.step(pointers, {}));
  }
  std::string bytes = persistent_bytes(optimizer);
  for (const auto& param : params)
    bytes.append(reinterpret_cast<const char*>(param.data()), param.size() * sizeof(Scalar));
  return bytes;
}

template <class Scalar>
void check_targets(const std::string& rule, types::ComputeType compute, const Shapes& shapes) {
  const ir::Graph graph = graph_of_rule(rule);
  const std::string expected =
      after_steps<Scalar>(driver::make_interpreter(graph, compute), shapes);
  for (const std::string& isa : isas_here()) {
    INFO(isa << ", " << to_text(compute));
    const std::string actual = after_steps<Scalar>(compile_for(graph, compute, isa), shapes);
    CHECK((actual == expected));  // without the bytes in the message
  }
}

}  // namespace

TEST_CASE("rules of rows, columns and matrices have the same bits on every target") {
  const Shapes all = {{131}, {16, 9}, {3, 5, 70}, {1, 33}, {40, 1}};
  const Shapes up_to_rank_2 = {{131}, {16, 9}, {150, 70}, {1, 33}, {40, 1}};
  const Shapes matrices = {{16, 9}, {3, 5, 70}, {1, 33}, {40, 1}};
  std::vector<std::pair<std::string, Shapes>> cases = {
      {"Adafactor(beta1 = 0.9, weight_decay = 0.1)", all},
      {"AdafactorOptax(min_dim = 3, momentum = 0.9)", all},
      {"SM3(momentum = 0.9, beta = 0.9)", up_to_rank_2},
      {"AGC(units = columns) | SGD(momentum = 0.9)", all},
      {"CentralizeGradient(over = columns) | AdamW", all},
      {"NormalizeMatrix(over = columns, root_mean_square = true) | SGD", all},
      {"NormalizeMatrix(over = whole) | SGD", all},
      {"AdamP(delta = 1.5, weight_decay = 0.1)", all},
  };
  for (const std::string& rule : library_rules())
    if (graph_of_rule(rule).split)
      cases.emplace_back(rule, rule == "SM3"                                ? up_to_rank_2
                               : rule == "RACS" || rule == "RowwiseAdagrad" ? matrices
                                                                            : all);
  CHECK(cases.size() >= 8 + 13);
  std::uint64_t number = 0;
  for (const auto& [rule, shapes] : cases) {
    if (!is_in_sample(number++)) continue;
    INFO(rule);
    check_targets<float>(rule, types::ComputeType::F32, shapes);
    check_targets<double>(rule, types::ComputeType::F64, shapes);
  }
}

}  // namespace talweg::tests
