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

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Slots serve the step, and views in between. */
static void carve_slots(talweg_lines* lines, const talweg_image* image, talweg_arena* memory) {
  uint32_t matrix = image->step.matrix_slot_count;
  uint32_t row = image->step.row_slot_count;
  uint32_t col = image->step.col_slot_count;
  for (uint32_t v = 0; v < image->view_count; ++v) {
    matrix = larger(matrix, image->views[v].kernels.matrix_slot_count);
    row = larger(row, image->views[v].kernels.row_slot_count);
    col = larger(col, image->views[v].kernels.col_slot_count);
  }
  lines->matrix_slots =
      talweg_carve_table(memory, lines->counts.matrices, matrix, sizeof(talweg_slot));
  lines->row_slots = talweg_carve_table(memory, lines->counts.rows, row, sizeof(talweg_slot));
  lines->col_slots = talweg_carve_table(memory, lines->counts.cols, col, sizeof(talweg_slot));
}

static void carve_partials(talweg_lines* lines, const talweg_kernels* step, int to_matrices,
                           talweg_arena* memory) {
  const talweg_line_counts* counts = &lines->counts;
  lines->matrix_reduced = talweg_carve_table(memory, to_matrices ? counts->matrices : 0,
                                             step->reduction_count, sizeof(double));
  lines->matrix_partials =
      talweg_carve_table(memory, counts->matrices, step->matrix_partial_count, sizeof(double));
  lines->row_partials =
      talweg_carve_table(memory, counts->rows, step->row_partial_count, sizeof(double));
  lines->col_partials =
      talweg_carve_table(memory, counts->cols, step->col_partial_count, sizeof(double));
  lines->block_partials =
      talweg_carve_table(memory, counts->block_cols, step->block_partial_count, sizeof(double));
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

void talweg_carve_lines(talweg_optimizer* optimizer, int to_matrices, talweg_arena* memory) {
  const talweg_image* image = optimizer->image;
  talweg_lines* lines = &optimizer->lines;
  if (image->split == TALWEG_SPLIT_NONE) return;
  const talweg_line_counts* counts = &lines->counts;
  lines->views = talweg_carve(memory, optimizer->spec.tensor_count, sizeof(talweg_matrix_view));
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
  carve_slots(lines, image, memory);
  carve_partials(lines, &image->step, to_matrices, memory);
}
