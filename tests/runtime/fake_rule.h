// A rule written by hand as an image, so that tests of the runtime depend on no compiler:
//
//   hyper lr = 0.5 in [0, inf);  hyper beta = 0.5 in [0, 1);  hyper model int every = 2 in [1, 100]
//   hyper bool nesterov = false;  hyper model scale in (0, 10], bound: loss if given, else 1
//   state m;  state start = param;  state floor = lr;  state one = 1
//   state model total = 1;  state group mu = 10 * lr
//   input model loss;  input hessian
//   step { m = beta * m + grad;  floor += one;  total += 1;  mu *= 0.5;
//          update = lr * scale * m;  if reads_hessian { update += hessian } }
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/optimizers.h"
#include "tests/runtime/hand_written.h"

namespace talweg::tests {

enum Hyper : std::uint32_t { kLr, kBeta, kEvery, kNesterov, kScale, kHyperCount };
enum State : std::uint32_t { kM, kStart, kFloor, kOne, kTotal, kMu, kStateCount };
enum Input : std::uint32_t { kLoss, kHessian, kInputCount };

template <class T>
class FakeRule : public HandWritten<FakeRule<T>> {
  using Base = HandWritten<FakeRule<T>>;

 public:
  using Base::image, Base::kInf;
  // What the rule needs of its inputs.
  bool reads_loss = false;
  bool reads_hessian = false;
  // Counts what was called.
  mutable std::uint64_t model_calls = 0;

  static constexpr std::uint32_t kStreams = 7;

  FakeRule() : Base("Fake", kDtype, kStreams) {
    this->set_hypers(hypers);
    this->set_states(states);
    this->set_inputs(inputs);
    this->set_phase(phase);
    image.step.model_slot_count = 1;
    image.step.group_slot_count = 2;
    image.initial_states = initial_states;
  }

  static constexpr auto kGroup = TALWEG_RATE_GROUP;
  static constexpr auto kModel = TALWEG_RATE_MODEL;
  static constexpr auto kElement = TALWEG_RATE_ELEMENT;
  static constexpr std::uint8_t kDtype = kDtypeOf<T>;

  // name, doc, default, low, high, low_closed, high_closed, kind, rate, bound, rounds
  talweg_hyper_info hypers[kHyperCount] = {
      {"lr", "", 0.5, 0, kInf, 1, 0, TALWEG_HYPER_NUMBER, kGroup, 0, 1, 0, 0},
      {"beta", "", 0.5, 0, 1, 1, 0, TALWEG_HYPER_NUMBER, kGroup, 0, 1, 0, 0},
      {"every", "", 2, 1, 100, 1, 1, TALWEG_HYPER_INT, kModel, 0, 0, 0, 0},
      {"nesterov", "", 0, 0, 1, 1, 1, TALWEG_HYPER_BOOL, kGroup, 0, 0, 0, 0},
      {"scale", "", 1, 0, 10, 0, 1, TALWEG_HYPER_NUMBER, kModel, 1, 1, 0, 0},
  };
  // name, doc, initial_value, stream, rate, dtype, initial, is_stored
  talweg_state_info states[kStateCount] = {
      {"m", "", 0, 2, kElement, kDtype, TALWEG_INITIAL_ZERO, 1},
      {"start", "", 0, 3, kElement, kDtype, TALWEG_INITIAL_PARAM, 0},
      {"floor", "", 0, 4, kElement, kDtype, TALWEG_INITIAL_SCALAR, 1},
      {"one", "", 1, 5, kElement, kDtype, TALWEG_INITIAL_CONSTANT, 0},
      {"total", "", 1, UINT32_MAX, kModel, TALWEG_F64, TALWEG_INITIAL_CONSTANT, 1},
      {"mu", "", 0, UINT32_MAX, kGroup, TALWEG_F64, TALWEG_INITIAL_SCALAR, 1},
  };
  talweg_input_info inputs[kInputCount] = {
      {"loss", "", UINT32_MAX, kModel, {}},
      {"hessian", "", 6, kElement, {}},
  };
  talweg_phase phase = {model_scalars, group_scalars, nullptr, nullptr, nullptr, nullptr,
                        nullptr,       run_pass,      0,       0,       0};

 private:
  static void model_scalars(void* self, const talweg_scalar_args* args) {
    const FakeRule& rule = Base::of(self);
    ++rule.model_calls;
    args->new_states[kTotal] = args->states[kTotal] + 1;
    args->bound[kScale] = args->given[kLoss] != 0 ? args->inputs[kLoss] : 1;
    put<T>(args->model_slots[0], args->bound[kScale]);
    args->needed[kLoss] = rule.reads_loss ? 1 : 0;
    args->needed[kHessian] = rule.reads_hessian ? 1 : 0;
  }

  static void group_scalars(void*, const talweg_scalar_args* args) {
    args->new_states[kMu] = args->states[kMu] * 0.5;
    put<T>(args->group_slots[0], args->hypers[kLr]);
    put<T>(args->group_slots[1], args->hypers[kBeta]);
  }

