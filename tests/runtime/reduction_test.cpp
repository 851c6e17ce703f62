// What reductions range over, and in which order: against partial results made here, chunk by
// chunk, and folded as their definition says.
#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/optimizer/fold.h"
#include "tests/runtime/phased_rule.h"

namespace talweg::tests {
namespace {

using Rule = PhasedRule;

double fold(talweg_fold how, const std::vector<double>& values) {
  return talweg_fold_sequence(how, values.data(), static_cast<std::uint32_t>(values.size()));
}

/// The squares of a tensor's gradient, a number a chunk.
std::vector<double> chunk_squares(const std::vector<double>& grad) {
  std::vector<double> partials;
  for (std::size_t i = 0; i < grad.size(); ++i) {
    if (i % TALWEG_CHUNK_ELEMENTS == 0) partials.push_back(0);
    partials.back() += grad[i] * grad[i];
  }
  return partials;
}

const std::vector<std::size_t> kSizes{3, 70000, 0, 16384, 5, 200001, 16385, 1};
const std::vector<std::uint32_t> kGroups{0, 1, 0, 3, 0, 1, 3, 3};  // group 2 has none
const std::vector<std::size_t> kBiases{3, 7};

bool is_bias(std::size_t t) { return t == 3 || t == 7; }

struct Run {
  Rule rule;
  FakeModel<double> model{kSizes};
  optimizer::Optimizer optimizer;

  explicit Run(std::uint32_t threads = 0)
      : optimizer(make_optimizer(rule.image, phased_tensors(model, kGroups, kBiases), 4, threads)) {
    REQUIRE(optimizer.set_hyper("lr", 0.25, 1));
  }
};

/// One value for each tensor, the fold's start where `takes_part` says no.
template <class TakesPart, class Value>
std::vector<double> each_tensor(talweg_fold how, TakesPart takes_part, Value value) {
  std::vector<double> values;
  for (std::size_t t = 0; t < kSizes.size(); ++t)
    values.push_back(takes_part(t) ? value(t) : talweg_fold_start(how));
  return values;
}

}  // namespace

TEST_CASE("reductions range over chunks, tensors and groups in their order") {
  Run run;
  const auto missing =
      GENERATE(std::vector<std::size_t>{}, std::vector<std::size_t>{1, 7},
               std::vector<std::size_t>{0, 2, 4}, std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7});
  // Results of an earlier step, in which all took part, are no part of this one's.
  REQUIRE(run.optimizer.step(run.model.gradients()));
  std::vector<double> scales;
  for (std::size_t t = 0; t < kSizes.size(); ++t)
    scales.push_back(*run.optimizer.tensor_scalar("scale", t));
  auto gradients = run.model.gradients();
  for (const std::size_t t : missing) gradients[t] = nullptr;
  // An empty vector has no address: a tensor without elements needs one to take part.
  const double stand_in = 0;
  if (missing.empty()) gradients[2] = &stand_in;
  run.rule.seen_by_groups.clear();
  const double total = *run.optimizer.scalar("total");
  optimizer::StepInputs inputs;
  inputs.group = {{"heat", {1, 2, 4, 8}}};
  inputs.tensor = {{"boost", {9, 8, 7, -1, 6, 5, 4, -2}}};
  REQUIRE(run.optimizer.step(gradients, inputs));

  const auto takes_part = [&](std::size_t t) { return gradients[t] != nullptr; };
  const auto is_solid = [&](std::size_t t) { return takes_part(t) && !is_bias(t); };
  const auto squares = [&](std::size_t t) {
    return fold(TALWEG_FOLD_SUM, chunk_squares(run.model.grads[t]));
  };
  const auto& seen = run.rule.seen_by_model;
  double elements = 0;
  for (std::size_t t = 0; t < kSizes.size(); ++t)
    if (takes_part(t)) elements += static_cast<double>(kSizes[t]);
  CHECK(seen[Rule::kElements] == elements);
  CHECK(seen[Rule::kSquares] ==
        fold(TALWEG_FOLD_SUM, each_tensor(TALWEG_FOLD_SUM, is_solid, squares)));
  CHECK(*run.optimizer.hyper("norm") == std::sqrt(seen[Rule::kSquares]));
  CHECK(seen[Rule::kLowest] ==
        fold(TALWEG_FOLD_MIN, each_tensor(TALWEG_FOLD_MIN, is_solid, [&](std::size_t t) {
               return inputs.tensor[0].second[t];
             })));

