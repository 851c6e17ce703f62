/* Whether what runs over tensors is what this runtime can run: phases and reductions of a step; of
 * views and initial values, one phase with a pass. */
#include "runtime/optimizer/internal.h"

static uint32_t partials_of(const talweg_kernels* kernels, uint32_t source) {
  if (source == TALWEG_FROM_CHUNKS) return kernels->chunk_partial_count;
  return source == TALWEG_FROM_TENSORS ? kernels->tensor_partial_count
                                       : kernels->group_partial_count;
}

/* Values are folded into what is slower than what they come from. */
static int can_be_folded(const talweg_reduction_info* info) {
  if (info->source > TALWEG_FROM_GROUPS || info->fold > TALWEG_FOLD_MAX) return 0;
  if (info->rate == TALWEG_RATE_TENSOR) return info->source == TALWEG_FROM_CHUNKS;
  if (info->rate == TALWEG_RATE_GROUP) return info->source != TALWEG_FROM_GROUPS;
  return info->rate == TALWEG_RATE_MODEL;
}

static talweg_status check_reductions(const talweg_image* image, talweg_error* error) {
  const talweg_kernels* step = &image->step;
  for (uint32_t r = 0; r < step->reduction_count; ++r) {
    const talweg_reduction_info* info = &step->reductions[r];
    if (!can_be_folded(info) || (info->counts && info->fold != TALWEG_FOLD_SUM))
      return talweg_refuse_image(image, "has a reduction that cannot be", error);
    if (info->phase >= step->phase_count ||
        (info->domain != UINT32_MAX && info->domain >= image->domain_count))
      return talweg_refuse_image(image, "has a reduction without a phase or a domain", error);
    if (!info->counts && (info->phase == 0 || info->partial >= partials_of(step, info->source)))
      return talweg_refuse_image(image, "has a reduction of what nobody leaves", error);
  }
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
  return check_reductions(image, error);
}

static int has_one_pass(const talweg_kernels* kernels) {
  return kernels->phase_count == 1 && kernels->reduction_count == 0 && kernels->phases[0].pass;
}

static talweg_status check_views(const talweg_image* image, talweg_error* error) {
  for (uint32_t i = 0; i < image->view_count; ++i) {
    const talweg_view_info* view = &image->views[i];
    if (!view->name) return talweg_refuse_image(image, "has a view without a name", error);
    if (view->kernels.phase_count > 1)
      return talweg_refuse_part("view", view->name, "takes several passes", error);
    if (view->kernels.reduction_count > 0)
      return talweg_refuse_part("view", view->name, "reduces over tensors", error);
    if (!has_one_pass(&view->kernels))
      return talweg_refuse_image(image, "has a view without code", error);
  }
  return TALWEG_OK;
}

talweg_status talweg_check_kernels(const talweg_image* image, talweg_error* error) {
  for (uint32_t s = 0; s < image->state_count; ++s)
    if (image->states[s].initial == TALWEG_INITIAL_ELEMENTS &&
        (!image->initial_kernels || !has_one_pass(&image->initial_kernels[s])))
      return talweg_refuse_image(image, "has no code for its initial values", error);
  const talweg_status status = check_step(image, error);
  return status != TALWEG_OK ? status : check_views(image, error);
}
