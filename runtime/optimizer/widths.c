/* How wide tables are that serve the step, and views and initial values in between: as the widest
 * of them needs. */
#include "runtime/optimizer/internal.h"

static void widen(uint64_t* width, uint64_t needed) {
  if (needed > *width) *width = needed;
}

static int reduces_to(const talweg_kernels* kernels, uint32_t rate) {
  for (uint32_t r = 0; r < kernels->reduction_count; ++r)
    if (kernels->reductions[r].rate == rate) return 1;
  return 0;
}

static void add(talweg_widths* widths, const talweg_kernels* kernels) {
  widen(&widths->model_slots, kernels->model_slot_count);
  widen(&widths->group_slots, kernels->group_slot_count);
  widen(&widths->tensor_slots, kernels->tensor_slot_count);
  widen(&widths->matrix_slots, kernels->matrix_slot_count);
  widen(&widths->row_slots, kernels->row_slot_count);
  widen(&widths->col_slots, kernels->col_slot_count);
  widen(&widths->chunk_partials, kernels->chunk_partial_count);
  widen(&widths->tensor_partials, kernels->tensor_partial_count);
  widen(&widths->group_partials, kernels->group_partial_count);
  widen(&widths->matrix_partials, kernels->matrix_partial_count);
  widen(&widths->row_partials, kernels->row_partial_count);
  widen(&widths->col_partials, kernels->col_partial_count);
  widen(&widths->block_partials, kernels->block_partial_count);
  widen(&widths->reductions, kernels->reduction_count);
  if (reduces_to(kernels, TALWEG_RATE_TENSOR))
    widen(&widths->tensor_reductions, kernels->reduction_count);
  if (reduces_to(kernels, TALWEG_RATE_MATRIX))
    widen(&widths->matrix_reductions, kernels->reduction_count);
  widths->reduces_to_groups |= reduces_to(kernels, TALWEG_RATE_GROUP);
}

talweg_widths talweg_find_widths(const talweg_image* image) {
  talweg_widths widths = {0};
  add(&widths, &image->step);
  for (uint32_t v = 0; v < image->view_count; ++v) add(&widths, &image->views[v].kernels);
  for (uint32_t s = 0; s < image->state_count; ++s)
    if (image->states[s].initial == TALWEG_INITIAL_KERNELS)
      add(&widths, &image->initial_kernels[s]);
  return widths;
}
