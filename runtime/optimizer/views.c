/* Views: read out into a caller's memory, or swapped in for the parameters and back.
 *
 * Either way param is copied first, and the view's last pass then runs in place on one of the two
 * copies, chunk by chunk. What a view reduces, the phases before have folded: over all tensors,
 * asked for or not, as no gradient says who takes part, and at the parameters themselves.
 *
 * What a step makes anew (streams, parts, scratch rows) serves views too. A tensor whose states
 * have not begun sees those that it would begin with; they are taken away again after, so reading a
 * view out changes nothing that persists. */
#include <string.h>

#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"

/* Copied, then computed while they are still in a core's own cache. */
#define BLOCK_CHUNKS 4u

typedef struct view_run {
  talweg_optimizer* optimizer;
  const talweg_kernels* kernels;
  const talweg_phase* phase;
  talweg_pass_args args;
  void* const* destinations; /* [tensor]; null when swapping */
  int begins_blocks;         /* states begin right before the only pass, and are cleared after it */
} view_run;

talweg_status talweg_refuse_swapped(const talweg_optimizer* optimizer, const char* what,
                                    talweg_error* error) {
  if (optimizer->swapped_view == TALWEG_NO_VIEW) return TALWEG_OK;
  talweg_fail(error, TALWEG_SWAPPED_IN, "view ");
  talweg_put_name(error, optimizer->image->views[optimizer->swapped_view].name);
  talweg_put(error, " is swapped in for the parameters: swap it out before ");
  talweg_put(error, what);
  return TALWEG_SWAPPED_IN;
}

/* Where the bytes of param go: to the view's destination, or to where swapping keeps them. */
static unsigned char* copy_of(const talweg_optimizer* optimizer, void* const* destinations,
                              uint32_t tensor) {
  return destinations ? destinations[tensor]
                      : optimizer->saved_params + optimizer->param_offsets[tensor];
}

static void copy_chunks(const view_run* run, uint32_t begin, uint32_t end) {
  const talweg_optimizer* optimizer = run->optimizer;
  for (uint32_t i = begin; i < end; ++i) {
    const talweg_chunk* chunk = &optimizer->chunks[i];
    const uint32_t tensor = chunk->tensor_index;
    if (!optimizer->takes_part[tensor]) continue;
    const size_t offset = (size_t)chunk->first_element * optimizer->element_bytes;
    const unsigned char* param = optimizer->tensors[tensor].param;
    memcpy(copy_of(optimizer, run->destinations, tensor) + offset, param + offset,
           (size_t)chunk->element_count * optimizer->element_bytes);
  }
}

/* The last pass. */
static void write_chunks(void* argument, uint32_t begin, uint32_t end) {
  const view_run* run = argument;
  talweg_optimizer* optimizer = run->optimizer;
  for (uint32_t block = begin; block < end;) {
    const uint32_t next = end - block > BLOCK_CHUNKS ? block + BLOCK_CHUNKS : end;
    copy_chunks(run, block, next);
    if (run->begins_blocks) talweg_begin_chunks(optimizer, block, next);
    run->phase->pass(run->kernels->self, &run->args, block, next);
    if (run->begins_blocks) talweg_clear_chunks(optimizer, block, next, 0);
    block = next;
  }
}

/* A pass that folds. */
static void read_chunks(void* argument, uint32_t begin, uint32_t end) {
  const view_run* run = argument;
  run->phase->pass(run->kernels->self, &run->args, begin, end);
}

static void begin_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_begin_chunks(argument, begin, end);
}

static void clear_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_clear_chunks(argument, begin, end, 0);
}

