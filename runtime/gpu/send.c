/* Copies of what the host changes between steps. They go through pinned memory of their own, so
 * that the host may go on to change it: a slot is used again when the device has read it. What a
 * capture records is read in every replay, and its slot is never used again. */
#include <string.h>

#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

static void add(talweg_gpu* gpu, uint32_t part, void* here, uint64_t count, uint64_t bytes) {
  if (here && count * bytes > 0)
    gpu->ranges[gpu->range_count++] =
        (talweg_gpu_range){.here = here, .bytes = count * bytes, .part = part};
}

void talweg_gpu_list_ranges(talweg_gpu* gpu) {
  talweg_optimizer* core = gpu->core;
  const talweg_image* image = core->image;
  const uint64_t rows = core->row_count, tensors = core->spec.tensor_count;
  const uint64_t state_rows = core->tensor_state_count > 0 ? tensors : 0;
  const uint64_t input_rows = core->tensor_input_count > 0 ? tensors : 0;
  const uint64_t matrix_rows = core->lines.matrix_input_count > 0 ? core->lines.counts.matrices : 0;
  gpu->range_count = 0;
  add(gpu, TALWEG_GPU_HYPERS, core->hypers, (uint64_t)core->spec.group_count * image->hyper_count,
      sizeof(double));
  add(gpu, TALWEG_GPU_STREAMS, core->pointers, tensors * image->stream_count, sizeof(void*));
  add(gpu, TALWEG_GPU_STREAMS, core->takes_part, tensors, 1);
  add(gpu, TALWEG_GPU_INPUTS, core->inputs,
      (core->input_columns > 0 ? rows : 1) * image->input_count, sizeof(double));
  add(gpu, TALWEG_GPU_INPUTS, core->given, image->input_count, 1);
  add(gpu, TALWEG_GPU_INPUTS, core->tensor_inputs, input_rows * image->input_count, sizeof(double));
  add(gpu, TALWEG_GPU_INPUTS, core->lines.matrix_inputs, matrix_rows * image->input_count,
      sizeof(double));
  add(gpu, TALWEG_GPU_INPUTS, core->lines.input_given,
      (core->lines.input_count > 0 ? tensors : 0) * image->input_count, 1);
  add(gpu, TALWEG_GPU_SCALARS, &core->counters, 1, sizeof core->counters);
  add(gpu, TALWEG_GPU_SCALARS, &core->outcome, 1, sizeof core->outcome);
  add(gpu, TALWEG_GPU_SCALARS, core->scalar_states, rows * image->state_count, sizeof(double));
  add(gpu, TALWEG_GPU_SCALARS, core->last_bound, rows * image->hyper_count, sizeof(double));
  add(gpu, TALWEG_GPU_SCALARS, core->needed, rows * image->input_count, 1);
  add(gpu, TALWEG_GPU_SCALARS, core->tensor_states, state_rows * image->state_count,
      sizeof(double));
  add(gpu, TALWEG_GPU_SCALARS, core->lines.matrix_states,
      core->lines.counts.matrices * core->lines.matrix_state_count, sizeof(double));
}

uint64_t talweg_gpu_bytes_of(const talweg_gpu* gpu, uint32_t parts) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < gpu->range_count; ++i)
    if (gpu->ranges[i].part & parts) bytes += gpu->ranges[i].bytes;
  return bytes;
}

int talweg_gpu_host_changed(const talweg_gpu* gpu) {
  const unsigned char* agreed = gpu->snapshot;
  for (uint32_t i = 0; i < gpu->range_count; ++i) {
    const talweg_gpu_range* range = &gpu->ranges[i];
    if (range->part != TALWEG_GPU_SCALARS) continue;
    if (memcmp(range->here, agreed, (size_t)range->bytes) != 0) return 1;
    agreed += range->bytes;
  }
  return 0;
}

void talweg_gpu_take_snapshot(talweg_gpu* gpu) {
  unsigned char* to = gpu->snapshot;
  for (uint32_t i = 0; i < gpu->range_count; ++i) {
    const talweg_gpu_range* range = &gpu->ranges[i];
    if (range->part != TALWEG_GPU_SCALARS) continue;
    memcpy(to, range->here, (size_t)range->bytes);
    to += range->bytes;
  }
}

/* Whether a slot holds some parts as they are. */
static int holds(const talweg_gpu* gpu, const unsigned char* slot, uint32_t parts) {
  for (uint32_t i = 0; i < gpu->range_count; ++i) {
    const talweg_gpu_range* range = &gpu->ranges[i];
    if (!(range->part & parts)) continue;
    if (memcmp(slot, range->here, (size_t)range->bytes) != 0) return 0;
    slot += range->bytes;
  }
  return 1;
}

/* One of an earlier capture that holds the same, or a new one. Captures hold the same parts, but
 * for second halves of a step, which have no more than what is first in others. */
