/* Creation and end of an optimizer on a GPU, and what there is beside runtime/optimizer/step.h. */
#include "runtime/gpu/optimizer.h"

#include <string.h>

#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"
#include "runtime/optimizer/work.h"

int talweg_is_on_gpu(const talweg_optimizer* optimizer) {
  return optimizer->spec.device == &talweg_gpu_calls;
}

static talweg_status no_memory(talweg_error* error) {
  return talweg_fail(error, TALWEG_TOO_LARGE, "there is not enough memory for the optimizer");
}

static talweg_status load(talweg_gpu* gpu, const talweg_gpu_spec* spec, talweg_error* error) {
  talweg_cuda_error failure;
  if (talweg_cuda_current_device(&gpu->device, &failure) != TALWEG_CUDA_OK ||
      talweg_cuda_load(&gpu->module, spec->ptx, &failure) != TALWEG_CUDA_OK)
    return talweg_gpu_put_failure(&failure, error);
  return TALWEG_OK;
}

/* Parameters lie in memory of the context's device. */
static talweg_status check_params(const talweg_gpu* gpu, const talweg_optimizer_spec* spec,
                                  talweg_error* error) {
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    talweg_cuda_error failure;
    int32_t device = gpu->device;
    const uintptr_t param = (uintptr_t)spec->tensors[t].param;
    if (param && talweg_cuda_device_of(param, &device, &failure) != TALWEG_CUDA_OK)
      return talweg_gpu_put_failure(&failure, error);
    if (device == gpu->device) continue;
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "tensor ");
    talweg_put_name(error, spec->tensors[t].name);
    talweg_put(error, device < 0 ? " is not in memory of a device" : " is in memory of device ");
    if (device >= 0) talweg_put_count(error, (uint64_t)device);
    talweg_put(error, "; the optimizer is on device ");
    talweg_put_count(error, (uint64_t)gpu->device);
    return TALWEG_BAD_ARGUMENT;
  }
  return TALWEG_OK;
}

static int allocate_pinned(talweg_gpu* gpu, void** memory, uint64_t bytes) {
  talweg_cuda_error error;
  return talweg_gpu_did(gpu, talweg_cuda_allocate_pinned(memory, bytes, &error), &error);
}

static int allocate(talweg_gpu* gpu, talweg_cuda_address* memory, uint64_t bytes) {
  talweg_cuda_error error;
  return talweg_gpu_did(gpu, talweg_cuda_allocate(memory, bytes, &error), &error);
}

static talweg_status make_core(talweg_gpu* gpu, const talweg_gpu_spec* from, talweg_error* error) {
  talweg_optimizer_sizes sizes;
  talweg_optimizer_spec spec = from->optimizer;
  spec.image = &gpu->image;
  spec.parallel_for = NULL;
  spec.parallel_context = NULL;
  spec.thread_count = 1;
  spec.device = &talweg_gpu_calls;
  spec.device_context = gpu;
  talweg_status status = talweg_measure(&spec, &sizes, error);
  if (status == TALWEG_OK) status = check_params(gpu, &spec, error);
  if (status != TALWEG_OK) return status;
  gpu->control_bytes = sizes.control_bytes;
  gpu->states = from->state_memory;
  /* The driver aligns to less. */
  if (!gpu->states && sizes.state_bytes > 0 &&
      allocate(gpu, &gpu->states_owned, sizes.state_bytes + TALWEG_STATE_ALIGNMENT))
    gpu->states = (gpu->states_owned + TALWEG_STATE_ALIGNMENT - 1) / TALWEG_STATE_ALIGNMENT *
                  TALWEG_STATE_ALIGNMENT;
  void* front = NULL;
  if (gpu->failure.code != TALWEG_CUDA_OK || !allocate_pinned(gpu, &front, sizeof *gpu->front))
    return talweg_gpu_calls.failure(gpu, error);
  gpu->front = front; /* released with the rest from here on */
  memset(front, 0, sizeof *gpu->front);
  if (!allocate_pinned(gpu, &gpu->control, sizes.control_bytes))
    return talweg_gpu_calls.failure(gpu, error);
  return talweg_create(&spec, gpu->control, (void*)(uintptr_t)gpu->states, &gpu->core, error);
}

