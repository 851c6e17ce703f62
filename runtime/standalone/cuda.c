/* Optimizers on a GPU: their creation, and what only they have. All else goes through the core, as
 * on the host. */
#include <string.h>

#include "runtime/device/cuda_calls.h"
#include "runtime/gpu/optimizer.h"
#include "runtime/standalone/internal.h"
#include "runtime/standalone/libc.h"

static talweg_lib_status fail_device(talweg_lib_error* error, const talweg_cuda_error* why) {
  return fail(error, TALWEG_LIB_DEVICE_FAILED, why->message);
}

/* The device of a context that is current. */
typedef struct device_facts {
  int32_t number;
  uint32_t architecture; /* 90 for compute capability 9.0 */
  talweg_cuda_facts facts;
} device_facts;

static int32_t ask_facts(device_facts* device, talweg_cuda_error* error) {
  int32_t result = talweg_cuda_current_device(&device->number, error);
  if (result == TALWEG_CUDA_OK)
    result = talweg_cuda_describe(device->number, &device->facts, error);
  if (result != TALWEG_CUDA_OK) return result;
  const talweg_cuda_facts* facts = &device->facts;
  device->architecture = (uint32_t)(10 * facts->capability_major + facts->capability_minor);
  return TALWEG_CUDA_OK;
}

static talweg_lib_status find_device(talweg_cuda_context context, device_facts* device,
                                     talweg_lib_error* error) {
  talweg_cuda_error why;
  if (!context) {
    if (talweg_cuda_current_context(&context, &why) != TALWEG_CUDA_OK)
      return fail_device(error, &why);
    if (!context)
      return fail(error, TALWEG_LIB_BAD_ARGUMENT,
                  "this thread has no current context of CUDA, and no context is given");
  }
  int32_t result = talweg_cuda_enter(context, &why);
  if (result != TALWEG_CUDA_OK) return fail_device(error, &why);
  result = ask_facts(device, &why);
  if (talweg_cuda_leave(context, result == TALWEG_CUDA_OK ? &why : 0) != TALWEG_CUDA_OK ||
      result != TALWEG_CUDA_OK)
    return fail_device(error, &why);
  return TALWEG_LIB_OK;
}

/* "9.0" */
static void put_capability(talweg_error* error, uint32_t architecture) {
  talweg_put_count(error, architecture / 10);
  talweg_put(error, ".");
  talweg_put_count(error, architecture % 10);
}

static talweg_lib_status choose(const talweg_lib_rule* rule, const device_facts* device,
                                const talweg_lib_gpu_code** code, talweg_lib_error* error) {
  uint32_t oldest;
  talweg_error* to = core_error(error);
  const talweg_lib_status status =
      talweg_lib_choose_gpu(rule, device->architecture, code, &oldest, error);
  if (status != TALWEG_LIB_OK || *code) return status;
  fail(error, TALWEG_LIB_NOT_SERVED, "device ");
  talweg_put_count(to, (uint64_t)device->number);
  talweg_put(to, " (");
  talweg_put(to, device->facts.name);
  talweg_put(to, ") is of compute capability ");
  put_capability(to, device->architecture);
  talweg_put(to, "; the rule has code for ");
  put_capability(to, oldest);
  talweg_put(to, " and newer ones");
  return TALWEG_LIB_NOT_SERVED;
}

/* In the memory of a device; to be freed. Null: there is no memory. */
static talweg_tensor* copy_tensors(const talweg_optimizer_spec* core) {
  talweg_tensor* tensors = malloc((core->tensor_count + (size_t)1) * sizeof *tensors);
  if (!tensors || !core->tensors) return tensors;
  for (uint32_t t = 0; t < core->tensor_count; ++t) {
    tensors[t] = core->tensors[t];
    if (tensors[t].device == 0) tensors[t].device = TALWEG_DEVICE_CUDA;
  }
  return tensors;
}

/* The core of an optimizer, which is `made` but for what is its own. */
static talweg_lib_status create_core(const talweg_optimizer_spec* core, const talweg_lib_cuda* cuda,
                                     talweg_lib_optimizer* made, talweg_lib_error* error) {
  talweg_tensor* tensors = copy_tensors(core);
  if (!tensors)
    return fail(error, TALWEG_LIB_NO_MEMORY, "there is not enough memory for the optimizer");
  talweg_gpu_spec spec = {
      .optimizer = *core,
      .ptx = made->gpu->ptx,
      .context = cuda->context,
      .stream = cuda->stream,
      .state_memory = (talweg_cuda_address)(uintptr_t)cuda->state_memory,
  };
  if (core->tensors) spec.optimizer.tensors = tensors;
  spec.optimizer.parallel_for = 0;
  spec.optimizer.parallel_context = 0;
  spec.optimizer.thread_count = 1;
  const talweg_status status = talweg_gpu_create(&spec, &made->core, core_error(error));
  free(tensors);
  return from_core(status);
}

