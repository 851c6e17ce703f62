// Phases that wait for no more than their tensor, matrix, rows and columns run tensor after tensor
// where tensors are small, and leave the bits that they leave one after the other.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/runtime/lined_spans_rule.h"

namespace talweg::tests {

namespace {

using Rule = LinedSpansRule;
using Calls = std::vector<Rule::Call>;
using Shapes = std::vector<std::vector<std::uint64_t>>;

// In float64 with four streams a tensor of up to 16,384 elements is small; those of up to 1,024,
// with their rows and columns, may share a block.
const std::vector<std::uint64_t> kLarge{300, 200};

const std::vector<Shapes>& mixes() {
  static const std::vector<Shapes> all = {
      {{70, 60}, {70, 60}, {130, 100}},
      {{},
       {7},
       {5, 3},
       {3, 4, 5},
       {0, 4},
       {3, 0, 2},
       {2, 3, 4, 5},
       {4, 1, 6},
       {1, 1},
       {1, 1, 1, 1}},
      {{1, 9000}, {9000, 1}, {128, 128}, {16385, 1}, {1, 16385}, {3, 64, 80}, {9000}},
      {kLarge, {100, 90}, {2, 2}, {2}, kLarge, {}, {0, 3}, {3, 130, 100}, {20, 10}},
      {kLarge, kLarge},
      {{0, 0}, {5, 0}},
      Shapes(2000, {4, 4}),
      {{200, 70},
       {40000},
       {1},
       {6, 20, 100},
       {2, 300},
       {300},
       {300, 2},
       {700, 100},
       {64, 3},
       {65, 3}},
      {}};
  return all;
}

struct Model : FakeModel<double> {
  Shapes shapes;
  double no_elements = 0;  // a tensor without takes part where its gradient has an address

  explicit Model(const Shapes& of) : FakeModel<double>(sizes(of)), shapes(of) {}

  static std::vector<std::size_t> sizes(const Shapes& shapes) {
    std::vector<std::size_t> result;
    for (const auto& shape : shapes) {
      result.push_back(1);
      for (const std::uint64_t n : shape) result.back() *= n;
    }
    return result;
  }
  std::vector<const void*> gradients() const {
    auto result = FakeModel<double>::gradients();
    std::replace(result.begin(), result.end(), static_cast<const void*>(nullptr),
                 static_cast<const void*>(&no_elements));
    return result;
  }
};

optimizer::Optimizer make(const Rule& rule, Model& model, std::uint32_t threads = 0) {
  auto pool = threads > 0 ? std::make_shared<support::ThreadPool>(threads) : nullptr;
  std::vector<optimizer::Tensor> tensors = model.tensors();
  for (std::size_t t = 0; t < tensors.size(); ++t) tensors[t].shape = model.shapes[t];
  auto made = optimizer::Optimizer::create(rule.image, nullptr, tensors, 1, std::move(pool));
  if (!made) throw std::runtime_error(made.failure().message);
  return *std::move(made);
}

/// What some steps leave: whole ones, held, skipped and refused, with gradients missing.
std::string after_steps(bool is_divided, bool waits, const Shapes& shapes, std::uint32_t threads) {
  Rule rule;
  if (is_divided) rule.divide();
  rule.phases[0].says_regrad = waits ? 1 : 0;
  Model model(shapes);
  auto optimizer = make(rule, model, threads);
  return after_mixed_steps(rule, optimizer, model, waits, [&](bool first, bool second) {
    rule.keeps = {first, second, first, second};
  });
}

/// The first span for some tensors that are a block, or one large one.
Calls first_span(std::uint32_t first, std::uint32_t last) {
  Calls calls;
  for (const auto& [kind, phase] : std::vector<std::pair<char, std::uint32_t>>{{'l', 0},
                                                                               {'p', 0},
                                                                               {'t', 1},
                                                                               {'m', 1},
                                                                               {'r', 1},
                                                                               {'c', 1},
                                                                               {'l', 1},
                                                                               {'t', 2},
                                                                               {'m', 2},
                                                                               {'r', 2},
                                                                               {'c', 2},
                                                                               {'p', 2}})
    calls.push_back({kind, phase, first, last});
  return calls;
}

}  // namespace

TEST_CASE("a small tensor with matrices runs through a span before the next begins") {
  Rule rule;
  Model model({{70, 60}, {5, 10}, {20}, {128, 128}, kLarge, {2, 3}});
  auto optimizer = make(rule, model);
  REQUIRE(optimizer.step(model.gradients()));
  Calls expected = first_span(0, 0);
  for (Rule::Call call : first_span(1, 2)) {
    // Tensor 2 has no lines.
    if (call.kind != 'p' && call.kind != 't') call.last_tensor = 1;
    expected.push_back(call);
  }
  for (const auto& [first, last] : {std::pair{3U, 3U}, std::pair{5U, 5U}, std::pair{4U, 4U}})
    for (const Rule::Call& call : first_span(first, last)) expected.push_back(call);
  const Calls second = {{'r', 3, 0, 0}, {'p', 3, 0, 0}, {'m', 4, 0, 0}, {'c', 4, 0, 0},
                        {'p', 4, 0, 0}, {'r', 3, 1, 1}, {'p', 3, 1, 2}};
  expected.insert(expected.end(), second.begin(), second.end());
  REQUIRE(rule.calls.size() > expected.size());
  CHECK((Calls(rule.calls.begin(),
               rule.calls.begin() + static_cast<std::ptrdiff_t>(expected.size())) == expected));
}

TEST_CASE("large tensors with matrices run phase by phase") {
  Rule rule;
  Model model({kLarge, {5, 10}, kLarge});
  auto optimizer = make(rule, model);
  REQUIRE(optimizer.step(model.gradients()));
  Calls expected = first_span(1, 1);
  const Calls zero = first_span(0, 0), two = first_span(2, 2);
  for (std::size_t i = 0; i < zero.size(); ++i) {
    expected.push_back(zero[i]);
    expected.push_back(two[i]);
  }
  REQUIRE(rule.calls.size() > expected.size());
  CHECK((Calls(rule.calls.begin(),
               rule.calls.begin() + static_cast<std::ptrdiff_t>(expected.size())) == expected));
}

TEST_CASE("what divides a span of a rule with matrices") {
  const auto is_joined = [&](const auto& change) {
    Rule rule;
    change(rule);
    Model model({{70, 60}, {70, 60}});
    auto optimizer = make(rule, model);
    REQUIRE(optimizer.step(model.gradients()));
    return rule.calls[0] == Rule::Call{'l', 0, 0, 0};
  };
  CHECK(is_joined([](Rule&) {}));
  CHECK_FALSE(is_joined([](Rule& r) { r.divide(); }));
  // A row's reduction to the model.
  CHECK_FALSE(is_joined([](Rule& r) {
    r.reductions[Rule::kTensorPeak].phase = 1;
    r.reductions[Rule::kTensorPeak].rate = TALWEG_RATE_MODEL;
  }));
  CHECK_FALSE(is_joined([](Rule& r) { r.phases[0].says_regrad = 1; }));
}

TEST_CASE("spans of rules with matrices change no bit, on any number of threads") {
  const std::size_t mix = GENERATE(range(std::size_t{0}, std::size_t{9}));
  const bool waits = GENERATE(false, true);
  INFO("mix " << mix);
  const std::string expected = after_steps(true, waits, mixes()[mix], 0);
  for (const std::uint32_t threads : {0U, 1U, 2U, 3U, 7U, 16U})
    CHECK((after_steps(false, waits, mixes()[mix], threads) == expected));
}

}  // namespace talweg::tests
