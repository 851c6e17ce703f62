/* Scalar states of matrices: kept like those of tensors (tensor_states.c), but as one array of each
 * state, so that a tensor's values lie together. */
#include "runtime/optimizer/internal.h"

static int is_matrix_state(const talweg_optimizer* optimizer, uint32_t state) {
  return optimizer->image->states[state].rate == TALWEG_RATE_MATRIX;
}

double* talweg_matrix_state(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  size_t arrays_before = 0;
  for (uint32_t s = 0; s < state; ++s) arrays_before += is_matrix_state(optimizer, s) != 0;
  return optimizer->lines.matrix_states + arrays_before * optimizer->lines.counts.matrices +
         optimizer->lines.views[tensor].first_matrix;
}

void talweg_reset_matrix_states(talweg_optimizer* optimizer) {
  double* next = optimizer->lines.matrix_states;
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s) {
    if (!is_matrix_state(optimizer, s)) continue;
    const talweg_state_info* state = &optimizer->image->states[s];
    const double value = state->initial == TALWEG_INITIAL_CONSTANT ? state->initial_value : 0;
    for (uint64_t m = 0; m < optimizer->lines.counts.matrices; ++m) *next++ = value;
  }
}

/* Until a state begins, its matrices have the value of their group, or what was made for them. */
static void copy_tensor(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const size_t columns = optimizer->image->state_count;
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const uint64_t matrices = talweg_count_matrices(view);
  const double* values = talweg_matrix_state(optimizer, state, tensor);
  const double* begun = talweg_state_begun(optimizer, state, tensor);
  const int begins = begun && *begun == 0;
  const int is_made = optimizer->image->states[state].initial == TALWEG_INITIAL_KERNELS;
  const size_t row = (size_t)optimizer->tensor_groups[tensor] + 1;
  const size_t first = (size_t)view->first_matrix * columns + state;
  for (size_t m = 0; m < matrices; ++m) {
    double* after = &optimizer->lines.matrix_after[first + m * columns];
    if (!begins)
      *after = values[m];
    else if (!is_made)
      *after = optimizer->initial_states[row * columns + state];
    optimizer->lines.matrix_before[first + m * columns] = *after;
  }
}

void talweg_copy_matrix_states(talweg_optimizer* optimizer) {
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s) {
    if (!is_matrix_state(optimizer, s)) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
      if (optimizer->takes_part[t]) copy_tensor(optimizer, s, t);
  }
}

void talweg_commit_matrix_states(talweg_optimizer* optimizer) {
  const size_t columns = optimizer->image->state_count;
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s) {
    if (!is_matrix_state(optimizer, s) || !optimizer->kept[s]) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      if (!optimizer->takes_part[t] || !talweg_keeps_lines(optimizer, s, t)) continue;
      const talweg_matrix_view* view = &optimizer->lines.views[t];
      const uint64_t matrices = talweg_count_matrices(view);
      double* values = talweg_matrix_state(optimizer, s, t);
      for (size_t m = 0; m < matrices; ++m)
        values[m] = optimizer->lines.matrix_after[(view->first_matrix + m) * columns + s];
    }
  }
}
