/* Creation of what talweg_lines holds, and what functions are shown of it. */
#include "runtime/optimizer/lines.h"

#include "runtime/optimizer/internal.h"

int talweg_is_row_or_col(uint32_t rate) {
  return rate == TALWEG_RATE_ROW || rate == TALWEG_RATE_COL;
}

int talweg_is_line_rate(uint32_t rate) {
  return rate == TALWEG_RATE_MATRIX || talweg_is_row_or_col(rate);
}

static void fill_addresses(talweg_optimizer* optimizer) {
  const uint64_t* offsets = optimizer->lines.state_offsets;
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s)
    optimizer->lines.states[s] =
        offsets[s] == NOT_KEPT ? 0 : (void*)(optimizer->state_memory + offsets[s]);
}

void talweg_fill_line_tables(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  if (image->split == TALWEG_SPLIT_NONE) return;
  talweg_lines* lines = &optimizer->lines;
  talweg_line_counts counts = {0};
  talweg_line_tables tables = {.matrix_chunks = lines->matrix_chunks,
                               .row_chunks = lines->row_chunks,
                               .col_chunks = lines->col_chunks,
                               .row_blocks = lines->row_blocks};
  lines->places[0] = (talweg_line_places){0};
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    talweg_view_tensor(image->split, &optimizer->tensors[t], &lines->views[t]);
    /* As they were counted: see check_tensor.c and talweg_count_lines. */
    talweg_number_lines(&lines->views[t], &counts);
    talweg_fill_lines(&lines->views[t], t, &tables);
    lines->places[t + 1] = (talweg_line_places){.matrix_chunk = counts.matrix_chunks,
                                                .row_chunk = counts.row_chunks,
                                                .col_chunk = counts.col_chunks,
                                                .row_block = counts.row_blocks};
  }
  fill_addresses(optimizer);
}

void talweg_show_lines(talweg_optimizer* optimizer) {
  if (optimizer->image->split == TALWEG_SPLIT_NONE) return;
  const talweg_lines* lines = &optimizer->lines;
  talweg_pass_args* args = &optimizer->pass_args;
  args->views = lines->views;
  args->matrix_chunks = lines->matrix_chunks;
  args->row_chunks = lines->row_chunks;
  args->col_chunks = lines->col_chunks;
  args->row_blocks = lines->row_blocks;
  args->matrix_count = lines->counts.matrices;
  args->row_count = lines->counts.rows;
  args->col_count = lines->counts.cols;
  args->block_col_count = lines->counts.block_cols;
  args->matrix_slots = lines->matrix_slots;
  args->matrix_states = lines->matrix_before;
  args->new_matrix_states = lines->matrix_after;
  args->matrix_reduced = lines->matrix_reduced;
  args->matrix_partials = lines->matrix_partials;
  args->row_slots = lines->row_slots;
  args->col_slots = lines->col_slots;
  args->line_states = lines->states;
  args->row_partials = lines->row_partials;
  args->col_partials = lines->col_partials;
  args->block_partials = lines->block_partials;
  args->matrix_inputs = lines->matrix_inputs;
  args->line_inputs = (const void* const*)lines->inputs;
}
