// A rule of three phases written by hand, which reduces in every way there is:
//
//   hyper lr = 0.5;  hyper model norm in [0, limit], bound in phase 1
//   state m = param;  state model total = 0;  state tensor scale = lr;  state tensor steady = 2
//   input group heat;  input tensor boost
//   "solid" are the tensors whose name does not end in "bias"; only they keep `steady`, read
//   `boost` and count for `norm`. Requires rank <= 2.
//
//   phase 0: scratch = 2 * grad                     reduces to: elements (all), members (a group)
//            partials: squares and peaks of chunks; of tensors: scale, and boost where solid
//   phase 1: norm = sum of squares over solid       peak of each tensor; squares and scales a group
//            scale = scale / 2 + peak;  m += scratch
//   phase 2: total += sum over groups of (their squares + heat);  steady += 1
//            param -= (lr / (1 + norm) * grad + scale's old value / 1024)
#pragma once

#include <array>
#include <atomic>
#include <string>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

struct PhasedRule : HandWritten<PhasedRule> {
  enum Hyper : std::uint32_t { kLr, kNorm, kHyperCount };
  enum State : std::uint32_t { kM, kTotal, kScale, kSteady, kStateCount };
  enum Input : std::uint32_t { kHeat, kBoost, kInputCount };
  enum Fact : std::uint32_t { kRank, kIsBias, kFactCount };
  enum Reduced : std::uint32_t {
    kElements,
    kMembers,
    kSquares,
    kPeak,
    kGroupSquares,
    kGroupScales,
    kHeats,
    kLowest,
    kGroups,
    kReductionCount
  };
  static constexpr std::uint32_t kScratch = 3, kStreams = 4;

  // What a test asks for.
  talweg_outcome outcome = TALWEG_COMPLETED;
  std::array<bool, kStateCount> keeps{};  // in a skipped call
  bool needs_inputs = false;
  // What it can see.
  std::array<double, kReductionCount> seen_by_model{};
  std::vector<std::array<double, kReductionCount>> seen_by_groups;
  std::array<int, 3> model_calls{}, group_calls{};
  std::array<std::atomic<int>, 3> tensor_calls{}, pass_calls{};

