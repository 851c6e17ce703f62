/* See table.h. */
#include "runtime/standalone/table.h"

#include <string.h>

#include "runtime/standalone/internal.h"

static const talweg_lib_rule* code_of(const talweg_lib_table* rule) { return rule->code; }

/* Images of a rule's variants describe it alike. */
static const talweg_image* image_of(const talweg_lib_table* rule) {
  return code_of(rule)->variants[0].image;
}

talweg_lib_status talweg_lib_table_measure(const talweg_lib_table* rule,
                                           const talweg_lib_spec* spec, talweg_lib_sizes* sizes,
                                           talweg_lib_error* error) {
  return rule ? talweg_lib_measure(code_of(rule), spec, sizes, error)
              : fail_null(error, "the rule");
}

talweg_lib_status talweg_lib_table_create(const talweg_lib_table* rule, const talweg_lib_spec* spec,
                                          talweg_lib_optimizer** optimizer,
                                          talweg_lib_error* error) {
  return rule ? talweg_lib_create(code_of(rule), spec, optimizer, error)
              : fail_null(error, "the rule");
}

talweg_lib_status talweg_lib_table_create_in(const talweg_lib_table* rule,
                                             const talweg_lib_spec* spec, void* control_memory,
                                             void* state_memory, talweg_lib_optimizer** optimizer,
                                             talweg_lib_error* error) {
  return rule ? talweg_lib_create_in(code_of(rule), spec, control_memory, state_memory, optimizer,
                                     error)
              : fail_null(error, "the rule");
}

talweg_lib_status talweg_lib_table_cuda_create(const talweg_lib_table* rule,
                                               const talweg_lib_spec* spec,
                                               const talweg_lib_cuda* cuda,
                                               talweg_lib_optimizer** optimizer,
                                               talweg_lib_error* error) {
  return rule ? talweg_lib_cuda_create(code_of(rule), spec, cuda, optimizer, error)
              : fail_null(error, "the rule");
}

talweg_lib_status talweg_lib_step_any(talweg_lib_optimizer* optimizer,
                                      talweg_lib_element* const* gradients,
                                      const void* const* inputs, talweg_lib_outcome* outcome,
                                      talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  return talweg_lib_step(optimizer->rule, optimizer, (const void* const*)gradients, inputs, outcome,
                         error);
}

int talweg_lib_rule_hyper(const talweg_lib_table* rule, uint32_t index, talweg_lib_hyper* hyper) {
  if (!rule || !hyper || index >= code_of(rule)->field_count) return 0;
  const talweg_hyper_info* info = &image_of(rule)->hypers[code_of(rule)->fields[index]];
  *hyper = (talweg_lib_hyper){
      .name = info->name,
      .about = info->doc,
      .default_value = info->follows ? __builtin_nan("") : info->default_value,
      .low = info->low,
      .high = info->high,
      .low_closed = info->low_closed,
      .high_closed = info->high_closed,
      .kind = info->kind,
      .rate = (talweg_lib_rate)info->rate,
  };
  return 1;
}

static uint32_t bytes_at(const talweg_image* image, uint32_t rate) {
  return rate >= TALWEG_RATE_ROW && image->compute_dtype == TALWEG_F32 ? 4 : 8;
}

int talweg_lib_rule_state(const talweg_lib_table* rule, uint32_t index, talweg_lib_part* state) {
  if (!rule || !state || index >= image_of(rule)->state_count) return 0;
  const talweg_state_info* info = &image_of(rule)->states[index];
  *state = (talweg_lib_part){info->name, info->doc, (talweg_lib_rate)info->rate,
                             info->dtype == TALWEG_F32 ? 4 : 8};
  return 1;
}

int talweg_lib_rule_input(const talweg_lib_table* rule, uint32_t index, talweg_lib_part* input) {
  if (!rule || !input || index >= image_of(rule)->input_count) return 0;
  const talweg_input_info* info = &image_of(rule)->inputs[index];
  *input = (talweg_lib_part){info->name, info->doc, (talweg_lib_rate)info->rate,
                             bytes_at(image_of(rule), info->rate)};
  return 1;
}

int talweg_lib_rule_view(const talweg_lib_table* rule, uint32_t index, talweg_lib_part* view) {
  if (!rule || !view || index >= image_of(rule)->view_count) return 0;
  const talweg_view_info* info = &image_of(rule)->views[index];
  *view = (talweg_lib_part){info->name, info->doc, TALWEG_LIB_OF_ELEMENT,
                            bytes_at(image_of(rule), TALWEG_RATE_ELEMENT)};
  return 1;
}

static void keep(const talweg_lib_table* rule) { (void)rule; }

const talweg_lib_functions talweg_lib_built_functions = {
    .measure = talweg_lib_table_measure,
    .create = talweg_lib_table_create,
    .create_in = talweg_lib_table_create_in,
    .destroy = talweg_lib_destroy,
    .reset = talweg_lib_reset,
    .step = talweg_lib_step_any,
    .is_waiting = talweg_lib_is_waiting,
    .abandon = talweg_lib_abandon,
    .set_hyper = talweg_lib_set_hyper,
    .get_hyper = talweg_lib_get_hyper,
    .steps = talweg_lib_steps,
    .calls = talweg_lib_calls,
    .read_view = talweg_lib_read_view,
    .swap_in = talweg_lib_swap_in,
    .swap_bytes = talweg_lib_swap_bytes,
    .swap_out = talweg_lib_swap_out,
    .next_state = talweg_lib_next_state,
    .find_state = talweg_lib_find_state,
    .saved_bytes = talweg_lib_saved_bytes,
    .save = talweg_lib_save,
    .load = talweg_lib_load,
    .cpu = talweg_lib_cpu,
    .status_text = talweg_lib_status_text,
    .rule_hyper = talweg_lib_rule_hyper,
    .rule_state = talweg_lib_rule_state,
    .rule_input = talweg_lib_rule_input,
    .rule_view = talweg_lib_rule_view,
    .release = keep,
    .cuda_create = talweg_lib_table_cuda_create,
    .cuda_set_stream = talweg_lib_cuda_set_stream,
    .cuda_send_hypers = talweg_lib_cuda_send_hypers,
    .cuda_set_scaling = talweg_lib_cuda_set_scaling,
    .cuda_wait = talweg_lib_cuda_wait,
    .cuda_set_input = talweg_lib_cuda_set_input,
};
