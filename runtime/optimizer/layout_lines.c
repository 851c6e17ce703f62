/* How much of everything matrices, rows and columns take; see layout.c. */
#include "runtime/memory/matrix_view.h"
#include "runtime/optimizer/internal.h"

int talweg_count_lines(const talweg_optimizer_spec* spec, talweg_line_counts* counts) {
  if (spec->image->split == TALWEG_SPLIT_NONE) return 1;
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    talweg_matrix_view view;
    if (talweg_view_tensor(spec->image->split, &spec->tensors[t], &view) != TALWEG_VIEW_FITS ||
        !talweg_number_lines(&view, counts))
      return 0;
  }
  return 1;
}

static void carve_tables(talweg_lines* lines, const talweg_widths* widths, talweg_arena* memory) {
  const talweg_line_counts* counts = &lines->counts;
  const size_t slot = sizeof(talweg_slot);
  lines->matrix_slots = talweg_carve_table(memory, counts->matrices, widths->matrix_slots, slot);
  lines->row_slots = talweg_carve_table(memory, counts->rows, widths->row_slots, slot);
  lines->col_slots = talweg_carve_table(memory, counts->cols, widths->col_slots, slot);
  const size_t number = sizeof(double);
  lines->matrix_reduced =
      talweg_carve_table(memory, counts->matrices, widths->matrix_reductions, number);
  lines->matrix_partials =
      talweg_carve_table(memory, counts->matrices, widths->matrix_partials, number);
  lines->row_partials = talweg_carve_table(memory, counts->rows, widths->row_partials, number);
  lines->col_partials = talweg_carve_table(memory, counts->cols, widths->col_partials, number);
  lines->block_partials =
      talweg_carve_table(memory, counts->block_cols, widths->block_partials, number);
}

static void carve_inputs(talweg_lines* lines, const talweg_image* image, uint32_t element_bytes,
                         uint32_t tensor_count, talweg_arena* memory) {
  if (lines->input_count == 0) return;
  const uint64_t matrices = lines->matrix_input_count > 0 ? lines->counts.matrices : 0;
  lines->matrix_inputs = talweg_carve_table(memory, matrices, image->input_count, sizeof(double));
  lines->input_given = talweg_carve_table(memory, tensor_count, image->input_count, 1);
  lines->inputs = talweg_carve(memory, image->input_count, sizeof(void*));
  for (uint32_t i = 0; i < image->input_count; ++i) {
    const uint32_t rate = image->inputs[i].rate;
    const uint64_t count = rate == TALWEG_RATE_ROW   ? lines->counts.rows
                           : rate == TALWEG_RATE_COL ? lines->counts.cols
                                                     : 0;
    void* values = talweg_carve(memory, count, element_bytes);
    if (lines->inputs) lines->inputs[i] = values;
  }
}

void talweg_carve_lines(talweg_optimizer* optimizer, talweg_arena* memory) {
  const talweg_image* image = optimizer->image;
  talweg_lines* lines = &optimizer->lines;
  if (image->split == TALWEG_SPLIT_NONE) return;
  const talweg_line_counts* counts = &lines->counts;
  lines->views = talweg_carve(memory, optimizer->spec.tensor_count, sizeof(talweg_matrix_view));
  lines->places =
      talweg_carve(memory, (uint64_t)optimizer->spec.tensor_count + 1, sizeof(talweg_line_places));
  lines->matrix_chunks = talweg_carve(memory, counts->matrix_chunks, sizeof(talweg_line_chunk));
  lines->row_chunks = talweg_carve(memory, counts->row_chunks, sizeof(talweg_line_chunk));
  lines->col_chunks = talweg_carve(memory, counts->col_chunks, sizeof(talweg_line_chunk));
  lines->row_blocks = talweg_carve(memory, counts->row_blocks, sizeof(talweg_line_chunk));
  lines->state_offsets = talweg_carve(memory, image->state_count, sizeof(uint64_t));
  lines->states = talweg_carve(memory, image->state_count, sizeof(void*));
  lines->matrix_states =
      talweg_carve_table(memory, counts->matrices, lines->matrix_state_count, sizeof(double));
  const uint64_t state_rows = lines->matrix_state_count > 0 ? counts->matrices : 0;
  lines->matrix_before = talweg_carve_table(memory, state_rows, image->state_count, sizeof(double));
  lines->matrix_after = talweg_carve_table(memory, state_rows, image->state_count, sizeof(double));
  carve_inputs(lines, image, optimizer->element_bytes, optimizer->spec.tensor_count, memory);
  carve_tables(lines, &optimizer->widths, memory);
}