  std::vector<double> heats;
  double groups = 0;
  std::size_t next = 0;
  for (std::uint32_t g = 0; g < 4; ++g) {
    const auto is_member = [&](std::size_t t) { return takes_part(t) && kGroups[t] == g; };
    const double its_squares =
        fold(TALWEG_FOLD_SUM, each_tensor(TALWEG_FOLD_SUM, is_member, squares));
    double members = 0;
    for (std::size_t t = 0; t < kSizes.size(); ++t) members += is_member(t) ? 1 : 0;
    heats.push_back(members > 0 ? its_squares + inputs.group[0].second[g] : 0);
    groups += members > 0 ? 1 : 0;
    if (g == 2) continue;
    REQUIRE(next < run.rule.seen_by_groups.size());
    const auto& row = run.rule.seen_by_groups[next++];
    CHECK(row[Rule::kGroupSquares] == its_squares);
    CHECK(row[Rule::kMembers] == members);
    CHECK(row[Rule::kGroupScales] ==
          fold(TALWEG_FOLD_SUM,
               each_tensor(TALWEG_FOLD_SUM, is_member, [&](std::size_t t) { return scales[t]; })));
    CHECK(row[Rule::kSquares] == seen[Rule::kSquares]);  // groups see the model's
  }
  CHECK(seen[Rule::kGroups] == groups);
  CHECK(seen[Rule::kHeats] == fold(TALWEG_FOLD_SUM, heats));
  CHECK(*run.optimizer.scalar("total") == total + seen[Rule::kHeats]);
}

TEST_CASE("each tensor sees its own reduction") {
  Run run;
  auto gradients = run.model.gradients();
  gradients[4] = nullptr;
  REQUIRE(run.optimizer.step(gradients));
  for (std::size_t t = 0; t < kSizes.size(); ++t) {
    const double initial = kGroups[t] == 1 ? 0.25 : 0.5;
    double peak = -std::numeric_limits<double>::infinity();
    for (const double grad : run.model.grads[t]) peak = std::max(peak, std::fabs(grad));
    const bool takes_part = gradients[t] != nullptr;
    CHECK(*run.optimizer.tensor_scalar("scale", t) == (takes_part ? initial / 2 + peak : initial));
  }
}

TEST_CASE("the number of threads changes no bit of a reduction") {
  std::string expected;
  for (std::uint32_t threads = 1; threads <= 8; ++threads) {
    Run run(threads);
    auto gradients = run.model.gradients();
    for (int step = 0; step < 3; ++step) {
      gradients[1] = step == 1 ? nullptr : run.model.grads[1].data();
      REQUIRE(run.optimizer.step(gradients));
    }
    std::string bits = snapshot(run.optimizer, run.model);
    bits.append(reinterpret_cast<const char*>(run.rule.seen_by_model.data()),
                sizeof run.rule.seen_by_model);
    if (expected.empty()) expected = bits;
    CHECK(bits == expected);
  }
}

TEST_CASE("functions of very many tensors run in parts, with the same bits") {
  constexpr std::size_t kTensors = 5000;
  std::string expected;
  for (const std::uint32_t threads : {0U, 1U, 3U, 8U}) {
    Rule rule;
    FakeModel<double> model(std::vector<std::size_t>(kTensors, 2));
    std::vector<std::uint32_t> groups;
    for (std::size_t t = 0; t < kTensors; ++t)
      groups.push_back(static_cast<std::uint32_t>(t * 7919 % 11));
    auto optimizer = make_optimizer(rule.image, phased_tensors(model, groups), 11, threads);
    for (int step = 0; step < 2; ++step) REQUIRE(optimizer.step(model.gradients()));
    CHECK(rule.tensor_calls[0] == static_cast<int>(2 * std::max(threads, 1U)));
    std::string bits = snapshot(optimizer, model);
    for (const auto& row : rule.seen_by_groups)
      bits.append(reinterpret_cast<const char*>(row.data()), sizeof row);
    if (expected.empty()) expected = bits;
    CHECK(bits == expected);
    double members = 0;
    for (std::size_t g = 0; g < 11; ++g) members += rule.seen_by_groups[g][Rule::kMembers];
    CHECK(members == kTensors);
  }
}

TEST_CASE("reductions that cannot be are refused") {
  const auto refusal = [](auto change) {
    Rule rule;
    change(rule.reductions[Rule::kSquares]);
    FakeModel<double> model({3});
    return refusal_of(rule.image, phased_tensors(model, {0}));
  };
  const std::string image = "the image of rule `Phased` has a reduction ";
  CHECK(refusal([](auto&) {}) == "no failure");
  CHECK(refusal([](auto& r) { r.fold = 3; }) == image + "that cannot be");
  CHECK(refusal([](auto& r) { r.source = 3; }) == image + "that cannot be");
  CHECK(refusal([](auto& r) { r.rate = TALWEG_RATE_ROW; }) == image + "that cannot be");
  CHECK(refusal([](auto& r) {
          r.rate = TALWEG_RATE_TENSOR;
          r.source = TALWEG_FROM_TENSORS;
        }) == image + "that cannot be");
  CHECK(refusal([](auto& r) {
          r.rate = TALWEG_RATE_GROUP;
          r.source = TALWEG_FROM_GROUPS;
        }) == image + "that cannot be");
  CHECK(refusal([](auto& r) {
          r.counts = 1;
          r.fold = TALWEG_FOLD_MAX;
        }) == image + "that cannot be");
  CHECK(refusal([](auto& r) { r.phase = 3; }) == image + "without a phase or a domain");
  CHECK(refusal([](auto& r) { r.domain = 1; }) == image + "without a phase or a domain");
  CHECK(refusal([](auto& r) { r.phase = 0; }) == image + "of what nobody leaves");
  CHECK(refusal([](auto& r) { r.partial = 2; }) == image + "of what nobody leaves");
}

}  // namespace talweg::tests
