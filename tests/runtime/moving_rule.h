// A rule written by hand that may ask for another gradient twice, as sharpness-aware steps do:
//
//   hyper lr = 0.25;  hyper model norm in [0, limit], bound in phase 2
//   state m = param;  state model total = 0;  state tensor steady = 2;  input model loss
//   view halved = param / 2
//
//   phase 0: origin = param;  first = grad;  where it asks: param += grad
//   phase 1: where it asks: param += 2 * grad      partials: squares of grad
//   phase 2: norm = square root of their sum;  total += loss;  how the call ends
//   phase 3: m += first + grad;  param = origin - lr / (1 + norm) * (first + grad)
//            in a skipped call: param = origin, and of m what is kept
#pragma once

#include <array>
#include <atomic>
#include <vector>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

struct MovingRule : HandWritten<MovingRule> {
  enum Hyper : std::uint32_t { kLr, kNorm, kHyperCount };
  enum State : std::uint32_t { kM, kTotal, kSteady, kStateCount };
  static constexpr std::uint32_t kMStream = 2, kOrigin = 3, kFirst = 4, kStreams = 5;

  // What a test asks for.
  std::array<bool, 2> asks{true, false};
  talweg_outcome outcome = TALWEG_COMPLETED;
  std::array<bool, kStateCount> keeps{};  // in a skipped call
  // What it can see.
  std::array<int, 4> model_calls{};
  std::array<std::atomic<int>, 4> pass_calls{};
  std::atomic<int> wrong_phases{0};
  std::vector<std::array<double, 2>> numbers;  // step and call, as every model function saw them

