/* Inputs of a step: bound to where the image's functions find them, and checked against what this
 * step reads, which its first functions say. */
#include "runtime/optimizer/internal.h"

static int is_element(const talweg_optimizer* optimizer, uint32_t input) {
  return optimizer->image->inputs[input].rate == TALWEG_RATE_ELEMENT;
}

static int is_of_tensors(const talweg_optimizer* optimizer, uint32_t input) {
  return optimizer->image->inputs[input].rate == TALWEG_RATE_TENSOR;
}

/* A model input, in every row that functions see. */
static void bind_model_input(talweg_optimizer* optimizer, uint32_t input,
                             const talweg_step_inputs* inputs) {
  const int is_given = inputs->given && inputs->model_inputs && inputs->given[input];
  const size_t rows = optimizer->input_columns > 0 ? optimizer->row_count : 1;
  optimizer->given[input] = (uint8_t)is_given;
  for (size_t row = 0; row < rows; ++row)
    optimizer->inputs[row * optimizer->input_columns + input] =
        is_given ? inputs->model_inputs[input] : 0;
}

static void bind_group_input(talweg_optimizer* optimizer, uint32_t input,
                             const talweg_step_inputs* inputs) {
  const double* values = inputs->group_inputs ? inputs->group_inputs[input] : 0;
  optimizer->given[input] = values != 0;
  for (size_t g = 0; g < optimizer->spec.group_count; ++g)
    optimizer->inputs[(g + 1) * optimizer->input_columns + input] = values ? values[g] : 0;
}

static void bind_tensor_input(talweg_optimizer* optimizer, uint32_t input,
                              const talweg_step_inputs* inputs) {
  const double* values = inputs->tensor_inputs ? inputs->tensor_inputs[input] : 0;
  optimizer->given[input] = values != 0;
  for (size_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->tensor_inputs[t * optimizer->image->input_count + input] = values ? values[t] : 0;
}

void talweg_bind_scalar_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs) {
  for (uint32_t i = 0; i < optimizer->image->input_count; ++i) {
    const uint32_t rate = optimizer->image->inputs[i].rate;
    if (rate == TALWEG_RATE_ELEMENT)
      optimizer->given[i] = inputs->element_inputs && inputs->element_inputs[i];
    else if (talweg_is_line_rate(rate))
      optimizer->given[i] = inputs->line_inputs && inputs->line_inputs[i];
    else if (rate == TALWEG_RATE_TENSOR)
      bind_tensor_input(optimizer, i, inputs);
    else if (rate == TALWEG_RATE_GROUP)
      bind_group_input(optimizer, i, inputs);
    else
      bind_model_input(optimizer, i, inputs);
  }
}

talweg_status talweg_bind_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                 talweg_error* error) {
  talweg_bind_scalar_inputs(optimizer, inputs);
  const talweg_image* image = optimizer->image;
  for (uint32_t i = 0; i < image->input_count; ++i) {
    if (!is_element(optimizer, i)) continue;
    const void* const* given = inputs->element_inputs ? inputs->element_inputs[i] : 0;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      const void* pointer = given ? given[t] : 0;
      void** streams = optimizer->pointers + (size_t)t * image->stream_count;
      const uint32_t stream = image->inputs[i].stream;
      if (pointer && talweg_is_new(streams, stream, pointer)) {
        const talweg_given what = {.kind = "input ", .name = image->inputs[i].name, .tensor = t};
        const talweg_status status = talweg_check_memory(optimizer, &what, pointer, error);
        if (status != TALWEG_OK) return status;
      }
      streams[stream] = (void*)(uintptr_t)pointer;
    }
  }
  return optimizer->lines.input_count > 0 ? talweg_bind_line_inputs(optimizer, inputs, error)
                                          : TALWEG_OK;
}

talweg_status talweg_refuse_missing(const talweg_optimizer* optimizer, uint32_t input,
                                    const talweg_tensor* tensor, talweg_error* error) {
  talweg_fail(error, TALWEG_MISSING_INPUT, "step ");
  talweg_put_count(error, (uint64_t)optimizer->counters.completed_steps + 1);
  talweg_put(error, " of rule ");
  talweg_put_name(error, optimizer->image->name);
  talweg_put(error, " reads input ");
  talweg_put_name(error, optimizer->image->inputs[input].name);
  talweg_put(error, tensor ? ", which was not given for tensor " : ", which was not given");
  if (tensor) talweg_put_name(error, tensor->name);
  return TALWEG_MISSING_INPUT;
}

/* Whether this step reads an input for a tensor. */
static int is_read(const talweg_optimizer* optimizer, uint32_t input, uint32_t tensor) {
  const size_t row = (size_t)tensor * optimizer->image->input_count;
  return optimizer->takes_part[tensor] && optimizer->input_present[row + input] &&
         talweg_is_needed_in_group(optimizer, input, optimizer->tensor_groups[tensor]);
}

static talweg_status check_tensor_input(const talweg_optimizer* optimizer, uint32_t input,
                                        talweg_error* error) {
  if (optimizer->given[input]) return TALWEG_OK;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    if (is_read(optimizer, input, t))
      return talweg_refuse_missing(optimizer, input, &optimizer->tensors[t], error);
  return TALWEG_OK;
}

static talweg_status check_line_input(const talweg_optimizer* optimizer, uint32_t input,
                                      talweg_error* error) {
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    if (is_read(optimizer, input, t) && !talweg_has_line_input(optimizer, input, t))
      return talweg_refuse_missing(optimizer, input, &optimizer->tensors[t], error);
  return TALWEG_OK;
}

static talweg_status check_element_input(talweg_optimizer* optimizer, uint32_t input,
                                         talweg_error* error) {
  const talweg_image* image = optimizer->image;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    const size_t row = (size_t)t * image->stream_count;
    void** stream = &optimizer->pointers[row + image->inputs[input].stream];
    if (*stream || !optimizer->takes_part[t] || optimizer->element_counts[t] == 0) continue;
    if (is_read(optimizer, input, t))
      return talweg_refuse_missing(optimizer, input, &optimizer->tensors[t], error);
    *stream = optimizer->pointers[row + TALWEG_STREAM_PARAM];
  }
  return TALWEG_OK;
}

talweg_status talweg_check_inputs(talweg_optimizer* optimizer, talweg_error* error) {
  for (uint32_t i = 0; i < optimizer->image->input_count; ++i) {
    talweg_status status = TALWEG_OK;
    if (is_element(optimizer, i))
      status = check_element_input(optimizer, i, error);
    else if (is_of_tensors(optimizer, i))
      status = check_tensor_input(optimizer, i, error);
    else if (talweg_is_line_rate(optimizer->image->inputs[i].rate))
      status = check_line_input(optimizer, i, error);
    else if (!optimizer->given[i] && talweg_is_needed(optimizer, i))
      status = talweg_refuse_missing(optimizer, i, 0, error);
    if (status != TALWEG_OK) return status;
  }
  return TALWEG_OK;
}
