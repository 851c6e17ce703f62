/* States of rows and columns. Each is one array over the rows (or columns) of all tensors, which
 * functions read and write in place; tensors that do not keep a state leave their part of it
 * unused. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

int talweg_keeps_lines(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const size_t entry = (size_t)tensor * optimizer->image->state_count + state;
  return optimizer->tensors[tensor].rank >= 2 && optimizer->state_present[entry];
}

typedef struct line_run {
  unsigned char* start;
  uint64_t count;
} line_run;

/* A tensor's part of a state of rows or columns. */
static line_run lines_of(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const int is_row = optimizer->image->states[state].rate == TALWEG_RATE_ROW;
  const uint64_t first = is_row ? view->first_row : view->first_col;
  const uint64_t count = talweg_count_matrices(view) * (is_row ? view->rows : view->cols);
  unsigned char* all = optimizer->lines.states[state];
  return (line_run){.start = count > 0 ? all + first * optimizer->element_bytes : 0,
                    .count = count};
}

void talweg_reset_line_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (!talweg_is_row_or_col(image->states[s].rate) ||
        image->states[s].initial != TALWEG_INITIAL_CONSTANT)
      continue; /* zeros, with all of state_memory */
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      if (!talweg_keeps_lines(optimizer, s, t)) continue;
      const line_run run = lines_of(optimizer, s, t);
      talweg_fill_elements(optimizer, run.start, run.count, image->states[s].initial_value);
    }
  }
  if (optimizer->lines.matrix_state_count > 0) talweg_reset_matrix_states(optimizer);
}

static int begins_now(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  if (!optimizer->takes_part[tensor]) return 0;
  const double* begun = talweg_state_begun(optimizer, state, tensor);
  return begun && *begun == 0;
}

void talweg_begin_lines(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (!talweg_is_row_or_col(image->states[s].rate) ||
        image->states[s].initial == TALWEG_INITIAL_KERNELS)
      continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      if (!begins_now(optimizer, s, t)) continue;
      const line_run run = lines_of(optimizer, s, t);
      const size_t row = (size_t)optimizer->tensor_groups[t] + 1;
      talweg_fill_elements(optimizer, run.start, run.count,
                           optimizer->initial_states[row * image->state_count + s]);
    }
  }
}

void talweg_clear_lines(talweg_optimizer* optimizer, const uint8_t* kept) {
  const talweg_image* image = optimizer->image;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (!talweg_is_row_or_col(image->states[s].rate) || (kept && kept[s])) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
      if (begins_now(optimizer, s, t)) {
        const line_run run = lines_of(optimizer, s, t);
        talweg_fill_elements(optimizer, run.start, run.count, 0);
      }
  }
}

int talweg_array_state_here(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor,
                            talweg_state_array* array) {
  const uint32_t rate = optimizer->image->states[state].rate;
  if (!talweg_is_line_rate(rate) || !talweg_keeps_lines(optimizer, state, tensor)) return 0;
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const uint64_t matrices = talweg_count_matrices(view);
  array->rank = 0;
  if (matrices != 1) array->shape[array->rank++] = matrices;
  if (rate == TALWEG_RATE_MATRIX) {
    array->data = matrices > 0 ? talweg_matrix_state(optimizer, state, tensor) : 0;
    return 1;
  }
  array->data = lines_of(optimizer, state, tensor).start;
  array->shape[array->rank++] = rate == TALWEG_RATE_ROW ? view->rows : view->cols;
  return 1;
}

int talweg_array_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor,
                       talweg_state_array* array) {
  talweg_settle(optimizer, 0);
  return talweg_array_state_here(optimizer, state, tensor, array);
}
