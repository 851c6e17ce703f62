/* Where the host looks at what steps have left, and hears what the device has refused. */
#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

/* Brings the scalars here, which the host has not changed. The context is current. */
static int fetch(talweg_gpu* gpu) {
  talweg_cuda_error error;
  talweg_gpu_front* front = gpu->front;
  if (gpu->has_left && !talweg_gpu_follow(gpu, gpu->stream)) return 0;
  const int waited = gpu->captured_parts
                         ? talweg_gpu_did(gpu, talweg_cuda_wait_for_context(&error), &error)
                         : talweg_gpu_wait_for_stream(gpu);
  if (!waited) return 0;
  for (uint32_t i = 0; i < gpu->range_count; ++i) {
    const talweg_gpu_range* range = &gpu->ranges[i];
    if (range->part != TALWEG_GPU_SCALARS) continue;
    if (!talweg_gpu_did(
            gpu,
            talweg_cuda_copy_out(range->here, talweg_gpu_there(&gpu->program, range->here),
                                 range->bytes, gpu->stream, &error),
            &error))
      return 0;
  }
  return talweg_gpu_did(gpu,
                        talweg_cuda_copy_out(&front->progress, gpu->places.progress,
                                             sizeof front->progress, gpu->stream, &error),
                        &error) &&
         talweg_gpu_wait_for_stream(gpu);
}

/* The context is current. */
static void note_refusal(talweg_gpu* gpu) {
  const volatile talweg_gpu_report* report = &gpu->front->report;
  talweg_optimizer* core = gpu->core;
  if (!report->refused || gpu->refusal.status != TALWEG_OK) return;
  /* A step that was to go on with another gradient has moved nothing. */
  if (gpu->next_launch > 0) core->progress.next_phase = 0;
  if (report->refused == TALWEG_GPU_BOUND_HYPER) {
    talweg_refuse_bound(core, (size_t)report->where, report->number, report->value, &gpu->refusal);
    return;
  }
  const uint32_t rate = core->image->inputs[report->number].rate;
  const int is_of_tensors = rate != TALWEG_RATE_MODEL && rate != TALWEG_RATE_GROUP;
  talweg_refuse_missing(core, report->number, is_of_tensors ? &core->tensors[report->where] : NULL,
                        &gpu->refusal);
}

/* Waiting would end the capture. */
static int is_captured_now(talweg_gpu* gpu) {
  talweg_cuda_error error;
  int32_t is_capturing = 0;
  return talweg_gpu_did(gpu, talweg_cuda_is_capturing(gpu->stream, &is_capturing, &error),
                        &error) &&
         is_capturing;
}

static talweg_status refuse_in_capture(talweg_error* error) {
  return talweg_fail(error, TALWEG_NOT_SERVED,
                     "what steps have left cannot be read while the stream is being captured");
}

talweg_status talweg_gpu_settle(void* context, talweg_optimizer* optimizer, talweg_error* error) {
  talweg_gpu* gpu = context;
  (void)optimizer;
  if (gpu->is_broken || !gpu->core) return talweg_gpu_calls.failure(gpu, error);
  const int may_differ = gpu->is_ahead || (gpu->captured_parts && !talweg_gpu_host_changed(gpu));
  if (may_differ && talweg_gpu_enter(gpu)) {
    if (is_captured_now(gpu)) {
      talweg_gpu_leave(gpu);
      return refuse_in_capture(error);
    }
    gpu->is_ahead = 1; /* also where only some of it gets here */
    if (gpu->failure.code == TALWEG_CUDA_OK && fetch(gpu)) {
      talweg_gpu_take_snapshot(gpu);
      gpu->is_ahead = 0;
      note_refusal(gpu);
    }
    talweg_gpu_leave(gpu);
  }
  const talweg_status status = talweg_gpu_calls.failure(gpu, error);
  return status != TALWEG_OK || !error ? status : talweg_gpu_tell_refusal(gpu, error);
}

/* From here on steps are made again. */
talweg_status talweg_gpu_tell_refusal(talweg_gpu* gpu, talweg_error* error) {
  const talweg_status status = gpu->refusal.status;
  talweg_cuda_error failure;
  if (status == TALWEG_OK || !talweg_gpu_enter(gpu)) return status;
  if (is_captured_now(gpu)) {
    talweg_gpu_leave(gpu);
    return refuse_in_capture(error);
  }
  /* Waited for: a replay in another stream is not to find itself refused still. */
  talweg_gpu_progress* progress = &gpu->front->progress;
  *progress = (talweg_gpu_progress){.stop = 1, .is_over = 1};
  const int did = talweg_gpu_did(gpu,
                                 talweg_cuda_copy_in(gpu->places.progress, progress,
                                                     sizeof *progress, gpu->stream, &failure),
                                 &failure) &&
                  talweg_gpu_wait_for_stream(gpu);
  talweg_gpu_leave(gpu);
  if (!did) return talweg_gpu_calls.failure(gpu, error);
  gpu->front->report.refused = TALWEG_GPU_NOT_REFUSED;
  if (error) *error = gpu->refusal;
  gpu->refusal.status = TALWEG_OK;
  return status;
}