  static void initial_states(void*, const talweg_scalar_args* args) {
    args->new_states[kFloor] = args->hypers[kLr];
    args->new_states[kMu] = 10 * args->hypers[kLr];
  }

  static void run_pass(void* self, const talweg_pass_args* args, std::uint32_t begin,
                       std::uint32_t end) {
    const FakeRule& rule = Base::of(self);
    for_chunks(args, kStreams, begin, end, [&](const PassChunk& chunk) {
      const talweg_slot* slots = args->group_slots + 2 * args->tensor_groups[chunk.tensor];
      const T rate = get<T>(slots[0]) * get<T>(args->model_slots[0]);
      const T beta = get<T>(slots[1]);
      T* const param = chunk.stream<T>(0);
      const T* const grad = chunk.stream<T>(1);
      T* const m = chunk.stream<T>(2);
      T* const floor = chunk.stream<T>(4);
      const T* const one = chunk.stream<T>(5);
      const T* const hessian = rule.reads_hessian ? chunk.stream<T>(6) : nullptr;
      for (std::uint32_t e = 0; e < chunk.count; ++e) {
        m[e] = beta * m[e] + grad[e];
        floor[e] += one[e];
        param[e] -= rate * m[e] + (hessian != nullptr ? hessian[e] : T{0});
      }
    });
  }
};

/// Parameters and gradients of some sizes, filled with numbers that differ.
template <class T>
struct FakeModel {
  std::vector<std::vector<T>> params, grads;

  explicit FakeModel(const std::vector<std::size_t>& sizes) {
    for (const std::size_t size : sizes) {
      std::vector<T> param(size), grad(size);
      for (std::size_t i = 0; i < size; ++i) {
        param[i] = static_cast<T>(
            std::sin(0.1 * static_cast<double>(i) + 1.0 * static_cast<double>(params.size())));
        grad[i] = static_cast<T>(std::cos(0.3 * static_cast<double>(i)));
      }
      params.push_back(std::move(param));
      grads.push_back(std::move(grad));
    }
  }

  std::vector<optimizer::Tensor> tensors(const std::vector<std::uint32_t>& groups = {}) {
    std::vector<optimizer::Tensor> result;
    for (std::size_t i = 0; i < params.size(); ++i) {
      optimizer::Tensor tensor;
      tensor.name = "w" + std::to_string(i);
      tensor.shape = {params[i].size()};
      tensor.param = params[i].data();
      tensor.group = groups.empty() ? 0 : groups[i];
      result.push_back(std::move(tensor));
    }
    return result;
  }

  std::vector<const void*> gradients() const {
    std::vector<const void*> result;
    for (const auto& grad : grads) result.push_back(grad.data());
    return result;
  }
};

/// All persistent bytes and all parameters: what a refused step must not change.
template <class T>
std::string snapshot(optimizer::Optimizer& optimizer, const FakeModel<T>& model) {
  std::string bytes = persistent_bytes(optimizer);
  for (const auto& param : model.params)
    bytes.append(reinterpret_cast<const char*>(param.data()), param.size() * sizeof(T));
  return bytes;
}

/// What steps leave, one after the other: whole ones, skipped, held and refused, one that waits for
/// another gradient if `waits`, with gradients missing. `keep` is told which of the states that
/// skipped steps keep those do, the first and the second kind.
template <class Rule, class Model, class Keep>
std::string after_mixed_steps(Rule& rule, optimizer::Optimizer& optimizer, Model& model, bool waits,
                              Keep keep) {
  std::string all;
  for (int step = 0; step < 8; ++step) {
    rule.outcome = step == 2 || step == 7 ? TALWEG_SKIPPED
                   : step == 4            ? TALWEG_HELD
                                          : TALWEG_COMPLETED;
    keep(step == 2, step == 7);
    rule.asks_again = waits && step == 3;
    rule.hypers[0].high = step == 0 || step == 5 ? -1 : Rule::kInf;  // refused by phase 3
    auto gradients = model.gradients();
    for (std::size_t t = 0; t < gradients.size(); ++t)
      if (step > 5 && t % 3 == static_cast<std::size_t>(step) % 3) gradients[t] = nullptr;
    const auto stepped = optimizer.step(gradients);
    REQUIRE(static_cast<bool>(stepped) == (rule.hypers[0].high > 0));
    if (rule.asks_again) {
      REQUIRE(*stepped == optimizer::StepOutcome::Regrad);
      REQUIRE(optimizer.step(gradients));
    }
    all += snapshot(optimizer, model);
  }
  return all;
}

template <class T>
optimizer::Optimizer make_optimizer(const FakeRule<T>& rule, FakeModel<T>& model,
                                    const std::vector<std::uint32_t>& groups = {},
                                    std::uint32_t group_count = 1, std::uint32_t threads = 0) {
  return make_optimizer(rule.image, model.tensors(groups), group_count, threads);
}

template <class T>
T state_at(const optimizer::Optimizer& optimizer, const char* name, std::size_t tensor,
           std::size_t i) {
  return static_cast<const T*>(*optimizer.state(name, tensor))[i];
}

}  // namespace talweg::tests