static void note_rule(talweg_gpu* gpu) {
  const talweg_image* image = gpu->core->image;
  for (uint32_t p = 0; p < image->step.phase_count; ++p)
    gpu->asks |= image->step.phases[p].says_regrad != 0;
  for (uint32_t i = 0; i < image->input_count; ++i)
    gpu->has_wide_inputs |= !talweg_is_scalar_rate(image->inputs[i].rate);
}

/* Where inputs lie on the device, and room to bring them here. */
static talweg_status make_sources(talweg_gpu* gpu, talweg_error* error) {
  const talweg_optimizer* core = gpu->core;
  const size_t inputs = core->image->input_count, tensors = core->spec.tensor_count;
  const size_t most = tensors > core->row_count ? tensors : core->row_count;
  gpu->sources = malloc(inputs * sizeof *gpu->sources + 1);
  gpu->numbers = malloc((inputs > 0 ? most : 0) * sizeof *gpu->numbers + 1);
  if (!gpu->sources || !gpu->numbers) return no_memory(error);
  memset(gpu->sources, 0, inputs * sizeof *gpu->sources);
  return TALWEG_OK;
}

/* Buffers of the host, for what was sent. */
static talweg_status make_snapshots(talweg_gpu* gpu, talweg_error* error) {
  const talweg_optimizer* core = gpu->core;
  const size_t tensors = core->spec.tensor_count;
  talweg_gpu_list_ranges(gpu);
  gpu->snapshot = malloc((size_t)talweg_gpu_bytes_of(gpu, TALWEG_GPU_SCALARS) + 1);
  gpu->pointers_there = malloc(tensors * core->image->stream_count * sizeof(void*) + 1);
  gpu->takes_part_there = malloc(tensors + 1);
  gpu->hypers_there =
      malloc((size_t)core->spec.group_count * core->image->hyper_count * sizeof(double) + 1);
  if (!gpu->snapshot || !gpu->pointers_there || !gpu->takes_part_there || !gpu->hypers_there)
    return no_memory(error);
  return TALWEG_OK;
}

static talweg_status make_program(talweg_gpu* gpu, talweg_error* error) {
  talweg_gpu_program counted = {.control = gpu->control};
  talweg_gpu_write_tables(gpu, &counted);
  talweg_gpu_write_launches(gpu, &counted);
  talweg_gpu_program* program = &gpu->program;
  *program = (talweg_gpu_program){.control = gpu->control};
  program->launches = malloc(counted.launch_count * sizeof *program->launches);
  program->tables = malloc((size_t)counted.table_bytes);
  if (!program->launches || !program->tables) return no_memory(error);
  memset(program->tables, 0, (size_t)counted.table_bytes);
  if (!allocate(gpu, &gpu->tables_there, counted.table_bytes) ||
      !allocate(gpu, &gpu->control_there, gpu->control_bytes))
    return talweg_gpu_calls.failure(gpu, error);
  program->tables_there = gpu->tables_there;
  program->control_there = gpu->control_there;
  talweg_gpu_write_tables(gpu, program);
  talweg_gpu_write_launches(gpu, program);
  return TALWEG_OK;
}

/* Everything as it is now. */
static int send_all(talweg_gpu* gpu) {
  talweg_cuda_error error;
  return talweg_gpu_did(gpu,
                        talweg_cuda_copy_in(gpu->tables_there, gpu->program.tables,
                                            gpu->program.table_bytes, gpu->stream, &error),
                        &error) &&
         talweg_gpu_did(gpu,
                        talweg_cuda_copy_in(gpu->control_there, gpu->control, gpu->control_bytes,
                                            gpu->stream, &error),
                        &error) &&
         talweg_gpu_did(gpu, talweg_cuda_wait(gpu->stream, &error), &error);
}

static int make_slots(talweg_gpu* gpu) {
  talweg_cuda_error error;
  void* staging = NULL;
  gpu->slot_bytes = talweg_gpu_bytes_of(gpu, UINT32_MAX);
  if (!allocate_pinned(gpu, &staging, (TALWEG_GPU_SLOTS + TALWEG_GPU_CAPTURES) * gpu->slot_bytes))
    return 0;
  gpu->staging = staging;
  for (uint32_t i = 0; i < TALWEG_GPU_SLOTS; ++i)
    if (!talweg_gpu_did(gpu, talweg_cuda_create_event(&gpu->slot_events[i], 0, &error), &error))
      return 0;
  return talweg_gpu_did(gpu, talweg_cuda_create_event(&gpu->left_event, 0, &error), &error);
}

