// States of which each tensor has one number: when they begin, who keeps them, and who sees them.
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/runtime/phased_rule.h"

namespace talweg::tests {
namespace {

using Rule = PhasedRule;

double peak_of(const std::vector<double>& grad) {
  double peak = -std::numeric_limits<double>::infinity();
  for (const double g : grad) peak = std::max(peak, std::fabs(g));
  return peak;
}

}  // namespace

TEST_CASE("a tensor's state begins when the tensor first takes part, from its group's hypers") {
  Rule rule;
  FakeModel<double> model({3, 4});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {0, 1}), 2);
  REQUIRE(optimizer.set_hyper("lr", 0.125, 1));
  CHECK(*optimizer.tensor_scalar("scale", 0) == 0.5);
  CHECK(*optimizer.tensor_scalar("scale", 1) == 0.125);
  CHECK(*optimizer.tensor_scalar("steady", 1) == 2);
  auto gradients = model.gradients();
  gradients[1] = nullptr;
  REQUIRE(optimizer.step(gradients));
  const double first = 0.25 + peak_of(model.grads[0]);
  CHECK(*optimizer.tensor_scalar("scale", 0) == first);
  CHECK(*optimizer.tensor_scalar("steady", 0) == 3);
  CHECK(*optimizer.tensor_scalar("steady", 1) == 2);
  REQUIRE(optimizer.set_hyper("lr", 8));
  CHECK(*optimizer.tensor_scalar("scale", 0) == first);
  CHECK(*optimizer.tensor_scalar("scale", 1) == 8);
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(*optimizer.tensor_scalar("scale", 0) == first / 2 + peak_of(model.grads[0]));
  CHECK(*optimizer.tensor_scalar("scale", 1) == 4 + peak_of(model.grads[1]));
  REQUIRE(optimizer.reset());
  CHECK(*optimizer.tensor_scalar("scale", 0) == 8);
  CHECK(*optimizer.tensor_scalar("steady", 0) == 2);
}

TEST_CASE("the list of persistent data has the states of those tensors that keep them") {
  Rule rule;
  FakeModel<double> model({3, 0});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}, {1}));
  std::vector<std::string> names;
  for (const auto& entry : optimizer.persistent()) {
    names.push_back(entry.name);
    if (entry.name.rfind("m/", 0) == 0) continue;
    CHECK(entry.shape.empty());
    CHECK(entry.dtype == TALWEG_F64);
    CHECK(entry.data != nullptr);
  }
  CHECK(names == std::vector<std::string>{"t", "calls", "m/w0", "m/w1.bias", "total", "scale/w0",
                                          "scale/w1.bias", "steady/w0", "@begun/m/w0",
                                          "@begun/m/w1.bias", "@begun/scale/w0",
                                          "@begun/scale/w1.bias"});
  CHECK(failure(optimizer.tensor_scalar("steady", 1)) ==
        "tensor `w1.bias` does not keep state `steady`: it takes another arm of a `when`");
  CHECK(failure(optimizer.tensor_scalar("scale", 2)) == "there is no tensor 2");
  CHECK(failure(optimizer.tensor_scalar("total", 0)).find("has no tensor state `total`") !=
        std::string::npos);
  CHECK(failure(optimizer.scalar("scale")).find("has no scalar state or bound hyper `scale`") !=
        std::string::npos);
  CHECK(failure(optimizer.state("scale", 0)).find("has no element state `scale`") !=
        std::string::npos);
}

TEST_CASE("persistent data carries a run on in another optimizer") {
  Rule rule;
  const std::vector<std::size_t> sizes{3, 20000, 5};
  FakeModel<double> model(sizes), other(sizes);
  auto first = make_optimizer(rule.image, phased_tensors(model, {0, 1, 1}, {2}), 2);
  auto gradients = model.gradients();
  gradients[2] = nullptr;
  REQUIRE(first.step(gradients));
  auto second = make_optimizer(rule.image, phased_tensors(other, {0, 1, 1}, {2}), 2);
  const auto from = first.persistent();
  const auto to = second.persistent();
  REQUIRE(from.size() == to.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t bytes = sizeof(double);
    for (const std::uint64_t n : from[i].shape) bytes *= n;
    std::memcpy(to[i].data, from[i].data, bytes);
  }
  other.params = model.params;  // into the same memory
  for (int step = 0; step < 2; ++step) {
    REQUIRE(first.step(model.gradients()));
    REQUIRE(second.step(other.gradients()));
  }
  CHECK(snapshot(second, other) == snapshot(first, model));
}