static unsigned char* take_capture(talweg_gpu* gpu, uint32_t parts, talweg_status* status,
                                   talweg_error* error) {
  for (uint32_t i = 0; i < gpu->captures; ++i) {
    unsigned char* slot = gpu->staging + (TALWEG_GPU_SLOTS + i) * gpu->slot_bytes;
    if (holds(gpu, slot, parts)) return slot;
  }
  if (gpu->captures < TALWEG_GPU_CAPTURES)
    return gpu->staging + (TALWEG_GPU_SLOTS + gpu->captures++) * gpu->slot_bytes;
  *status = talweg_fail(error, TALWEG_NOT_SERVED,
                        "captures of steps whose gradients lie at more than 4 different places "
                        "are not served");
  return NULL;
}

/* A slot that nobody reads any more; null with the error otherwise. */
static unsigned char* take_slot(talweg_gpu* gpu, uint32_t parts, int is_capturing,
                                talweg_status* status, talweg_error* error) {
  talweg_cuda_error failure;
  if (is_capturing) return take_capture(gpu, parts, status, error);
  if (talweg_cuda_wait_for_event(gpu->slot_events[gpu->next_slot], &failure) != TALWEG_CUDA_OK) {
    *status = talweg_gpu_put_failure(&failure, error);
    return NULL;
  }
  return gpu->staging + gpu->next_slot * gpu->slot_bytes;
}

/* Some of it may be on its way, so that neither what the device has is known, nor may the slot be
 * written to. */
static talweg_status fail_halfway(talweg_gpu* gpu, uint32_t parts, int is_capturing,
                                  const talweg_cuda_error* failure, talweg_error* error) {
  gpu->unsure_parts |= parts;
  if (!is_capturing) talweg_cuda_wait(gpu->stream, NULL);
  return talweg_gpu_put_failure(failure, error);
}

talweg_status talweg_gpu_send(talweg_gpu* gpu, uint32_t parts, int is_capturing,
                              talweg_error* error) {
  talweg_cuda_error failure;
  talweg_status status = TALWEG_OK;
  if (talweg_gpu_bytes_of(gpu, parts) == 0) return TALWEG_OK;
  unsigned char* slot = take_slot(gpu, parts, is_capturing, &status, error);
  if (!slot) return status;
  gpu->is_busy |= !is_capturing;
  for (uint32_t i = 0; i < gpu->range_count; ++i) {
    const talweg_gpu_range* range = &gpu->ranges[i];
    if (!(range->part & parts)) continue;
    memcpy(slot, range->here, (size_t)range->bytes);
    if (talweg_cuda_copy_in(talweg_gpu_there(&gpu->program, range->here), slot, range->bytes,
                            gpu->stream, &failure) != TALWEG_CUDA_OK)
      return fail_halfway(gpu, parts, is_capturing, &failure, error);
    slot += range->bytes;
  }
  if (is_capturing) return TALWEG_OK;
  if (talweg_cuda_record(gpu->slot_events[gpu->next_slot], gpu->stream, &failure) != TALWEG_CUDA_OK)
    return fail_halfway(gpu, parts, 0, &failure, error);
  gpu->next_slot = (gpu->next_slot + 1) % TALWEG_GPU_SLOTS;
  return TALWEG_OK;
}

/* Whether an event can be recorded in the optimizer's stream. Beside the capture of a blocking
 * stream nothing may be put into the default one: it would end that capture. */
static int can_be_left(talweg_gpu* gpu) {
  talweg_cuda_error error;
  int32_t is_capturing = 0;
  const int32_t result = talweg_cuda_is_capturing(gpu->stream, &is_capturing, &error);
  if (result == TALWEG_CUDA_OK && !is_capturing) return 1;
  talweg_cuda_fail(&error, TALWEG_CUDA_INVALID_VALUE,
                   "the stream that the optimizer is in cannot be waited for during a capture: set "
                   "the stream of the capture, or wait, before it begins");
  return talweg_gpu_did(gpu, error.code, &error);
}

int talweg_gpu_follow(talweg_gpu* gpu, talweg_cuda_stream stream) {
  talweg_cuda_error error;
  int32_t is_capturing = 0;
  /* Replays may be in it that nobody told of. */
  if ((gpu->is_busy || gpu->captured_parts) && stream != gpu->stream) {
    if (!can_be_left(gpu)) return 0;
    /* What was left before this one, and not waited for in it yet. */
    if (gpu->has_left &&
        !talweg_gpu_did(gpu, talweg_cuda_wait_in_stream(gpu->stream, gpu->left_event, &error),
                        &error))
      return 0;
    if (!talweg_gpu_did(gpu, talweg_cuda_record(gpu->left_event, gpu->stream, &error), &error))
      return 0;
    gpu->is_busy = 0;
    gpu->has_left = 1;
  }
  if (!gpu->has_left) return 1;
  if (!talweg_gpu_did(gpu, talweg_cuda_is_capturing(stream, &is_capturing, &error), &error))
    return 0;
  if (is_capturing) return 1;
  if (!talweg_gpu_did(gpu, talweg_cuda_wait_in_stream(stream, gpu->left_event, &error), &error))
    return 0;
  gpu->has_left = 0;
  gpu->is_busy = 1; /* until this one is waited for */
  return 1;
}
