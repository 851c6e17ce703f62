/* Creation: checks a spec, has it laid out (layout.c) and fills the tables that never change after.
 */
#include <string.h>

#include "runtime/memory/chunk_table.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

static talweg_status check_spec(const talweg_optimizer_spec* spec, talweg_error* error) {
  const talweg_status status = talweg_check_image(spec->image, error);
  if (status != TALWEG_OK) return status;
  if (spec->group_count == 0 || spec->group_count == UINT32_MAX)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "an optimizer has from 1 to 4294967294 groups");
  if (spec->thread_count == 0 || spec->thread_count > TALWEG_MAX_THREADS)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "an optimizer has from 1 to 1024 threads");
  if (spec->tensor_count > 0 && !spec->tensors)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the tensors are null");
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    const talweg_status checked = talweg_check_tensor(spec, t, error);
    if (checked != TALWEG_OK) return checked;
  }
  return TALWEG_OK;
}

static void place_tensor(talweg_optimizer* optimizer, uint32_t t) {
  const talweg_image* image = optimizer->image;
  uint8_t* inputs = optimizer->input_present + (size_t)t * image->input_count;
  uint8_t* domains = optimizer->in_domain + (size_t)t * image->domain_count;
  uint8_t* states = optimizer->state_present + (size_t)t * image->state_count;
  optimizer->tensor_routes[t] = 0;
  if (!image->step.place) {
    memset(inputs, 1, image->input_count);
    memset(domains, 1, image->domain_count);
    if (optimizer->places_states) memset(states, 1, image->state_count);
    return;
  }
  talweg_placed placed;
  talweg_place(image, &optimizer->tensors[t], &placed);
  optimizer->tensor_routes[t] = placed.route;
  memcpy(optimizer->tensor_facts + (size_t)t * image->fact_count, placed.facts,
         image->fact_count * sizeof(double));
  memcpy(inputs, placed.input_present, image->input_count);
  memcpy(domains, placed.in_domain, image->domain_count);
  if (optimizer->places_states) memcpy(states, placed.state_present, image->state_count);
}

static void fill_streams(talweg_optimizer* optimizer, uint32_t t) {
  const talweg_image* image = optimizer->image;
  const uint32_t tensors = optimizer->spec.tensor_count;
  const uint32_t first_scratch = image->stream_count - image->scratch_count;
  void** streams = optimizer->pointers + (size_t)t * image->stream_count;
  memset(streams, 0, image->stream_count * sizeof(void*));
  streams[TALWEG_STREAM_PARAM] = optimizer->tensors[t].param;
  if (optimizer->element_counts[t] == 0) return;
  const uint64_t* offsets = optimizer->state_offsets;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (image->states[s].rate != TALWEG_RATE_ELEMENT) continue;
    if (offsets[t] != NOT_KEPT)
      streams[image->states[s].stream] = optimizer->state_memory + offsets[t];
    offsets += tensors;
  }
  for (uint32_t i = 0; i < image->scratch_count; ++i, offsets += tensors)
    streams[first_scratch + i] = optimizer->state_memory + offsets[t];
}

/* Tensors of each group together, where reductions ask for them. */
static void sort_by_group(talweg_optimizer* optimizer) {
  uint32_t* begins = optimizer->group_begins;
  const uint32_t groups = optimizer->spec.group_count;
  if (!optimizer->widths.reduces_to_groups) return;
  memset(begins, 0, (groups + (size_t)1) * sizeof *begins);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    begins[optimizer->tensor_groups[t] + 1] += 1;
  for (uint32_t g = 0; g < groups; ++g) begins[g + 1] += begins[g];
  /* Filling moves each group's begin to its end, which is where the next one began. */
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->group_tensors[begins[optimizer->tensor_groups[t]]++] = t;
  for (uint32_t g = groups; g > 0; --g) begins[g] = begins[g - 1];
  begins[0] = 0;
}