TEST_CASE("a view sees the states of tensors, as they would begin") {
  static constexpr std::size_t kSlots = 2000;  // the step has one
  Rule rule;
  const talweg_phase phase{
      nullptr,
      nullptr,
      [](void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
        for (std::size_t t = begin; t < end; ++t)
          args->tensor_slots[kSlots * t + kSlots - 1].f64 =
              args->tensor_states[t * Rule::kStateCount + 2];
      },
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      [](void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
        for_chunks(args, Rule::kStreams, begin, end, [&](const PassChunk& chunk) {
          std::fill_n(chunk.stream<double>(TALWEG_STREAM_PARAM), chunk.count,
                      args->tensor_slots[kSlots * chunk.tensor + kSlots - 1].f64);
        });
      },
      0,
      0,
      0};
  talweg_view_info view{};
  view.name = "scales";
  view.kernels.phases = &phase;
  view.kernels.phase_count = 1;
  view.kernels.origin_stream = UINT32_MAX;
  view.kernels.tensor_slot_count = kSlots;
  rule.image.views = &view;
  rule.image.view_count = 1;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {0, 1}), 2, 2);
  REQUIRE(optimizer.set_hyper("lr", 0.125, 1));
  std::vector<double> out(20000);
  REQUIRE(optimizer.read_view("scales", 1, out.data()));
  CHECK(out == std::vector<double>(20000, 0.125));
  auto gradients = model.gradients();
  gradients[0] = nullptr;
  REQUIRE(optimizer.step(gradients));
  const std::string before = snapshot(optimizer, model);
  REQUIRE(optimizer.read_view("scales", 1, out.data()));
  CHECK(out.front() == *optimizer.tensor_scalar("scale", 1));
  REQUIRE(optimizer.read_view("scales", 0, out.data()));
  CHECK(out.front() == 0.5);
  CHECK(snapshot(optimizer, model) == before);
}

TEST_CASE("the code of an initial value may compute something for each tensor") {
  Rule rule;
  rule.states[Rule::kM].initial = TALWEG_INITIAL_KERNELS;
  // m = param * rank + lr
  const talweg_phase phase{
      nullptr,
      [](void*, const talweg_scalar_args* args) {
        args->group_slots[0].f64 = args->hypers[Rule::kLr];
      },
      [](void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
        for (std::size_t t = begin; t < end; ++t)
          args->tensor_slots[t].f64 = args->tensor_facts[t * Rule::kFactCount + Rule::kRank];
      },
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      [](void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
        for (std::size_t c = begin; c < end; ++c) {
          const talweg_chunk& chunk = args->chunks[c];
          const std::size_t t = chunk.tensor_index;
          auto* state =
              static_cast<double*>(args->pointers[Rule::kStreams * t]) + chunk.first_element;
          for (std::uint32_t e = 0; e < chunk.element_count; ++e)
            state[e] = state[e] * args->tensor_slots[t].f64 +
                       args->group_slots[args->tensor_groups[t]].f64;
        }
      },
      0,
      0,
      0};
  std::array<talweg_kernels, Rule::kStateCount> kernels{};
  kernels[Rule::kM].phases = &phase;
  kernels[Rule::kM].phase_count = 1;
  kernels[Rule::kM].origin_stream = UINT32_MAX;
  kernels[Rule::kM].group_slot_count = kernels[Rule::kM].tensor_slot_count = 1;
  rule.image.initial_kernels = kernels.data();
  FakeModel<double> model({3, 20000});
  const FakeModel<double> before = model;
  auto tensors = phased_tensors(model, {0, 1});
  tensors[1].shape = {100, 200};
  auto optimizer = make_optimizer(rule.image, tensors, 2, 2);
  REQUIRE(optimizer.set_hyper("lr", 0.125, 1));
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(state_at<double>(optimizer, "m", 0, 2) ==
        before.params[0][2] + 0.5 + 2 * before.grads[0][2]);
  CHECK(state_at<double>(optimizer, "m", 1, 19999) ==
        before.params[1][19999] * 2 + 0.125 + 2 * before.grads[1][19999]);
}

}  // namespace talweg::tests
