// A rule of two spans with matrices, rows and columns, written by hand, which notes what is called
// in which order:
//
//   state m = param;  state row r = 1/2;  state col c = 2;  state matrix h = 0
//   hyper model norm in [0, limit], bound in phase 3
//   phase 0, over lines, of grad + m:  row and block partials 0, their sums
//            pass                      chunk partial 0: the sum of m
//   phase 1  waits for sums of rows, columns, matrices (of rows) and tensors (of m)
//            slots: row = sum + r;  col = sum + c;  matrix = sum;  tensor = sum
//            over lines, of grad * row slot + col slot:  row partial 1, their largest;
//            block partials 1, their sums
//   phase 2  waits for largest of rows, sums of columns, of matrices (of columns) and of tensors
//            (the largest of rows)
//            slots: row += largest / 1024;  col += sum / 1024;  matrix += sum;  tensor += largest
//            (-1024 where there is no row)
//            pass: scratch = grad + slots / 1024    leaves its sum
//   phase 3  waits for all tensors (norm, and how the call ends);  r += slot of row
//            pass: param -= scratch / (1 + norm);  m = scratch     leaves param
//   phase 4  waits for each tensor;  h += its sum / 1024;  c -= slot of column / 8;  m += h
//
// Phases 0 to 2 are a span, and so are 3 and 4. `divide` makes each a span of its own.
#pragma once

#include <array>
#include <cmath>
#include <mutex>

#include "runtime/optimizer/fold.h"
#include "tests/runtime/lined_rule.h"

namespace talweg::tests {

struct LinedSpansRule {
  enum State : std::uint32_t { kM, kR, kC, kH, kStateCount };
  enum Reduced : std::uint32_t {
    kRowSum,
    kColSum,
    kMatrixSum,
    kTensorSum,
    kRowPeak,
    kLaterColSum,
    kMatrixOfCols,
    kTensorPeak,
    kNorm,
    kMoved,
    kReductionCount
  };
  static constexpr std::uint32_t kPhases = 5, kScratch = 3, kStreams = 4;
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // What a test asks for.
  talweg_outcome outcome = TALWEG_COMPLETED;
  std::array<bool, kStateCount> keeps{};  // in a skipped call
  bool asks_again = false;                // phase 0 ends with a new gradient
  // What it can see.
  struct Call {
    char kind;  // l: lines, p: pass, m: matrices, r: rows, c: columns, t: tensors
    std::uint32_t phase, first_tensor, last_tensor;
    bool operator==(const Call&) const = default;
  };
  std::vector<Call> calls;

