/* A step that the device goes through by itself: what has changed since the last one is sent, then
 * a row of launches, and nothing is waited for. See optimizer.h for the steps that are not like
 * that.
 */
#include <string.h>

#include "runtime/abi/talweg_gpu_abi.h"
#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

/* Whether hypers on the device are not those that were set. */
static int hypers_changed(const talweg_gpu* gpu) {
  const talweg_optimizer* core = gpu->core;
  const size_t count = (size_t)core->spec.group_count * core->image->hyper_count;
  return memcmp(gpu->hypers_there, core->hypers, count * sizeof(double)) != 0;
}

static int streams_changed(const talweg_gpu* gpu) {
  const talweg_optimizer* core = gpu->core;
  const size_t tensors = core->spec.tensor_count;
  return memcmp(gpu->pointers_there, core->pointers,
                tensors * core->image->stream_count * sizeof(void*)) != 0 ||
         memcmp(gpu->takes_part_there, core->takes_part, tensors) != 0;
}

/* A graph brings with it where its tensors are: other steps may lie between its replays. A step
 * that goes on with another gradient has all else from its first half. */
static uint32_t changed_parts(const talweg_gpu* gpu, int is_capturing) {
  uint32_t parts = gpu->unsure_parts;
  if (hypers_changed(gpu)) parts |= TALWEG_GPU_HYPERS;
  if (gpu->may_have_moved && streams_changed(gpu)) parts |= TALWEG_GPU_STREAMS;
  if (is_capturing) parts |= TALWEG_GPU_STREAMS;
  if (talweg_is_waiting(gpu->core)) return parts & TALWEG_GPU_STREAMS;
  if (gpu->core->image->input_count > 0) parts |= TALWEG_GPU_INPUTS;
  if (!gpu->is_ahead && talweg_gpu_host_changed(gpu)) parts |= TALWEG_GPU_SCALARS;
  return parts;
}

static void note_sent(talweg_gpu* gpu, uint32_t parts) {
  const talweg_optimizer* core = gpu->core;
  const size_t tensors = core->spec.tensor_count;
  if (parts & TALWEG_GPU_HYPERS)
    memcpy(gpu->hypers_there, core->hypers,
           (size_t)core->spec.group_count * core->image->hyper_count * sizeof(double));
  if (parts & TALWEG_GPU_STREAMS) {
    memcpy(gpu->pointers_there, core->pointers,
           tensors * core->image->stream_count * sizeof(void*));
    memcpy(gpu->takes_part_there, core->takes_part, tensors);
  }
  if (parts & TALWEG_GPU_SCALARS) talweg_gpu_take_snapshot(gpu);
}

/* Where the loss was scaled. `step` and `stop`: as the device sees them. */
static int32_t launch_unscaling(const talweg_gpu* gpu, uint64_t step, uint64_t stop,
                                talweg_cuda_error* error) {
  if (!gpu->gradient_scale || gpu->core->chunk_count == 0) return TALWEG_CUDA_OK;
  const talweg_gpu_launch launch = {.kernel = TALWEG_GPU_UNSCALE,
                                    .blocks = gpu->core->chunk_count,
                                    .blocks_y = 1,
                                    .threads = TALWEG_GPU_THREADS,
                                    .parameter_count = 3,
                                    .parameters = {step, gpu->gradient_scale, stop}};
  return talweg_gpu_launch_one(gpu, &launch, error);
}

static int32_t launch_begin(talweg_gpu* gpu, talweg_cuda_error* error) {
  talweg_gpu_launch* begin = &gpu->program.launches[0];
  begin->parameters[1] = gpu->found_inf;
  int32_t result = talweg_gpu_launch_one(gpu, begin, error);
  if (result == TALWEG_CUDA_OK)
    result = launch_unscaling(gpu, gpu->places.step, gpu->program.stop, error);
  return result == TALWEG_CUDA_OK ? talweg_gpu_launch_numbers(gpu, error) : result;
}

/* Whether the step is to wait at a pause. The host looks where it does not know. */
static int32_t ask(talweg_gpu* gpu, const talweg_gpu_launch* pause, int* waits,
                   talweg_cuda_error* error) {
  uint32_t* says = &gpu->front->says_regrad;
  *waits = 1;
  if (pause->parameters[1]) return TALWEG_CUDA_OK;
  const uint64_t there = talweg_gpu_there(&gpu->program, &gpu->core->progress.regrad);
  int32_t result = talweg_cuda_copy_out(says, there, sizeof *says, gpu->stream, error);
  if (result == TALWEG_CUDA_OK) result = talweg_cuda_wait(gpu->stream, error);
  *waits = *says != 0 && !gpu->front->report.refused;
  return result;
}

