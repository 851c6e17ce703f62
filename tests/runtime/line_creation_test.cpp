// What may make an optimizer of matrices, rows and columns; everything else is refused by name.
#include <catch2/catch.hpp>

#include "tests/runtime/lined_model.h"

namespace talweg::tests {
namespace {

using Rule = LinedRule<double>;
using Shape = std::vector<std::uint64_t>;

/// Of a tensor that would be of this shape if there were so much memory.
optimizer::Tensor tensor_of(const Shape& shape) {
  static double memory[64];
  optimizer::Tensor tensor;
  tensor.name = "w";
  tensor.shape = shape;
  tensor.param = memory;
  return tensor;
}

}  // namespace

TEST_CASE("a tensor that cannot be split as it says is refused by name") {
  Rule rule;
  const auto refusal = [&](const Shape& shape, std::uint32_t split, std::uint32_t at = 0,
                           std::uint32_t to = 0) {
    optimizer::Tensor tensor = tensor_of(shape);
    tensor.split = split;
    tensor.split_at = at;
    tensor.split_to = to;
    return refusal_of(rule.image, {tensor});
  };
  CHECK(refusal({2, 3, 4}, TALWEG_SPLIT_AT, 2) == "no failure");
  CHECK(refusal({2, 3, 4}, TALWEG_SPLIT_PAIR, 0, 2) == "no failure");
  CHECK(refusal({}, TALWEG_SPLIT_FIRST_REST) == "no failure");
  CHECK(refusal({2, 3}, 6) == "tensor `w` is to be split in a way that there is not");
  const std::string not_inner =
      ": that is one of its dimensions, counted from 0, and not the first";
  CHECK(refusal({2, 3}, TALWEG_SPLIT_AT, 2) ==
        "tensor `w` of shape [2, 3] cannot be split before dimension 2" + not_inner);
  CHECK(refusal({2, 3}, TALWEG_SPLIT_AT, 0) ==
        "tensor `w` of shape [2, 3] cannot be split before dimension 0" + not_inner);
  CHECK(refusal({7}, TALWEG_SPLIT_AT, 1) ==
        "tensor `w` of shape [7] cannot be split before dimension 1" + not_inner);
  CHECK(refusal({2, 3}, TALWEG_SPLIT_PAIR, 1, 0) ==
        "tensor `w` of shape [2, 3] cannot have its rows in dimension 1 and its columns in 0: they "
        "are two of its dimensions, counted from 0, rows before columns");
  // Where the rule has no matrices, nobody looks.
  FakeRule<double> other;
  optimizer::Tensor tensor = tensor_of({2, 3});
  tensor.split = TALWEG_SPLIT_PAIR;
  CHECK(optimizer::Optimizer::create(other.image, nullptr, {tensor}, 1, nullptr));
}

TEST_CASE("matrices that are too large are refused by name") {
  Rule rule;
  const std::uint64_t cols = (std::uint64_t{1} << 30) + 1;
  CHECK(refusal_of(rule.image, {tensor_of({1, cols})}) ==
        "tensor `w` has more columns than 1073741824, the most that are served");
  const std::uint64_t huge = std::uint64_t{1} << 62;
  CHECK(refusal_of(rule.image, {tensor_of({huge, huge, 0, 1})}) ==
        "tensor `w` has more rows or columns than can be numbered");
  CHECK(refusal_of(rule.image, {tensor_of({1, std::uint64_t{1} << 41, 0})}) ==
        "tensor `w` has more rows or columns than can be numbered");
  // Each can be numbered, but not all, or not be kept.
  CHECK(refusal_of(rule.image, {tensor_of({1, std::uint64_t{1} << 39, 0})}) ==
        "the tensors have more rows or columns than can be numbered");
  FakeRule<double> other;
  CHECK(optimizer::Optimizer::create(other.image, nullptr, {tensor_of({huge, huge, 0, 1})}, 1,
                                     nullptr));
}

TEST_CASE("images of matrices that cannot be stepped are refused") {
  const auto refusal = [](auto change) {
    Rule rule;
    change(rule);
    return refusal_of(rule.image, {tensor_of({2, 3})});
  };
  const std::string image = "the image of rule `Lined` ";
  CHECK(refusal([](Rule&) {}) == "no failure");
  for (const std::uint32_t split : {TALWEG_SPLIT_AT, TALWEG_SPLIT_PAIR})
    CHECK(refusal([&](Rule& rule) { rule.image.split = split; }) ==
          image + "splits tensors in a way that there is not");
  CHECK(refusal([](Rule& rule) { rule.image.split = TALWEG_SPLIT_NONE; }) ==
        image + "keeps states of matrices, but has none");
  CHECK(refusal([](Rule& rule) {
          rule.image.split = TALWEG_SPLIT_NONE;
          rule.image.state_count = 1;
        }) == image + "runs over matrices, but has none");
  CHECK(refusal([](Rule& rule) { rule.states[Rule::kR].dtype = TALWEG_F32; }) ==
        "state `r` is not kept in the compute type");
  CHECK(refusal([](Rule& rule) { rule.states[Rule::kH].initial = TALWEG_INITIAL_PARAM; }) ==
        image + "starts a state from param that is not of elements");

  const auto of_reduction = [&](std::size_t reduction, auto change) {
    return refusal([&](Rule& rule) { change(rule.reductions[reduction]); });
  };
  const std::string cannot_be = image + "has a reduction that cannot be";
  CHECK(of_reduction(Rule::kRowSquares, [](auto& r) { r.rate = TALWEG_RATE_COL; }) == cannot_be);
  CHECK(of_reduction(Rule::kColSquares, [](auto& r) { r.rate = TALWEG_RATE_ROW; }) == cannot_be);
  CHECK(of_reduction(Rule::kTensorOfMatrices, [](auto& r) { r.rate = TALWEG_RATE_MATRIX; }) ==
        cannot_be);
  CHECK(of_reduction(Rule::kMatrixSquares, [](auto& r) { r.source = TALWEG_FROM_CHUNKS; }) ==
        cannot_be);
  CHECK(of_reduction(Rule::kMatrixSquares, [](auto& r) { r.counts = 1; }) == cannot_be);
  CHECK(of_reduction(Rule::kMatrixSquares, [](auto& r) { r.source = 6; }) == cannot_be);
  const std::string nobody = image + "has a reduction of what nobody leaves";
  CHECK(of_reduction(Rule::kMatrixSquares, [](auto& r) { r.partial = 3; }) == nobody);
  CHECK(of_reduction(Rule::kColSquares, [](auto& r) { r.partial = 2; }) == nobody);
  CHECK(of_reduction(Rule::kTensorOfMatrices, [](auto& r) { r.partial = 1; }) == nobody);
  CHECK(of_reduction(Rule::kColSquares, [](auto& r) { r.blocks = 1; }) ==
        image + "has a reduction of what no row block leaves");

  // No pass over lines ends a view, or makes initial values.
  CHECK(refusal([](Rule& rule) {
          static talweg_view_info view{};
          view.name = "v";
          view.kernels.phases = &rule.phases[0];
          view.kernels.phase_count = 1;
          view.kernels.origin_stream = UINT32_MAX;
          rule.phases[0].pass = rule.phases[2].pass;
          rule.image.views = &view;
          rule.image.view_count = 1;
        }) == image + "has a view without code");
  // Kernels of an initial value are there, leave it last, and reduce what can be.
  const auto beginning = [&](const auto& change) {
    return refusal([&](Rule& rule) {
      static std::array<talweg_kernels, 16> kernels;
      kernels = {};
      talweg_kernels& made = kernels[Rule::kH];
      rule.states[Rule::kH].initial = TALWEG_INITIAL_KERNELS;
      rule.image.initial_kernels = kernels.data();
      made = rule.image.step;
      made.phases = &rule.phases[2];
      made.phase_count = 1;
      made.reduction_count = 0;
      change(rule, made);
    });
  };
  const std::string no_code = image + "has no code for its initial values";
  CHECK(beginning([](Rule&, talweg_kernels&) {}) == "no failure");
  CHECK(beginning([](Rule& rule, talweg_kernels&) { rule.image.initial_kernels = nullptr; }) ==
        no_code);
  CHECK(beginning([](Rule&, talweg_kernels& made) { made.phase_count = 0; }) == no_code);
  CHECK(beginning([](Rule& rule, talweg_kernels& made) { made.phases = &rule.phases[0]; }) ==
        no_code);
  CHECK(beginning([](Rule&, talweg_kernels& made) { made.reduction_count = 1; }) ==
        image + "has a reduction without a phase or a domain");
}

}  // namespace talweg::tests
