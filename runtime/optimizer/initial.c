/* What states are before their first step. Zeros and constants hold from creation. Values computed
 * from hypers, and copies of param, are made in a tensor's first completed step (for scalar states
 * in the optimizer's), since hypers and parameters may change until then. */
#include <string.h>

#include "runtime/optimizer/internal.h"

int talweg_is_scalar_rate(uint32_t rate) {
  return rate == TALWEG_RATE_MODEL || rate == TALWEG_RATE_GROUP;
}

/* An element state that has its first value from a tensor's first step. */
static int starts_late(const talweg_state_info* state) {
  return !talweg_is_scalar_rate(state->rate) &&
         (state->initial == TALWEG_INITIAL_SCALAR || state->initial == TALWEG_INITIAL_PARAM);
}

int talweg_keeps_begun(const talweg_image* image) {
  for (uint32_t i = 0; i < image->state_count; ++i)
    if (starts_late(&image->states[i])) return 1;
  return 0;
}

static void fill(void* start, uint64_t element_count, uint32_t dtype, double value) {
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
  if (optimizer->layout.block_bytes > 0)
    memset(optimizer->state_memory, 0, (size_t)optimizer->layout.block_bytes);
  for (uint32_t s = 0; s < image->state_count; ++s) {
    const talweg_state_info* state = &image->states[s];
    if (talweg_is_scalar_rate(state->rate) || state->initial != TALWEG_INITIAL_CONSTANT) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      void* start = talweg_element_state(optimizer, s, t);
      if (start)
        fill(start, optimizer->element_counts[t], image->compute_dtype, state->initial_value);
    }
  }
}

void talweg_reset_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  reset_element_states(optimizer);
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    for (size_t s = 0; s < image->state_count; ++s) {
      const int is_constant = image->states[s].initial == TALWEG_INITIAL_CONSTANT;
      optimizer->scalar_states[row * image->state_count + s] =
          is_constant ? image->states[s].initial_value : 0;
    }
    for (size_t h = 0; h < image->hyper_count; ++h)
      optimizer->last_bound[row * image->hyper_count + h] = __builtin_nan("");
  }
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) optimizer->begun[t] = 0;
  optimizer->counters.completed_steps = 0;
  optimizer->counters.calls = 0;
}

void talweg_compute_initial_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    talweg_scalar_args args = optimizer->args[row];
    args.new_states = optimizer->initial_states + row * image->state_count;
    image->initial_states(image->self, &args);
  }
}

static void begin_chunk(const talweg_optimizer* optimizer, const talweg_chunk* chunk) {
  const talweg_image* image = optimizer->image;
  const uint32_t tensor = chunk->tensor_index;
  const size_t row = (size_t)optimizer->tensor_groups[tensor] + 1;
  void* const* streams = optimizer->pointers + (size_t)tensor * image->stream_count;
  const size_t offset = (size_t)chunk->first_element * optimizer->element_bytes;
  const size_t bytes = (size_t)chunk->element_count * optimizer->element_bytes;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    const talweg_state_info* state = &image->states[s];
    if (talweg_is_scalar_rate(state->rate) || !streams[state->stream]) continue;
    unsigned char* start = (unsigned char*)streams[state->stream] + offset;
    if (state->initial == TALWEG_INITIAL_PARAM)
      memcpy(start, (const unsigned char*)streams[TALWEG_STREAM_PARAM] + offset, bytes);
    else if (state->initial == TALWEG_INITIAL_SCALAR)
      fill(start, chunk->element_count, image->compute_dtype,
           optimizer->initial_states[row * image->state_count + s]);
  }
}

void talweg_begin_chunks(talweg_optimizer* optimizer, uint32_t chunk_begin, uint32_t chunk_end) {
  for (uint32_t i = chunk_begin; i < chunk_end; ++i) {
    const talweg_chunk* chunk = &optimizer->chunks[i];
    if (optimizer->takes_part[chunk->tensor_index] && optimizer->begun[chunk->tensor_index] == 0)
      begin_chunk(optimizer, chunk);
  }
}

void talweg_clear_chunks(talweg_optimizer* optimizer, uint32_t chunk_begin, uint32_t chunk_end) {
  const talweg_image* image = optimizer->image;
  for (uint32_t i = chunk_begin; i < chunk_end; ++i) {
    const talweg_chunk* chunk = &optimizer->chunks[i];
    const uint32_t tensor = chunk->tensor_index;
    if (!optimizer->takes_part[tensor] || optimizer->begun[tensor] != 0) continue;
    void* const* streams = optimizer->pointers + (size_t)tensor * image->stream_count;
    const size_t offset = (size_t)chunk->first_element * optimizer->element_bytes;
    for (uint32_t s = 0; s < image->state_count; ++s)
      if (starts_late(&image->states[s]) && streams[image->states[s].stream])
        memset((unsigned char*)streams[image->states[s].stream] + offset, 0,
               (size_t)chunk->element_count * optimizer->element_bytes);
  }
}
