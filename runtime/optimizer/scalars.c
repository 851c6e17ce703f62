/* Runs the image's functions of model and groups on copies of the scalar states and checks what the
 * rule computed, so that a step can still be refused: nothing here writes persistent data. What the
 * functions of one phase leave in their rows is there for those of later ones to add to. */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/hyper_range.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

static double* row_of(double* rows, size_t row, uint32_t columns) { return rows + row * columns; }

/* Where row `row` finds state `state`: groups see the model's. */
static size_t home_row(const talweg_image* image, size_t state, size_t row) {
  return image->states[state].rate == TALWEG_RATE_MODEL ? MODEL_ROW : row;
}

/* Whether a state is a scalar that has no value yet. */
static int scalar_begins(talweg_optimizer* optimizer, uint32_t state) {
  if (!talweg_is_scalar_rate(optimizer->image->states[state].rate)) return 0;
  const double* begun = talweg_state_begun(optimizer, state, 0);
  return begun && *begun == 0;
}

static void copy_states(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  const uint32_t columns = image->state_count;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    double* before = row_of(optimizer->states_before, row, columns);
    double* after = row_of(optimizer->states_after, row, columns);
    for (size_t s = 0; s < columns; ++s) {
      const int starts = scalar_begins(optimizer, (uint32_t)s);
      double* source = starts ? optimizer->initial_states : optimizer->scalar_states;
      before[s] = row_of(source, home_row(image, s, row), columns)[s];
      after[s] = before[s];
    }
  }
}

talweg_status talweg_refuse_bound(const talweg_optimizer* optimizer, size_t row, uint32_t hyper,
                                  double value, talweg_error* error) {
  const talweg_status status = talweg_check_hyper_value(optimizer->image, hyper, value, error);
  talweg_put(error, " (the rule computed it in step ");
  talweg_put_count(error, (uint64_t)optimizer->counters.completed_steps + 1);
  if (row != MODEL_ROW && optimizer->spec.group_count > 1) {
    talweg_put(error, ", group ");
    talweg_put_count(error, row - 1);
  }
  talweg_put(error, ")");
  return status;
}

/* Checks the hypers that the function of this row has bound in this phase. */
static talweg_status check_bound(const talweg_optimizer* optimizer, size_t row, uint32_t phase,
                                 talweg_error* error) {
  const talweg_image* image = optimizer->image;
  const double* bound = optimizer->bound + row * image->hyper_count;
  const uint8_t* unbound = optimizer->unbound + row * image->hyper_count;
  const uint32_t rate = row == MODEL_ROW ? TALWEG_RATE_MODEL : TALWEG_RATE_GROUP;
  for (uint32_t h = 0; h < image->hyper_count; ++h) {
    const talweg_hyper_info* hyper = &image->hypers[h];
    if (!hyper->bound || hyper->rate != rate || unbound[h] || hyper->bound_phase != phase) continue;
    if (!talweg_accepts(hyper, bound[h], image->compute_dtype == TALWEG_F32))
      return talweg_refuse_bound(optimizer, row, h, bound[h], error);
  }
  return TALWEG_OK;
}

static void begin_row(talweg_optimizer* optimizer, size_t row) {
  const talweg_image* image = optimizer->image;
  double* bound = row_of(optimizer->bound, row, image->hyper_count);
  uint8_t* unbound = optimizer->unbound + row * image->hyper_count;
  for (uint32_t h = 0; h < image->hyper_count; ++h) {
    bound[h] = __builtin_nan("");
    unbound[h] = 0;
  }
  const uint8_t* of_model = optimizer->args[MODEL_ROW].needed;
  for (uint32_t i = 0; i < image->input_count; ++i)
    optimizer->args[row].needed[i] = row == MODEL_ROW ? 1 : of_model[i];
}

static int some_scalar_begins(talweg_optimizer* optimizer) {
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s) {
    if (scalar_begins(optimizer, s)) return 1;
  }
  return 0;
}

/* What a view or an initial value needs is not said; what the last step read can be asked for after
 * it (talweg_has_read). */
void talweg_show_rows(talweg_optimizer* optimizer, double* new_states) {
  const talweg_kernels* kernels = optimizer->running;
  const int is_step = kernels == &optimizer->image->step;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    talweg_scalar_args* args = &optimizer->args[row];
    args->needed =
        is_step ? optimizer->needed + row * optimizer->image->input_count : optimizer->view_needed;
    const size_t group = row - 1; /* of a row that is not the model's */
    args->outcome = &optimizer->outcome;
    args->regrad = &optimizer->progress.regrad;
    args->new_states = new_states + row * optimizer->image->state_count;
    args->reduced = optimizer->reduced + row * kernels->reduction_count;
    if (row == MODEL_ROW) continue;
    args->group_slots = optimizer->group_slots + group * kernels->group_slot_count;
    args->partials = optimizer->group_partials + group * kernels->group_partial_count;
  }
}

