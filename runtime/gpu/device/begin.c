/* What a call begins with, as talweg_begin_scalars of the host; see step_tables.h. Initial values
 * are not made here: every state has begun. */
#include "runtime/gpu/device/threads.h"
#include "runtime/gpu/step_tables.h"

static inline void begin_rows(const talweg_gpu_step* step, uint64_t thread, uint64_t threads) {
  for (uint64_t row = thread; row < step->row_count; row += threads) {
    step->args[row].step_number = step->counters[0] + 1;
    step->args[row].call_number = step->counters[1] + 1;
  }
  const uint64_t states = step->row_count * step->state_count;
  for (uint64_t i = thread; i < states; i += threads) {
    const uint64_t state = i % step->state_count;
    const double value = step->scalar_states[step->is_of_model[state] ? state : i];
    step->states_before[i] = value;
    step->states_after[i] = value;
  }
  const uint64_t hypers = step->row_count * step->hyper_count;
  for (uint64_t i = thread; i < hypers; i += threads) {
    step->bound[i] = __builtin_nan("");
    step->unbound[i] = 0;
  }
  const uint64_t inputs = step->row_count * step->input_count;
  for (uint64_t i = thread; i < inputs; i += threads) step->needed[i] = 1;
  for (uint64_t i = thread; i < step->state_count; i += threads) step->kept[i] = 1;
}

static inline void begin_tensors(const talweg_gpu_step* step, uint64_t thread, uint64_t threads) {
  const uint64_t count = step->tensor_count * step->tensor_state_count;
  for (uint64_t i = thread; i < count; i += threads) {
    const uint64_t tensor = i / step->tensor_state_count;
    if (!step->takes_part[tensor]) continue;
    const uint64_t entry =
        tensor * step->state_count + step->tensor_state_numbers[i % step->tensor_state_count];
    const double value = step->tensor_states[entry];
    step->tensor_before[entry] = value;
    step->tensor_after[entry] = value;
  }
}

static inline void begin_matrices(const talweg_gpu_step* step, uint64_t thread, uint64_t threads) {
  const uint64_t count = step->matrix_count * step->matrix_state_count;
  for (uint64_t i = thread; i < count; i += threads) {
    const uint64_t matrix = i % step->matrix_count, state = i / step->matrix_count;
    if (!step->takes_part[step->matrices[matrix].tensor_index]) continue;
    const uint64_t entry = matrix * step->state_count + step->matrix_state_numbers[state];
    const double value = step->matrix_states[i];
    step->matrix_before[entry] = value;
    step->matrix_after[entry] = value;
  }
}

TALWEG_KERNEL talweg_gpu_begin(const talweg_gpu_step* step, const float* found_inf) {
  const uint64_t thread = first_thread(), threads = thread_count();
  const int left_out = found_inf && *found_inf != 0;
  const int stops = left_out || step->progress->refused != 0;
  if (thread == 0) {
    step->progress->stop = (uint32_t)stops;
    step->progress->left_out = (uint32_t)left_out;
    step->progress->is_over = 0;
    if (!stops) *step->outcome = TALWEG_COMPLETED;
  }
  if (stops) return;
  begin_rows(step, thread, threads);
  begin_tensors(step, thread, threads);
  begin_matrices(step, thread, threads);
}