/* No input is read. No gradient is, either: an address in its place says who takes part. */
static void bind_tensor(talweg_optimizer* optimizer, uint32_t tensor, void* param, int takes_part) {
  const talweg_image* image = optimizer->image;
  void** streams = optimizer->pointers + (size_t)tensor * image->stream_count;
  void* const own = optimizer->tensors[tensor].param;
  optimizer->takes_part[tensor] = (uint8_t)takes_part;
  streams[TALWEG_STREAM_PARAM] = param;
  streams[TALWEG_STREAM_GRAD] = !takes_part ? 0 : own ? own : (void*)streams;
  for (uint32_t i = 0; i < image->input_count; ++i)
    if (image->inputs[i].rate == TALWEG_RATE_ELEMENT) streams[image->inputs[i].stream] = 0;
}

/* All tensors, to be read as they are. */
static void bind_all(talweg_optimizer* optimizer) {
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    bind_tensor(optimizer, t, optimizer->tensors[t].param, 1);
}

/* Points stream 0 to where the view is computed, for those tensors where it is. */
static void bind_asked(talweg_optimizer* optimizer, void* const* destinations) {
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    bind_tensor(optimizer, t, destinations ? destinations[t] : optimizer->tensors[t].param,
                optimizer->element_counts[t] > 0 && (!destinations || destinations[t]));
}

/* Which way each tensor takes through the view's passes, and which reductions range over it. */
static void place_tensors(talweg_optimizer* optimizer, const talweg_kernels* kernels) {
  const size_t facts = optimizer->image->fact_count;
  const uint32_t domains = optimizer->image->domain_count;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->view_routes[t] =
        talweg_place_in_view(kernels, optimizer->tensor_facts + t * facts,
                             optimizer->view_domains + (size_t)t * domains, domains);
}

static void restore(talweg_optimizer* optimizer) {
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->pointers[(size_t)t * optimizer->image->stream_count + TALWEG_STREAM_PARAM] =
        optimizer->tensors[t].param;
  talweg_forget_parts(optimizer);
  optimizer->running = &optimizer->image->step;
  optimizer->running_domains = optimizer->in_domain;
}

/* All of a phase but its pass. */
static void run_tables(view_run* run, uint32_t phase) {
  talweg_optimizer* optimizer = run->optimizer;
  run->phase = &run->kernels->phases[phase];
  run->args.phase = phase;
  talweg_run_view_scalars(optimizer, phase);
  if (run->phase->tensor_scalars)
    talweg_run_tensors(optimizer, run->kernels, run->phase->tensor_scalars, &run->args);
  talweg_run_line_functions(optimizer, run->kernels, run->phase, &run->args);
  talweg_run_lines(optimizer, run->kernels, run->phase, &run->args);
}

static void run_phases(view_run* run) {
  talweg_optimizer* optimizer = run->optimizer;
  const uint32_t last = run->kernels->phase_count - 1;
  for (uint32_t phase = 0; phase < last; ++phase) {
    run_tables(run, phase);
    if (run->phase->pass) talweg_for_chunks(optimizer, read_chunks, run);
  }
  run_tables(run, last);
}

/* A view that reduces nothing looks at no more tensors than are asked for, and at each once. */
static void compute_alone(view_run* run) {
  talweg_optimizer* optimizer = run->optimizer;
  bind_asked(optimizer, run->destinations);
  optimizer->begins_some = run->begins_blocks = talweg_some_state_begins(optimizer);
  talweg_begin_view_scalars(optimizer);
  if (optimizer->begins_some) talweg_begin_lines(optimizer);
  run_tables(run, 0);
  talweg_for_chunks(optimizer, write_chunks, run);
  if (optimizer->begins_some) talweg_clear_lines(optimizer, 0);
}

static void compute_together(view_run* run) {
  talweg_optimizer* optimizer = run->optimizer;
  bind_all(optimizer);
  const int begins = optimizer->begins_some = talweg_some_state_begins(optimizer);
  talweg_begin_view_scalars(optimizer);
  if (begins) talweg_begin_lines(optimizer);
  if (begins) talweg_for_chunks(optimizer, begin_chunks, optimizer);
  run_phases(run);
  bind_asked(optimizer, run->destinations);
  talweg_for_chunks(optimizer, write_chunks, run);
  if (!begins) return;
  bind_all(optimizer);
  talweg_for_chunks(optimizer, clear_chunks, optimizer);
  talweg_clear_lines(optimizer, 0);
}