  talweg_hyper_info hypers[kHyperCount] = {learning_rate(0.25), bound_norm(2)};
  talweg_state_info states[kStateCount] = {
      {"m", "", 0, kMStream, TALWEG_RATE_ELEMENT, TALWEG_F64, TALWEG_INITIAL_PARAM, 1},
      {"total", "", 0, UINT32_MAX, TALWEG_RATE_MODEL, TALWEG_F64, TALWEG_INITIAL_ZERO, 1},
      {"steady", "", 2, UINT32_MAX, TALWEG_RATE_TENSOR, TALWEG_F64, TALWEG_INITIAL_CONSTANT, 1},
  };
  talweg_input_info inputs[1] = {{"loss", "", UINT32_MAX, TALWEG_RATE_MODEL, {}}};
  talweg_reduction_info reductions[1] = {
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, 0, 2, 0, UINT32_MAX, 0}};
  talweg_phase phases[4]{};
  talweg_phase view_phase{};
  talweg_view_info view{};

  MovingRule() : HandWritten("Moving", TALWEG_F64, kStreams) {
    phases[0].model_scalars = model<0>;
    phases[1].model_scalars = model<1>;
    phases[2].model_scalars = model<2>;
    phases[3].model_scalars = model<3>;
    phases[2].group_scalars = [](void*, const talweg_scalar_args* args) {
      args->group_slots[0].f64 = args->hypers[kLr];
    };
    phases[0].pass = pass<0>;
    phases[1].pass = pass<1>;
    phases[3].pass = pass<3>;
    phases[0].says_regrad = phases[1].says_regrad = 1;
    set_hypers(hypers);
    set_states(states);
    set_inputs(inputs);
    set_phases(phases);
    set_reductions(reductions);
    image.scratch_count = 2;
    talweg_kernels& step = image.step;
    step.model_slot_count = 4;
    step.group_slot_count = 1;
    step.chunk_partial_count = 1;
    step.end_phase = 2;
    step.origin_stream = kOrigin;
    view_phase.pass = halve;
    view.name = "halved";
    view.kernels.phases = &view_phase;
    view.kernels.phase_count = 1;
    view.kernels.origin_stream = UINT32_MAX;
    image.views = &view;
    image.view_count = 1;
  }

 private:
  enum Slot : std::uint32_t { kAsksFirst, kAsksSecond, kNormSlot, kSkipped };

  template <std::uint32_t kPhase>
  static void model(void* self, const talweg_scalar_args* args) {
    MovingRule& rule = of(self);
    ++rule.model_calls[kPhase];
    rule.numbers.push_back({args->step_number, args->call_number});
    if (kPhase == 0) args->needed[0] = 0;
    if constexpr (kPhase < 2) {
      // What it finds is 0, however often it asked before.
      if (*args->regrad != 0) ++rule.wrong_phases;
      if (rule.asks[kPhase]) *args->regrad = 1;
      args->model_slots[kPhase].bits = rule.asks[kPhase] ? 1 : 0;
    }
    if (kPhase == 2) {
      args->bound[kNorm] = std::sqrt(args->reduced[0]);
      args->model_slots[kNormSlot].f64 = args->bound[kNorm];
      args->new_states[kTotal] = args->states[kTotal] + args->inputs[0];
    }
    if (kPhase == rule.image.step.end_phase) {
      end_call(args, rule.outcome, rule.keeps);
      args->model_slots[kSkipped].bits = rule.outcome == TALWEG_SKIPPED ? 1 : 0;
    }
  }

  template <std::uint32_t kPhase>
  static void pass(void* self, const talweg_pass_args* args, std::uint32_t begin,
                   std::uint32_t end) {
    MovingRule& rule = of(self);
    ++rule.pass_calls[kPhase];
    if (args->phase != kPhase) ++rule.wrong_phases;
    const talweg_slot* slots = args->model_slots;
    for_chunks(args, kStreams, begin, end, [&](const PassChunk& chunk) {
      double* const param = chunk.stream<double>(TALWEG_STREAM_PARAM);
      const double* const grad = chunk.stream<double>(TALWEG_STREAM_GRAD);
      const double rate = args->group_slots[args->tensor_groups[chunk.tensor]].f64;
      double squares = 0;
      for (std::uint32_t e = 0; e < chunk.count; ++e) {
        double& first = chunk.stream<double>(kFirst)[e];
        double& origin = chunk.stream<double>(kOrigin)[e];
        if (kPhase == 0) origin = param[e];
        if (kPhase == 0) first = grad[e];
        if (kPhase < 2 && slots[kPhase].bits != 0) param[e] += (kPhase + 1) * grad[e];
        squares += grad[e] * grad[e];
        if (kPhase != 3) continue;
        const bool is_skipped = slots[kSkipped].bits != 0;
        if (!is_skipped || rule.keeps[kM]) chunk.stream<double>(kMStream)[e] += first + grad[e];
        param[e] =
            is_skipped ? origin : origin - rate / (1 + slots[kNormSlot].f64) * (first + grad[e]);
      }
      if (kPhase == 1) args->chunk_partials[chunk.index] = squares;
    });
  }

  static void halve(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    for_chunks(args, kStreams, begin, end, [](const PassChunk& chunk) {
      double* param = chunk.stream<double>(TALWEG_STREAM_PARAM);
      for (std::uint32_t e = 0; e < chunk.count; ++e) param[e] /= 2;
    });
  }
};

inline optimizer::Optimizer make_moving(const MovingRule& rule, FakeModel<double>& model,
                                        const std::vector<std::uint32_t>& groups = {},
                                        std::uint32_t threads = 0) {
  return make_optimizer(rule.image, model.tensors(groups), groups.empty() ? 1 : 2, threads);
}

/// The gradients of a model, each multiplied: those of another point.
class OtherGradients {
 public:
  OtherGradients(const FakeModel<double>& model, double factor) : values_(model.grads) {
    for (auto& tensor : values_)
      for (double& value : tensor) value *= factor;
  }
  [[nodiscard]] std::vector<const void*> pointers() const {
    std::vector<const void*> result;
    for (const auto& tensor : values_) result.push_back(tensor.data());
    return result;
  }

 private:
  std::vector<std::vector<double>> values_;
};

}  // namespace talweg::tests
