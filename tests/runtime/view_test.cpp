// Views of a rule made by hand: read out, swapped in and back, and what is refused meanwhile.
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

#include "tests/runtime/fake_rule.h"

using namespace talweg;
using namespace talweg::tests;

namespace {

/// The fake rule with `view mixed = param * t + start * lr + floor` and `view same = param`. The
/// view keeps more slots than the step.
template <class T>
struct RuleWithViews {
  static constexpr std::uint32_t kSlots = 5;
  FakeRule<T> rule;
  talweg_phase mix_phase{nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                         nullptr, mix,     0,       0,       0};
  talweg_phase no_phase{};
  std::array<talweg_view_info, 2> views{};
  T seen_by_view = 0;          // `total`, as the view's model function sees it
  bool clears_needed = false;  // in the model function

  RuleWithViews() {
    talweg_kernels& kernels = views[0].kernels;
    views[0].name = "mixed";
    no_phase.pass = [](void*, const talweg_pass_args*, std::uint32_t, std::uint32_t) {};
    mix_phase.model_scalars = [](void* self, const talweg_scalar_args* args) {
      auto* owner = static_cast<RuleWithViews*>(self);
      owner->seen_by_view = static_cast<T>(args->states[kTotal]);
      for (std::uint32_t i = 0; owner->clears_needed && i < kInputCount; ++i) args->needed[i] = 0;
      put<T>(args->model_slots[kSlots - 1], args->step_number);
    };
    mix_phase.group_scalars = [](void*, const talweg_scalar_args* args) {
      put<T>(args->group_slots[kSlots - 1], args->hypers[kLr]);
    };
    kernels.phases = &mix_phase;
    kernels.self = this;
    kernels.phase_count = 1;
    kernels.origin_stream = views[1].kernels.origin_stream = UINT32_MAX;
    kernels.model_slot_count = kernels.group_slot_count = kSlots;
    views[1].name = "same";
    views[1].kernels.phases = &no_phase;
    views[1].kernels.phase_count = 1;
    rule.image.views = views.data();
    rule.image.view_count = 2;
  }
  RuleWithViews(const RuleWithViews&) = delete;
  RuleWithViews& operator=(const RuleWithViews&) = delete;

  static T mixed(T param, T t, T start, T lr, T floor) { return param * t + start * lr + floor; }

  static void mix(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    for_chunks(args, FakeRule<T>::kStreams, begin, end, [&](const PassChunk& chunk) {
      const T t = get<T>(args->model_slots[kSlots - 1]);
      const std::uint32_t group = args->tensor_groups[chunk.tensor];
      const T lr = get<T>(args->group_slots[kSlots * group + kSlots - 1]);
      T* const param = chunk.stream<T>(0);
      const T *const start = chunk.stream<T>(3), *const floor = chunk.stream<T>(4);
      for (std::uint32_t e = 0; e < chunk.count; ++e)
        param[e] = mixed(param[e], t, start[e], lr, floor[e]);
    });
  }
};

template <class T>
std::vector<std::vector<T>> read(optimizer::Optimizer& optimizer, const char* view,
                                 const FakeModel<T>& model) {
  std::vector<std::vector<T>> values;
  std::vector<void*> outs;
  for (const auto& param : model.params) values.emplace_back(param.size(), T{-7});
  for (auto& value : values) outs.push_back(value.data());
  const support::Status status = optimizer.read_view(view, outs);
  INFO((status ? std::string() : status.failure().message));
  REQUIRE(status);
  return values;
}

const std::string kSwapped = "view `mixed` is swapped in for the parameters: swap it out before ";

}  // namespace