/* Tensor tables: counts, places in memory, chunks. */
static void fill_tensors(talweg_optimizer* optimizer) {
  talweg_state_places places;
  talweg_place_states(&optimizer->spec, &optimizer->lines.counts, &places, optimizer->state_offsets,
                      optimizer->lines.state_offsets);
  talweg_chunk* next_chunk = optimizer->chunks;
  uint64_t param_end = 0;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    const talweg_tensor* tensor = &optimizer->tensors[t];
    optimizer->element_counts[t] = talweg_element_count(tensor);
    optimizer->param_offsets[t] = param_end;
    param_end += (optimizer->element_counts[t] * optimizer->element_bytes + 63) / 64 * 64;
    optimizer->tensor_groups[t] = tensor->group;
    optimizer->group_has_tensor[tensor->group] = 1;
    optimizer->takes_part[t] = 0;
    place_tensor(optimizer, t);
    fill_streams(optimizer, t);
    optimizer->first_chunks[t] = (uint32_t)(next_chunk - optimizer->chunks);
    next_chunk = talweg_fill_chunks(optimizer->element_counts[t], t, next_chunk);
  }
  optimizer->first_chunks[optimizer->spec.tensor_count] = optimizer->chunk_count;
  sort_by_group(optimizer);
  talweg_fill_line_tables(optimizer);
}

/* What the image's functions are shown of each row. */
static void fill_rows(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    const size_t group = row == MODEL_ROW ? 0 : row - 1;
    optimizer->args[row] = (talweg_scalar_args){
        .hypers = optimizer->hypers + group * image->hyper_count,
        .states = optimizer->states_before + row * image->state_count,
        .inputs = optimizer->inputs + row * optimizer->input_columns,
        .given = optimizer->given,
        .new_states = optimizer->states_after + row * image->state_count,
        .bound = optimizer->bound + row * image->hyper_count,
        .model_slots = optimizer->model_slots,
        .needed = optimizer->needed + row * image->input_count,
        .kept = optimizer->kept,
        .unbound = optimizer->unbound + row * image->hyper_count,
    };
    for (uint32_t h = 0; h < image->hyper_count; ++h)
      optimizer->hypers[group * image->hyper_count + h] =
          image->hypers[h].follows ? __builtin_nan("") : image->hypers[h].default_value;
  }
  const size_t input_rows = optimizer->input_columns > 0 ? optimizer->row_count : 1;
  for (size_t i = 0; i < input_rows * image->input_count; ++i) optimizer->inputs[i] = 0;
  for (size_t i = 0; i < optimizer->row_count * optimizer->widths.reductions; ++i)
    optimizer->reduced[i] = 0;
}

static void fill_pass_args(talweg_optimizer* optimizer) {
  optimizer->pass_args = (talweg_pass_args){
      .chunks = optimizer->chunks,
      .pointers = optimizer->pointers,
      .tensor_groups = optimizer->tensor_groups,
      .model_slots = optimizer->model_slots,
      .group_slots = optimizer->group_slots,
      .group_args = optimizer->args + 1,
      .tensor_routes = optimizer->tensor_routes,
      .tensor_facts = optimizer->tensor_facts,
      .tensor_slots = optimizer->tensor_slots,
      .tensor_states = optimizer->tensor_before,
      .new_tensor_states = optimizer->tensor_after,
      .tensor_inputs = optimizer->tensor_inputs,
      .tensor_reduced = optimizer->tensor_reduced,
      .tensor_partials = optimizer->tensor_partials,
      .chunk_partials = optimizer->chunk_partials,
      .chunk_count = optimizer->chunk_count,
      .tensor_count = optimizer->spec.tensor_count,
  };
  talweg_show_lines(optimizer);
}

/* A default (or a pipeline's argument) may leave its range where it is rounded to the compute type.
 */
static talweg_status check_defaults(const talweg_image* image, talweg_error* error) {
  for (uint32_t h = 0; h < image->hyper_count; ++h) {
    if (image->hypers[h].bound) continue;
    const talweg_status status =
        talweg_check_hyper_value(image, h, image->hypers[h].default_value, error);
    if (status == TALWEG_OK) continue;
    talweg_put(error, " (its value in the rule)");
    return status;
  }
  return TALWEG_OK;
}

