/* Scalar states of tensors. They are kept like those of model and groups: functions see a copy and
 * fill another, which a call that keeps them commits; but only tensors that take part have a step
 * of theirs. */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

static int is_tensor_state(const talweg_optimizer* optimizer, uint32_t state) {
  return optimizer->image->states[state].rate == TALWEG_RATE_TENSOR;
}

int talweg_keeps_tensor_state(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  return optimizer->state_present[(size_t)tensor * optimizer->image->state_count + state];
}

double* talweg_tensor_state_here(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const size_t entry = (size_t)tensor * optimizer->image->state_count + state;
  return optimizer->state_present[entry] ? &optimizer->tensor_states[entry] : 0;
}

double* talweg_tensor_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  talweg_settle(optimizer, 0);
  return talweg_tensor_state_here(optimizer, state, tensor);
}

void talweg_reset_tensor_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (size_t t = 0; t < optimizer->spec.tensor_count; ++t)
    for (size_t s = 0; s < image->state_count; ++s)
      optimizer->tensor_states[t * image->state_count + s] =
          image->states[s].initial == TALWEG_INITIAL_CONSTANT ? image->states[s].initial_value : 0;
}

/* What a state is before the step: until it begins, the value of its group, or what was made. */
static double value_before(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const double* begun = talweg_state_begun(optimizer, state, tensor);
  return begun && *begun == 0
             ? talweg_made_for_tensor(optimizer, state, tensor)
             : optimizer->tensor_states[(size_t)tensor * optimizer->image->state_count + state];
}

void talweg_copy_tensor_states(talweg_optimizer* optimizer) {
  const uint32_t columns = optimizer->image->state_count;
  for (uint32_t s = 0; s < columns; ++s) {
    if (!is_tensor_state(optimizer, s)) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      if (!optimizer->takes_part[t]) continue;
      const double before = value_before(optimizer, s, t);
      optimizer->tensor_before[(size_t)t * columns + s] = before;
      optimizer->tensor_after[(size_t)t * columns + s] = before;
    }
  }
}

void talweg_commit_tensor_states(talweg_optimizer* optimizer) {
  const size_t columns = optimizer->image->state_count;
  for (uint32_t s = 0; s < columns; ++s) {
    if (!is_tensor_state(optimizer, s) || !optimizer->kept[s]) continue;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      double* state = talweg_tensor_state_here(optimizer, s, t);
      if (state && optimizer->takes_part[t]) *state = optimizer->tensor_after[t * columns + s];
    }
  }
}

talweg_status talweg_get_tensor_scalar(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor,
                                       double* value, talweg_error* error) {
  const talweg_image* image = optimizer->image;
  if (state >= image->state_count || !is_tensor_state(optimizer, state) ||
      tensor >= optimizer->spec.tensor_count)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no such tensor state or tensor");
  if (!talweg_keeps_tensor_state(optimizer, state, tensor)) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "tensor ");
    talweg_put_name(error, optimizer->tensors[tensor].name);
    talweg_put(error, " does not keep state ");
    talweg_put_name(error, image->states[state].name);
    talweg_put(error, ": it takes another arm of a `when`");
    return TALWEG_BAD_ARGUMENT;
  }
  talweg_status status = talweg_refuse_waiting(optimizer, "a state is read", error);
  if (status == TALWEG_OK) status = talweg_settle(optimizer, error);
  if (status != TALWEG_OK) return status;
  const double* begun = talweg_state_begun(optimizer, state, tensor);
  if (begun && *begun == 0) {
    status = talweg_foresee(optimizer, state, error);
    if (status != TALWEG_OK) return status;
  }
  *value = value_before(optimizer, state, tensor);
  return TALWEG_OK;
}