TEMPLATE_TEST_CASE("before the first step a view sees states as they would begin", "", float,
                   double) {
  RuleWithViews<TestType> rule;
  FakeModel<TestType> model({3, 0, 20000});
  auto optimizer = make_optimizer(rule.rule, model, {0, 0, 1}, 2);
  REQUIRE(optimizer.set_hyper("lr", 0.25, 1));
  const std::string before = snapshot(optimizer, model);
  const auto values = read(optimizer, "mixed", model);
  for (const std::size_t t : {0u, 2u}) {
    const TestType lr = static_cast<TestType>(t == 0 ? 0.5 : 0.25);
    for (std::size_t i = 0; i < values[t].size(); ++i)
      REQUIRE(values[t][i] == rule.mixed(model.params[t][i], 0, model.params[t][i], lr, lr));
  }
  CHECK(rule.seen_by_view == 1);
  CHECK(snapshot(optimizer, model) == before);
  CHECK(optimizer.steps_completed() == 0);
}

TEMPLATE_TEST_CASE("after steps a view sees what they left, and t counts them", "", float, double) {
  RuleWithViews<TestType> rule;
  FakeModel<TestType> model({5, 4});
  const auto origin = model.params;
  auto optimizer = make_optimizer(rule.rule, model);
  auto gradients = model.gradients();
  gradients[1] = nullptr;  // never begins
  for (int step = 0; step < 3; ++step) REQUIRE(optimizer.step(gradients));
  const std::string before = snapshot(optimizer, model);
  const auto values = read(optimizer, "mixed", model);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(values[0][i] == rule.mixed(model.params[0][i], 3, origin[0][i], TestType(0.5),
                                     state_at<TestType>(optimizer, "floor", 0, i)));
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(values[1][i] == rule.mixed(origin[1][i], 3, origin[1][i], TestType(0.5), TestType(0.5)));
  CHECK(rule.seen_by_view == 4);
  CHECK(snapshot(optimizer, model) == before);
  CHECK(read(optimizer, "same", model) == model.params);
}

TEST_CASE("a view of one tensor is read alone") {
  RuleWithViews<float> rule;
  FakeModel<float> model({5, 4});
  auto optimizer = make_optimizer(rule.rule, model);
  std::vector<float> out(5, -7.0F);  // one more than the tensor has
  REQUIRE(optimizer.read_view("same", 1, out.data()));
  CHECK(std::vector<float>(out.begin(), out.begin() + 4) == model.params[1]);
  CHECK(out[4] == -7.0F);
}

TEST_CASE("swapping in and out keeps every bit of the parameters") {
  RuleWithViews<float> rule;
  FakeModel<float> model({7, 0, 40000});
  const std::uint32_t hard[] = {0x80000000, 0x00000001, 0x807fffff, 0x7fc12345,
                                0xff800001, 0x7f800000, 0x7fa00001};
  std::memcpy(model.params[0].data(), hard, sizeof hard);
  auto optimizer = make_optimizer(rule.rule, model, {}, 1, 3);
  const auto expected = read(optimizer, "mixed", model);
  const std::string before = snapshot(optimizer, model);
  CHECK(optimizer.swapped_in().empty());
  REQUIRE(optimizer.swap_in("mixed"));
  CHECK(optimizer.swapped_in() == "mixed");
  for (std::size_t t = 0; t < model.params.size(); ++t)
    if (!expected[t].empty())
      CHECK(std::memcmp(model.params[t].data(), expected[t].data(),
                        expected[t].size() * sizeof(float)) == 0);
  model.params[0][0] = 5;  // is lost
  REQUIRE(optimizer.swap_out());
  CHECK(snapshot(optimizer, model) == before);
  CHECK(optimizer.swapped_in().empty());
  // A view that leaves param alone keeps its bits as well, when it is read out.
  const auto same = read(optimizer, "same", model);
  CHECK(std::memcmp(same[0].data(), hard, sizeof hard) == 0);
}