static talweg_status check_stream(const talweg_gpu* gpu, talweg_error* error) {
  talweg_cuda_error failure;
  talweg_cuda_context context = gpu->context;
  int32_t is_capturing = 0;
  if (gpu->stream && talweg_cuda_stream_context(gpu->stream, &context, &failure) != TALWEG_CUDA_OK)
    return talweg_gpu_put_failure(&failure, error);
  if (context != gpu->context)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT,
                       "the stream is of another context, and perhaps another device, than the "
                       "one that is given or current");
  if (talweg_cuda_is_capturing(gpu->stream, &is_capturing, &failure) != TALWEG_CUDA_OK)
    return talweg_gpu_put_failure(&failure, error);
  if (is_capturing)
    return talweg_fail(error, TALWEG_NOT_SERVED,
                       "an optimizer cannot be made while its stream is being captured");
  return TALWEG_OK;
}

static talweg_status make(talweg_gpu* gpu, const talweg_gpu_spec* spec, talweg_error* error) {
  talweg_status status = check_stream(gpu, error);
  if (status == TALWEG_OK) status = load(gpu, spec, error);
  if (status == TALWEG_OK) status = talweg_gpu_make_image(gpu, spec->optimizer.image, error);
  if (status == TALWEG_OK) status = make_core(gpu, spec, error);
  if (status != TALWEG_OK) return status;
  note_rule(gpu);
  status = make_sources(gpu, error);
  if (status == TALWEG_OK) status = make_snapshots(gpu, error);
  if (status == TALWEG_OK) status = make_program(gpu, error);
  if (status != TALWEG_OK) return status;
  if (!send_all(gpu) || !make_slots(gpu)) return talweg_gpu_calls.failure(gpu, error);
  const talweg_optimizer* core = gpu->core;
  talweg_gpu_take_snapshot(gpu);
  memcpy(gpu->hypers_there, core->hypers,
         (size_t)core->spec.group_count * core->image->hyper_count * sizeof(double));
  gpu->front->led_step = (talweg_gpu_step){.chunks = core->chunks,
                                           .pointers = core->pointers,
                                           .chunk_count = core->chunk_count,
                                           .stream_count = core->image->stream_count,
                                           .is_float = core->image->compute_dtype == TALWEG_F32};
  return TALWEG_OK;
}

/* What of it is the driver's, while its context is current. */
static void release_there(talweg_gpu* gpu) {
  for (uint32_t i = 0; i < TALWEG_GPU_SLOTS; ++i)
    if (gpu->slot_events[i]) talweg_cuda_destroy_event(gpu->slot_events[i], NULL);
  if (gpu->left_event) talweg_cuda_destroy_event(gpu->left_event, NULL);
  if (gpu->staging) talweg_cuda_free_pinned(gpu->staging, NULL);
  if (gpu->front) talweg_cuda_free_pinned(gpu->front, NULL);
  if (gpu->control) talweg_cuda_free_pinned(gpu->control, NULL);
  if (gpu->control_there) talweg_cuda_free(gpu->control_there, NULL);
  if (gpu->tables_there) talweg_cuda_free(gpu->tables_there, NULL);
  if (gpu->states_owned) talweg_cuda_free(gpu->states_owned, NULL);
  if (gpu->module) talweg_cuda_unload(gpu->module, NULL);
}

static void release_here(talweg_gpu* gpu) {
  free(gpu->program.tables);
  free(gpu->program.launches);
  free(gpu->snapshot);
  free(gpu->pointers_there);
  free(gpu->takes_part_there);
  free(gpu->hypers_there);
  free(gpu->sources);
  free(gpu->numbers);
  free(gpu->functions);
  free(gpu->image_memory);
  free(gpu);
}

