/* Whether an image is one that this runtime can step. A well compiled one of this version always
 * is. */
#include "runtime/memory/dtype.h"
#include "runtime/optimizer/internal.h"

talweg_status talweg_refuse_image(const talweg_image* image, const char* what,
                                  talweg_error* error) {
  talweg_fail(error, TALWEG_BAD_IMAGE, "the image of rule ");
  talweg_put_name(error, image->name ? image->name : "");
  talweg_put(error, " ");
  talweg_put(error, what);
  return TALWEG_BAD_IMAGE;
}

talweg_status talweg_refuse_part(const char* kind, const char* name, const char* what,
                                 talweg_error* error) {
  talweg_fail(error, TALWEG_NOT_SERVED, kind);
  talweg_put(error, " ");
  talweg_put_name(error, name);
  talweg_put(error, " ");
  talweg_put(error, what);
  return TALWEG_NOT_SERVED;
}

/* Streams of scratch are the image's last. */
static int is_own_stream(const talweg_image* image, uint32_t stream) {
  return stream > TALWEG_STREAM_GRAD && stream < image->stream_count - image->scratch_count;
}

/* A state or an input. */
static int has_known_rate(uint32_t rate) {
  return talweg_is_scalar_rate(rate) || rate == TALWEG_RATE_TENSOR || talweg_is_line_rate(rate) ||
         rate == TALWEG_RATE_ELEMENT;
}

static talweg_status check_states(const talweg_image* image, talweg_error* error) {
  for (uint32_t i = 0; i < image->state_count; ++i) {
    const talweg_state_info* state = &image->states[i];
    const int is_element = state->rate == TALWEG_RATE_ELEMENT;
    if (!has_known_rate(state->rate))
      return talweg_refuse_part("state", state->name, "has a rate that this version cannot keep",
                                error);
    if (talweg_is_line_rate(state->rate) && image->split == TALWEG_SPLIT_NONE)
      return talweg_refuse_image(image, "keeps states of matrices, but has none", error);
    if ((is_element || talweg_is_row_or_col(state->rate)) && state->dtype != image->compute_dtype)
      return talweg_refuse_part("state", state->name, "is not kept in the compute type", error);
    if (is_element && !is_own_stream(image, state->stream))
      return talweg_refuse_image(image, "has a state without a stream", error);
    if (!is_element && state->initial == TALWEG_INITIAL_PARAM)
      return talweg_refuse_image(image, "starts a state from param that is not of elements", error);
    if (state->initial == TALWEG_INITIAL_SCALAR && !image->initial_states)
      return talweg_refuse_image(image, "has no function for its initial values", error);
  }
  return TALWEG_OK;
}

static talweg_status check_inputs(const talweg_image* image, talweg_error* error) {
  for (uint32_t i = 0; i < image->input_count; ++i) {
    const talweg_input_info* input = &image->inputs[i];
    const int is_element = input->rate == TALWEG_RATE_ELEMENT;
    if (!has_known_rate(input->rate))
      return talweg_refuse_part("input", input->name, "has a rate that this version cannot take",
                                error);
    if (talweg_is_line_rate(input->rate) && image->split == TALWEG_SPLIT_NONE)
      return talweg_refuse_image(image, "takes inputs of matrices, but has none", error);
    if (is_element && !is_own_stream(image, input->stream))
      return talweg_refuse_image(image, "has an input without a stream", error);
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
  if (!image->name) return talweg_refuse_image(image, "has no name", error);
  if (image->stream_count <= TALWEG_STREAM_GRAD ||
      image->scratch_count > image->stream_count - TALWEG_STREAM_GRAD - 1)
    return talweg_refuse_image(image, "has too few streams", error);
  if (image->split > TALWEG_SPLIT_TWO_LARGEST)
    return talweg_refuse_image(image, "splits tensors in a way that there is not", error);
  if (image->fact_count > 0 && !image->step.place)
    return talweg_refuse_image(image, "asks for facts of tensors and does nothing with them",
                               error);
  if (image->step.place &&
      (image->fact_count > TALWEG_MAX_FACTS || image->state_count > TALWEG_MAX_PLACED ||
       image->input_count > TALWEG_MAX_PLACED || image->domain_count > TALWEG_MAX_PLACED ||
       image->requirement_count > TALWEG_MAX_PLACED))
    return talweg_refuse_part("rule", image->name,
                              "has more conditions, states or inputs than are served", error);
  talweg_status status = check_states(image, error);
  if (status == TALWEG_OK) status = check_inputs(image, error);
  return status != TALWEG_OK ? status : talweg_check_kernels(image, error);
}
