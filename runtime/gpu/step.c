/* A step that the device goes through by itself: what has changed since the last one is sent, then
 * a row of launches, and nothing is waited for. See optimizer.h for the steps that are not like
 * that.
 */
#include <string.h>

#include "runtime/abi/talweg_gpu_abi.h"
#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

/* Why the host must lead through a step: a sentence, with the name of something in it. */
typedef struct reason {
  const char *text, *name, *rest; /* text null: it need not */
} reason;

/* Element inputs of a tensor that its steps never read get memory that can be loaded from. */
static int has_element_input(talweg_optimizer* core, uint32_t input) {
  const talweg_image* image = core->image;
  int has_all = 1;
  for (uint32_t t = 0; t < core->spec.tensor_count; ++t) {
    void** streams = core->pointers + (size_t)t * image->stream_count;
    void** stream = &streams[image->inputs[input].stream];
    if (*stream || !core->takes_part[t] || core->element_counts[t] == 0) continue;
    if (core->input_present[(size_t)t * image->input_count + input])
      has_all = 0;
    else
      *stream = streams[TALWEG_STREAM_PARAM];
  }
  return has_all;
}

static int has_input(talweg_optimizer* core, uint32_t input) {
  switch (core->image->inputs[input].rate) {
    case TALWEG_RATE_ELEMENT:
      return has_element_input(core, input);
    case TALWEG_RATE_MODEL:
    case TALWEG_RATE_GROUP:
    case TALWEG_RATE_TENSOR:
      return core->given[input];
    default:
      return 0; /* of matrices, rows and columns: they are gathered in tables of the host */
  }
}

static int begins(talweg_optimizer* core, uint32_t state) {
  const talweg_state_info* info = &core->image->states[state];
  if (!talweg_begins_late(info)) return 0;
  for (uint32_t t = 0; t < core->spec.tensor_count; ++t) {
    const double* begun = talweg_state_begun(core, state, t);
    if (begun && *begun == 0 && (core->takes_part[t] || talweg_is_scalar_rate(info->rate)))
      return 1;
  }
  return 0;
}

/* Of a rule whose steps are all led. */
static reason why_always_led(const talweg_gpu* gpu) {
  const talweg_image* image = gpu->core->image;
  if (gpu->asks)
    return (reason){"rule ", image->name, " asks for another gradient in the middle of a step"};
  for (uint32_t i = 0; i < image->input_count; ++i)
    if (talweg_is_line_rate(image->inputs[i].rate))
      return (reason){"input ", image->inputs[i].name, " is of matrices, rows or columns"};
  return (reason){0};
}

static reason why_led(talweg_gpu* gpu) {
  talweg_optimizer* core = gpu->core;
  const talweg_image* image = core->image;
  const reason always = why_always_led(gpu);
  if (always.text) return always;
  for (uint32_t s = 0; s < image->state_count; ++s)
    if (begins(core, s))
      return (reason){"state ", image->states[s].name,
                      " gets its initial value in this step; make one such step before"};
  for (uint32_t i = 0; i < image->input_count; ++i)
    if (!has_input(core, i))
      return (reason){"input ", image->inputs[i].name, " is not given for all tensors"};
  return (reason){0};
}

static talweg_status refuse_capture(const reason* why, talweg_error* error) {
  talweg_fail(error, TALWEG_NOT_SERVED, "this step cannot be captured: ");
  talweg_put(error, why->text);
  talweg_put_name(error, why->name);
  talweg_put(error, why->rest);
  return TALWEG_NOT_SERVED;
}

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

