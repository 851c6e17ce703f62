/* Whether what runs over tensors is what this runtime can run: phases and reductions of a step, of
 * views and of initial values. */
#include "runtime/optimizer/internal.h"

static uint32_t partials_of(const talweg_kernels* kernels, uint32_t source) {
  switch (source) {
    case TALWEG_FROM_CHUNKS:
      return kernels->chunk_partial_count;
    case TALWEG_FROM_TENSORS:
      return kernels->tensor_partial_count;
    case TALWEG_FROM_GROUPS:
      return kernels->group_partial_count;
    case TALWEG_FROM_MATRICES:
      return kernels->matrix_partial_count;
    case TALWEG_FROM_ROWS:
      return kernels->row_partial_count;
    default:
      return kernels->col_partial_count;
  }
}

/* Values are folded into what is slower than what they come from; those of rows and columns may be
 * read as they are. */
static int can_be_folded(const talweg_reduction_info* info, uint32_t split) {
  if (info->fold > TALWEG_FOLD_MAX || info->rate < TALWEG_RATE_MODEL) return 0;
  if (info->source >= TALWEG_FROM_MATRICES && (split == TALWEG_SPLIT_NONE || info->counts))
    return 0;
  switch (info->source) {
    case TALWEG_FROM_CHUNKS:
    case TALWEG_FROM_MATRICES:
      return info->rate <= TALWEG_RATE_TENSOR;
    case TALWEG_FROM_TENSORS:
      return info->rate <= TALWEG_RATE_GROUP;
    case TALWEG_FROM_GROUPS:
      return info->rate == TALWEG_RATE_MODEL;
    case TALWEG_FROM_ROWS:
      return info->rate <= TALWEG_RATE_ROW;
    case TALWEG_FROM_COLS:
      return info->rate <= TALWEG_RATE_MATRIX || info->rate == TALWEG_RATE_COL;
    default:
      return 0;
  }
}

static talweg_status check_reductions(const talweg_image* image, const talweg_kernels* kernels,
                                      talweg_error* error) {
  for (uint32_t r = 0; r < kernels->reduction_count; ++r) {
    const talweg_reduction_info* info = &kernels->reductions[r];
    if (!can_be_folded(info, image->split) || (info->counts && info->fold != TALWEG_FOLD_SUM))
      return talweg_refuse_image(image, "has a reduction that cannot be", error);
    if (info->phase >= kernels->phase_count ||
        (info->domain != UINT32_MAX && info->domain >= image->domain_count))
      return talweg_refuse_image(image, "has a reduction without a phase or a domain", error);
    if (!info->counts && (info->phase == 0 || info->partial >= partials_of(kernels, info->source)))
      return talweg_refuse_image(image, "has a reduction of what nobody leaves", error);
    if (info->source == TALWEG_FROM_COLS && info->blocks != UINT32_MAX &&
        info->blocks >= kernels->block_partial_count)
      return talweg_refuse_image(image, "has a reduction of what no row block leaves", error);
  }
  return TALWEG_OK;
}

static int runs_over_lines(const talweg_phase* phase) {
  return phase->matrix_scalars || phase->row_scalars || phase->col_scalars || phase->lines;
}

static talweg_status check_lines(const talweg_image* image, const talweg_kernels* kernels,
                                 talweg_error* error) {
  for (uint32_t p = 0; p < kernels->phase_count; ++p)
    if (image->split == TALWEG_SPLIT_NONE && runs_over_lines(&kernels->phases[p]))
      return talweg_refuse_image(image, "runs over matrices, but has none", error);
  return TALWEG_OK;
}

static int is_scratch(const talweg_image* image, uint32_t stream) {
  return stream < image->stream_count && stream >= image->stream_count - image->scratch_count;
}

/* Behind a phase that a step may return after comes another, and a model function says it. */
static talweg_status check_regrads(const talweg_image* image, talweg_error* error) {
  const talweg_kernels* step = &image->step;
  for (uint32_t p = 0; p < step->phase_count; ++p)
    if (step->phases[p].says_regrad &&
        (p + 1 == step->phase_count || !step->phases[p].model_scalars))
      return talweg_refuse_image(image, "asks for a new gradient where it cannot", error);
  if (step->origin_stream != UINT32_MAX && !is_scratch(image, step->origin_stream))
    return talweg_refuse_image(image, "does not keep where a step began in scratch", error);
  return TALWEG_OK;
}

static talweg_status check_step(const talweg_image* image, talweg_error* error) {
  const talweg_kernels* step = &image->step;
  if (step->phase_count == 0 || !step->phases)
    return talweg_refuse_image(image, "has no phase", error);
  if (step->end_phase >= step->phase_count)
    return talweg_refuse_image(image, "ends its step in a phase that it does not have", error);
  for (uint32_t h = 0; h < image->hyper_count; ++h)
    if (image->hypers[h].bound && image->hypers[h].bound_phase >= step->phase_count)
      return talweg_refuse_image(image, "binds a hyper in a phase that it does not have", error);
  talweg_status status = check_lines(image, step, error);
  if (status == TALWEG_OK) status = check_regrads(image, error);
  return status != TALWEG_OK ? status : check_reductions(image, step, error);
}

static int waits(const talweg_kernels* kernels) {
  for (uint32_t p = 0; p < kernels->phase_count; ++p)
    if (kernels->phases[p].says_regrad) return 1;
  return kernels->origin_stream != UINT32_MAX;
}

/* Whether its last phase leaves what the others are for, and nothing that one behind it would read:
 * where `is_element`, by its pass. */
static int ends_with_value(const talweg_kernels* kernels, int is_element) {
  if (kernels->phase_count == 0 || !kernels->phases || waits(kernels)) return 0;
  const talweg_phase* last = &kernels->phases[kernels->phase_count - 1];
  return (last->pass || !is_element) && !last->lines;
}

static talweg_status check_beside(const talweg_image* image, const talweg_kernels* kernels,
                                  talweg_error* error) {
  const talweg_status status = check_lines(image, kernels, error);
  return status != TALWEG_OK ? status : check_reductions(image, kernels, error);
}

static talweg_status check_initials(const talweg_image* image, talweg_error* error) {
  talweg_status status = TALWEG_OK;
  for (uint32_t s = 0; status == TALWEG_OK && s < image->state_count; ++s) {
    const talweg_state_info* state = &image->states[s];
    if (state->initial != TALWEG_INITIAL_KERNELS) continue;
    if (!image->initial_kernels ||
        !ends_with_value(&image->initial_kernels[s], state->rate == TALWEG_RATE_ELEMENT))
      return talweg_refuse_image(image, "has no code for its initial values", error);
    status = check_beside(image, &image->initial_kernels[s], error);
  }
  return status;
}

static talweg_status check_views(const talweg_image* image, talweg_error* error) {
  talweg_status status = TALWEG_OK;
  for (uint32_t i = 0; status == TALWEG_OK && i < image->view_count; ++i) {
    const talweg_view_info* view = &image->views[i];
    if (!view->name) return talweg_refuse_image(image, "has a view without a name", error);
    if (!ends_with_value(&view->kernels, 1))
      return talweg_refuse_image(image, "has a view without code", error);
    status = check_beside(image, &view->kernels, error);
  }
  return status;
}

talweg_status talweg_check_kernels(const talweg_image* image, talweg_error* error) {
  talweg_status status = check_step(image, error);
  if (status == TALWEG_OK) status = check_views(image, error);
  return status != TALWEG_OK ? status : check_initials(image, error);
}
