// A view made by hand that reduces, of a rule whose step does not: tables as wide as the view
// needs, over which tensors it ranges, and what it leaves alone.
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <memory>

#include "tests/runtime/fake_rule.h"

using namespace talweg;
using namespace talweg::tests;

namespace {

/// The fake rule with `view scaled = param * (sum(param + start) per tensor + max(sum(floor) per
/// tensor) per group + sum(t) per model)`. Of what it folds it keeps the wrong partial first, and
/// its scalar functions see the right ones under their own numbers.
struct RuleThatReduces {
  enum Reduction { kOwn, kFloors, kModel, kGroup, kCount };
  FakeRule<double> rule;
  std::array<talweg_phase, 3> phases{};
  std::array<talweg_reduction_info, kCount> reductions{};
  talweg_view_info view{};

  RuleThatReduces() {
    const auto info = [](talweg_reduction_source source, talweg_rate rate, std::uint32_t phase,
                         talweg_fold fold, std::uint32_t partial) {
      return talweg_reduction_info{.fold = static_cast<std::uint8_t>(fold),
                                   .source = static_cast<std::uint8_t>(source),
                                   .rate = static_cast<std::uint8_t>(rate),
                                   .counts = 0,
                                   .phase = phase,
                                   .partial = partial,
                                   .domain = UINT32_MAX,
                                   .blocks = UINT32_MAX};
    };
    reductions[kOwn] = info(TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 1, TALWEG_FOLD_SUM, 1);
    reductions[kFloors] = info(TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 1, TALWEG_FOLD_SUM, 0);
    reductions[kModel] = info(TALWEG_FROM_GROUPS, TALWEG_RATE_MODEL, 1, TALWEG_FOLD_SUM, 2);
    reductions[kGroup] = info(TALWEG_FROM_TENSORS, TALWEG_RATE_GROUP, 2, TALWEG_FOLD_MAX, 1);
    phases[0].pass = fold;
    phases[0].group_scalars = [](void*, const talweg_scalar_args* args) {
      args->partials[2] = args->step_number + 1;
    };
    phases[1].tensor_scalars = [](void*, const talweg_pass_args* args, std::uint32_t begin,
                                  std::uint32_t end) {
      for (std::uint32_t t = begin; t < end; ++t) {
        args->tensor_partials[args->tensor_count + t] = args->tensor_reduced[t * kCount + kFloors];
        args->tensor_slots[2 * t + 1].f64 = args->tensor_reduced[t * kCount + kOwn];
      }
    };
    phases[2].group_scalars = [](void*, const talweg_scalar_args* args) {
      args->group_slots[3].f64 = args->reduced[kGroup] + args->reduced[kModel];
    };
    phases[2].pass = scale;
    view.name = "scaled";
    talweg_kernels& kernels = view.kernels;
    kernels.self = this;
    kernels.phases = phases.data();
    kernels.phase_count = phases.size();
    kernels.reductions = reductions.data();
    kernels.reduction_count = kCount;
    kernels.group_slot_count = 4;
    kernels.tensor_slot_count = kernels.chunk_partial_count = kernels.tensor_partial_count = 2;
    kernels.group_partial_count = 3;
    kernels.origin_stream = UINT32_MAX;
    rule.image.views = &view;
    rule.image.view_count = 1;
  }
  RuleThatReduces(const RuleThatReduces&) = delete;
  RuleThatReduces& operator=(const RuleThatReduces&) = delete;

  static void fold(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    for_chunks(args, FakeRule<double>::kStreams, begin, end, [&](const PassChunk& chunk) {
      double floors = 0, all = 0;
      for (std::uint32_t e = 0; e < chunk.count; ++e) {
        floors += chunk.stream<double>(4)[e];
        all += chunk.stream<double>(0)[e] + chunk.stream<double>(3)[e];
      }
      args->chunk_partials[chunk.index] = floors;
      args->chunk_partials[args->chunk_count + chunk.index] = all;
    });
  }