/* From where the step stands, to its end or to where it waits for another gradient. */
static int32_t launch_on(talweg_gpu* gpu, int is_capturing, talweg_cuda_error* error) {
  int32_t result = gpu->next_launch == 0 ? launch_begin(gpu, error) : TALWEG_CUDA_OK;
  uint32_t i = gpu->next_launch == 0 ? 1 : gpu->next_launch;
  for (; result == TALWEG_CUDA_OK && i < gpu->program.launch_count; ++i) {
    const talweg_gpu_launch* launch = &gpu->program.launches[i];
    int waits = 0;
    if (launch->kernel == TALWEG_GPU_PAUSE)
      result = ask(gpu, launch, &waits, error);
    else if (launch->kernel != TALWEG_GPU_CHECK_INPUTS || gpu->misses_inputs)
      result = talweg_gpu_launch_one(gpu, launch, error);
    if (result != TALWEG_CUDA_OK || !waits) continue;
    gpu->next_launch = i + 1;
    gpu->is_half_captured = is_capturing;
    /* What was only captured has moved nothing. */
    gpu->core->progress = (talweg_progress){.next_phase = (uint32_t)launch->parameters[0] + 1,
                                            .has_waited = !is_capturing};
    return TALWEG_CUDA_OK;
  }
  gpu->is_broken = result != TALWEG_CUDA_OK && !is_capturing;
  if (result == TALWEG_CUDA_OK || gpu->is_broken) /* the step is over, or cannot go on */
    gpu->core->progress.next_phase = gpu->next_launch = 0;
  return result;
}

static talweg_status launch_step(talweg_gpu* gpu, int is_capturing, talweg_error* error) {
  talweg_cuda_error failure;
  gpu->is_busy |= !is_capturing;
  const uint32_t parts = changed_parts(gpu, is_capturing);
  talweg_status status = is_capturing ? talweg_gpu_check_capture(gpu, parts, error) : TALWEG_OK;
  if (status == TALWEG_OK) status = talweg_gpu_send(gpu, parts, is_capturing, error);
  if (status != TALWEG_OK) return status;
  note_sent(gpu, parts);
  gpu->may_have_moved = 0;
  const int did = talweg_gpu_did(gpu, launch_on(gpu, is_capturing, &failure), &failure);
  if (did && is_capturing) gpu->captured_parts |= parts;
  gpu->unsure_parts = (gpu->unsure_parts & ~parts) | gpu->captured_parts;
  if (!did) return talweg_gpu_calls.failure(gpu, error);
  gpu->is_ahead |= !is_capturing;
  return TALWEG_OK;
}

/* Where the host leads, it looks at what scales the loss. 1: the step is left out. */
static int left_out(talweg_gpu* gpu, talweg_status* status, talweg_error* error) {
  talweg_cuda_error failure;
  talweg_gpu_front* front = gpu->front;
  front->number = 0;
  if (gpu->found_inf &&
      (!talweg_gpu_did(gpu,
                       talweg_cuda_copy_out(&front->number, gpu->found_inf, sizeof front->number,
                                            gpu->stream, &failure),
                       &failure) ||
       !talweg_gpu_did(gpu, talweg_cuda_wait(gpu->stream, &failure), &failure))) {
    *status = talweg_gpu_calls.failure(gpu, error);
    return 1;
  }
  front->progress.left_out = front->number != 0;
  if (front->number != 0) return 1;
  if (!gpu->gradient_scale) return 0;
  const int32_t result =
      launch_unscaling(gpu, (uintptr_t)&front->led_step, (uintptr_t)&front->no_stop, &failure);
  if (talweg_gpu_did(gpu, result, &failure) &&
      talweg_gpu_wait_for_stream(gpu)) /* tables that it reads are written by the next step */
    return 0;
  *status = talweg_gpu_calls.failure(gpu, error);
  return 1;
}

/* Views and questions about inputs have other tensors take part. */
static void bind_as_before(talweg_optimizer* core) {
  for (uint32_t t = 0; t < core->spec.tensor_count; ++t) {
    const uint8_t takes_part =
        core->pointers[(size_t)t * core->image->stream_count + TALWEG_STREAM_GRAD] != NULL;
    if (takes_part != core->takes_part[t]) talweg_forget_parts(core);
    core->takes_part[t] = takes_part;
  }
  core->begins_some = talweg_some_state_begins(core);
}

