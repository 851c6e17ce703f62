/* Whether an image is one that this runtime can step. A well compiled one of this version always
 * is. */
#include "runtime/memory/dtype.h"
#include "runtime/optimizer/internal.h"

static talweg_status bad_image(const talweg_image* image, const char* what, talweg_error* error) {
  talweg_fail(error, TALWEG_BAD_IMAGE, "the image of rule ");
  talweg_put_name(error, image->name ? image->name : "");
  talweg_put(error, " ");
  talweg_put(error, what);
  return TALWEG_BAD_IMAGE;
}

static talweg_status not_served(const char* kind, const char* name, const char* what,
                                talweg_error* error) {
  talweg_fail(error, TALWEG_NOT_SERVED, kind);
  talweg_put(error, " ");
  talweg_put_name(error, name);
  talweg_put(error, " ");
  talweg_put(error, what);
  return TALWEG_NOT_SERVED;
}

static talweg_status check_states(const talweg_image* image, talweg_error* error) {
  for (uint32_t i = 0; i < image->state_count; ++i) {
    const talweg_state_info* state = &image->states[i];
    const int is_element = state->rate == TALWEG_RATE_ELEMENT;
    if (!is_element && !talweg_is_scalar_rate(state->rate))
      return not_served("state", state->name, "has a rate that this version cannot keep", error);
    if (is_element && state->dtype != image->compute_dtype)
      return not_served("state", state->name, "is not kept in the compute type", error);
    if (is_element && (state->stream <= TALWEG_STREAM_GRAD || state->stream >= image->stream_count))
      return bad_image(image, "has a state without a stream", error);
    if (!is_element &&
        (state->initial == TALWEG_INITIAL_PARAM || state->initial == TALWEG_INITIAL_ELEMENTS))
      return bad_image(image, "starts a scalar state from param", error);
    if (state->initial == TALWEG_INITIAL_SCALAR && !image->initial_states)
      return bad_image(image, "has no function for its initial values", error);
    if (state->initial == TALWEG_INITIAL_ELEMENTS &&
        (!image->initial_kernels || image->initial_kernels[i].pass_count != 1 ||
         !image->initial_kernels[i].passes[0].run))
      return bad_image(image, "has no code for its initial values", error);
  }
  return TALWEG_OK;
}

static talweg_status check_inputs(const talweg_image* image, talweg_error* error) {
  for (uint32_t i = 0; i < image->input_count; ++i) {
    const talweg_input_info* input = &image->inputs[i];
    const int is_element = input->rate == TALWEG_RATE_ELEMENT;
    if (!is_element && input->rate != TALWEG_RATE_MODEL)
      return not_served("input", input->name, "has a rate that this version cannot take", error);
    if (is_element && (input->stream <= TALWEG_STREAM_GRAD || input->stream >= image->stream_count))
      return bad_image(image, "has an input without a stream", error);
  }
  return TALWEG_OK;
}

static talweg_status check_views(const talweg_image* image, talweg_error* error) {
  for (uint32_t i = 0; i < image->view_count; ++i) {
    const talweg_kernels* kernels = &image->views[i].kernels;
    if (!image->views[i].name) return bad_image(image, "has a view without a name", error);
    if (kernels->pass_count == 0 || !kernels->passes[0].run)
      return bad_image(image, "has a view without code", error);
    if (kernels->pass_count > 1)
      return not_served("view", image->views[i].name, "takes several passes", error);
  }
  return TALWEG_OK;
}

talweg_status talweg_check_image(const talweg_image* image, talweg_error* error) {
  if (!image) return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the image is null");
  if (image->abi_version != TALWEG_ABI_VERSION) {
    talweg_fail(error, TALWEG_BAD_IMAGE, "the image is of ABI version ");
    talweg_put_count(error, image->abi_version);
    talweg_put(error, ", but this runtime steps version ");
    talweg_put_count(error, TALWEG_ABI_VERSION);
    return TALWEG_BAD_IMAGE;
  }
  if (!talweg_dtype_is_served(image->compute_dtype)) {
    talweg_fail(error, TALWEG_NOT_SERVED, "the image computes in ");
    talweg_put(error, talweg_dtype_name(image->compute_dtype));
    talweg_put(error, ", but this version serves float32 and float64");
    return TALWEG_NOT_SERVED;
  }
  if (!image->name) return bad_image(image, "has no name", error);
  if (image->stream_count <= TALWEG_STREAM_GRAD)
    return bad_image(image, "has too few streams", error);
  if (image->fact_count > 0 && !image->place)
    return bad_image(image, "asks for facts of tensors and does nothing with them", error);
  if (image->place &&
      (image->fact_count > TALWEG_MAX_FACTS || image->state_count > TALWEG_MAX_PLACED ||
       image->input_count > TALWEG_MAX_PLACED))
    return not_served("rule", image->name, "has more conditions, states or inputs than are served",
                      error);
  for (uint32_t i = 0; i < image->pass_count; ++i)
    if (!image->passes[i].run) return bad_image(image, "has a pass without code", error);
  talweg_status status = check_states(image, error);
  if (status == TALWEG_OK) status = check_inputs(image, error);
  return status != TALWEG_OK ? status : check_views(image, error);
}