/* What all scalar functions of what is running see. */
static void prepare_rows(talweg_optimizer* optimizer, double step_number, int begins_all) {
  const int some_begin = optimizer->begins_some || some_scalar_begins(optimizer);
  if (optimizer->image->initial_states && some_begin) talweg_compute_initial_states(optimizer);
  if (optimizer->image->initial_kernels && some_begin &&
      talweg_make_initial_values(optimizer, !begins_all))
    optimizer->progress.has_made = 1;
  talweg_show_rows(optimizer, optimizer->states_after);
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    optimizer->args[row].step_number = step_number;
    optimizer->args[row].call_number = optimizer->counters.calls + 1;
  }
  copy_states(optimizer);
  if (optimizer->tensor_state_count > 0) talweg_copy_tensor_states(optimizer);
  if (optimizer->lines.matrix_state_count > 0) talweg_copy_matrix_states(optimizer);
}

void talweg_begin_scalars(talweg_optimizer* optimizer, int begins_all) {
  const talweg_image* image = optimizer->image;
  optimizer->outcome = TALWEG_COMPLETED;
  for (uint32_t s = 0; s < image->state_count; ++s) optimizer->kept[s] = 1;
  prepare_rows(optimizer, optimizer->counters.completed_steps + 1, begins_all);
}

static talweg_status run_row(talweg_optimizer* optimizer, size_t row, uint32_t phase,
                             talweg_scalar_function function, talweg_error* error) {
  if (phase == 0) begin_row(optimizer, row);
  if (function)
    talweg_call_row(optimizer, optimizer->image->step.self, function, &optimizer->args[row]);
  return check_bound(optimizer, row, phase, error);
}

talweg_status talweg_run_scalars(talweg_optimizer* optimizer, uint32_t phase, talweg_error* error) {
  const talweg_phase* functions = &optimizer->image->step.phases[phase];
  if (optimizer->image->step.reduction_count > 0) talweg_fold_reductions(optimizer, phase);
  optimizer->progress.regrad = 0;
  talweg_status status = run_row(optimizer, MODEL_ROW, phase, functions->model_scalars, error);
  for (uint32_t g = 0; status == TALWEG_OK && g < optimizer->spec.group_count; ++g)
    if (optimizer->group_has_tensor[g])
      status = run_row(optimizer, (size_t)g + 1, phase, functions->group_scalars, error);
  return status;
}

void talweg_begin_view_scalars(talweg_optimizer* optimizer) {
  prepare_rows(optimizer, optimizer->counters.completed_steps, 1);
  for (size_t row = 0; row < optimizer->row_count; ++row)
    if (row == MODEL_ROW || optimizer->group_has_tensor[row - 1]) begin_row(optimizer, row);
}

void talweg_run_scalars_beside(talweg_optimizer* optimizer, uint32_t phase) {
  const talweg_kernels* kernels = optimizer->running;
  const talweg_phase* functions = &kernels->phases[phase];
  if (kernels->reduction_count > 0) talweg_fold_reductions(optimizer, phase);
  if (functions->model_scalars)
    talweg_call_row(optimizer, kernels->self, functions->model_scalars,
                    &optimizer->args[MODEL_ROW]);
  for (size_t g = 0; functions->group_scalars && g < optimizer->spec.group_count; ++g)
    if (optimizer->group_has_tensor[g])
      talweg_call_row(optimizer, kernels->self, functions->group_scalars, &optimizer->args[g + 1]);
}

int talweg_is_needed_in_group(const talweg_optimizer* optimizer, uint32_t input, uint32_t group) {
  const size_t columns = optimizer->image->input_count;
  return optimizer->needed[input] && optimizer->needed[(group + 1) * columns + input];
}

int talweg_is_needed(const talweg_optimizer* optimizer, uint32_t input) {
  int has_tensor = 0;
  for (uint32_t g = 0; g < optimizer->spec.group_count; ++g) {
    if (!optimizer->group_has_tensor[g]) continue;
    has_tensor = 1;
    if (talweg_is_needed_in_group(optimizer, input, g)) return 1;
  }
  return !has_tensor && optimizer->needed[input];
}

int talweg_has_read(const talweg_optimizer* optimizer, uint32_t input) {
  talweg_settle(optimizer, 0);
  return optimizer->counters.calls > 0 && talweg_is_needed(optimizer, input);
}

talweg_status talweg_get_scalar(talweg_optimizer* optimizer, uint32_t state, uint32_t group,
                                double* value, talweg_error* error) {
  const talweg_image* image = optimizer->image;
  if (state >= image->state_count || !talweg_is_scalar_rate(image->states[state].rate) ||
      group >= optimizer->spec.group_count)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no such scalar state or group");
  talweg_status status = talweg_refuse_waiting(optimizer, "a state is read", error);
  if (status == TALWEG_OK) status = talweg_settle(optimizer, error);
  if (status != TALWEG_OK) return status;
  if (scalar_begins(optimizer, state)) {
    status = talweg_foresee(optimizer, state, error);
    if (status != TALWEG_OK) return status;
    const size_t row = home_row(image, state, (size_t)group + 1);
    *value = row_of(optimizer->initial_states, row, image->state_count)[state];
  } else {
    *value = *talweg_scalar_state_here(optimizer, state, group);
  }
  return TALWEG_OK;
}