/* What the step is given: the same gradients as before, where the array of them is null. */
static talweg_status bind(talweg_gpu* gpu, const talweg_step_inputs* inputs, talweg_error* error) {
  talweg_optimizer* core = gpu->core;
  gpu->may_have_moved |= inputs->gradients || gpu->has_wide_inputs || !gpu->has_gradients;
  if (inputs->gradients || !gpu->has_gradients || !core->image->uses_gradient) {
    const talweg_status status = talweg_begin_step(core, inputs, error);
    if (status == TALWEG_OK) gpu->has_gradients = inputs->gradients != NULL;
    return status;
  }
  const talweg_status status = talweg_refuse_swapped(core, "a step", error);
  if (status != TALWEG_OK) return status;
  bind_as_before(core);
  return core->image->input_count > 0 ? talweg_bind_inputs(core, inputs, error) : TALWEG_OK;
}

/* Whether this step is given the gradients of the last one, which the device has made by itself,
 * and the host has looked at nothing since: what takes part and what has begun is the same, however
 * many tensors there are. */
static int goes_on(const talweg_gpu* gpu, const talweg_step_inputs* inputs) {
  return gpu->is_ahead && gpu->has_gradients && !inputs->gradients && !gpu->has_wide_inputs;
}

/* What a new step is given, and why the host must lead through it. */
static talweg_status begin(talweg_gpu* gpu, const talweg_step_inputs* inputs,
                           talweg_gpu_reason* why, talweg_error* error) {
  talweg_status status = TALWEG_OK;
  gpu->next_launch = 0;
  gpu->is_half_captured = 0;
  if (goes_on(gpu, inputs)) {
    talweg_bind_scalar_inputs(gpu->core, inputs);
  } else {
    status = bind(gpu, inputs, error);
    if (status == TALWEG_OK) status = talweg_gpu_calls.failure(gpu, error); /* of rows, columns */
    if (status == TALWEG_OK) *why = talweg_gpu_why_led(gpu);
  }
  if (status != TALWEG_OK) return status;
  talweg_gpu_give_sources(gpu);
  if (!why->text) gpu->misses_inputs = talweg_gpu_misses_inputs(gpu->core);
  return TALWEG_OK;
}

/* What a step that waits is given: the same gradients as before, where the array of them is null.
 */
static talweg_status bind_again(talweg_gpu* gpu, const talweg_step_inputs* inputs, int is_capturing,
                                talweg_error* error) {
  if (is_capturing && !gpu->is_half_captured) {
    const talweg_gpu_reason why = {.text =
                                       "it waits for another gradient, and its first call was "
                                       "not captured"};
    return talweg_gpu_refuse_capture(&why, error);
  }
  if (gpu->is_half_captured && !is_capturing)
    return talweg_fail(error, TALWEG_NOT_SERVED,
                       "this step waits for another gradient in a capture: its first call was "
                       "captured, so capture this one too, or abandon the step");
  if (!inputs->gradients && gpu->has_gradients) return TALWEG_OK;
  gpu->may_have_moved = 1;
  return talweg_bind_next_gradients(gpu->core, inputs->gradients, error);
}

/* A step that the host is to lead through, after what the device has begun by itself. 1: it was
 * left out, or failed. */
static int lead(talweg_gpu* gpu, talweg_status* status, talweg_outcome* outcome,
                talweg_error* error) {
  /* Before gradients are changed. A refusal ends it whether or not the caller takes an error. */
  *status = talweg_gpu_wait(gpu->core, NULL, error);
  if (*status != TALWEG_OK) return 1;
  talweg_gpu_take_inputs(gpu);
  *status = talweg_gpu_calls.failure(gpu, error);
  if (*status != TALWEG_OK) return 1;
  if (!left_out(gpu, status, error)) return 0;
  if (outcome) *outcome = TALWEG_SKIPPED;
  return 1;
}

