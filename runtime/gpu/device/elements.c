/* Elements: with one value, and gradients without the scale of their loss. See step_tables.h. */
#include "runtime/gpu/device/threads.h"
#include "runtime/gpu/step_tables.h"

TALWEG_KERNEL talweg_gpu_fill(void* start, uint64_t count, uint64_t value, uint64_t is_float) {
  const union {
    uint64_t bits;
    double number;
  } given = {.bits = value};
  for (uint64_t i = first_thread(); i < count; i += thread_count()) {
    if (is_float)
      ((float*)start)[i] = (float)given.number;
    else
      ((double*)start)[i] = given.number;
  }
}

TALWEG_KERNEL talweg_gpu_unscale(const talweg_gpu_step* step, const float* scale,
                                 const uint32_t* stop) {
  if (*stop != 0) return;
  const float factor = (float)(1 / (double)*scale);
  for (uint64_t c = first_block(); c < step->chunk_count; c += block_count()) {
    const talweg_chunk* chunk = &step->chunks[c];
    void* gradient =
        step->pointers[(uint64_t)chunk->tensor_index * step->stream_count + TALWEG_STREAM_GRAD];
    if (!gradient) continue;
    for (uint32_t i = thread_of_block(); i < chunk->element_count; i += threads_of_block()) {
      if (step->is_float)
        ((float*)gradient)[chunk->first_element + i] *= factor;
      else
        ((double*)gradient)[chunk->first_element + i] *= (double)factor;
    }
  }
}