talweg_status talweg_measure(const talweg_optimizer_spec* spec, talweg_optimizer_sizes* sizes,
                             talweg_error* error) {
  talweg_optimizer optimizer;
  uint64_t bytes = 0;
  talweg_status status = check_spec(spec, error);
  if (status == TALWEG_OK) status = talweg_lay_out(spec, &optimizer, 0, &bytes, error);
  if (status != TALWEG_OK) return status;
  sizes->control_bytes = (size_t)bytes;
  sizes->state_bytes = (size_t)optimizer.places.layout.block_bytes;
  return TALWEG_OK;
}

talweg_status talweg_create(const talweg_optimizer_spec* spec, void* control_memory,
                            void* state_memory, talweg_optimizer** result, talweg_error* error) {
  talweg_optimizer optimizer;
  uint64_t bytes = 0;
  talweg_status status = check_spec(spec, error);
  if (status == TALWEG_OK) status = check_defaults(spec->image, error);
  if (status != TALWEG_OK) return status;
  if (!control_memory || (uintptr_t)control_memory % TALWEG_CONTROL_ALIGNMENT != 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the control memory is null or not aligned");
  status = talweg_lay_out(spec, &optimizer, control_memory, &bytes, error);
  if (status != TALWEG_OK) return status;
  if (optimizer.places.layout.block_bytes > 0 &&
      (!state_memory || (uintptr_t)state_memory % TALWEG_STATE_ALIGNMENT != 0))
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the state memory is null or not aligned");
  status = talweg_check_apart(&optimizer, error);
  if (status != TALWEG_OK) return status;
  optimizer.state_memory = state_memory;
  optimizer.swapped_view = TALWEG_NO_VIEW;
  optimizer.running = &spec->image->step;
  optimizer.running_domains = optimizer.in_domain;
  memset(optimizer.group_has_tensor, 0, spec->group_count);
  fill_tensors(&optimizer);
  fill_rows(&optimizer);
  fill_pass_args(&optimizer);
  talweg_find_spans(&optimizer);
  talweg_reset_states(&optimizer);
  status = talweg_or_failure(&optimizer, TALWEG_OK, error);
  if (status != TALWEG_OK) return status;
  *result = control_memory;
  **result = optimizer;
  return TALWEG_OK;
}

talweg_status talweg_reset(talweg_optimizer* optimizer, talweg_error* error) {
  talweg_status status = talweg_refuse_swapped(optimizer, "a reset", error);
  if (status == TALWEG_OK) status = talweg_refuse_waiting(optimizer, "a reset", error);
  if (status == TALWEG_OK) status = talweg_settle(optimizer, error);
  if (status != TALWEG_OK) return status;
  talweg_reset_states(optimizer);
  return talweg_or_failure(optimizer, TALWEG_OK, error);
}

talweg_counters* talweg_get_counters(talweg_optimizer* optimizer) {
  talweg_settle(optimizer, 0);
  return &optimizer->counters;
}

double* talweg_scalar_state_here(talweg_optimizer* optimizer, uint32_t state, uint32_t group) {
  const talweg_image* image = optimizer->image;
  const size_t row = image->states[state].rate == TALWEG_RATE_MODEL ? MODEL_ROW : (size_t)group + 1;
  return &optimizer->scalar_states[row * image->state_count + state];
}

double* talweg_scalar_state(talweg_optimizer* optimizer, uint32_t state, uint32_t group) {
  talweg_settle(optimizer, 0);
  return talweg_scalar_state_here(optimizer, state, group);
}

void* talweg_element_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const talweg_image* image = optimizer->image;
  return optimizer->pointers[(size_t)tensor * image->stream_count + image->states[state].stream];
}

const talweg_optimizer_spec* talweg_get_spec(const talweg_optimizer* optimizer) {
  return &optimizer->spec;
}
