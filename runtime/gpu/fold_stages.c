/* See fold_stages.h. As reductions.c and line_reductions.c of the optimizer. */
#include "runtime/gpu/fold_stages.h"

static double* at(uint64_t there, uint64_t index) {
  return (double*)(uintptr_t)(there + index * sizeof(double));
}

/* On the device, of a table in control memory. */
static double* of_table(const talweg_phase_folds* of, const double* table, uint64_t index) {
  return at(talweg_gpu_there(of->program, table), index);
}

static int is_from_rows_or_cols(const talweg_reduction_info* info) {
  return info->source == TALWEG_FROM_ROWS || info->source == TALWEG_FROM_COLS;
}

/* Whether a reduction of this phase is folded from an array between stages. */
static int needs(const talweg_phase_folds* of, talweg_between array, uint32_t reduction) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  if (info->phase != of->phase) return 0;
  switch (array) {
    case TALWEG_OF_MATRICES:
      return is_from_rows_or_cols(info) && info->rate < TALWEG_RATE_MATRIX;
    case TALWEG_OF_TENSORS:
      if (info->rate >= TALWEG_RATE_TENSOR) return 0;
      if (info->source == TALWEG_FROM_CHUNKS) return !info->counts && !of->chunks_are_tensors;
      return is_from_rows_or_cols(info) || info->source == TALWEG_FROM_MATRICES;
    default:
      return info->source == TALWEG_FROM_GROUPS;
  }
}

static int have_same_values(const talweg_reduction_info* a, const talweg_reduction_info* b) {
  return a->source == b->source && a->counts == b->counts &&
         (a->counts || a->partial == b->partial) && a->fold == b->fold && a->domain == b->domain;
}

/* The first reduction that has the values of this one in an array. */
static uint32_t first_of(const talweg_phase_folds* of, talweg_between array, uint32_t reduction) {
  const talweg_reduction_info* infos = of->kernels->reductions;
  uint32_t first = 0;
  while (!needs(of, array, first) || !have_same_values(&infos[first], &infos[reduction])) ++first;
  return first;
}

static int is_first(const talweg_phase_folds* of, talweg_between array, uint32_t reduction) {
  return needs(of, array, reduction) && first_of(of, array, reduction) == reduction;
}

uint32_t talweg_count_arrays(const talweg_phase_folds* of, talweg_between array,
                             uint32_t reduction_end) {
  uint32_t count = 0;
  for (uint32_t r = 0; r < reduction_end; ++r) count += is_first(of, array, r) != 0;
  return count;
}

uint64_t talweg_length_between(const talweg_phase_folds* of, talweg_between array) {
  if (array == TALWEG_OF_MATRICES) return of->optimizer->lines.counts.matrices;
  return array == TALWEG_OF_TENSORS ? of->optimizer->spec.tensor_count
                                    : of->optimizer->spec.group_count;
}

static double* array_of(const talweg_phase_folds* of, talweg_between array, uint32_t reduction) {
  return at(of->arrays[array], talweg_count_arrays(of, array, first_of(of, array, reduction)) *
                                   talweg_length_between(of, array));
}

/* Row blocks have no table of their own results: two that make the same columns, for other domains
 * or otherwise, do so one after the other, as on the host. */
static int makes_columns(const talweg_phase_folds* of, uint32_t reduction) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  return info->phase == of->phase && info->source == TALWEG_FROM_COLS &&
         info->blocks != UINT32_MAX && !talweg_has_columns(of->kernels, reduction);
}

static uint32_t turn_of(const talweg_phase_folds* of, uint32_t reduction) {
  const talweg_reduction_info* infos = of->kernels->reductions;
  uint32_t turn = 0;
  for (uint32_t r = 0; r < reduction; ++r)
    turn += makes_columns(of, r) && infos[r].partial == infos[reduction].partial;
  return turn;
}

static void put_results(talweg_found_fold* to, double* results, uint64_t stride, uint32_t copies) {
  to->fold.results = results;
  to->fold.stride = stride;
  to->fold.copies = copies;
}

static int find_to_cols(const talweg_phase_folds* of, uint32_t reduction, uint32_t turn,
                        talweg_found_fold* to) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  const talweg_lines* lines = &of->optimizer->lines;
  if (!makes_columns(of, reduction) || turn_of(of, reduction) != turn) return 0;
  to->sequences = TALWEG_BLOCKS_TO_COLS;
  to->fold.values = of_table(of, lines->block_partials, info->blocks * lines->counts.block_cols);
  to->fold.results = of_table(of, lines->col_partials, info->partial * lines->counts.cols);
  return 1;
}

static int find_to_matrices(const talweg_phase_folds* of, uint32_t reduction,
                            talweg_found_fold* to) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  const talweg_lines* lines = &of->optimizer->lines;
  if (!is_from_rows_or_cols(info)) return 0;
  if (info->rate == TALWEG_RATE_MATRIX)
    put_results(to, of_table(of, lines->matrix_reduced, reduction), of->kernels->reduction_count,
                1);
  else if (is_first(of, TALWEG_OF_MATRICES, reduction))
    to->fold.results = array_of(of, TALWEG_OF_MATRICES, reduction);
  else
    return 0;
  const int of_rows = info->source == TALWEG_FROM_ROWS;
  to->sequences = of_rows ? TALWEG_ROWS_TO_MATRICES : TALWEG_COLS_TO_MATRICES;
  to->fold.values = of_rows ? of_table(of, lines->row_partials, info->partial * lines->counts.rows)
                            : of_table(of, lines->col_partials, info->partial * lines->counts.cols);
  return 1;
}

