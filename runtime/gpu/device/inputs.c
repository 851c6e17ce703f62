/* Inputs that are numbers of the device's memory, and whether a call was given what it reads, as
 * talweg_check_inputs of the host; see step_tables.h. */
#include "runtime/gpu/device/threads.h"
#include "runtime/gpu/step_tables.h"

static inline double number_at(const void* numbers, uint64_t is_float, uint64_t i) {
  return is_float ? (double)((const float*)numbers)[i] : ((const double*)numbers)[i];
}

TALWEG_KERNEL talweg_gpu_read_numbers(const talweg_gpu_step* step, uint64_t input,
                                      const void* numbers, uint64_t is_float) {
  const uint64_t thread = first_thread(), threads = thread_count();
  const uint32_t rate = step->inputs[input].rate;
  if (rate == TALWEG_RATE_TENSOR) {
    for (uint64_t t = thread; t < step->tensor_count; t += threads)
      step->tensor_inputs[t * step->input_count + input] = number_at(numbers, is_float, t);
    return;
  }
  /* One of the model is in every row; those of groups are behind the first. */
  const uint64_t rows = step->input_columns > 0 ? step->row_count : 1;
  const int is_of_model = rate == TALWEG_RATE_MODEL;
  for (uint64_t row = thread; row < rows; row += threads) {
    if (row == 0 && !is_of_model) continue;
    step->row_inputs[row * step->input_columns + input] =
        number_at(numbers, is_float, is_of_model ? 0 : row - 1);
  }
}

static inline int is_needed_in_group(const talweg_gpu_step* step, uint64_t input, uint64_t group) {
  return step->needed[input] && step->needed[(group + 1) * step->input_count + input];
}

static inline int is_needed(const talweg_gpu_step* step, uint64_t input) {
  int has_tensor = 0;
  for (uint64_t g = 0; g + 1 < step->row_count; ++g) {
    if (!step->group_has_tensor[g]) continue;
    has_tensor = 1;
    if (is_needed_in_group(step, input, g)) return 1;
  }
  return !has_tensor && step->needed[input];
}

/* Whether an input is not there for a tensor, if the call reads it. */
static inline int is_absent(const talweg_gpu_step* step, uint64_t input, uint64_t tensor) {
  const uint32_t rate = step->inputs[input].rate;
  void* const* streams = step->pointers + tensor * step->stream_count;
  if (rate == TALWEG_RATE_TENSOR) return !step->given[input];
  if (rate != TALWEG_RATE_ELEMENT) return !step->lines_given[tensor * step->input_count + input];
  /* The host has put param in its place. */
  return streams[step->inputs[input].stream] == streams[TALWEG_STREAM_PARAM] &&
         step->element_counts[tensor] > 0;
}

/* What is of model and groups is looked at once, as if it were the first tensor's. */
static inline int is_missing(const talweg_gpu_step* step, uint64_t input, uint64_t tensor) {
  const uint32_t rate = step->inputs[input].rate;
  if (rate == TALWEG_RATE_MODEL || rate == TALWEG_RATE_GROUP)
    return tensor == 0 && !step->given[input] && is_needed(step, input);
  return tensor < step->tensor_count && step->takes_part[tensor] &&
         step->input_present[tensor * step->input_count + input] &&
         is_needed_in_group(step, input, step->tensor_groups[tensor]) &&
         is_absent(step, input, tensor);
}

TALWEG_KERNEL talweg_gpu_check_inputs(const talweg_gpu_step* step) {
  /* Not where a skipped call ends: what it was not given may be why it is skipped. */
  const int stops = step->progress->left_out || step->progress->refused;
  wait_for_block(); /* before `refused` is written */
  if (stops) return;
  /* Inputs and tensors numbered through in the order in which the host looks at them. */
  const uint64_t tensors = step->tensor_count > 0 ? step->tensor_count : 1;
  const uint64_t count = step->input_count * tensors;
  double first = (double)count;
  for (uint64_t i = thread_of_block(); i < count; i += threads_of_block()) {
    if (!is_missing(step, i / tensors, i % tensors)) continue;
    first = (double)i;
    break;
  }
  first = least_of_warp(first);
  if (lane_of_warp() == 0) step->first_missing[thread_of_block() / TALWEG_GPU_WARP] = first;
  wait_for_block();
  if (thread_of_block() != 0) return;
  for (uint32_t w = 1; w < TALWEG_GPU_WARPS; ++w)
    if (step->first_missing[w] < first) first = step->first_missing[w];
  if (first == (double)count) return;
  step->report->number = (uint32_t)((uint64_t)first / tensors);
  step->report->where = (uint64_t)first % tensors;
  step->report->refused = TALWEG_GPU_MISSING_INPUT;
  step->progress->refused = 1;
  step->progress->stop = 1;
}
