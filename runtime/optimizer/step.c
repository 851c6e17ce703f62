/* The step: bind what was given, run the phases, commit. See step.h for the promise.
 *
 * The image's functions see to it that what does not take effect is stored as it was; only a
 * completed call counts as a step.
 *
 * A rule that asks for another gradient returns between two phases and goes on from there in the
 * next call: what was bound and what phases have left stays, and nothing is committed before. */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

talweg_status talweg_check_gradients(const talweg_optimizer* optimizer,
                                     const void* const* gradients, talweg_error* error) {
  if (!gradients && optimizer->image->uses_gradient && optimizer->spec.tensor_count > 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT,
                       "no gradients were given, but the rule reads them");
  return TALWEG_OK;
}

const void* talweg_gradient_of(const talweg_optimizer* optimizer, const void* const* gradients,
                               uint32_t tensor) {
  return gradients ? gradients[tensor] : optimizer->tensors[tensor].param;
}

static talweg_status bind_gradients(talweg_optimizer* optimizer, const void* const* gradients,
                                    talweg_error* error) {
  const talweg_image* image = optimizer->image;
  const talweg_status checked = talweg_check_gradients(optimizer, gradients, error);
  if (checked != TALWEG_OK) return checked;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    void** streams = optimizer->pointers + (size_t)t * image->stream_count;
    const void* gradient = talweg_gradient_of(optimizer, gradients, t);
    const uint8_t takes_part = gradient != 0;
    if (gradients && takes_part && talweg_is_new(streams, TALWEG_STREAM_GRAD, gradient)) {
      const talweg_given given = {.kind = "the gradient", .tensor = t};
      const talweg_status status = talweg_check_memory(optimizer, &given, gradient, error);
      if (status != TALWEG_OK) return status;
    }
    if (takes_part != optimizer->takes_part[t]) talweg_forget_parts(optimizer);
    optimizer->takes_part[t] = takes_part;
    streams[TALWEG_STREAM_GRAD] = (void*)(uintptr_t)gradient;
  }
  optimizer->begins_some = talweg_some_state_begins(optimizer);
  return TALWEG_OK;
}

/* The states that this call keeps have begun. */
static void commit_begun(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (!optimizer->kept[s] || !talweg_begins_late(&image->states[s])) continue;
    if (talweg_is_scalar_rate(image->states[s].rate)) {
      *talweg_state_begun(optimizer, s, 0) = 1;
      continue;
    }
    for (uint32_t t = 0; optimizer->begins_some && t < optimizer->spec.tensor_count; ++t) {
      double* begun = talweg_state_begun(optimizer, s, t);
      if (begun && optimizer->takes_part[t]) *begun = 1;
    }
  }
}

static void commit(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  const size_t states = image->state_count;
  const size_t hypers = image->hyper_count;
  const int completed = optimizer->outcome == TALWEG_COMPLETED;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    if (row != MODEL_ROW && !optimizer->group_has_tensor[row - 1]) continue;
    for (size_t s = 0; s < states; ++s)
      if (optimizer->kept[s])
        optimizer->scalar_states[row * states + s] = optimizer->states_after[row * states + s];
    for (size_t h = 0; completed && h < hypers; ++h)
      optimizer->last_bound[row * hypers + h] = optimizer->bound[row * hypers + h];
  }
  if (optimizer->tensor_state_count > 0) talweg_commit_tensor_states(optimizer);
  if (optimizer->lines.matrix_state_count > 0) talweg_commit_matrix_states(optimizer);
  commit_begun(optimizer);
  optimizer->counters.completed_steps += completed;
  optimizer->counters.calls += 1;
}

talweg_status talweg_begin_step(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                talweg_error* error) {
  talweg_status status = talweg_refuse_swapped(optimizer, "a step", error);
  if (status == TALWEG_OK) status = bind_gradients(optimizer, inputs->gradients, error);
  if (status == TALWEG_OK && optimizer->image->input_count > 0)
    status = talweg_bind_inputs(optimizer, inputs, error);
  return status;
}

talweg_status talweg_step(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                          talweg_outcome* outcome, talweg_error* error) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  talweg_status status;
  if (device &&
      device->step(optimizer->spec.device_context, optimizer, inputs, &status, outcome, error))
    return status;
  status = talweg_settle(optimizer, error);
  if (status != TALWEG_OK) return status;
  if (!device)
    status = talweg_is_waiting(optimizer)
                 ? talweg_bind_next_gradients(optimizer, inputs->gradients, error)
                 : talweg_begin_step(optimizer, inputs, error);
  if (status != TALWEG_OK) return status;
  const talweg_float_mode mode = talweg_enter_float_mode();
  status = talweg_run_phases(optimizer, error);
  const int waits = talweg_is_waiting(optimizer);
  if (status == TALWEG_OK && !waits) commit(optimizer);
  if (status == TALWEG_OK && outcome)
    *outcome = waits ? TALWEG_REGRAD : (talweg_outcome)optimizer->outcome;
  talweg_leave_float_mode(mode);
  return talweg_or_failure(optimizer, status, error);
}

/* Which tensors will take part decides what a rule counts. Where that is not said, all will. */
static void expect_gradients(talweg_optimizer* optimizer, const void* const* gradients) {
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->takes_part[t] = !gradients || gradients[t];
  talweg_forget_parts(optimizer);
}

talweg_status talweg_missing_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                    uint8_t* missing, talweg_error* error) {
  if (talweg_is_waiting(optimizer)) {
    for (uint32_t i = 0; i < optimizer->image->input_count; ++i) missing[i] = 0;
    return TALWEG_OK;
  }
  const talweg_status settled = talweg_settle(optimizer, error);
  if (settled != TALWEG_OK) return settled;
  if (optimizer->image->step.reduction_count > 0 || optimizer->image->initial_kernels)
    expect_gradients(optimizer, inputs->gradients);
  talweg_bind_scalar_inputs(optimizer, inputs);
  talweg_take_inputs(optimizer);
  const talweg_float_mode mode = talweg_enter_float_mode();
  talweg_begin_scalars(optimizer, 0);
  const talweg_status status = talweg_run_scalars(optimizer, 0, error);
  talweg_leave_float_mode(mode);
  const talweg_status done = talweg_or_failure(optimizer, status, error);
  for (uint32_t i = 0; i < optimizer->image->input_count; ++i)
    missing[i] = done == TALWEG_OK && !optimizer->given[i] && talweg_is_needed(optimizer, i);
  return done;
}
