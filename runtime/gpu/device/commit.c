/* What a call keeps, as commit of the host's step.c; see step_tables.h. */
#include "runtime/gpu/device/threads.h"
#include "runtime/gpu/step_tables.h"

static inline void commit_rows(const talweg_gpu_step* step, uint64_t thread, uint64_t threads) {
  const int completed = *step->outcome == TALWEG_COMPLETED;
  const uint64_t states = step->row_count * step->state_count;
  for (uint64_t i = thread; i < states; i += threads) {
    const uint64_t row = i / step->state_count;
    if (row > 0 && !step->group_has_tensor[row - 1]) continue;
    if (step->kept[i % step->state_count]) step->scalar_states[i] = step->states_after[i];
  }
  const uint64_t hypers = completed ? step->row_count * step->hyper_count : 0;
  for (uint64_t i = thread; i < hypers; i += threads) {
    const uint64_t row = i / step->hyper_count;
    if (row > 0 && !step->group_has_tensor[row - 1]) continue;
    step->last_bound[i] = step->bound[i];
  }
}

static inline void commit_tensors(const talweg_gpu_step* step, uint64_t thread, uint64_t threads) {
  const uint64_t count = step->tensor_count * step->tensor_state_count;
  for (uint64_t i = thread; i < count; i += threads) {
    const uint64_t tensor = i / step->tensor_state_count;
    const uint32_t state = step->tensor_state_numbers[i % step->tensor_state_count];
    const uint64_t entry = tensor * step->state_count + state;
    if (step->takes_part[tensor] && step->kept[state] && step->state_present[entry])
      step->tensor_states[entry] = step->tensor_after[entry];
  }
}

static inline void commit_matrices(const talweg_gpu_step* step, uint64_t thread, uint64_t threads) {
  const uint64_t count = step->matrix_count * step->matrix_state_count;
  for (uint64_t i = thread; i < count; i += threads) {
    const uint64_t matrix = i % step->matrix_count;
    const uint32_t state = step->matrix_state_numbers[i / step->matrix_count];
    const uint32_t tensor = step->matrices[matrix].tensor_index;
    if (step->takes_part[tensor] && step->kept[state] &&
        step->state_present[(uint64_t)tensor * step->state_count + state])
      step->matrix_states[i] = step->matrix_after[matrix * step->state_count + state];
  }
}

TALWEG_KERNEL talweg_gpu_commit(const talweg_gpu_step* step) {
  const talweg_gpu_progress* progress = step->progress;
  if (progress->refused || progress->left_out || progress->is_over) return;
  const uint64_t thread = first_thread(), threads = thread_count();
  commit_rows(step, thread, threads);
  commit_tensors(step, thread, threads);
  commit_matrices(step, thread, threads);
  if (thread != 0) return;
  if (*step->outcome == TALWEG_COMPLETED) step->counters[0] += 1;
  step->counters[1] += 1;
}