  static void scale(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    for_chunks(args, FakeRule<double>::kStreams, begin, end, [&](const PassChunk& chunk) {
      const double factor =
          args->tensor_slots[2 * chunk.tensor + 1].f64 +
          args->group_slots[4 * std::size_t{args->tensor_groups[chunk.tensor]} + 3].f64;
      double* param = chunk.stream<double>(0);
      for (std::uint32_t e = 0; e < chunk.count; ++e) param[e] *= factor;
    });
  }
};

/// Small whole numbers: sums are exact in any order.
FakeModel<double> whole_numbers(const std::vector<std::size_t>& sizes) {
  FakeModel<double> model(sizes);
  for (auto& param : model.params)
    for (std::size_t i = 0; i < param.size(); ++i) param[i] = static_cast<double>(i % 7) - 2;
  for (auto& grad : model.grads) std::fill(grad.begin(), grad.end(), 4.0);
  return model;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

const std::vector<std::size_t> kSizes = {5, 40000, 0, 3, 70000};
const std::vector<std::uint32_t> kGroups = {0, 1, 1, 1, 0};

std::vector<std::vector<double>> read(optimizer::Optimizer& optimizer,
                                      const FakeModel<double>& model,
                                      const std::vector<std::size_t>& asked) {
  std::vector<std::vector<double>> values(model.params.size());
  std::vector<void*> outs(values.size(), nullptr);
  for (const std::size_t t : asked) {
    values[t].resize(model.params[t].size(), -7);
    outs[t] = values[t].data();
  }
  REQUIRE(optimizer.read_view("scaled", outs));
  return values;
}

}  // namespace

TEST_CASE("a view reduces over all tensors, in tables as wide as it needs") {
  const std::uint32_t threads = GENERATE(0U, 1U, 3U);
  RuleThatReduces rule;
  FakeModel<double> model = whole_numbers(kSizes);
  auto optimizer = make_optimizer(rule.rule, model, kGroups, 2, threads);
  REQUIRE(optimizer.set_hyper("lr", 0.25, 1));
  for (const std::vector<std::size_t>& asked :
       {std::vector<std::size_t>{0, 1, 2, 3, 4}, {3}, {0, 2}, {}}) {
    const std::string before = snapshot(optimizer, model);
    const auto values = read(optimizer, model, asked);
    CHECK(snapshot(optimizer, model) == before);
    for (const std::size_t t : asked) {
      // Before the first step `start` is param and `floor` is lr.
      const double largest = kGroups[t] == 0 ? 70000 * 0.5 : 40000 * 0.25;
      const double factor = 2 * sum(model.params[t]) + largest + 2 * 1;
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < values[t].size(); ++i)
        wrong += values[t][i] != model.params[t][i] * factor;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("no gradient decides about what a view reduces") {
  RuleThatReduces rule;
  FakeModel<double> model = whole_numbers({5, 4, 3});
  const auto origin = model.params;
  auto optimizer = make_optimizer(rule.rule, model, {0, 0, 0}, 1, 2);
  auto gradients = model.gradients();
  gradients[0] = nullptr;
  REQUIRE(optimizer.step(gradients));
  const auto values = read(optimizer, model, {0, 1, 2});
  // Tensor 0 has not begun: its `floor` is lr. Those of the others had one step.
  const double largest = std::max({5 * 0.5, 4 * 1.5, 3 * 1.5});
  for (std::size_t t = 0; t < 3; ++t)
    for (std::size_t i = 0; i < values[t].size(); ++i)
      CHECK(values[t][i] ==
            model.params[t][i] * (sum(model.params[t]) + sum(origin[t]) + largest + 2));
}

TEST_CASE("a view that reduces is swapped in whole, and steps go on as if it had not been") {
  RuleThatReduces rule, same;
  FakeModel<double> model = whole_numbers(kSizes), other = whole_numbers(kSizes);
  auto optimizer = make_optimizer(rule.rule, model, kGroups, 2, 3);
  auto plain = make_optimizer(same.rule, other, kGroups, 2, 3);
  for (int step = 0; step < 3; ++step) {
    auto gradients = model.gradients();
    if (step == 1) gradients[1] = nullptr;
    const auto expected = read(optimizer, model, {0, 1, 2, 3, 4});
    const std::string before = snapshot(optimizer, model);
    REQUIRE(optimizer.swap_in("scaled"));
    CHECK(model.params == expected);
    REQUIRE(optimizer.swap_out());
    CHECK(snapshot(optimizer, model) == before);
    REQUIRE(optimizer.step(gradients));
    REQUIRE(plain.step(gradients));
    REQUIRE(snapshot(optimizer, model) == snapshot(plain, other));
  }
}
