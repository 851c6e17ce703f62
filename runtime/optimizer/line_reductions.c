/* What is folded of the values that rows, columns and matrices leave: see reductions.c, which goes
 * on from there to tensors, groups and the model. */
#include "runtime/optimizer/fold.h"
#include "runtime/optimizer/internal.h"

typedef struct block_run {
  talweg_optimizer* optimizer;
  const talweg_reduction_info* info;
} block_run;

/* The columns of chunks [begin, end), from the row blocks of their matrices. */
static void fold_chunks(void* argument, uint32_t begin, uint32_t end) {
  const block_run* run = argument;
  const talweg_reduction_info* info = run->info;
  const talweg_lines* lines = &run->optimizer->lines;
  const double* partials = lines->block_partials + (size_t)info->blocks * lines->counts.block_cols;
  double* results = lines->col_partials + (size_t)info->partial * lines->counts.cols;
  for (uint32_t i = begin; i < end; ++i) {
    const talweg_line_chunk* chunk = &lines->col_chunks[i];
    if (!talweg_ranges_over(run->optimizer, info, chunk->tensor_index)) continue;
    const talweg_matrix_view* view = &lines->views[chunk->tensor_index];
    const uint64_t blocks = talweg_count_blocks(view);
    const uint64_t matrix = chunk->matrix - view->first_matrix;
    const uint64_t col = chunk->first - view->first_col - matrix * view->cols;
    talweg_fold_columns(info->fold,
                        partials + view->first_block_col + matrix * blocks * view->cols + col,
                        blocks, view->cols, chunk->count, results + chunk->first);
  }
}

int talweg_has_columns(const talweg_kernels* kernels, uint32_t reduction) {
  const talweg_reduction_info* info = &kernels->reductions[reduction];
  for (uint32_t r = 0; r < reduction; ++r) {
    const talweg_reduction_info* other = &kernels->reductions[r];
    if (other->source == TALWEG_FROM_COLS && other->phase == info->phase &&
        other->blocks == info->blocks && other->partial == info->partial &&
        other->fold == info->fold && other->domain == info->domain)
      return 1;
  }
  return 0;
}

void talweg_fold_blocks(talweg_optimizer* optimizer, const talweg_scope* scope, uint32_t phase) {
  const talweg_kernels* kernels = optimizer->running;
  for (uint32_t r = 0; r < kernels->reduction_count; ++r) {
    const talweg_reduction_info* info = &kernels->reductions[r];
    if (info->source != TALWEG_FROM_COLS || info->blocks == UINT32_MAX || info->phase != phase ||
        talweg_has_columns(kernels, r))
      continue;
    block_run run = {.optimizer = optimizer, .info = info};
    talweg_for_scope(optimizer, scope, TALWEG_COL_FOLDS, fold_chunks, &run);
  }
}

/* Of one matrix, from its rows or its columns. */
static double fold_matrix(const talweg_lines* lines, const talweg_reduction_info* info,
                          const talweg_matrix_view* view, uint64_t matrix) {
  if (info->source == TALWEG_FROM_ROWS)
    return talweg_fold_sequence(info->fold,
                                lines->row_partials + info->partial * lines->counts.rows +
                                    view->first_row + matrix * view->rows,
                                view->rows);
  return talweg_fold_sequence(info->fold,
                              lines->col_partials + info->partial * lines->counts.cols +
                                  view->first_col + matrix * view->cols,
                              view->cols);
}

double talweg_fold_lines(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                         uint32_t tensor) {
  const talweg_lines* lines = &optimizer->lines;
  const talweg_matrix_view* view = &lines->views[tensor];
  const uint64_t matrices = talweg_count_matrices(view);
  if (info->source == TALWEG_FROM_MATRICES)
    return talweg_fold_sequence(
        info->fold,
        lines->matrix_partials + info->partial * lines->counts.matrices + view->first_matrix,
        matrices);
  talweg_folding folding;
  talweg_begin_fold(&folding, info->fold);
  for (uint64_t m = 0; m < matrices; ++m)
    talweg_fold_value(&folding, fold_matrix(lines, info, view, m));
  return talweg_end_fold(&folding);
}

void talweg_reduce_to_matrices(talweg_optimizer* optimizer, uint32_t reduction, uint32_t begin,
                               uint32_t end) {
  const talweg_kernels* kernels = optimizer->running;
  const talweg_reduction_info* info = &kernels->reductions[reduction];
  const talweg_lines* lines = &optimizer->lines;
  for (uint32_t t = begin; t < end; ++t) {
    if (!optimizer->takes_part[t]) continue;
    const int is_its = talweg_ranges_over(optimizer, info, t);
    const talweg_matrix_view* view = &lines->views[t];
    const uint64_t matrices = talweg_count_matrices(view);
    for (uint64_t m = 0; m < matrices; ++m)
      lines->matrix_reduced[(view->first_matrix + m) * kernels->reduction_count + reduction] =
          is_its ? fold_matrix(lines, info, view, m) : talweg_fold_start(info->fold);
  }
}