static double* chunk_values(const talweg_phase_folds* of, const talweg_reduction_info* info) {
  return of_table(of, of->optimizer->chunk_partials,
                  (uint64_t)info->partial * of->optimizer->chunk_count);
}

static int find_to_tensors(const talweg_phase_folds* of, uint32_t reduction,
                           talweg_found_fold* to) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  const talweg_lines* lines = &of->optimizer->lines;
  if (info->rate == TALWEG_RATE_TENSOR)
    put_results(to, of_table(of, of->optimizer->tensor_reduced, reduction),
                of->kernels->reduction_count, 1);
  else if (is_first(of, TALWEG_OF_TENSORS, reduction))
    to->fold.results = array_of(of, TALWEG_OF_TENSORS, reduction);
  else
    return 0;
  if (info->source == TALWEG_FROM_CHUNKS) {
    to->sequences = info->counts ? TALWEG_TENSORS_TO_TENSORS : TALWEG_CHUNKS_TO_TENSORS;
    to->fold.values = info->counts ? at(of->element_counts, 0) : chunk_values(of, info);
    return 1;
  }
  to->sequences = TALWEG_MATRICES_TO_TENSORS;
  to->fold.values =
      info->source == TALWEG_FROM_MATRICES
          ? of_table(of, lines->matrix_partials, info->partial * lines->counts.matrices)
          : array_of(of, TALWEG_OF_MATRICES, reduction);
  return 1;
}

/* [tensor], what they contribute to groups or the model; null: 1 each. */
static double* values_of_tensors(const talweg_phase_folds* of, uint32_t reduction) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  if (needs(of, TALWEG_OF_TENSORS, reduction)) return array_of(of, TALWEG_OF_TENSORS, reduction);
  if (info->source == TALWEG_FROM_CHUNKS)
    return info->counts ? at(of->element_counts, 0) : chunk_values(of, info);
  if (info->counts) return 0;
  return of_table(of, of->optimizer->tensor_partials,
                  (uint64_t)info->partial * of->optimizer->spec.tensor_count);
}

static void put_to_model(const talweg_phase_folds* of, uint32_t reduction, talweg_found_fold* to) {
  put_results(to, of_table(of, of->optimizer->reduced, reduction), of->kernels->reduction_count,
              of->optimizer->row_count);
}

static int find_to_groups(const talweg_phase_folds* of, uint32_t reduction, talweg_found_fold* to) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  if (info->source == TALWEG_FROM_GROUPS) {
    to->sequences = TALWEG_TENSORS_TO_GROUPS;
    to->fold.fold = TALWEG_FOLD_SUM;
    to->fold.results = array_of(of, TALWEG_OF_GROUPS, reduction);
    return is_first(of, TALWEG_OF_GROUPS, reduction);
  }
  if (info->rate > TALWEG_RATE_GROUP) return 0;
  to->fold.values = values_of_tensors(of, reduction);
  to->sequences =
      info->rate == TALWEG_RATE_GROUP ? TALWEG_TENSORS_TO_GROUPS : TALWEG_TENSORS_TO_MODEL;
  const uint64_t columns = of->kernels->reduction_count;
  if (info->rate == TALWEG_RATE_GROUP) /* row 0 is the model's */
    put_results(to, of_table(of, of->optimizer->reduced, columns + reduction), columns, 1);
  else
    put_to_model(of, reduction, to);
  return 1;
}

static int find_from_groups(const talweg_phase_folds* of, uint32_t reduction,
                            talweg_found_fold* to) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  if (info->source != TALWEG_FROM_GROUPS) return 0;
  to->sequences = TALWEG_GROUPS_TO_MODEL;
  to->fold.of_groups = 1;
  to->fold.present = array_of(of, TALWEG_OF_GROUPS, reduction);
  if (!info->counts) to->fold.values = of_table(of, of->optimizer->group_partials, info->partial);
  to->fold.value_stride = of->kernels->group_partial_count;
  put_to_model(of, reduction, to);
  return 1;
}

int talweg_find_fold(const talweg_phase_folds* of, talweg_fold_stage stage, uint32_t turn,
                     uint32_t reduction, talweg_found_fold* to) {
  const talweg_reduction_info* info = &of->kernels->reductions[reduction];
  if (info->phase != of->phase || (turn > 0 && stage != TALWEG_STAGE_COLS)) return 0;
  to->fold = (talweg_gpu_fold){.stride = 1,
                               .value_stride = 1,
                               .copies = 1,
                               .fold = info->fold,
                               .domain = info->domain /* UINT32_MAX: TALWEG_NO_OWNER */};
  switch (stage) {
    case TALWEG_STAGE_COLS:
      return find_to_cols(of, reduction, turn, to);
    case TALWEG_STAGE_MATRICES:
      return find_to_matrices(of, reduction, to);
    case TALWEG_STAGE_TENSORS:
      return find_to_tensors(of, reduction, to);
    case TALWEG_STAGE_GROUPS:
      return find_to_groups(of, reduction, to);
    default:
      return find_from_groups(of, reduction, to);
  }
}