  talweg_hyper_info hypers[kHyperCount] = {learning_rate(0.5), bound_norm(1)};
  talweg_state_info states[kStateCount] = {
      {"m", "", 0, 2, TALWEG_RATE_ELEMENT, TALWEG_F64, TALWEG_INITIAL_PARAM, 1},
      {"total", "", 0, UINT32_MAX, TALWEG_RATE_MODEL, TALWEG_F64, TALWEG_INITIAL_ZERO, 1},
      {"scale", "", 0, UINT32_MAX, TALWEG_RATE_TENSOR, TALWEG_F64, TALWEG_INITIAL_SCALAR, 1},
      {"steady", "", 2, UINT32_MAX, TALWEG_RATE_TENSOR, TALWEG_F64, TALWEG_INITIAL_CONSTANT, 1},
  };
  talweg_input_info inputs[kInputCount] = {
      {"heat", "", UINT32_MAX, TALWEG_RATE_GROUP, {}},
      {"boost", "", UINT32_MAX, TALWEG_RATE_TENSOR, {}},
  };
  talweg_fact_info facts[kFactCount] = {{"", TALWEG_FACT_RANK, {}},
                                        {"*bias", TALWEG_FACT_NAMED, {}}};
  const char* requirements[1] = {"rule `Phased` requires rank <= 2"};
  // fold, source, rate, counts, phase, partial, domain
  talweg_reduction_info reductions[kReductionCount] = {
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, 1, 0, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_TENSORS, TALWEG_RATE_GROUP, 1, 0, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, 0, 1, 0, 0, 0},
      {TALWEG_FOLD_MAX, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 0, 1, 1, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_GROUP, 0, 1, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_TENSORS, TALWEG_RATE_GROUP, 0, 1, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_GROUPS, TALWEG_RATE_MODEL, 0, 2, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_MIN, TALWEG_FROM_TENSORS, TALWEG_RATE_MODEL, 0, 1, 1, 0, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_GROUPS, TALWEG_RATE_MODEL, 1, 0, 0, UINT32_MAX, 0},
  };
  talweg_phase phases[3] = {
      {model<0>, group<0>, tensor<0>, nullptr, nullptr, nullptr, nullptr, pass<0>, 0, 0, 0},
      {model<1>, group<1>, tensor<1>, nullptr, nullptr, nullptr, nullptr, pass<1>, 0, 0, 0},
      {model<2>, nullptr, tensor<2>, nullptr, nullptr, nullptr, nullptr, pass<2>, 0, 0, 0},
  };

  PhasedRule() : HandWritten("Phased", TALWEG_F64, kStreams) {
    set_hypers(hypers);
    set_states(states);
    set_inputs(inputs);
    set_facts(facts);
    set_phases(phases);
    set_reductions(reductions);
    image.requirements = requirements;
    image.requirement_count = image.domain_count = 1;
    image.scratch_count = 1;
    image.initial_states = [](void*, const talweg_scalar_args* args) {
      args->new_states[kScale] = args->hypers[kLr];
    };
    talweg_kernels& step = image.step;
    step.place = place;
    step.model_slot_count = step.group_slot_count = step.tensor_slot_count = 1;
    step.chunk_partial_count = step.tensor_partial_count = 2;
    step.group_partial_count = 1;
    step.end_phase = 1;
  }

 private:
  static void place(void*, const talweg_placement* placement) {
    const auto is_solid = static_cast<std::uint8_t>(placement->facts[kIsBias] == 0);
    keep_all_states(placement, kStateCount);
    placement->state_present[kSteady] = is_solid;
    placement->input_present[kHeat] = 1;
    placement->input_present[kBoost] = placement->in_domain[0] = is_solid;
    placement->requirement_met[0] = placement->facts[kRank] <= 2 ? 1 : 0;
  }

  template <int kPhase>
  static void model(void* self, const talweg_scalar_args* args) {
    PhasedRule& rule = of(self);
    ++rule.model_calls[kPhase];
    for (std::size_t r = 0; r < kReductionCount; ++r)
      if (rule.reductions[r].phase == kPhase && rule.reductions[r].rate == TALWEG_RATE_MODEL)
        rule.seen_by_model[r] = args->reduced[r];
    if (kPhase == 0) args->needed[kHeat] = args->needed[kBoost] = rule.needs_inputs ? 1 : 0;
    if (kPhase == 1) {
      args->bound[kNorm] = std::sqrt(args->reduced[kSquares]);
      args->model_slots[0].f64 = args->bound[kNorm];
      end_call(args, rule.outcome, rule.keeps);
    }
    if (kPhase == 2) args->new_states[kTotal] = args->states[kTotal] + args->reduced[kHeats];
  }

  template <int kPhase>
  static void group(void* self, const talweg_scalar_args* args) {
    PhasedRule& rule = of(self);
    ++rule.group_calls[kPhase];
    if (kPhase == 0) args->group_slots[0].f64 = args->hypers[kLr];
    if (kPhase != 1) return;
    std::array<double, kReductionCount> seen{};
    std::copy_n(args->reduced, std::size_t{kReductionCount}, seen.begin());
    rule.seen_by_groups.push_back(seen);
    args->partials[0] = args->reduced[kGroupSquares] + args->inputs[kHeat];
  }

  template <int kPhase>
  static void tensor(void* self, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
    ++of(self).tensor_calls[kPhase];
    for (std::size_t t = begin; t < end; ++t) {
      if (streams_of(args, kStreams, t) == nullptr) continue;
      const double* before = args->tensor_states + t * kStateCount;
      double* after = args->new_tensor_states + t * kStateCount;
      const bool is_solid = args->tensor_facts[t * kFactCount + kIsBias] == 0;
      if (kPhase == 0) {
        args->tensor_partials[t] = before[kScale];
        if (is_solid)
          args->tensor_partials[args->tensor_count + t] =
              args->tensor_inputs[t * kInputCount + kBoost];
        args->tensor_slots[t].f64 = before[kScale];
      } else if (kPhase == 1) {
        after[kScale] = before[kScale] / 2 + args->tensor_reduced[t * kReductionCount + kPeak];
      } else if (is_solid) {
        after[kSteady] = before[kSteady] + 1;
      }
    }
  }

  template <int kPhase>
  static void pass(void* self, const talweg_pass_args* args, std::uint32_t begin,
                   std::uint32_t end) {
    ++of(self).pass_calls[kPhase];
    for_chunks(args, kStreams, begin, end, [&](const PassChunk& chunk) {
      const std::uint32_t group = args->tensor_groups[chunk.tensor];
      const double rate = args->group_slots[group].f64 / (1 + args->model_slots[0].f64);
      double* const param = chunk.stream<double>(TALWEG_STREAM_PARAM);
      double *const m = chunk.stream<double>(2), *const scratch = chunk.stream<double>(kScratch);
      double squares = 0;
      double peak = -kInf;
      for (std::uint32_t e = 0; e < chunk.count; ++e) {
        const double grad = chunk.stream<double>(TALWEG_STREAM_GRAD)[e];
        squares += grad * grad;
        peak = std::max(peak, std::fabs(grad));
        if (kPhase == 0) scratch[e] = 2 * grad;
        if (kPhase == 1) m[e] += scratch[e];
        if (kPhase == 2) param[e] -= rate * grad + args->tensor_slots[chunk.tensor].f64 / 1024;
      }
      if (kPhase == 0) {
        args->chunk_partials[chunk.index] = squares;
        args->chunk_partials[args->chunk_count + chunk.index] = peak;
      }
    });
  }
};

/// Tensors of some sizes and names: w0, w1, ... or, where `biases` says so, w1.bias.
inline std::vector<optimizer::Tensor> phased_tensors(FakeModel<double>& model,
                                                     const std::vector<std::uint32_t>& groups,
                                                     const std::vector<std::size_t>& biases = {}) {
  std::vector<optimizer::Tensor> tensors = model.tensors(groups);
  for (const std::size_t t : biases) tensors[t].name += ".bias";
  return tensors;
}

}  // namespace talweg::tests
