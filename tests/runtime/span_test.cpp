// Phases that wait for no more than their tensor run tensor after tensor where tensors are small,
// and leave the bits that they leave one after the other.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/runtime/c_optimizer.h"
#include "tests/runtime/spanned_rule.h"

namespace talweg::tests {

namespace {

using Rule = SpannedRule;
using Calls = std::vector<Rule::Call>;

// In float64 with four streams a tensor of up to 16,384 elements is small; of more than 1,024 no
// two are in a block.
constexpr std::size_t kLarge = 100'000;

optimizer::Optimizer make_spanned(const Rule& rule, FakeModel<double>& model,
                                  std::uint32_t threads = 0) {
  return make_optimizer(rule.image, model.tensors(), 1, threads);
}

const std::vector<std::vector<std::size_t>>& mixes() {
  static const std::vector<std::vector<std::size_t>> all = {
      {5000, 5000, 5000},
      {3, 0, 700, 16384, 16385, 1},
      {kLarge, 9000, 2, 2, kLarge, 16384, 0},
      {kLarge, kLarge},
      {0, 0},
      std::vector<std::size_t>(3000, 16),
      {20000, 20000, 1, 12000, 12000, 12000, 12000, 12000, 300, 300, 300, 70000},
      {}};
  return all;
}

/// What some steps leave, and how often tensor functions saw a tensor.
std::string after_steps(bool is_divided, bool waits, const std::vector<std::size_t>& sizes,
                        std::uint32_t threads) {
  Rule rule;
  if (is_divided) rule.divide();
  rule.phases[0].says_regrad = waits ? 1 : 0;
  FakeModel<double> model(sizes);
  auto optimizer = make_spanned(rule, model, threads);
  // No pass of phase 4 is for `last`.
  std::string all = after_mixed_steps(rule, optimizer, model, waits, [&](bool first, bool second) {
    rule.keeps = {first, second};
  });
  for (const auto& seen : rule.tensors_seen) all += " " + std::to_string(seen);
  return all;
}

}  // namespace

TEST_CASE("a small tensor runs through a span before the next begins") {
  Rule rule;
  FakeModel<double> model({5000, 10, 20, 16384, kLarge, 7});
  auto optimizer = make_spanned(rule, model);
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(rule.passes == Calls{{0, 0, 0}, {1, 0, 0}, {2, 0, 0},                        // alone
                             {0, 1, 2}, {1, 1, 2}, {2, 1, 2},                        // together
                             {0, 3, 3}, {1, 3, 3}, {2, 3, 3},                        // at the limit
                             {0, 5, 5}, {1, 5, 5}, {2, 5, 5},                        // behind
                             {0, 4, 4}, {1, 4, 4}, {2, 4, 4},                        // large
                             {3, 0, 0}, {4, 0, 0}, {3, 1, 2}, {4, 1, 2}, {3, 3, 3},  // next span
                             {4, 3, 3}, {3, 5, 5}, {4, 5, 5}, {3, 4, 4}, {4, 4, 4}});
  // The first pass finds nothing in cache that a round over all tensors drives out, the next what
  // the first has left there.
  CHECK(rule.rounds[0] > 5000 + 10 + 20 + 16384 + 7);
  CHECK(rule.rounds[1] < 6000);
  CHECK(rule.rounds[12] >= kLarge);
}

TEST_CASE("large tensors run phase by phase, all of them in each") {
  Rule rule;
  FakeModel<double> model({kLarge, 10, kLarge});
  auto optimizer = make_spanned(rule, model);
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(Calls(rule.passes.begin(), rule.passes.begin() + 9) == Calls{{0, 1, 1},
                                                                     {1, 1, 1},
                                                                     {2, 1, 1},
                                                                     {0, 0, 0},
                                                                     {0, 2, 2},
                                                                     {1, 0, 0},
                                                                     {1, 2, 2},
                                                                     {2, 0, 0},
                                                                     {2, 2, 2}});
}

TEST_CASE("where no tensor is small, phases run as if there were no spans") {
  Rule rule;
  FakeModel<double> model({kLarge, kLarge});
  auto optimizer = make_spanned(rule, model);
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(rule.passes == Calls{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}});
}

