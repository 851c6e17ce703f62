// A rule of two spans written by hand, which notes what is called in which order:
//
//   state m = param;  state tensor last = 0;  hyper model norm in [0, limit], bound in phase 3
//   phase 0: scratch = 2 * grad + m                 leaves its squares
//   phase 1: scratch /= 1 + their sum per tensor    leaves scratch
//   phase 2: scratch += (its sum + number) per tensor / 1024    leaves it
//   phase 3: waits for all tensors (norm, and how the call ends)
//            param -= scratch / (1 + norm);  m = scratch     leaves param
//   phase 4: last = the largest param of the tensor; m += last
//
// Phases 0 to 2 are a span, and so are 3 and 4. `divide` makes each a span of its own.
#pragma once

#include <array>
#include <atomic>
#include <cmath>
#include <mutex>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

struct SpannedRule : HandWritten<SpannedRule> {
  enum State : std::uint32_t { kM, kLast, kStateCount };
  enum Reduced : std::uint32_t { kSquares, kSum, kSize, kNorm, kPeak, kReductionCount };
  static constexpr std::uint32_t kPhases = 5, kScratch = 3, kStreams = 4;

  // What a test asks for.
  talweg_outcome outcome = TALWEG_COMPLETED;
  std::array<bool, kStateCount> keeps{};  // in a skipped call
  bool asks_again = false;                // phase 0 ends with a new gradient
  // What it can see.
  struct Call {
    std::uint32_t phase, first_tensor, last_tensor;
    bool operator==(const Call&) const = default;
  };
  std::vector<Call> passes;
  std::vector<std::uint64_t> rounds;                               // round_elements, by pass
  std::array<std::atomic<std::uint32_t>, kPhases> tensors_seen{};  // by tensor functions

  talweg_hyper_info hypers[1] = {bound_norm(3)};
  talweg_state_info states[kStateCount] = {
      {"m", "", 0, 2, TALWEG_RATE_ELEMENT, TALWEG_F64, TALWEG_INITIAL_PARAM, 1},
      {"last", "", 0, UINT32_MAX, TALWEG_RATE_TENSOR, TALWEG_F64, TALWEG_INITIAL_ZERO, 1}};
  // fold, source, rate, counts, phase, partial, domain
  talweg_reduction_info reductions[kReductionCount] = {
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 0, 1, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 0, 2, 1, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 1, 2, 0, UINT32_MAX, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, 0, 3, 2, UINT32_MAX, 0},
      {TALWEG_FOLD_MAX, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 0, 4, 0, UINT32_MAX, 0}};
  talweg_phase phases[kPhases] = {phase<0>(), phase<1>(), phase<2>(), phase<3>(), phase<4>()};

  SpannedRule() : HandWritten("Spanned", TALWEG_F64, kStreams) {
    phases[0].model_scalars = [](void* self, const talweg_scalar_args* args) {
      *args->regrad = of(self).asks_again ? 1 : 0;
    };
    phases[3].model_scalars = [](void* self, const talweg_scalar_args* args) {
      const SpannedRule& rule = of(self);
      args->bound[0] = std::fabs(args->reduced[kNorm]);
      args->model_slots[0].f64 = args->bound[0];
      end_call(args, rule.outcome, rule.keeps);
    };
    set_hypers(hypers);
    set_states(states);
    set_phases(phases);
    set_reductions(reductions);
    image.scratch_count = 1;
    talweg_kernels& step = image.step;
    step.model_slot_count = step.tensor_slot_count = 1;
    step.chunk_partial_count = 3;
    step.end_phase = 3;
  }

  /// A function of the groups, which does nothing, in every phase.
  void divide() {
    for (talweg_phase& phase : phases)
      phase.group_scalars = [](void*, const talweg_scalar_args*) {};
  }

 private:
  std::mutex mutex_;

  template <int kPhase>
  static talweg_phase phase() {
    talweg_phase result{};
    result.tensor_scalars = tensor<kPhase>;
    result.pass = pass<kPhase>;
    return result;
  }

  template <int kPhase>
  static void tensor(void* self, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      if (streams_of(args, kStreams, t) == nullptr) continue;
      ++of(self).tensors_seen[kPhase];
      const double* reduced = args->tensor_reduced + t * kReductionCount;
      if (kPhase == 1) {
        args->tensor_slots[t].f64 = 1 / (1 + reduced[kSquares]);
      }
      if (kPhase == 2) args->tensor_slots[t].f64 = (reduced[kSum] + reduced[kSize]) / 1024;
      if (kPhase == 4) args->new_tensor_states[t * kStateCount + kLast] = reduced[kPeak];
    }
  }

  template <int kPhase>
  static void pass(void* self, const talweg_pass_args* args, std::uint32_t begin,
                   std::uint32_t end) {
    {
      SpannedRule& rule = of(self);
      const std::lock_guard lock(rule.mutex_);
      rule.passes.push_back(
          {kPhase, args->chunks[begin].tensor_index, args->chunks[end - 1].tensor_index});
      rule.rounds.push_back(args->round_elements);
    }
    for_chunks(args, kStreams, begin, end, [&](const PassChunk& chunk) {
      double* const param = chunk.stream<double>(TALWEG_STREAM_PARAM);
      const double* const grad = chunk.stream<double>(TALWEG_STREAM_GRAD);
      double *const m = chunk.stream<double>(2), *const scratch = chunk.stream<double>(kScratch);
      const double slot = args->tensor_slots[chunk.tensor].f64;
      double sum = kPhase == 3 ? -kInf : 0;
      for (std::uint32_t e = 0; e < chunk.count; ++e) {
        if (kPhase == 0) scratch[e] = 2 * grad[e] + m[e];
        if (kPhase == 1) scratch[e] *= slot;
        if (kPhase == 2) scratch[e] += slot;
        if (kPhase == 0) sum += scratch[e] * scratch[e];
        if (kPhase == 1 || kPhase == 2) sum += scratch[e];
        if (kPhase == 3) {
          param[e] -= scratch[e] / (1 + args->model_slots[0].f64);
          m[e] = scratch[e];
          sum = std::max(sum, param[e]);
        }
        if (kPhase == 4) m[e] += args->tensor_reduced[chunk.tensor * kReductionCount + kPeak];
      }
      if (kPhase < 4)
        args->chunk_partials[std::size_t{kPhase % 3} * args->chunk_count + chunk.index] = sum;
    });
  }
};

}  // namespace talweg::tests