/* A graph brings with it where its tensors are: other steps may lie between its replays. */
static uint32_t changed_parts(const talweg_gpu* gpu, int is_capturing) {
  uint32_t parts = gpu->unsure_parts;
  if (hypers_changed(gpu)) parts |= TALWEG_GPU_HYPERS;
  if (gpu->may_have_moved && streams_changed(gpu)) parts |= TALWEG_GPU_STREAMS;
  if (gpu->core->image->input_count > 0) parts |= TALWEG_GPU_INPUTS;
  if (!gpu->is_ahead && talweg_gpu_host_changed(gpu)) parts |= TALWEG_GPU_SCALARS;
  return is_capturing ? parts | TALWEG_GPU_STREAMS : parts;
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

/* What a graph would bring again and again is not to be in it. */
static talweg_status check_capture(const talweg_gpu* gpu, uint32_t parts, talweg_error* error) {
  const talweg_image* image = gpu->core->image;
  if (parts & TALWEG_GPU_HYPERS)
    return talweg_fail(error, TALWEG_NOT_SERVED,
                       "this step cannot be captured: hypers were set since the last step; send "
                       "them to the device before");
  if (parts & TALWEG_GPU_SCALARS)
    return talweg_fail(error, TALWEG_NOT_SERVED,
                       "this step cannot be captured: the device has not got the states that were "
                       "set, or that the last step has left, which the host led through; make one "
                       "more step before, or send hypers");
  for (uint32_t i = 0; i < image->input_count; ++i) {
    if (image->inputs[i].rate == TALWEG_RATE_ELEMENT) continue;
    const reason why = {"input ", image->inputs[i].name, " is a number of the host's"};
    return refuse_capture(&why, error);
  }
  return TALWEG_OK;
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

static int32_t launch_all(talweg_gpu* gpu, int is_capturing, talweg_cuda_error* error) {
  talweg_gpu_launch* begin = &gpu->program.launches[0];
  begin->parameters[1] = gpu->found_inf;
  int32_t result = talweg_gpu_launch_one(gpu, begin, error);
  if (result != TALWEG_CUDA_OK) return result;
  result = launch_unscaling(gpu, gpu->places.step, gpu->program.stop, error);
  for (uint32_t i = 1; result == TALWEG_CUDA_OK && i < gpu->program.launch_count; ++i)
    result = talweg_gpu_launch_one(gpu, &gpu->program.launches[i], error);
  gpu->is_broken = result != TALWEG_CUDA_OK && !is_capturing;
  return result;
}

static talweg_status launch_step(talweg_gpu* gpu, int is_capturing, talweg_error* error) {
  talweg_cuda_error failure;
  gpu->is_busy |= !is_capturing;
  const uint32_t parts = changed_parts(gpu, is_capturing);
  talweg_status status = is_capturing ? check_capture(gpu, parts, error) : TALWEG_OK;
  if (status == TALWEG_OK) status = talweg_gpu_send(gpu, parts, is_capturing, error);
  if (status != TALWEG_OK) return status;
  note_sent(gpu, parts);
  gpu->may_have_moved = 0;
  const int did = talweg_gpu_did(gpu, launch_all(gpu, is_capturing, &failure), &failure);
  if (did && is_capturing) gpu->captured_parts |= parts;
  gpu->unsure_parts = gpu->captured_parts;
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
  gpu->may_have_moved |= inputs->gradients || core->image->input_count > 0 || !gpu->has_gradients;
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

/* Whether this step is given what the last one was, which the device has made by itself, and the
 * host has looked at nothing since: what takes part and what has begun is the same, however many
 * tensors there are. */
static int goes_on(const talweg_gpu* gpu, const talweg_step_inputs* inputs) {
  return gpu->is_ahead && gpu->has_gradients && !inputs->gradients &&
         gpu->core->image->input_count == 0;
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
  reason why = why_always_led(gpu);
  if (why.text && is_capturing) { /* before what is given is bound, which may move some of it */
    *status = refuse_capture(&why, error);
    return 1;
  }
  if (gpu->asks && (gpu->found_inf || gpu->gradient_scale)) {
    *status = talweg_fail(error, TALWEG_NOT_SERVED,
                          "a rule that asks for another gradient cannot be given scaled ones");
    return 1;
  }
  if (gpu->has_left && !is_capturing && !talweg_gpu_follow(gpu, gpu->stream)) {
    *status = talweg_gpu_calls.failure(gpu, error);
    return 1;
  }
  if (talweg_is_waiting(gpu->core)) return 0;
  if (!goes_on(gpu, inputs)) {
    *status = bind(gpu, inputs, error);
    if (*status != TALWEG_OK) return 1;
    why = why_led(gpu);
  }
  if (outcome) *outcome = TALWEG_COMPLETED;
  if (!why.text) {
    *status = launch_step(gpu, is_capturing, error);
    return 1;
  }
  if (is_capturing) {
    *status = refuse_capture(&why, error);
    return 1;
  }
  /* Before gradients are changed. */
  *status = talweg_gpu_settle(gpu, gpu->core, error);
  if (*status != TALWEG_OK) return 1;
  if (!left_out(gpu, status, error)) return 0;
  if (outcome) *outcome = TALWEG_SKIPPED;
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
  if (gpu->front->report.is_refused || gpu->refusal.status != TALWEG_OK || gpu->is_broken) {
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
