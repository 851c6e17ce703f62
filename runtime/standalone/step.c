/* The step of an optimizer, and its hypers. */
#include "runtime/standalone/internal.h"

talweg_lib_status talweg_lib_check_rule(const talweg_lib_rule* rule,
                                        const talweg_lib_optimizer* optimizer,
                                        talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  if (optimizer->rule == rule) return TALWEG_LIB_OK;
  fail(error, TALWEG_LIB_BAD_ARGUMENT, "the optimizer is of rule ");
  talweg_put_name(core_error(error), optimizer->image->name);
  talweg_put(core_error(error), ", the function of rule ");
  talweg_put_name(core_error(error), rule->variants[0].image->name);
  return TALWEG_LIB_BAD_ARGUMENT;
}

static void bind_inputs(talweg_lib_optimizer* optimizer, const void* const* inputs) {
  for (uint32_t i = 0; i < optimizer->image->input_count; ++i) {
    const void* given = inputs ? inputs[i] : 0;
    switch (optimizer->image->inputs[i].rate) {
      case TALWEG_RATE_MODEL:
        optimizer->given[i] = given != 0;
        if (given) optimizer->model_inputs[i] = *(const double*)given;
        break;
      case TALWEG_RATE_GROUP:
        optimizer->group_inputs[i] = given;
        break;
      case TALWEG_RATE_TENSOR:
        optimizer->tensor_inputs[i] = given;
        break;
      case TALWEG_RATE_ELEMENT:
        optimizer->element_inputs[i] = given;
        break;
      default:
        optimizer->line_inputs[i] = given;
    }
  }
}

talweg_lib_status talweg_lib_step(const talweg_lib_rule* rule, talweg_lib_optimizer* optimizer,
                                  const void* const* gradients, const void* const* inputs,
                                  talweg_lib_outcome* outcome, talweg_lib_error* error) {
  const talweg_lib_status status = talweg_lib_check_rule(rule, optimizer, error);
  if (status != TALWEG_LIB_OK) return status;
  bind_inputs(optimizer, inputs);
  const talweg_step_inputs given = {
      .gradients = gradients,
      .model_inputs = optimizer->model_inputs,
      .given = optimizer->given,
      .element_inputs = (const void* const* const*)optimizer->element_inputs,
      .group_inputs = optimizer->group_inputs,
      .tensor_inputs = optimizer->tensor_inputs,
      .line_inputs = (const void* const* const*)optimizer->line_inputs,
  };
  talweg_outcome ended = TALWEG_COMPLETED;
  const talweg_status stepped = talweg_step(optimizer->core, &given, &ended, core_error(error));
  if (stepped == TALWEG_OK && outcome) *outcome = (talweg_lib_outcome)ended;
  return from_core(stepped);
}

/* A hyper of the model in a struct for one group: no reason to refuse it where it stays as it is.
 */
static int is_set_already(const talweg_lib_optimizer* optimizer, uint32_t hyper, uint32_t group,
                          double value) {
  if (group >= talweg_get_spec(optimizer->core)->group_count) return 0;
  if (optimizer->image->hypers[hyper].rate != TALWEG_RATE_MODEL) return 0;
  const double present = talweg_hyper_as_set(optimizer->core, hyper, group);
  return present == value || (present != present && value != value);
}

talweg_lib_status talweg_lib_set_hypers(const talweg_lib_rule* rule,
                                        talweg_lib_optimizer* optimizer, uint32_t group,
                                        const double* hypers, talweg_lib_error* error) {
  talweg_status status = (talweg_status)talweg_lib_check_rule(rule, optimizer, error);
  if (status == TALWEG_OK && !hypers) return fail_null(error, "the struct of hypers");
  const uint32_t* fields = rule->fields;
  for (uint32_t i = 0; status == TALWEG_OK && i < rule->field_count; ++i)
    if (!is_set_already(optimizer, fields[i], group, hypers[i]))
      status = talweg_check_hyper(optimizer->core, fields[i], group, hypers[i], core_error(error));
  for (uint32_t i = 0; status == TALWEG_OK && i < rule->field_count; ++i)
    if (!is_set_already(optimizer, fields[i], group, hypers[i]))
      status = talweg_set_hyper(optimizer->core, fields[i], group, hypers[i], core_error(error));
  return from_core(status);
}

talweg_lib_status talweg_lib_get_hypers(const talweg_lib_rule* rule,
                                        const talweg_lib_optimizer* optimizer, uint32_t group,
                                        double* hypers, talweg_lib_error* error) {
  talweg_status status = (talweg_status)talweg_lib_check_rule(rule, optimizer, error);
  if (status == TALWEG_OK && !hypers) return fail_null(error, "the struct of hypers");
  for (uint32_t i = 0; status == TALWEG_OK && i < rule->field_count; ++i) {
    double now; /* which a hyper that follows others may not have yet */
    status = talweg_get_hyper(optimizer->core, rule->fields[i], group, &now, core_error(error));
    if (status == TALWEG_NOT_YET) status = TALWEG_OK;
    if (status == TALWEG_OK)
      hypers[i] = talweg_hyper_as_set(optimizer->core, rule->fields[i], group);
  }
  return from_core(status);
}

static talweg_lib_status find_hyper(const talweg_lib_optimizer* optimizer, const char* name,
                                    uint32_t* hyper, talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  const talweg_image* image = optimizer->image;
  return talweg_lib_find("hyper", image->hypers, sizeof *image->hypers, image->hyper_count, name,
                         hyper, error);
}

talweg_lib_status talweg_lib_set_hyper(talweg_lib_optimizer* optimizer, const char* name,
                                       uint32_t group, double value, talweg_lib_error* error) {
  uint32_t hyper;
  const talweg_lib_status found = find_hyper(optimizer, name, &hyper, error);
  if (found != TALWEG_LIB_OK) return found;
  return from_core(talweg_set_hyper(optimizer->core, hyper, group, value, core_error(error)));
}

talweg_lib_status talweg_lib_get_hyper(const talweg_lib_optimizer* optimizer, const char* name,
                                       uint32_t group, double* value, talweg_lib_error* error) {
  uint32_t hyper;
  const talweg_lib_status found = find_hyper(optimizer, name, &hyper, error);
  if (found != TALWEG_LIB_OK) return found;
  if (!value) return fail_null(error, "the place for the value");
  return from_core(talweg_get_hyper(optimizer->core, hyper, group, value, core_error(error)));
}

int talweg_lib_is_waiting(const talweg_lib_optimizer* optimizer) {
  return is_own(optimizer) && talweg_is_waiting(optimizer->core);
}

void talweg_lib_abandon(talweg_lib_optimizer* optimizer) {
  if (is_own(optimizer)) talweg_abandon(optimizer->core);
}

const char* talweg_lib_cpu(const talweg_lib_optimizer* optimizer) {
  if (!is_own(optimizer)) return "";
#ifndef TALWEG_HOST_ONLY
  if (optimizer->gpu) return optimizer->gpu->isa;
#endif
  return optimizer->variant->cpu;
}