talweg_status talweg_gpu_create(const talweg_gpu_spec* spec, talweg_optimizer** optimizer,
                                talweg_error* error) {
  talweg_cuda_error failure;
  talweg_gpu* gpu = malloc(sizeof *gpu);
  if (!gpu) return no_memory(error);
  memset(gpu, 0, sizeof *gpu);
  gpu->context = spec->context;
  gpu->stream = spec->stream;
  talweg_status status = TALWEG_OK;
  if (!gpu->context && talweg_cuda_current_context(&gpu->context, &failure) != TALWEG_CUDA_OK)
    status = talweg_gpu_put_failure(&failure, error);
  else if (!gpu->context)
    status = talweg_fail(error, TALWEG_BAD_ARGUMENT,
                         "no context of the CUDA driver is given, and none is current");
  else if (!talweg_gpu_enter(gpu))
    status = talweg_gpu_calls.failure(gpu, error);
  if (status != TALWEG_OK) {
    free(gpu);
    return status;
  }
  status = make(gpu, spec, error);
  if (status == TALWEG_OK) *optimizer = gpu->core;
  if (status != TALWEG_OK) {
    const talweg_cuda_context context = gpu->context;
    release_there(gpu);
    release_here(gpu);
    talweg_cuda_leave(context, NULL);
    return status;
  }
  talweg_gpu_leave(gpu);
  return TALWEG_OK;
}

void talweg_gpu_destroy(talweg_optimizer* optimizer) {
  if (!optimizer) return;
  talweg_gpu* gpu = talweg_gpu_of(optimizer);
  const talweg_cuda_context context = gpu->context;
  talweg_settle(optimizer, NULL);
  talweg_abandon(optimizer);
  if (talweg_swapped_view(optimizer) != TALWEG_NO_VIEW) talweg_swap_out(optimizer, NULL);
  const int is_entered = talweg_cuda_enter(context, NULL) == TALWEG_CUDA_OK;
  talweg_cuda_context current = NULL;
  if (!is_entered) talweg_cuda_current_context(&current, NULL);
  /* A context that has ended took with it what it had. */
  if (is_entered || current == context) {
    if (gpu->captured_parts) talweg_cuda_wait_for_context(NULL); /* replays may be in any stream */
    if (gpu->has_left) talweg_cuda_wait_for_event(gpu->left_event, NULL);
    if (gpu->is_busy) talweg_cuda_wait(gpu->stream, NULL);
    release_there(gpu);
  }
  if (is_entered) talweg_cuda_leave(context, NULL);
  release_here(gpu);
}

talweg_status talweg_gpu_set_stream(talweg_optimizer* optimizer, talweg_cuda_stream stream,
                                    talweg_error* error) {
  talweg_gpu* gpu = talweg_gpu_of(optimizer);
  if (stream == gpu->stream && !gpu->has_left) return TALWEG_OK;
  if (!talweg_gpu_enter(gpu)) return talweg_gpu_calls.failure(gpu, error);
  if (talweg_gpu_follow(gpu, stream)) gpu->stream = stream;
  talweg_gpu_leave(gpu);
  return talweg_gpu_calls.failure(gpu, error);
}

talweg_status talweg_gpu_set_scaling(talweg_optimizer* optimizer, talweg_cuda_address found_inf,
                                     talweg_cuda_address gradient_scale, talweg_error* error) {
  talweg_gpu* gpu = talweg_gpu_of(optimizer);
  if (found_inf % sizeof(float) != 0 || gradient_scale % sizeof(float) != 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT,
                       "found_inf or the scale of gradients is not aligned to a float");
  gpu->found_inf = found_inf;
  gpu->gradient_scale = gradient_scale;
  return TALWEG_OK;
}

talweg_status talweg_gpu_wait(talweg_optimizer* optimizer, talweg_outcome* outcome,
                              talweg_error* error) {
  talweg_gpu* gpu = talweg_gpu_of(optimizer);
  talweg_status status = talweg_gpu_settle(gpu, optimizer, error);
  /* Of one who takes no error it was kept. */
  if (status == TALWEG_OK) status = talweg_gpu_tell_refusal(gpu, error);
  if (status == TALWEG_OK && outcome)
    *outcome = gpu->front->progress.left_out  ? TALWEG_SKIPPED
               : talweg_is_waiting(optimizer) ? TALWEG_REGRAD
                                              : (talweg_outcome)optimizer->outcome;
  return status;
}