TEST_CASE("while a view is swapped in nothing else is done") {
  RuleWithViews<double> rule;
  FakeModel<double> model({6});
  auto optimizer = make_optimizer(rule.rule, model);
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(failure(optimizer.swap_out()) == "no view is swapped in");
  const std::string before = snapshot(optimizer, model);
  REQUIRE(optimizer.swap_in("mixed"));
  const std::string swapped = snapshot(optimizer, model);
  std::vector<double> out(6);
  CHECK(failure(optimizer.step(model.gradients())) == kSwapped + "a step");
  CHECK(failure(optimizer.reset()) == kSwapped + "a reset");
  CHECK(failure(optimizer.read_view("same", 0, out.data())) == kSwapped + "a view is read out");
  CHECK(failure(optimizer.swap_in("same")) == kSwapped + "another is swapped in");
  CHECK(snapshot(optimizer, model) == swapped);
  CHECK(optimizer.calls() == 1);
  REQUIRE(optimizer.set_hyper("lr", 0.125));
  REQUIRE(optimizer.swap_out());
  CHECK(snapshot(optimizer, model) == before);
  CHECK(optimizer.step(model.gradients()));
  CHECK(optimizer.reset());
}

TEST_CASE("steps go on as if no view had been looked at") {
  RuleWithViews<float> rule;
  FakeModel<float> model({30000, 9, 9}), other({30000, 9, 9});
  auto optimizer = make_optimizer(rule.rule, model, {0, 1, 1}, 2, 2);
  auto plain = make_optimizer(rule.rule, other, {0, 1, 1}, 2, 2);
  for (int step = 0; step < 4; ++step) {
    auto gradients = model.gradients();
    if (step < 2) gradients[2] = nullptr;
    REQUIRE(optimizer.swap_in("mixed"));
    REQUIRE(optimizer.swap_out());
    std::vector<float> out(9);
    REQUIRE(optimizer.read_view("mixed", 1, out.data()));
    REQUIRE(optimizer.step(gradients));
    REQUIRE(plain.step(gradients));
    REQUIRE(snapshot(optimizer, model) == snapshot(plain, other));
  }
}

TEST_CASE("what the last step read is known after a view") {
  RuleWithViews<float> rule;
  FakeModel<float> model({6, 4});
  auto optimizer = make_optimizer(rule.rule, model, {0, 1}, 2);
  rule.rule.reads_loss = true;
  optimizer::StepInputs inputs;
  inputs.model.emplace_back("loss", 2.0);
  // A view that says nothing of inputs, and one that says, as generated code does, that it reads
  // none.
  for (const bool says : {false, true}) {
    rule.clears_needed = says;
    REQUIRE(optimizer.step(model.gradients(), inputs));
    for (int look = 0; look < 2; ++look) {
      CHECK(optimizer.has_read("loss"));
      CHECK_FALSE(optimizer.has_read("hessian"));
      read(optimizer, "mixed", model);
    }
    REQUIRE(optimizer.swap_in("mixed"));
    CHECK(optimizer.has_read("loss"));
    REQUIRE(optimizer.swap_out());
    CHECK_FALSE(optimizer.has_read("hessian"));
  }
}

TEST_CASE("the number of threads never changes a view") {
  std::vector<std::vector<float>> first;
  for (const std::uint32_t threads : {1u, 2u, 3u, 8u}) {
    RuleWithViews<float> rule;
    FakeModel<float> model({1, TALWEG_CHUNK_ELEMENTS * 9 + 1, 77, TALWEG_CHUNK_ELEMENTS - 1});
    auto optimizer = make_optimizer(rule.rule, model, {}, 1, threads);
    auto gradients = model.gradients();
    gradients[2] = nullptr;
    REQUIRE(optimizer.step(gradients));
    auto values = read(optimizer, "mixed", model);
    if (first.empty()) first = values;
    CHECK(values == first);
    REQUIRE(optimizer.swap_in("mixed"));
    CHECK(model.params == first);
  }
}

TEST_CASE("an optimizer that goes puts the parameters back") {
  RuleWithViews<float> rule;
  FakeModel<float> model({10});
  const auto origin = model.params;
  {
    auto optimizer = make_optimizer(rule.rule, model);
    REQUIRE(optimizer.swap_in("mixed"));
    CHECK(model.params != origin);
    auto moved = std::move(optimizer);
    CHECK(moved.swapped_in() == "mixed");
  }
  CHECK(model.params == origin);
}

