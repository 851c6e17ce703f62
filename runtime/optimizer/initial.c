/* What states are before their first step. Zeros and constants hold from creation. Values computed
 * from hypers and param are made in the first call of a tensor (for scalar states, of
 * all) that completes, is held, or is skipped and keeps an assignment to the state, since hypers
 * and parameters may change until then. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

int talweg_is_scalar_rate(uint32_t rate) {
  return rate == TALWEG_RATE_MODEL || rate == TALWEG_RATE_GROUP;
}

int talweg_begins_late(const talweg_state_info* state) {
  return state->initial == TALWEG_INITIAL_SCALAR || state->initial == TALWEG_INITIAL_PARAM ||
         state->initial == TALWEG_INITIAL_KERNELS;
}

/* Whether a tensor keeps an element state: others have no memory for it. */
static int is_kept(const talweg_optimizer* optimizer, const talweg_state_info* state,
                   uint32_t tensor) {
  void* const* streams = optimizer->pointers + (size_t)tensor * optimizer->image->stream_count;
  return optimizer->element_counts[tensor] == 0 || streams[state->stream];
}

double* talweg_state_begun(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const talweg_state_info* info = &optimizer->image->states[state];
  if (!talweg_begins_late(info)) return 0;
  double* begun = optimizer->begun + (size_t)state * (optimizer->spec.tensor_count + (size_t)1);
  if (talweg_is_scalar_rate(info->rate)) return begun;
  const int is_its =
      info->rate == TALWEG_RATE_TENSOR  ? talweg_keeps_tensor_state(optimizer, state, tensor)
      : talweg_is_line_rate(info->rate) ? talweg_keeps_lines(optimizer, state, tensor)
                                        : is_kept(optimizer, info, tensor);
  return is_its ? begun + tensor + 1 : 0;
}

/* Whether a tensor keeps a state, of any rate but the scalar ones, that has no value yet. */
static int begins_now(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const double* begun = talweg_state_begun(optimizer, state, tensor);
  return begun && *begun == 0;
}

static int elements_begin(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  return optimizer->image->states[state].rate == TALWEG_RATE_ELEMENT &&
         begins_now(optimizer, state, tensor);
}

int talweg_some_state_begins(talweg_optimizer* optimizer) {
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s) {
    const talweg_state_info* info = &optimizer->image->states[s];
    if (!talweg_begins_late(info) || talweg_is_scalar_rate(info->rate)) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
      if (optimizer->takes_part[t] && begins_now(optimizer, s, t)) return 1;
  }
  return 0;
}

void talweg_fill(void* start, uint64_t element_count, uint32_t dtype, double value) {
  if (dtype == TALWEG_F32) {
    float* elements = start;
    const float rounded = (float)value;
    for (uint64_t i = 0; i < element_count; ++i) elements[i] = rounded;
  } else {
    double* elements = start;
    for (uint64_t i = 0; i < element_count; ++i) elements[i] = value;
  }
}

static void reset_element_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  if (optimizer->places.persistent_bytes > 0)
    talweg_fill_elements(optimizer, optimizer->state_memory,
                         optimizer->places.persistent_bytes / optimizer->element_bytes, 0);
  for (uint32_t s = 0; s < image->state_count; ++s) {
    const talweg_state_info* state = &image->states[s];
    if (state->rate != TALWEG_RATE_ELEMENT || state->initial != TALWEG_INITIAL_CONSTANT) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      void* start = talweg_element_state(optimizer, s, t);
      if (start)
        talweg_fill_elements(optimizer, start, optimizer->element_counts[t], state->initial_value);
    }
  }
}

void talweg_reset_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  reset_element_states(optimizer);
  if (optimizer->tensor_state_count > 0) talweg_reset_tensor_states(optimizer);
  if (image->split != TALWEG_SPLIT_NONE) talweg_reset_line_states(optimizer);
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    for (size_t s = 0; s < image->state_count; ++s) {
      const int is_constant = image->states[s].initial == TALWEG_INITIAL_CONSTANT;
      optimizer->scalar_states[row * image->state_count + s] =
          is_constant ? image->states[s].initial_value : 0;
    }
    for (size_t h = 0; h < image->hyper_count; ++h)
      optimizer->last_bound[row * image->hyper_count + h] = __builtin_nan("");
  }
  const size_t flags = image->state_count * (optimizer->spec.tensor_count + (size_t)1);
  for (size_t i = 0; i < flags; ++i) optimizer->begun[i] = 0;
  optimizer->counters.completed_steps = 0;
  optimizer->counters.calls = 0;
}

void talweg_compute_initial_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    double* new_states = optimizer->args[row].new_states;
    optimizer->args[row].new_states = optimizer->initial_states + row * image->state_count;
    talweg_call_row(optimizer, image->step.self, image->initial_states, &optimizer->args[row]);
    optimizer->args[row].new_states = new_states;
  }
}

static void begin_run(talweg_optimizer* optimizer, const talweg_chunk_run* run) {
  const talweg_image* image = optimizer->image;
  const uint32_t tensor = run->tensor;
  const size_t row = (size_t)optimizer->tensor_groups[tensor] + 1;
  void* const* streams = optimizer->pointers + (size_t)tensor * image->stream_count;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    const talweg_state_info* state = &image->states[s];
    if (state->initial == TALWEG_INITIAL_KERNELS || !elements_begin(optimizer, s, tensor)) continue;
    unsigned char* start = (unsigned char*)streams[state->stream] + run->offset;
    const unsigned char* param = streams[TALWEG_STREAM_PARAM];
    if (state->initial == TALWEG_INITIAL_SCALAR)
      talweg_fill_elements(optimizer, start, run->element_count,
                           optimizer->initial_states[row * image->state_count + s]);
    else
      talweg_copy_elements(optimizer, start, param + run->offset, run->bytes);
  }
}

void talweg_begin_chunks(talweg_optimizer* optimizer, uint32_t chunk_begin, uint32_t chunk_end) {
  talweg_chunk_run run;
  for (uint32_t i = chunk_begin; i < chunk_end; i = run.chunk_end) {
    run = talweg_run_of(optimizer, i, chunk_end);
    if (optimizer->takes_part[run.tensor]) begin_run(optimizer, &run);
  }
}

void talweg_clear_chunks(talweg_optimizer* optimizer, uint32_t chunk_begin, uint32_t chunk_end,
                         const uint8_t* kept) {
  const talweg_image* image = optimizer->image;
  talweg_chunk_run run;
  for (uint32_t i = chunk_begin; i < chunk_end; i = run.chunk_end) {
    run = talweg_run_of(optimizer, i, chunk_end);
    if (!optimizer->takes_part[run.tensor]) continue;
    void* const* streams = optimizer->pointers + (size_t)run.tensor * image->stream_count;
    for (uint32_t s = 0; s < image->state_count; ++s)
      if (elements_begin(optimizer, s, run.tensor) && !(kept && kept[s]))
        talweg_fill_elements(optimizer,
                             (unsigned char*)streams[image->states[s].stream] + run.offset,
                             run.element_count, 0);
  }
}
