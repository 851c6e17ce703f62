/* Inputs: those that are numbers of the device's memory, and whether all are there. */
#include <string.h>

#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

static int is_number(uint32_t rate) {
  return rate == TALWEG_RATE_MODEL || rate == TALWEG_RATE_GROUP || rate == TALWEG_RATE_TENSOR;
}

talweg_status talweg_gpu_set_input(talweg_optimizer* optimizer, uint32_t input,
                                   talweg_cuda_address numbers, int is_float, talweg_error* error) {
  talweg_gpu* gpu = talweg_gpu_of(optimizer);
  const talweg_image* image = optimizer->image;
  const talweg_status status =
      talweg_refuse_waiting(optimizer, "another place of an input is set", error);
  if (status != TALWEG_OK) return status;
  if (input >= image->input_count)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no such input");
  if (!is_number(image->inputs[input].rate)) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "input ");
    talweg_put_name(error, image->inputs[input].name);
    talweg_put(error, " is not a number of the model, of groups or of tensors");
    return TALWEG_BAD_ARGUMENT;
  }
  if (numbers % (is_float ? sizeof(float) : sizeof(double)) != 0) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "input ");
    talweg_put_name(error, image->inputs[input].name);
    talweg_put(error, " is not aligned to its numbers");
    return TALWEG_BAD_ARGUMENT;
  }
  gpu->sources[input] = (talweg_gpu_source){.numbers = numbers, .is_float = is_float != 0};
  return TALWEG_OK;
}

static uint64_t number_count(const talweg_optimizer* core, uint32_t input) {
  switch (core->image->inputs[input].rate) {
    case TALWEG_RATE_GROUP:
      return core->spec.group_count;
    case TALWEG_RATE_TENSOR:
      return core->spec.tensor_count;
    default:
      return 1;
  }
}

int32_t talweg_gpu_launch_numbers(const talweg_gpu* gpu, talweg_cuda_error* error) {
  int32_t result = TALWEG_CUDA_OK;
  for (uint32_t i = 0; result == TALWEG_CUDA_OK && i < gpu->core->image->input_count; ++i) {
    const talweg_gpu_source* source = &gpu->sources[i];
    if (!source->numbers) continue;
    /* One of the model goes to the rows of all groups. */
    const uint64_t most = number_count(gpu->core, i);
    const uint64_t count = most > gpu->core->row_count ? most : gpu->core->row_count;
    const talweg_gpu_launch launch = {
        .kernel = TALWEG_GPU_READ_NUMBERS,
        .blocks = talweg_gpu_blocks_for(count),
        .blocks_y = 1,
        .threads = TALWEG_GPU_SMALL_BLOCK,
        .parameter_count = 4,
        .parameters = {gpu->places.step, i, source->numbers, source->is_float}};
    result = talweg_gpu_launch_one(gpu, &launch, error);
  }
  return result;
}

void talweg_gpu_give_sources(talweg_gpu* gpu) {
  for (uint32_t i = 0; i < gpu->core->image->input_count; ++i)
    if (gpu->sources[i].numbers) gpu->core->given[i] = 1;
}

/* Where functions of the image find it, as talweg_bind_scalar_inputs puts it there. */
static void bind_number(talweg_optimizer* core, uint32_t input, uint64_t i, double number) {
  const size_t rows = core->input_columns > 0 ? core->row_count : 1;
  switch (core->image->inputs[input].rate) {
    case TALWEG_RATE_TENSOR:
      core->tensor_inputs[i * core->image->input_count + input] = number;
      break;
    case TALWEG_RATE_GROUP:
      core->inputs[(i + 1) * core->input_columns + input] = number;
      break;
    default:
      for (size_t row = 0; row < rows; ++row)
        core->inputs[row * core->input_columns + input] = number;
  }
}

/* The context is current. */
static int take_numbers(talweg_gpu* gpu, uint32_t input) {
  talweg_cuda_error error;
  const talweg_gpu_source* source = &gpu->sources[input];
  const uint64_t count = number_count(gpu->core, input);
  const uint64_t bytes = source->is_float ? sizeof(float) : sizeof(double);
  if (count == 0) return 1;
  if (!talweg_gpu_did(
          gpu,
          talweg_cuda_copy_out(gpu->numbers, source->numbers, count * bytes, gpu->stream, &error),
          &error) ||
      !talweg_gpu_wait_for_stream(gpu))
    return 0;
  for (uint64_t i = 0; i < count; ++i) {
    float number;
    memcpy(&number, (const unsigned char*)gpu->numbers + i * bytes, sizeof number);
    bind_number(gpu->core, input, i, source->is_float ? (double)number : gpu->numbers[i]);
  }
  return 1;
}

void talweg_gpu_take_inputs(void* context) {
  talweg_gpu* gpu = context;
  talweg_gpu_give_sources(gpu);
  for (uint32_t i = 0; i < gpu->core->image->input_count; ++i) {
    if (!gpu->sources[i].numbers) continue;
    if (!talweg_gpu_enter(gpu)) return;
    const int is_here =
        (!gpu->has_left || talweg_gpu_follow(gpu, gpu->stream)) && take_numbers(gpu, i);
    talweg_gpu_leave(gpu);
    if (!is_here) return;
  }
}

void talweg_gpu_put_lines(void* context, void* to, const void* from, uint64_t bytes) {
  talweg_gpu* gpu = context;
  talweg_cuda_error error;
  if (gpu->failure.code != TALWEG_CUDA_OK) return;
  gpu->is_busy = 1;
  talweg_gpu_did(gpu,
                 from ? talweg_cuda_copy((uintptr_t)to, (uintptr_t)from, bytes, gpu->stream, &error)
                      : talweg_cuda_fill((uintptr_t)to, 0, bytes, gpu->stream, &error),
                 &error);
}

/* Element inputs of tensors that are not given one get memory that can be loaded from. */
static int misses_elements(talweg_optimizer* core, uint32_t input) {
  const talweg_image* image = core->image;
  int misses = 0;
  for (uint32_t t = 0; t < core->spec.tensor_count; ++t) {
    void** streams = core->pointers + (size_t)t * image->stream_count;
    void** stream = &streams[image->inputs[input].stream];
    if (*stream || !core->takes_part[t] || core->element_counts[t] == 0) continue;
    misses |= core->input_present[(size_t)t * image->input_count + input];
    *stream = streams[TALWEG_STREAM_PARAM];
  }
  return misses;
}

static int misses_lines(const talweg_optimizer* core, uint32_t input) {
  for (uint32_t t = 0; t < core->spec.tensor_count; ++t)
    if (core->takes_part[t] && core->input_present[(size_t)t * core->image->input_count + input] &&
        !talweg_has_line_input(core, input, t))
      return 1;
  return 0;
}

int talweg_gpu_misses_inputs(talweg_optimizer* core) {
  int misses = 0;
  for (uint32_t i = 0; i < core->image->input_count; ++i) {
    const uint32_t rate = core->image->inputs[i].rate;
    if (rate == TALWEG_RATE_ELEMENT)
      misses |= misses_elements(core, i);
    else if (is_number(rate))
      misses |= !core->given[i];
    else
      misses |= misses_lines(core, i);
  }
  return misses;
}
