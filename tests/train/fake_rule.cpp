// The image's tables and functions.
#include "tests/train/fake_rule.h"

#include <cmath>
#include <limits>

#include "tests/runtime/hand_written.h"

namespace talweg::train::testing {
namespace {

constexpr std::uint32_t kOrigin = 2, kStreams = 3;

struct FakeImage : tests::HandWritten<FakeImage> {
  FakeRule& rule;
  talweg_hyper_info hypers[1];
  talweg_input_info inputs[2] = {{"loss", "", UINT32_MAX, TALWEG_RATE_MODEL, {}},
                                 {"validation_loss", "", UINT32_MAX, TALWEG_RATE_MODEL, {}}};
  talweg_phase phases[2]{}, view_phase{};  // the first only where the rule moves the parameters
  talweg_view_info view{};

  FakeImage(FakeRule& described, talweg_dtype dtype);
  using HandWritten::of;

  /// Calls visit(a number of the rule's type, chunk).
  template <class Visit>
  void for_chunks_of_type(const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end,
                          Visit visit) const {
    tests::for_chunks(args, kStreams, begin, end, [&](const tests::PassChunk& chunk) {
      if (image.compute_dtype == TALWEG_F32)
        visit(float{}, chunk);
      else
        visit(double{}, chunk);
    });
  }
};

void model_scalars(void* self, const talweg_scalar_args* args) {
  FakeRule& rule = FakeImage::of(self).rule;
  const auto given = [&](std::size_t i) {
    return args->given[i] != 0 ? std::optional(args->inputs[i]) : std::nullopt;
  };
  for (std::size_t i = 0; i < 2; ++i) args->needed[i] = args->given[i];
  if (rule.losses.size() < rule.ends.size()) *args->outcome = rule.ends[rule.losses.size()];
  if (*args->outcome != TALWEG_COMPLETED) args->needed[0] = args->needed[1] = 0;
  rule.losses.push_back(given(0));
  rule.validation_losses.push_back(given(1));
}

void ask(void* /*self*/, const talweg_scalar_args* args) {
  args->needed[0] = args->needed[1] = 0;
  *args->regrad = 1;
}

void move(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const FakeImage& fake = FakeImage::of(self);
  fake.for_chunks_of_type(args, begin, end, [&](auto zero, const tests::PassChunk& chunk) {
    using Scalar = decltype(zero);
    const auto* grad = chunk.stream<Scalar>(TALWEG_STREAM_GRAD);
    auto *param = chunk.stream<Scalar>(TALWEG_STREAM_PARAM),
         *origin = chunk.stream<Scalar>(kOrigin);
    for (std::uint32_t i = 0; i < chunk.count; ++i) {
      origin[i] = param[i];
      param[i] += static_cast<Scalar>(fake.rule.rho) * grad[i];
    }
  });
}

void group_scalars(void* /*self*/, const talweg_scalar_args* args) {
  args->group_slots[0].f64 = args->hypers[0];
}

void initial_states(void* /*self*/, const talweg_scalar_args* /*args*/) {}

void run_pass(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const FakeImage& fake = FakeImage::of(self);
  fake.for_chunks_of_type(args, begin, end, [&](auto zero, const tests::PassChunk& chunk) {
    using Scalar = decltype(zero);
    auto* param = chunk.stream<Scalar>(TALWEG_STREAM_PARAM);
    const auto* grad = chunk.stream<Scalar>(TALWEG_STREAM_GRAD);
    const auto lr = static_cast<Scalar>(args->group_slots[args->tensor_groups[chunk.tensor]].f64);
    for (std::uint32_t i = 0; i < chunk.count; ++i) {
      if (fake.rule.rho != 0) param[i] = chunk.stream<Scalar>(kOrigin)[i];
      param[i] -= lr * grad[i];
    }
    if (fake.rule.poison_step == fake.rule.losses.size() && chunk.first == 0)
      param[0] = std::numeric_limits<Scalar>::quiet_NaN();
  });
}

void run_view(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const FakeImage& fake = FakeImage::of(self);
  const bool is_poisoned =
      fake.rule.poison_view != 0 && fake.rule.losses.size() >= fake.rule.poison_view;
  fake.for_chunks_of_type(args, begin, end, [&](auto zero, const tests::PassChunk& chunk) {
    using Scalar = decltype(zero);
    auto* param = chunk.stream<Scalar>(TALWEG_STREAM_PARAM);
    for (std::uint32_t i = 0; i < chunk.count; ++i)
      param[i] = is_poisoned ? static_cast<Scalar>(INFINITY) : param[i] / 2;
  });
}

FakeImage::FakeImage(FakeRule& described, talweg_dtype dtype)
    : HandWritten("fake", static_cast<std::uint8_t>(dtype), kStreams),
      rule(described),
      hypers{learning_rate(described.learning_rate)} {
  const std::uint32_t bytes = dtype == TALWEG_F32 ? 4 : 8;
  const bool moves = rule.rho != 0;
  talweg_phase& phase = phases[1];
  phase.model_scalars = model_scalars;
  phase.group_scalars = group_scalars;
  phase.pass = run_pass;
  phase.read_bytes_per_element = 2 * bytes;
  phase.written_bytes_per_element = bytes;
  phases[0].model_scalars = ask;
  phases[0].pass = move;
  phases[0].says_regrad = 1;
  set_hypers(hypers);
  set_inputs(inputs);
  set_phases(phases);
  if (!moves) set_phase(phase);
  image.step.end_phase = moves ? 1 : 0;
  image.step.origin_stream = moves ? kOrigin : UINT32_MAX;
  image.step.group_slot_count = 1;
  image.scratch_count = 1;
  image.initial_states = initial_states;
  view_phase.pass = run_view;
  view_phase.read_bytes_per_element = bytes;
  view_phase.written_bytes_per_element = bytes;
  view.name = "halved";
  view.kernels.phases = &view_phase;
  view.kernels.phase_count = 1;
  view.kernels.origin_stream = UINT32_MAX;
  view.kernels.self = this;
  image.views = &view;
  image.view_count = 1;
}

}  // namespace

OptimizerFactory fake_factory(FakeRule& rule) {
  return [&rule](std::vector<optimizer::Tensor> tensors, std::uint32_t groups, talweg_dtype dtype) {
    rule.groups = groups;
    const auto fake = std::make_shared<FakeImage>(rule, dtype);
    return optimizer::Optimizer::create(fake->image, fake, std::move(tensors), groups,
                                        std::make_shared<support::ThreadPool>(1));
  };
}

}  // namespace talweg::train::testing