  talweg_hyper_info hypers[1] = {
      {"norm", "", 0, 0, kInf, 1, 0, TALWEG_HYPER_NUMBER, TALWEG_RATE_MODEL, 1, 0, 0, 3}};
  talweg_state_info states[kStateCount] = {
      {"m", "", 0, 2, TALWEG_RATE_ELEMENT, TALWEG_F64, TALWEG_INITIAL_PARAM, 1},
      {"r", "", 0, kNone, TALWEG_RATE_ROW, TALWEG_F64, TALWEG_INITIAL_SCALAR, 1},
      {"c", "", 2, kNone, TALWEG_RATE_COL, TALWEG_F64, TALWEG_INITIAL_CONSTANT, 1},
      {"h", "", 0, kNone, TALWEG_RATE_MATRIX, TALWEG_F64, TALWEG_INITIAL_ZERO, 1}};
  // fold, source, rate, counts, phase, partial, domain, blocks
  talweg_reduction_info reductions[kReductionCount] = {
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_ROW, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_COL, 0, 1, 0, kNone, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_MATRIX, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_MAX, TALWEG_FROM_ROWS, TALWEG_RATE_ROW, 0, 2, 1, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_COL, 0, 2, 0, kNone, 1},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_MATRIX, 0, 2, 0, kNone, 1},
      {TALWEG_FOLD_MAX, TALWEG_FROM_ROWS, TALWEG_RATE_TENSOR, 0, 2, 1, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, 0, 3, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR, 0, 4, 0, kNone, kNone}};
  talweg_phase phases[kPhases] = {phase<0>(), phase<1>(), phase<2>(), phase<3>(), phase<4>()};
  talweg_image image{};

  LinedSpansRule() {
    phases[0].tensor_scalars = nullptr;
    phases[0].matrix_scalars = phases[0].row_scalars = phases[0].col_scalars = nullptr;
    phases[1].pass = nullptr;
    phases[2].lines = phases[3].lines = phases[4].lines = nullptr;
    phases[3].tensor_scalars = phases[4].tensor_scalars = nullptr;
    phases[3].matrix_scalars = phases[3].col_scalars = phases[4].row_scalars = nullptr;
    phases[0].model_scalars = [](void* self, const talweg_scalar_args* args) {
      *args->regrad = of(self).asks_again ? 1 : 0;
    };
    phases[3].model_scalars = [](void* self, const talweg_scalar_args* args) {
      const LinedSpansRule& rule = of(self);
      args->bound[0] = std::fabs(args->reduced[kNorm]);
      args->model_slots[0].f64 = args->bound[0];
      *args->outcome = rule.outcome;
      for (std::size_t s = 0; s < kStateCount && rule.outcome == TALWEG_SKIPPED; ++s)
        args->kept[s] = rule.keeps[s] ? 1 : 0;
    };
    image.abi_version = TALWEG_ABI_VERSION;
    image.compute_dtype = TALWEG_F64;
    image.name = "LinedSpans";
    image.hypers = hypers;
    image.states = states;
    image.hyper_count = 1;
    image.state_count = kStateCount;
    image.stream_count = kStreams;
    image.scratch_count = 1;
    image.uses_gradient = 1;
    image.split = TALWEG_SPLIT_LAST_TWO;
    image.initial_states = [](void*, const talweg_scalar_args* args) {
      args->new_states[kR] = 0.5;
    };
    talweg_kernels& step = image.step;
    step.phases = phases;
    step.reductions = reductions;
    step.self = this;
    step.phase_count = kPhases;
    step.reduction_count = kReductionCount;
    step.model_slot_count = step.tensor_slot_count = step.matrix_slot_count = 1;
    step.row_slot_count = step.col_slot_count = 1;
    step.chunk_partial_count = step.col_partial_count = 1;
    step.row_partial_count = step.block_partial_count = 2;
    step.end_phase = 3;
    step.origin_stream = UINT32_MAX;
  }
  LinedSpansRule(const LinedSpansRule&) = delete;
  LinedSpansRule& operator=(const LinedSpansRule&) = delete;

  /// A function of the groups, which does nothing, in every phase.
  void divide() {
    for (talweg_phase& phase : phases)
      phase.group_scalars = [](void*, const talweg_scalar_args*) {};
  }

 private:
  static LinedSpansRule& of(void* self) { return *static_cast<LinedSpansRule*>(self); }
  std::mutex mutex_;

  void note(char kind, std::uint32_t phase, std::uint32_t first, std::uint32_t last) {
    const std::lock_guard lock(mutex_);
    calls.push_back({kind, phase, first, last});
  }
  static bool takes_part(const talweg_pass_args* args, std::size_t t) {
    return args->pointers[t * kStreams + TALWEG_STREAM_GRAD] != nullptr;
  }
  static bool stores(const LinedSpansRule& rule, State state) {
    return rule.outcome != TALWEG_SKIPPED || rule.keeps[state];
  }

  template <int kPhase>
  static talweg_phase phase() {
    talweg_phase result{};
    result.tensor_scalars = tensor<kPhase>;
    result.matrix_scalars = matrix<kPhase>;
    result.row_scalars = row<kPhase>;
    result.col_scalars = col<kPhase>;
    result.lines = lines<kPhase>;
    result.pass = pass<kPhase>;
    return result;
  }

  template <int kPhase>
  static void tensor(void* self, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
    of(self).note('t', kPhase, begin, end - 1);
    for (std::size_t t = begin; t < end; ++t) {
      if (!takes_part(args, t)) continue;
      const double* reduced = args->tensor_reduced + t * kReductionCount;
      double& slot = args->tensor_slots[t].f64;
      slot = kPhase == 1 ? reduced[kTensorSum] : slot + std::max(reduced[kTensorPeak], -1024.0);
    }
  }

  /// Calls visit(line) for each line, or matrix, of the chunks of tensors that take part.
  template <class Visit>
  static void for_lines(void* self, char kind, std::uint32_t phase, const talweg_pass_args* args,
                        const talweg_line_chunk* chunks, std::uint32_t begin, std::uint32_t end,
                        Visit visit) {
    of(self).note(kind, phase, chunks[begin].tensor_index, chunks[end - 1].tensor_index);
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t k = 0; takes_part(args, chunks[i].tensor_index) && k < chunks[i].count; ++k)
        visit(chunks[i].first + k, chunks[i].tensor_index);
  }

  template <int kPhase>
  static void matrix(void* self, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
    for_lines(self, 'm', kPhase, args, args->matrix_chunks, begin, end,
              [&](std::size_t m, std::size_t t) {
                const double* reduced = args->matrix_reduced + m * kReductionCount;
                double& slot = args->matrix_slots[m].f64;
                if (kPhase == 1) slot = reduced[kMatrixSum];
                if (kPhase == 2) slot += reduced[kMatrixOfCols];
                if (kPhase != 4) return;
                args->new_matrix_states[m * kStateCount + kH] =
                    args->matrix_states[m * kStateCount + kH] +
                    args->tensor_reduced[t * kReductionCount + kMoved] / 1024;
                slot = args->new_matrix_states[m * kStateCount + kH];
              });
  }

  template <int kPhase>
  static void row(void* self, const talweg_pass_args* args, std::uint32_t begin,
                  std::uint32_t end) {
    auto* r = static_cast<double*>(args->line_states[kR]);
    for_lines(self, 'r', kPhase, args, args->row_chunks, begin, end,
              [&](std::size_t line, std::size_t) {
                double& slot = args->row_slots[line].f64;
                if (kPhase == 1) slot = args->row_partials[line] + r[line];
                if (kPhase == 2) slot += args->row_partials[args->row_count + line] / 1024;
                if (kPhase == 3 && stores(of(self), kR)) r[line] += slot;
              });
  }

  template <int kPhase>
  static void col(void* self, const talweg_pass_args* args, std::uint32_t begin,
                  std::uint32_t end) {
    auto* c = static_cast<double*>(args->line_states[kC]);
    for_lines(self, 'c', kPhase, args, args->col_chunks, begin, end,
              [&](std::size_t line, std::size_t) {
                double& slot = args->col_slots[line].f64;
                if (kPhase == 1) slot = args->col_partials[line] + c[line];
                if (kPhase == 2) slot += args->col_partials[line] / 1024;
                if (kPhase == 4 && stores(of(self), kC)) c[line] -= slot / 8;
              });
  }

  template <int kPhase>
  static void lines(void* self, const talweg_pass_args* args, std::uint32_t begin,
                    std::uint32_t end) {
    of(self).note('l', kPhase, args->row_blocks[begin].tensor_index,
                  args->row_blocks[end - 1].tensor_index);
    for (std::size_t b = begin; b < end; ++b) {
      const talweg_line_chunk& block = args->row_blocks[b];
      if (!takes_part(args, block.tensor_index)) continue;
      const talweg_matrix_view& view = args->views[block.tensor_index];
      void* const* streams = args->pointers + std::size_t{block.tensor_index} * kStreams;
      const auto* grad = static_cast<const double*>(streams[TALWEG_STREAM_GRAD]);
      const auto* m = static_cast<const double*>(streams[2]);
      const std::size_t matrix = block.matrix - view.first_matrix;
      double* columns = args->block_partials + kPhase * args->block_col_count +
                        view.first_block_col + (b - view.first_block) * view.cols;
      std::fill_n(columns, view.cols, 0.0);
      std::vector<double> values(view.cols);
      for (std::size_t line = block.first; line < block.first + block.count; ++line) {
        const std::size_t r = line - view.first_row - matrix * view.rows;
        for (std::size_t c = 0; c < view.cols; ++c) {
          const std::size_t e = LinedRule<double>::element(view, matrix, r, c);
          values[c] = kPhase == 0
                          ? grad[e] + m[e]
                          : grad[e] * args->row_slots[line].f64 +
                                args->col_slots[view.first_col + matrix * view.cols + c].f64;
          columns[c] += values[c];
        }
        args->row_partials[kPhase * args->row_count + line] = talweg_fold_sequence(
            kPhase == 0 ? TALWEG_FOLD_SUM : TALWEG_FOLD_MAX, values.data(), view.cols);
      }
    }
  }

  /// What is added to an element for its tensor, matrix, row and column.
  static double slots_at(const talweg_pass_args* args, std::size_t t, std::size_t e) {
    const talweg_matrix_view& view = args->views[t];
    double sum = args->tensor_slots[t].f64;
    if (view.rows == 0) return sum;
    const auto at = LinedRule<double>::place_of(view, e);
    sum += args->matrix_slots[view.first_matrix + at.matrix].f64;
    sum += args->row_slots[view.first_row + at.matrix * view.rows + at.row].f64;
    return sum + args->col_slots[view.first_col + at.matrix * view.cols + at.col].f64;
  }

  template <int kPhase>
  static void pass(void* self, const talweg_pass_args* args, std::uint32_t begin,
                   std::uint32_t end) {
    LinedSpansRule& rule = of(self);
    rule.note('p', kPhase, args->chunks[begin].tensor_index, args->chunks[end - 1].tensor_index);
    for (std::size_t i = begin; i < end; ++i) {
      const talweg_chunk& chunk = args->chunks[i];
      const std::size_t t = chunk.tensor_index;
      if (!takes_part(args, t)) continue;
      const auto stream = [&](std::uint32_t s) {
        return static_cast<double*>(args->pointers[t * kStreams + s]);
      };
      double *param = stream(TALWEG_STREAM_PARAM), *m = stream(2), *scratch = stream(kScratch);
      const double* grad = stream(TALWEG_STREAM_GRAD);
      double sum = 0;
      for (std::size_t e = chunk.first_element; e < chunk.first_element + chunk.element_count;
           ++e) {
        if (kPhase == 0) sum += m[e];
        if (kPhase == 2) sum += scratch[e] = grad[e] + slots_at(args, t, e) / 1024;
        if (kPhase == 3) {
          param[e] -= scratch[e] / (1 + args->model_slots[0].f64);
          m[e] = scratch[e];
          sum += param[e];
        }
        if (kPhase == 4 && args->views[t].rows > 0) {
          const auto at = LinedRule<double>::place_of(args->views[t], e);
          m[e] += args->matrix_slots[args->views[t].first_matrix + at.matrix].f64;
        }
      }
      if (kPhase < 4) args->chunk_partials[i] = sum;
    }
  }
};

}  // namespace talweg::tests