/* 1: the step was made, or refused; 0: the host is to lead. The context is current. */
static int make_step(talweg_gpu* gpu, const talweg_step_inputs* inputs, talweg_status* status,
                     talweg_outcome* outcome, talweg_error* error) {
  talweg_cuda_error failure;
  int32_t is_capturing = 0;
  if (talweg_cuda_is_capturing(gpu->stream, &is_capturing, &failure) != TALWEG_CUDA_OK) {
    *status = talweg_gpu_put_failure(&failure, error);
    return 1;
  }
  /* Before what is given is bound, which may move some of it. */
  if (is_capturing) *status = talweg_gpu_check_captured_rule(gpu, error);
  if (*status != TALWEG_OK) return 1;
  if (gpu->asks && (gpu->found_inf || gpu->gradient_scale)) {
    *status = talweg_fail(error, TALWEG_NOT_SERVED,
                          "a rule that asks for another gradient cannot be given scaled ones");
    return 1;
  }
  if (gpu->has_left && !is_capturing && !talweg_gpu_follow(gpu, gpu->stream)) {
    *status = talweg_gpu_calls.failure(gpu, error);
    return 1;
  }
  talweg_gpu_reason why = {0};
  const int is_waiting = talweg_is_waiting(gpu->core);
  *status =
      is_waiting ? bind_again(gpu, inputs, is_capturing, error) : begin(gpu, inputs, &why, error);
  if (*status != TALWEG_OK) return 1;
  if (is_waiting && gpu->next_launch == 0) return 0;
  if (why.text && !is_capturing) return lead(gpu, status, outcome, error);
  *status =
      why.text ? talweg_gpu_refuse_capture(&why, error) : launch_step(gpu, is_capturing, error);
  if (outcome) *outcome = talweg_is_waiting(gpu->core) ? TALWEG_REGRAD : TALWEG_COMPLETED;
  return 1;
}

int talweg_gpu_step_by_itself(void* context, talweg_optimizer* optimizer,
                              const talweg_step_inputs* inputs, talweg_status* status,
                              talweg_outcome* outcome, talweg_error* error) {
  talweg_gpu* gpu = context;
  *status = TALWEG_OK;
  if (gpu->failure.code != TALWEG_CUDA_OK && !gpu->is_broken) {
    *status = talweg_gpu_calls.failure(gpu, error);
    gpu->failure.code = TALWEG_CUDA_OK; /* told by the status, if by nothing else */
    return 1;
  }
  if (gpu->front->report.refused || gpu->refusal.status != TALWEG_OK || gpu->is_broken) {
    *status = talweg_gpu_wait(optimizer, NULL, error);
    if (*status != TALWEG_OK) return 1;
  }
  if (!talweg_gpu_enter(gpu)) {
    *status = talweg_gpu_calls.failure(gpu, error);
    return 1;
  }
  const int is_done = make_step(gpu, inputs, status, outcome, error);
  talweg_gpu_leave(gpu);
  return is_done;
}

/* Hypers, and what a step changes. */
static talweg_status send_numbers(talweg_gpu* gpu, talweg_error* error) {
  const uint32_t numbers = TALWEG_GPU_HYPERS | TALWEG_GPU_SCALARS;
  uint32_t parts = gpu->unsure_parts & numbers;
  if (hypers_changed(gpu)) parts |= TALWEG_GPU_HYPERS;
  if (!gpu->is_ahead && talweg_gpu_host_changed(gpu)) parts |= TALWEG_GPU_SCALARS;
  const talweg_status status = talweg_gpu_send(gpu, parts, 0, error);
  if (status != TALWEG_OK) return status;
  note_sent(gpu, parts);
  gpu->unsure_parts &= ~numbers;
  return TALWEG_OK;
}

talweg_status talweg_gpu_send_hypers(talweg_optimizer* optimizer, talweg_error* error) {
  talweg_gpu* gpu = talweg_gpu_of(optimizer);
  talweg_cuda_error failure;
  int32_t is_capturing = 0;
  if (!talweg_gpu_enter(gpu)) return talweg_gpu_calls.failure(gpu, error);
  talweg_status status = TALWEG_OK;
  if (talweg_cuda_is_capturing(gpu->stream, &is_capturing, &failure) != TALWEG_CUDA_OK)
    status = talweg_gpu_put_failure(&failure, error);
  else if (is_capturing)
    status = talweg_fail(error, TALWEG_NOT_SERVED,
                         "hypers cannot be sent while the stream is being captured: every replay "
                         "would bring them");
  else if (gpu->has_left && !talweg_gpu_follow(gpu, gpu->stream))
    status = talweg_gpu_calls.failure(gpu, error);
  else
    status = send_numbers(gpu, error);
  talweg_gpu_leave(gpu);
  return status;
}
