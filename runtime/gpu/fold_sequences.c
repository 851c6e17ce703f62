/* See fold_sequences.h. Adds the same sequences twice: to count runs, and to write them. */
#include "runtime/gpu/fold_sequences.h"

static void add_blocks(talweg_column_table* to, const talweg_optimizer* optimizer) {
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    const talweg_matrix_view* view = &optimizer->lines.views[t];
    const uint64_t matrices = talweg_count_matrices(view);
    const uint64_t blocks = talweg_count_blocks(view);
    for (uint64_t m = 0; m < matrices; ++m)
      talweg_add_columns(to, view->first_block_col + m * blocks * view->cols, blocks, view->cols,
                         view->first_col + m * view->cols, t);
  }
}

static void add_lines(talweg_run_table* to, const talweg_optimizer* optimizer, uint32_t tensor,
                      int of_rows) {
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const uint64_t matrices = talweg_count_matrices(view);
  const uint64_t first = of_rows ? view->first_row : view->first_col;
  const uint64_t count = of_rows ? view->rows : view->cols;
  for (uint64_t m = 0; m < matrices; ++m)
    talweg_add_sequence(to, first + m * count, count, view->first_matrix + m, tensor);
}

static void add_of_tensor(talweg_run_table* to, const talweg_optimizer* optimizer,
                          talweg_sequences sequences, uint32_t tensor) {
  const uint32_t first_chunk = optimizer->first_chunks[tensor];
  switch (sequences) {
    case TALWEG_ROWS_TO_MATRICES:
    case TALWEG_COLS_TO_MATRICES:
      add_lines(to, optimizer, tensor, sequences == TALWEG_ROWS_TO_MATRICES);
      break;
    case TALWEG_MATRICES_TO_TENSORS: {
      const talweg_matrix_view* view = &optimizer->lines.views[tensor];
      talweg_add_sequence(to, view->first_matrix, talweg_count_matrices(view), tensor, tensor);
      break;
    }
    case TALWEG_CHUNKS_TO_TENSORS:
      talweg_add_sequence(to, first_chunk, optimizer->first_chunks[tensor + 1] - first_chunk,
                          tensor, tensor);
      break;
    default:
      talweg_add_sequence(to, tensor, 1, tensor, tensor);
  }
}

/* Where nothing is reduced to groups there are no lists of their tensors: then those of a group are
 * sought among all. */
static void add_group(talweg_run_table* to, const talweg_optimizer* optimizer, uint32_t group) {
  if (!optimizer->widths.reduces_to_groups) {
    talweg_add_members(to, 0, optimizer->spec.tensor_count, group, group);
    return;
  }
  const uint32_t first = optimizer->group_begins[group];
  talweg_add_members(to, optimizer->group_tensors + first,
                     optimizer->group_begins[group + 1] - first, group, group);
}

static void add_sequences(talweg_run_table* to, const talweg_optimizer* optimizer,
                          talweg_sequences sequences) {
  const uint32_t tensors = optimizer->spec.tensor_count, groups = optimizer->spec.group_count;
  switch (sequences) {
    case TALWEG_TENSORS_TO_GROUPS:
      for (uint32_t g = 0; g < groups; ++g) add_group(to, optimizer, g);
      break;
    case TALWEG_TENSORS_TO_MODEL:
      talweg_add_members(to, 0, tensors, 0, TALWEG_NO_OWNER);
      break;
    case TALWEG_GROUPS_TO_MODEL:
      talweg_add_members(to, 0, groups, 0, TALWEG_NO_OWNER);
      break;
    default:
      for (uint32_t t = 0; t < tensors; ++t) add_of_tensor(to, optimizer, sequences, t);
  }
}

static talweg_runs_there carve_blocks(talweg_gpu_program* program,
                                      const talweg_optimizer* optimizer) {
  talweg_column_table counted = {0}, table = {0};
  talweg_runs_there there = {0};
  add_blocks(&counted, optimizer);
  for (uint32_t i = 0; i < TALWEG_FOLD_LEVELS; ++i) {
    there.counts[i] = counted.counts[i];
    table.runs[i] =
        talweg_gpu_carve(program, counted.counts[i] * sizeof(talweg_column_run), &there.runs[i]);
  }
  there.scratch = counted.scratch;
  if (program->tables) add_blocks(&table, optimizer);
  return there;
}

talweg_runs_there talweg_carve_sequences(talweg_gpu_program* program,
                                         const talweg_optimizer* optimizer,
                                         talweg_sequences sequences) {
  if (sequences == TALWEG_BLOCKS_TO_COLS) return carve_blocks(program, optimizer);
  talweg_run_table counted = {0}, table = {0};
  talweg_runs_there there = {0};
  add_sequences(&counted, optimizer, sequences);
  for (uint32_t i = 0; i < TALWEG_FOLD_LEVELS; ++i) {
    there.counts[i] = counted.counts[i];
    table.runs[i] =
        talweg_gpu_carve(program, counted.counts[i] * sizeof(talweg_fold_run), &there.runs[i]);
  }
  there.scratch = counted.scratch;
  if (program->tables) add_sequences(&table, optimizer, sequences);
  return there;
}
