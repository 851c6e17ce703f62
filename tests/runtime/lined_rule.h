// A rule with values of matrices, rows and columns, written by hand:
//
//   hyper lr = 0.5;  hyper model norm in [0, limit], bound in phase 1
//   state m = param;  state row r = lr;  state col c = 2;  state matrix h = lr;  state matrix k = 3
//   state row z = 0   (not kept by tensors whose name ends in "bias")
//   domain 0: tensors whose name does not end in "bias"
//
//   phase 0, over lines, of squares = grad * grad + m:
//     row partials: 0 squares, 1 the largest of |grad|;  block partials: 0 squares
//   phase 1: what reductions 0 to 8 say;  norm = sqrt(squares of domain 0)
//     matrix: slot = squares of its rows;  h += its largest |grad|;  partial 0 = 2 * slot
//     row:    slot = squares + r;  partial 2 = squares + 1
//     column: slot = squares + c;  partial 1 = 3 * squares
//   phase 2: what reductions 9 to 13 say
//     matrix: k += sum of columns' partial 1;  row: r = r / 2 + slot, z += 1;  column: c += slot
//     param -= lr * (grad + slots of its row, column and matrix);  of no matrix: lr * grad
#pragma once

#include <algorithm>
#include <array>
#include <mutex>

#include "runtime/optimizer/fold.h"
#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

template <class T>
struct LinedRule : HandWritten<LinedRule<T>> {
  using Base = HandWritten<LinedRule<T>>;
  using Base::image, Base::kInf;
  enum Hyper : std::uint32_t { kLr, kNorm, kHyperCount };
  enum State : std::uint32_t { kM, kR, kC, kH, kK, kZ, kStateCount };
  enum Fact : std::uint32_t { kRows, kCols, kMatrices, kIsBias, kFactCount };
  enum Reduced : std::uint32_t {
    kRowSquares,
    kColSquares,
    kMatrixSquares,
    kMatrixPeak,
    kMatrixOfCols,
    kTensorSquares,
    kGroupSquares,
    kSolidSquares,
    kModelOfCols,
    kTensorOfMatrices,
    kModelOfMatrices,
    kMatrixOfColValues,
    kGroupOfRowValues,
    kTensorOfColValues,
    kReductionCount
  };
  static constexpr std::uint32_t kStreams = 3;
  static constexpr std::uint8_t kDtype = kDtypeOf<T>;
  using Row = std::array<double, kReductionCount>;

  // What a test asks for.
  talweg_outcome outcome = TALWEG_COMPLETED;
  std::array<bool, kStateCount> keeps{};  // in a skipped call
  // What it can see, of phases 1 and 2: entries of other rates stay 0.
  Row seen_by_model{};
  std::vector<Row> seen_by_groups, seen_by_tensors, seen_by_matrices;
  std::vector<std::array<double, 3>> facts_of_tensors;