TEST_CASE("tensors without gradient are in no span") {
  Rule rule;
  FakeModel<double> model({10, 5000, 20, kLarge});
  auto optimizer = make_spanned(rule, model);
  auto gradients = model.gradients();
  gradients[1] = gradients[3] = nullptr;
  REQUIRE(optimizer.step(gradients));
  CHECK(Calls(rule.passes.begin(), rule.passes.begin() + 6) ==
        Calls{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {0, 2, 2}, {1, 2, 2}, {2, 2, 2}});
  CHECK(rule.tensors_seen[1] == 2);
  // Of those that take part next: others are small, and again others large.
  rule.passes.clear();
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(rule.passes[0] == Rule::Call{0, 0, 0});
  CHECK(rule.passes[3] == Rule::Call{0, 1, 1});
  CHECK(std::ranges::count(rule.passes, Rule::Call{2, 3, 3}) == 1);
}

TEST_CASE("what divides a span") {
  const FakeModel<double> sizes({5000, 5000});
  // Whether the second pass sees the first tensor before the first pass sees the second.
  const auto is_joined = [&](const auto& change) {
    Rule rule;
    change(rule);
    FakeModel<double> model = sizes;
    auto optimizer = make_spanned(rule, model);
    REQUIRE(optimizer.step(model.gradients()));
    return rule.passes[0].last_tensor == 0;
  };
  const auto nothing = [](void*, const talweg_scalar_args*) {};
  CHECK(is_joined([](Rule&) {}));
  CHECK_FALSE(is_joined([&](Rule& r) { r.phases[1].group_scalars = nothing; }));
  CHECK_FALSE(is_joined([&](Rule& r) { r.phases[1].model_scalars = nothing; }));
  CHECK_FALSE(is_joined([](Rule& r) { r.phases[0].says_regrad = 1; }));
  CHECK(is_joined([](Rule& r) { r.reductions[Rule::kPeak].phase = 1; }));
  for (const auto rate : {TALWEG_RATE_MODEL, TALWEG_RATE_GROUP})
    CHECK_FALSE(is_joined([&](Rule& r) {
      r.reductions[Rule::kPeak].phase = 1;
      r.reductions[Rule::kPeak].rate = rate;
    }));
  CHECK_FALSE(is_joined([](Rule& r) { r.image.step.end_phase = 1; }));
}

TEST_CASE("spans change no bit, on any number of threads") {
  const std::size_t mix = GENERATE(range(std::size_t{0}, std::size_t{8}));
  const bool waits = GENERATE(false, true);
  INFO("mix " << mix);
  const std::string expected = after_steps(true, waits, mixes()[mix], 0);
  for (const std::uint32_t threads : {0U, 1U, 2U, 3U, 8U})
    CHECK((after_steps(false, waits, mixes()[mix], threads) == expected));
}

TEST_CASE("what threads share of small tensors is about equal") {
  Backwards parts;
  Rule rule;
  FakeModel<double> model(std::vector<std::size_t>(4000, 100));
  const auto tensors = model.tensors();
  COptimizer optimizer(rule.image, tensors, parts, 4);
  optimizer.step(model.gradients());
  // One of four threads for each span, and none for the phases in it.
  CHECK(parts.counts == std::vector<std::uint32_t>{4, 4});
  std::array<std::uint32_t, 4> by_part{};
  std::uint32_t part = 3;
  std::uint32_t last = UINT32_MAX;
  for (const Rule::Call& call : rule.passes) {
    if (call.phase != 0) continue;
    if (last != UINT32_MAX && call.first_tensor < last) --part;
    last = call.first_tensor;
    by_part[part] += call.last_tensor - call.first_tensor + 1;
  }
  for (const std::uint32_t tensors_of_part : by_part)
    CHECK((tensors_of_part > 900 && tensors_of_part < 1100));
}

}  // namespace talweg::tests
