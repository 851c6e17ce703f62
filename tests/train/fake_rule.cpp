// The image's tables and functions.
#include "tests/train/fake_rule.h"

#include <cmath>
#include <limits>

namespace talweg::train::testing {
namespace {

constexpr std::uint32_t kOrigin = 2, kStreams = 3;

struct FakeImage {
  FakeRule* rule = nullptr;
  talweg_hyper_info hyper{};
  talweg_input_info inputs[2]{};
  talweg_phase phases[2]{}, view_phase{};  // the first only where the rule moves the parameters
  talweg_view_info view{};
  talweg_image image{};
};

void model_scalars(void* self, const talweg_scalar_args* args) {
  FakeRule& rule = *static_cast<FakeImage*>(self)->rule;
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

template <class Scalar>
void move_chunks(const FakeImage& fake, const talweg_pass_args* args, std::uint32_t begin,
                 std::uint32_t end) {
  for (std::uint32_t c = begin; c < end; ++c) {
    const talweg_chunk& chunk = args->chunks[c];
    void* const* streams = args->pointers + std::size_t{chunk.tensor_index} * kStreams;
    const auto* grad = static_cast<const Scalar*>(streams[TALWEG_STREAM_GRAD]);
    if (grad == nullptr) continue;
    auto* param = static_cast<Scalar*>(streams[TALWEG_STREAM_PARAM]);
    auto* origin = static_cast<Scalar*>(streams[kOrigin]);
    for (std::uint64_t i = chunk.first_element; i < chunk.first_element + chunk.element_count;
         ++i) {
      origin[i] = param[i];
      param[i] += static_cast<Scalar>(fake.rule->rho) * grad[i];
    }
  }
}

void move(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const auto& fake = *static_cast<FakeImage*>(self);
  if (fake.image.compute_dtype == TALWEG_F32) {
    move_chunks<float>(fake, args, begin, end);
  } else {
    move_chunks<double>(fake, args, begin, end);
  }
}

void group_scalars(void* /*self*/, const talweg_scalar_args* args) {
  args->group_slots[0].f64 = args->hypers[0];
}

void initial_states(void* /*self*/, const talweg_scalar_args* /*args*/) {}

template <class Scalar>
void run_chunks(const FakeImage& fake, const talweg_pass_args* args, std::uint32_t begin,
                std::uint32_t end) {
  for (std::uint32_t c = begin; c < end; ++c) {
    const talweg_chunk& chunk = args->chunks[c];
    void* const* streams = args->pointers + std::size_t{chunk.tensor_index} * kStreams;
    auto* param = static_cast<Scalar*>(streams[TALWEG_STREAM_PARAM]);
    const auto* grad = static_cast<const Scalar*>(streams[TALWEG_STREAM_GRAD]);
    if (grad == nullptr) continue;
    const std::uint32_t group = args->tensor_groups[chunk.tensor_index];
    const auto lr = static_cast<Scalar>(args->group_slots[group].f64);
    for (std::uint64_t i = chunk.first_element; i < chunk.first_element + chunk.element_count;
         ++i) {
      if (fake.rule->rho != 0) param[i] = static_cast<const Scalar*>(streams[kOrigin])[i];
      param[i] -= lr * grad[i];
    }
    if (fake.rule->poison_step == fake.rule->losses.size() && chunk.first_element == 0) {
      param[0] = std::numeric_limits<Scalar>::quiet_NaN();
    }
  }
}

void run_pass(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const auto& fake = *static_cast<FakeImage*>(self);
  if (fake.image.compute_dtype == TALWEG_F32) {
    run_chunks<float>(fake, args, begin, end);
  } else {
    run_chunks<double>(fake, args, begin, end);
  }
}

template <class Scalar>
void run_view_chunks(const FakeImage& fake, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
  const bool is_poisoned =
      fake.rule->poison_view != 0 && fake.rule->losses.size() >= fake.rule->poison_view;
  for (std::uint32_t c = begin; c < end; ++c) {
    const talweg_chunk& chunk = args->chunks[c];
    void* const* streams = args->pointers + std::size_t{chunk.tensor_index} * kStreams;
    auto* param = static_cast<Scalar*>(streams[TALWEG_STREAM_PARAM]) + chunk.first_element;
    if (streams[TALWEG_STREAM_GRAD] == nullptr) continue;
    for (std::uint32_t i = 0; i < chunk.element_count; ++i)
      param[i] = is_poisoned ? static_cast<Scalar>(INFINITY) : param[i] / 2;
  }
}

void run_view(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const auto& fake = *static_cast<FakeImage*>(self);
  if (fake.image.compute_dtype == TALWEG_F32) {
    run_view_chunks<float>(fake, args, begin, end);
  } else {
    run_view_chunks<double>(fake, args, begin, end);
  }
}

std::shared_ptr<FakeImage> make_image(FakeRule& rule, talweg_dtype dtype) {
  auto fake = std::make_shared<FakeImage>();
  fake->rule = &rule;
  fake->hyper = {
      "lr", "", rule.learning_rate, 0, INFINITY, 1, 0, TALWEG_HYPER_NUMBER, TALWEG_RATE_GROUP, 0, 0,
      0,    0};
  fake->inputs[0] = {"loss", "", UINT32_MAX, TALWEG_RATE_MODEL, {}};
  fake->inputs[1] = {"validation_loss", "", UINT32_MAX, TALWEG_RATE_MODEL, {}};
  const std::uint32_t bytes = dtype == TALWEG_F32 ? 4 : 8;
  const bool moves = rule.rho != 0;
  talweg_phase& phase = fake->phases[1];
  phase.model_scalars = model_scalars;
  phase.group_scalars = group_scalars;
  phase.pass = run_pass;
  phase.read_bytes_per_element = 2 * bytes;
  phase.written_bytes_per_element = bytes;
  fake->phases[0].model_scalars = ask;
  fake->phases[0].pass = move;
  fake->phases[0].says_regrad = 1;
  talweg_image& image = fake->image;
  image.abi_version = TALWEG_ABI_VERSION;
  image.compute_dtype = dtype;
  image.name = "fake";
  image.doc = "";
  image.isa = "none";
  image.hypers = &fake->hyper;
  image.inputs = fake->inputs;
  image.step.phases = moves ? fake->phases : &phase;
  image.step.phase_count = moves ? 2 : 1;
  image.step.end_phase = moves ? 1 : 0;
  image.step.origin_stream = moves ? kOrigin : UINT32_MAX;
  image.hyper_count = 1;
  image.input_count = 2;
  image.stream_count = kStreams;
  image.scratch_count = 1;
  image.step.group_slot_count = 1;
  image.uses_gradient = 1;
  image.initial_states = initial_states;
  image.step.self = fake.get();
  fake->view_phase.pass = run_view;
  fake->view_phase.read_bytes_per_element = bytes;
  fake->view_phase.written_bytes_per_element = bytes;
  fake->view.name = "halved";
  fake->view.kernels.phases = &fake->view_phase;
  fake->view.kernels.phase_count = 1;
  fake->view.kernels.origin_stream = UINT32_MAX;
  fake->view.kernels.self = fake.get();
  image.views = &fake->view;
  image.view_count = 1;
  return fake;
}

}  // namespace

OptimizerFactory fake_factory(FakeRule& rule) {
  return [&rule](std::vector<optimizer::Tensor> tensors, std::uint32_t groups, talweg_dtype dtype) {
    rule.groups = groups;
    const auto fake = make_image(rule, dtype);
    return optimizer::Optimizer::create(fake->image, fake, std::move(tensors), groups,
                                        std::make_shared<support::ThreadPool>(1));
  };
}

}  // namespace talweg::train::testing