TEST_CASE("views are named, and memory for them is checked") {
  RuleWithViews<float> rule;
  FakeModel<float> model({8, 8});
  auto optimizer = make_optimizer(rule.rule, model);
  CHECK(optimizer.views() == std::vector<std::string>{"mixed", "same"});
  std::vector<float> out(9);
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  CHECK(failure(optimizer.read_view("mixd", 0, out.data())) ==
        "rule `Fake` has no view `mixd` (did you mean `mixed`?)");
  CHECK(failure(optimizer.swap_in("other")) ==
        "rule `Fake` has no view `other` (it has `mixed`, `same`)");
  CHECK(failure(optimizer.read_view("same", 2, out.data())) == "there is no tensor 2");
  CHECK(failure(optimizer.read_view("same", std::vector<void*>{out.data()})) ==
        "memory was given for 1 of 2 tensors of a view");
  CHECK(failure(optimizer.read_view("same", 0, bytes + 1)) ==
        "the memory for a view of tensor `w0` is not aligned to the size of an element");
  CHECK(failure(optimizer.read_view("same", 0, model.params[0].data() + 7)) ==
        "the memory for a view of tensor `w0` shares memory with its parameter");
  CHECK(optimizer.read_view("same", std::vector<void*>{nullptr, nullptr}));
}

TEST_CASE("an image with a view that cannot run is refused") {
  RuleWithViews<float> rule;
  FakeModel<float> model({8});
  const auto message = [&] { return refusal_of(rule.rule.image, model.tensors()); };
  CHECK(message() == "no failure");
  rule.views[1].kernels.phase_count = 2;
  std::array<talweg_phase, 2> phases{rule.no_phase, rule.no_phase};
  rule.views[1].kernels.phases = phases.data();
  CHECK(message() == "no failure");
  phases[0].pass = nullptr;
  CHECK(message() == "no failure");
  phases[0].says_regrad = 1;
  CHECK(message() == "the image of rule `Fake` has a view without code");
  phases[0].says_regrad = 0;
  phases[1].pass = nullptr;
  CHECK(message() == "the image of rule `Fake` has a view without code");
  phases[1] = rule.no_phase;
  phases[0].lines = phases[1].pass;
  CHECK(message() == "the image of rule `Fake` runs over matrices, but has none");
  phases[0].lines = nullptr;
  talweg_reduction_info info{.fold = TALWEG_FOLD_SUM,
                             .source = TALWEG_FROM_CHUNKS,
                             .rate = TALWEG_RATE_MODEL,
                             .counts = 0,
                             .phase = 1,
                             .partial = 0,
                             .domain = UINT32_MAX,
                             .blocks = UINT32_MAX};
  rule.views[1].kernels.reductions = &info;
  rule.views[1].kernels.reduction_count = 1;
  CHECK(message() == "the image of rule `Fake` has a reduction of what nobody leaves");
  rule.views[1].kernels.chunk_partial_count = 1;
  CHECK(message() == "no failure");
  info.phase = 2;
  CHECK(message() == "the image of rule `Fake` has a reduction without a phase or a domain");
  rule.views[1].kernels.reduction_count = 0;
  rule.views[1].kernels.phases = &rule.no_phase;
  rule.views[1].kernels.phase_count = 0;
  CHECK(message() == "the image of rule `Fake` has a view without code");
  rule.views[1].kernels.phase_count = 1;
  rule.views[1].kernels.origin_stream = 2;
  CHECK(message() == "the image of rule `Fake` has a view without code");
  rule.views[1].kernels.origin_stream = UINT32_MAX;
  rule.no_phase.says_regrad = 1;
  CHECK(message() == "the image of rule `Fake` has a view without code");
  rule.no_phase.says_regrad = 0;
  CHECK(message() == "no failure");
  rule.no_phase.pass = nullptr;
  CHECK(message() == "the image of rule `Fake` has a view without code");
  rule.views[1].name = nullptr;
  CHECK(message() == "the image of rule `Fake` has a view without a name");
}
