/* A step that waits for another gradient: what else is refused meanwhile, how it goes on, and how
 * it is given up. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

int talweg_is_waiting(const talweg_optimizer* optimizer) {
  return optimizer->progress.next_phase != 0;
}

static void put_step(const talweg_optimizer* optimizer, talweg_error* error) {
  talweg_settle(optimizer, 0); /* for the counter */
  talweg_put_count(error, (uint64_t)optimizer->counters.completed_steps + 1);
  talweg_put(error, " of rule ");
  talweg_put_name(error, optimizer->image->name);
}

talweg_status talweg_refuse_waiting(const talweg_optimizer* optimizer, const char* what,
                                    talweg_error* error) {
  if (!talweg_is_waiting(optimizer)) return TALWEG_OK;
  talweg_fail(error, TALWEG_WAITING, "step ");
  put_step(optimizer, error);
  talweg_put(error, " waits for another gradient: give it that, or abandon it, before ");
  talweg_put(error, what);
  return TALWEG_WAITING;
}

static talweg_status refuse_tensor(const talweg_optimizer* optimizer, uint32_t tensor,
                                   const char* what, talweg_error* error) {
  talweg_fail(error, TALWEG_BAD_ARGUMENT, "step ");
  put_step(optimizer, error);
  talweg_put(error, what);
  talweg_put_name(error, optimizer->tensors[tensor].name);
  talweg_put(error, ": it goes on with the tensors that it began with");
  return TALWEG_BAD_ARGUMENT;
}

static talweg_status check_next_gradient(talweg_optimizer* optimizer, uint32_t tensor,
                                         const void* const* gradients, talweg_error* error) {
  void* const* streams = optimizer->pointers + (size_t)tensor * optimizer->image->stream_count;
  const void* gradient = talweg_gradient_of(optimizer, gradients, tensor);
  if (!gradient && optimizer->takes_part[tensor])
    return refuse_tensor(optimizer, tensor, " was given no further gradient of tensor ", error);
  if (gradient && !optimizer->takes_part[tensor])
    return refuse_tensor(optimizer, tensor, " began without a gradient of tensor ", error);
  if (!gradients || !gradient || !talweg_is_new(streams, TALWEG_STREAM_GRAD, gradient))
    return TALWEG_OK;
  const talweg_given given = {.kind = "the gradient", .tensor = tensor};
  return talweg_check_memory(optimizer, &given, gradient, error);
}

talweg_status talweg_bind_next_gradients(talweg_optimizer* optimizer, const void* const* gradients,
                                         talweg_error* error) {
  talweg_status status = talweg_check_gradients(optimizer, gradients, error);
  for (uint32_t t = 0; status == TALWEG_OK && t < optimizer->spec.tensor_count; ++t)
    status = check_next_gradient(optimizer, t, gradients, error);
  if (status != TALWEG_OK) return status;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->pointers[(size_t)t * optimizer->image->stream_count + TALWEG_STREAM_GRAD] =
        (void*)(uintptr_t)talweg_gradient_of(optimizer, gradients, t);
  return TALWEG_OK;
}

void talweg_abandon(talweg_optimizer* optimizer) {
  if (!talweg_is_waiting(optimizer)) return;
  talweg_settle(optimizer, 0); /* a device may have refused it, and then has not begun to move */
  if (!talweg_is_waiting(optimizer)) return;
  optimizer->progress.next_phase = 0;
  talweg_take_back(optimizer);
}