  talweg_hyper_info hypers[kHyperCount] = {Base::learning_rate(0.5), Base::bound_norm(1)};
  talweg_state_info states[kStateCount] = {
      {"m", "", 0, 2, TALWEG_RATE_ELEMENT, kDtype, TALWEG_INITIAL_PARAM, 0},
      {"r", "", 0, UINT32_MAX, TALWEG_RATE_ROW, kDtype, TALWEG_INITIAL_SCALAR, 1},
      {"c", "", 2, UINT32_MAX, TALWEG_RATE_COL, kDtype, TALWEG_INITIAL_CONSTANT, 1},
      {"h", "", 0, UINT32_MAX, TALWEG_RATE_MATRIX, TALWEG_F64, TALWEG_INITIAL_SCALAR, 1},
      {"k", "", 3, UINT32_MAX, TALWEG_RATE_MATRIX, TALWEG_F64, TALWEG_INITIAL_CONSTANT, 1},
      {"z", "", 0, UINT32_MAX, TALWEG_RATE_ROW, kDtype, TALWEG_INITIAL_ZERO, 1},
  };
  talweg_fact_info facts[kFactCount] = {{"", TALWEG_FACT_ROWS, {}},
                                        {"", TALWEG_FACT_COLS, {}},
                                        {"", TALWEG_FACT_MATRICES, {}},
                                        {"*bias", TALWEG_FACT_NAMED, {}}};
  static constexpr std::uint32_t kNone = UINT32_MAX;
  // fold, source, rate, counts, phase, partial, domain, blocks
  talweg_reduction_info reductions[kReductionCount] = {
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_ROW, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_COL, 0, 1, 0, kNone, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_MATRIX, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_MAX, TALWEG_FROM_ROWS, TALWEG_RATE_MATRIX, 0, 1, 1, 0, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_MATRIX, 0, 1, 0, kNone, 0},
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_TENSOR, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_GROUP, 0, 1, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_MODEL, 0, 1, 0, 0, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_MODEL, 0, 1, 0, 0, 0},
      {TALWEG_FOLD_MIN, TALWEG_FROM_MATRICES, TALWEG_RATE_TENSOR, 0, 2, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_MATRICES, TALWEG_RATE_MODEL, 0, 2, 0, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_COLS, TALWEG_RATE_MATRIX, 0, 2, 1, kNone, kNone},
      {TALWEG_FOLD_SUM, TALWEG_FROM_ROWS, TALWEG_RATE_GROUP, 0, 2, 2, kNone, kNone},
      {TALWEG_FOLD_MAX, TALWEG_FROM_COLS, TALWEG_RATE_TENSOR, 0, 2, 1, 0, kNone},
  };
  talweg_phase phases[3] = {
      {nullptr, group<0>, nullptr, nullptr, nullptr, nullptr, lines, nullptr, 0, 0, 0},
      {model<1>, group<1>, tensor<1>, matrix<1>, row<1>, col<1>, nullptr, nullptr, 0, 0, 0},
      {model<2>, group<2>, tensor<2>, matrix<2>, row<2>, col<2>, nullptr, pass, 0, 0, 0},
  };

  explicit LinedRule(talweg_split split = TALWEG_SPLIT_LAST_TWO) : Base("Lined", kDtype, kStreams) {
    this->set_hypers(hypers);
    this->set_states(states);
    this->set_facts(facts);
    this->set_phases(phases);
    this->set_reductions(reductions);
    image.domain_count = 1;
    image.split = split;
    image.initial_states = [](void*, const talweg_scalar_args* args) {
      args->new_states[kR] = args->new_states[kH] = args->hypers[kLr];
    };
    talweg_kernels& step = image.step;
    step.place = place;
    step.group_slot_count = 1;
    step.matrix_slot_count = 1;
    step.row_slot_count = step.col_slot_count = 2;  // the first is not used
    step.matrix_partial_count = step.block_partial_count = 1;
    step.row_partial_count = 3;
    step.col_partial_count = 2;
    step.end_phase = 1;
  }

 private:
  std::mutex mutex;

  using Base::of;
  static bool takes_part(const talweg_pass_args* args, std::size_t tensor) {
    return streams_of(args, kStreams, tensor) != nullptr;
  }
  bool stores(State state) const { return outcome != TALWEG_SKIPPED || keeps[state]; }

  static void place(void*, const talweg_placement* placement) {
    const auto is_solid = static_cast<std::uint8_t>(placement->facts[kIsBias] == 0);
    Base::keep_all_states(placement, kStateCount);
    placement->state_present[kZ] = placement->in_domain[0] = is_solid;
  }

  void record(Row& row, const double* reduced, std::uint32_t rate, std::uint32_t phase) {
    for (std::size_t i = 0; i < kReductionCount; ++i)
      if (reductions[i].rate == rate && reductions[i].phase == phase) row[i] = reduced[i];
  }
  void record(std::vector<Row>& rows, std::size_t index, std::size_t count, const double* reduced,
              std::uint32_t rate, std::uint32_t phase) {
    const std::scoped_lock lock(mutex);
    rows.resize(count);
    record(rows[index], reduced, rate, phase);
  }

  template <int kPhase>
  static void model(void* self, const talweg_scalar_args* args) {
    LinedRule& rule = of(self);
    rule.record(rule.seen_by_model, args->reduced, TALWEG_RATE_MODEL, kPhase);
    if (kPhase != 1) return;
    args->bound[kNorm] = std::sqrt(args->reduced[kSolidSquares]);
    Base::end_call(args, rule.outcome, rule.keeps);
  }

  template <int kPhase>
  static void group(void* self, const talweg_scalar_args* args) {
    LinedRule& rule = of(self);
    args->group_slots[0].f64 = args->hypers[kLr];
    if (kPhase > 0) {
      // One for each group and phase, in the order of calls.
      Row row{};
      rule.record(row, args->reduced, TALWEG_RATE_GROUP, kPhase);
      rule.seen_by_groups.push_back(row);
    }
  }

  template <int kPhase>
  static void tensor(void* self, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
    LinedRule& rule = of(self);
    rule.facts_of_tensors.resize(args->tensor_count);
    for (std::size_t t = begin; t < end; ++t) {
      std::copy_n(args->tensor_facts + t * kFactCount, 3, rule.facts_of_tensors[t].begin());
      if (takes_part(args, t))
        rule.record(rule.seen_by_tensors, t, args->tensor_count,
                    args->tensor_reduced + t * kReductionCount, TALWEG_RATE_TENSOR, kPhase);
    }
  }

  static void lines(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    for (std::size_t b = begin; b < end; ++b) {
      const talweg_line_chunk& block = args->row_blocks[b];
      void* const* streams = streams_of(args, kStreams, block.tensor_index);
      if (streams == nullptr) continue;
      const talweg_matrix_view& view = args->views[block.tensor_index];
      const std::size_t matrix = block.matrix - view.first_matrix;
      const std::size_t first_row = block.first - view.first_row - matrix * view.rows;
      double* columns =
          args->block_partials + view.first_block_col + (b - view.first_block) * view.cols;
      std::fill_n(columns, view.cols, 0.0);
      std::vector<double> squares(view.cols), sizes(view.cols);
      for (std::size_t r = 0; r < block.count; ++r) {
        for (std::size_t c = 0; c < view.cols; ++c) {
          const std::size_t e = element(view, matrix, first_row + r, c);
          const double grad = static_cast<const T*>(streams[TALWEG_STREAM_GRAD])[e];
          squares[c] = grad * grad + static_cast<const T*>(streams[2])[e];
          sizes[c] = std::fabs(grad);
          columns[c] += squares[c];
        }
        args->row_partials[block.first + r] =
            talweg_fold_sequence(TALWEG_FOLD_SUM, squares.data(), view.cols);
        args->row_partials[args->row_count + block.first + r] =
            talweg_fold_sequence(TALWEG_FOLD_MAX, sizes.data(), view.cols);
      }
    }
  }

  template <int kPhase>
  static void matrix(void* self, const talweg_pass_args* args, std::uint32_t begin,
                     std::uint32_t end) {
    LinedRule& rule = of(self);
    for_lines(args, args->matrix_chunks, kStreams, begin, end, [&](std::size_t m, std::size_t) {
      const double* reduced = args->matrix_reduced + m * kReductionCount;
      rule.record(rule.seen_by_matrices, m, args->matrix_count, reduced, TALWEG_RATE_MATRIX,
                  kPhase);
      const double* before = args->matrix_states + m * kStateCount;
      double* after = args->new_matrix_states + m * kStateCount;
      if (kPhase == 1) {
        args->matrix_slots[m].f64 = reduced[kMatrixSquares];
        after[kH] = before[kH] + reduced[kMatrixPeak];
        args->matrix_partials[m] = 2 * args->matrix_slots[m].f64;
      } else {
        after[kK] = before[kK] + reduced[kMatrixOfColValues];
      }
    });
  }

  template <int kPhase>
  static void row(void* self, const talweg_pass_args* args, std::uint32_t begin,
                  std::uint32_t end) {
    const LinedRule& rule = of(self);
    T* slots = reinterpret_cast<T*>(args->row_slots + args->row_count);
    T* r = static_cast<T*>(args->line_states[kR]);
    T* z = static_cast<T*>(args->line_states[kZ]);
    for_lines(args, args->row_chunks, kStreams, begin, end,
              [&](std::size_t line, std::size_t tensor) {
                if (kPhase == 1) {
                  slots[line] = static_cast<T>(args->row_partials[line]) + r[line];
                  args->row_partials[2 * args->row_count + line] = args->row_partials[line] + 1;
                  return;
                }
                const bool keeps_z = args->tensor_facts[tensor * kFactCount + kIsBias] == 0;
                if (rule.stores(kR)) r[line] = r[line] / 2 + slots[line];
                if (keeps_z && rule.stores(kZ)) z[line] += 1;
              });
  }

  template <int kPhase>
  static void col(void* self, const talweg_pass_args* args, std::uint32_t begin,
                  std::uint32_t end) {
    const LinedRule& rule = of(self);
    T* slots = reinterpret_cast<T*>(args->col_slots + args->col_count);
    T* c = static_cast<T*>(args->line_states[kC]);
    for_lines(args, args->col_chunks, kStreams, begin, end, [&](std::size_t line, std::size_t) {
      if (kPhase == 1) {
        slots[line] = static_cast<T>(args->col_partials[line]) + c[line];
        args->col_partials[args->col_count + line] = 3 * args->col_partials[line];
      } else if (rule.stores(kC)) {
        c[line] += slots[line];
      }
    });
  }

  static void pass(void* self, const talweg_pass_args* args, std::uint32_t begin,
                   std::uint32_t end) {
    if (of(self).outcome == TALWEG_SKIPPED) return;
    for_chunks(args, kStreams, begin, end, [&](const PassChunk& chunk) {
      const talweg_matrix_view& view = args->views[chunk.tensor];
      const T lr = static_cast<T>(args->group_slots[args->tensor_groups[chunk.tensor]].f64);
      T* param = chunk.stream<T>(TALWEG_STREAM_PARAM);
      const T* grad = chunk.stream<T>(TALWEG_STREAM_GRAD);
      for (std::uint32_t e = 0; e < chunk.count; ++e) {
        T change = grad[e];
        if (view.rows > 0) {
          const Place at = place_of(view, chunk.first + e);
          const std::size_t row = view.first_row + at.matrix * view.rows + at.row;
          const std::size_t col = view.first_col + at.matrix * view.cols + at.col;
          change += reinterpret_cast<const T*>(args->row_slots + args->row_count)[row];
          change += reinterpret_cast<const T*>(args->col_slots + args->col_count)[col];
          change += static_cast<T>(args->matrix_slots[view.first_matrix + at.matrix].f64);
        }
        param[e] -= lr * change;
      }
    });
  }

 public:
  struct Place {
    std::size_t matrix, row, col;
  };
  static Place place_of(const talweg_matrix_view& view, std::size_t element) {
    const std::size_t l = element % view.last;
    const std::size_t c = element / view.last % view.cols;
    const std::size_t i = element / view.last / view.cols % view.inner;
    const std::size_t r = element / view.last / view.cols / view.inner % view.rows;
    const std::size_t o = element / view.last / view.cols / view.inner / view.rows;
    return {(o * view.inner + i) * view.last + l, r, c};
  }
  static std::size_t element(const talweg_matrix_view& view, std::size_t matrix, std::size_t r,
                             std::size_t c) {
    const std::size_t l = matrix % view.last;
    const std::size_t i = matrix / view.last % view.inner;
    const std::size_t o = matrix / view.last / view.inner;
    return (((o * view.rows + r) * view.inner + i) * view.cols + c) * view.last + l;
  }
};

}  // namespace talweg::tests