talweg_lib_status talweg_lib_cuda_create(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                         const talweg_lib_cuda* cuda, talweg_lib_optimizer** result,
                                         talweg_lib_error* error) {
  static const talweg_lib_cuda usual;
  if (!result) return fail_null(error, "the place for the optimizer");
  if (!cuda) cuda = &usual;
  talweg_lib_optimizer made = {.library = &talweg_lib_identity, .rule = rule};
  talweg_optimizer_spec core;
  device_facts device;
  talweg_lib_status status = talweg_lib_read_spec(rule, spec, &made.variant, &core, error);
  if (status == TALWEG_LIB_OK) status = find_device(cuda->context, &device, error);
  if (status == TALWEG_LIB_OK) status = choose(rule, &device, &made.gpu, error);
  if (status != TALWEG_LIB_OK) return status;
  made.image = made.variant->image;
  made.control_allocation = malloc(talweg_lib_front_bytes(made.image));
  if (!made.control_allocation)
    return fail(error, TALWEG_LIB_NO_MEMORY, "there is not enough memory for the optimizer");
  status = create_core(&core, cuda, &made, error);
  if (status != TALWEG_LIB_OK) {
    free(made.control_allocation);
    return status;
  }
  *result = made.control_allocation;
  **result = made;
  talweg_lib_carve_inputs(*result);
  return TALWEG_LIB_OK;
}

/* Of an optimizer that is not on a GPU. */
static talweg_lib_status refuse_host(const talweg_lib_optimizer* optimizer,
                                     talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  if (optimizer->gpu) return TALWEG_LIB_OK;
  return fail(error, TALWEG_LIB_BAD_ARGUMENT, "the optimizer is not on a GPU");
}

talweg_lib_status talweg_lib_cuda_set_stream(talweg_lib_optimizer* optimizer,
                                             struct CUstream_st* stream, talweg_lib_error* error) {
  const talweg_lib_status status = refuse_host(optimizer, error);
  if (status != TALWEG_LIB_OK) return status;
  return from_core(talweg_gpu_set_stream(optimizer->core, stream, core_error(error)));
}

talweg_lib_status talweg_lib_cuda_step(const talweg_lib_rule* rule, talweg_lib_optimizer* optimizer,
                                       const void* const* gradients, const void* const* inputs,
                                       const double* hypers, struct CUstream_st* stream,
                                       talweg_lib_outcome* outcome, talweg_lib_error* error) {
  talweg_lib_status status = talweg_lib_check_rule(rule, optimizer, error);
  if (status == TALWEG_LIB_OK) status = talweg_lib_cuda_set_stream(optimizer, stream, error);
  /* A step that goes on after REGRAD has the hypers of its first call. */
  if (status == TALWEG_LIB_OK && hypers && !talweg_is_waiting(optimizer->core))
    status = talweg_lib_set_hypers(rule, optimizer, TALWEG_LIB_ALL_GROUPS, hypers, error);
  if (status != TALWEG_LIB_OK) return status;
  return talweg_lib_step(rule, optimizer, gradients, inputs, outcome, error);
}

talweg_lib_status talweg_lib_cuda_send_hypers(talweg_lib_optimizer* optimizer,
                                              talweg_lib_error* error) {
  const talweg_lib_status status = refuse_host(optimizer, error);
  if (status != TALWEG_LIB_OK) return status;
  return from_core(talweg_gpu_send_hypers(optimizer->core, core_error(error)));
}

talweg_lib_status talweg_lib_cuda_set_scaling(talweg_lib_optimizer* optimizer,
                                              const float* found_inf, const float* gradient_scale,
                                              talweg_lib_error* error) {
  const talweg_lib_status status = refuse_host(optimizer, error);
  if (status != TALWEG_LIB_OK) return status;
  return from_core(
      talweg_gpu_set_scaling(optimizer->core, (talweg_cuda_address)(uintptr_t)found_inf,
                             (talweg_cuda_address)(uintptr_t)gradient_scale, core_error(error)));
}

talweg_lib_status talweg_lib_cuda_set_input(talweg_lib_optimizer* optimizer, const char* input,
                                            const void* numbers, uint32_t bytes_each,
                                            talweg_lib_error* error) {
  uint32_t found;
  talweg_lib_status status = refuse_host(optimizer, error);
  if (status != TALWEG_LIB_OK) return status;
  const talweg_image* image = optimizer->image;
  status = talweg_lib_find("input", image->inputs, sizeof *image->inputs, image->input_count, input,
                           &found, error);
  if (status != TALWEG_LIB_OK) return status;
  if (numbers && bytes_each != sizeof(float) && bytes_each != sizeof(double))
    return fail(error, TALWEG_LIB_BAD_ARGUMENT,
                "bytes_each is neither 4, for floats, nor 8, for doubles");
  return from_core(talweg_gpu_set_input(optimizer->core, found,
                                        (talweg_cuda_address)(uintptr_t)numbers,
                                        bytes_each == sizeof(float), core_error(error)));
}

talweg_lib_status talweg_lib_cuda_wait(talweg_lib_optimizer* optimizer, talweg_lib_outcome* outcome,
                                       talweg_lib_error* error) {
  const talweg_lib_status status = refuse_host(optimizer, error);
  if (status != TALWEG_LIB_OK) return status;
  talweg_outcome ended = TALWEG_COMPLETED;
  const talweg_status waited = talweg_gpu_wait(optimizer->core, &ended, core_error(error));
  if (waited == TALWEG_OK && outcome) *outcome = (talweg_lib_outcome)ended;
  return from_core(waited);
}