static void compute(talweg_optimizer* optimizer, uint32_t view, void* const* destinations) {
  view_run run = {
      .optimizer = optimizer,
      .kernels = &optimizer->image->views[view].kernels,
      .args = optimizer->pass_args,
      .destinations = destinations,
  };
  run.args.tensor_routes = optimizer->view_routes;
  place_tensors(optimizer, run.kernels);
  optimizer->running = run.kernels;
  optimizer->running_domains = optimizer->view_domains;
  const talweg_float_mode mode = talweg_enter_float_mode();
  if (run.kernels->phase_count == 1 && run.kernels->reduction_count == 0)
    compute_alone(&run);
  else
    compute_together(&run);
  talweg_leave_float_mode(mode);
  restore(optimizer);
}

static talweg_status check_view(const talweg_optimizer* optimizer, uint32_t view, const char* what,
                                talweg_error* error) {
  if (view >= optimizer->image->view_count)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no such view");
  const talweg_status status = talweg_refuse_swapped(optimizer, what, error);
  return status != TALWEG_OK ? status
                             : talweg_refuse_waiting(optimizer, "a view is computed", error);
}

talweg_status talweg_read_view(talweg_optimizer* optimizer, uint32_t view,
                               void* const* destinations, talweg_error* error) {
  talweg_status status = check_view(optimizer, view, "a view is read out", error);
  if (status != TALWEG_OK) return status;
  if (!destinations && optimizer->spec.tensor_count > 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no memory to read a view into");
  for (uint32_t t = 0; status == TALWEG_OK && t < optimizer->spec.tensor_count; ++t)
    if (destinations[t])
      status = talweg_check_memory(optimizer, "the memory for a view", t, destinations[t], error);
  if (status == TALWEG_OK && destinations) compute(optimizer, view, destinations);
  return status;
}

size_t talweg_swap_bytes(const talweg_optimizer* optimizer) {
  const uint32_t last = optimizer->spec.tensor_count;
  return last == 0 ? 0
                   : (size_t)(optimizer->param_offsets[last - 1] +
                              optimizer->element_counts[last - 1] * optimizer->element_bytes);
}

uint32_t talweg_swapped_view(const talweg_optimizer* optimizer) { return optimizer->swapped_view; }

talweg_status talweg_swap_in(talweg_optimizer* optimizer, uint32_t view, void* memory,
                             talweg_error* error) {
  const talweg_status status = check_view(optimizer, view, "another is swapped in", error);
  if (status != TALWEG_OK) return status;
  if (!memory && talweg_swap_bytes(optimizer) > 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no memory to keep the parameters in");
  optimizer->saved_params = memory;
  compute(optimizer, view, 0);
  optimizer->swapped_view = view;
  return TALWEG_OK;
}

static void put_back_chunks(void* argument, uint32_t begin, uint32_t end) {
  const talweg_optimizer* optimizer = argument;
  for (uint32_t i = begin; i < end; ++i) {
    const talweg_chunk* chunk = &optimizer->chunks[i];
    const size_t offset = (size_t)chunk->first_element * optimizer->element_bytes;
    unsigned char* param = optimizer->tensors[chunk->tensor_index].param;
    memcpy(param + offset, copy_of(optimizer, 0, chunk->tensor_index) + offset,
           (size_t)chunk->element_count * optimizer->element_bytes);
  }
}

talweg_status talweg_swap_out(talweg_optimizer* optimizer, talweg_error* error) {
  if (optimizer->swapped_view == TALWEG_NO_VIEW)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "no view is swapped in");
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->takes_part[t] = optimizer->element_counts[t] > 0;
  talweg_forget_parts(optimizer);
  talweg_for_chunks(optimizer, put_back_chunks, optimizer);
  talweg_forget_parts(optimizer);
  optimizer->swapped_view = TALWEG_NO_VIEW;
  optimizer->saved_params = 0;
  return TALWEG_OK;
}
