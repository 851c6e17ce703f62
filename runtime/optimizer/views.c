/* Views: read out into a caller's memory, or swapped in for the parameters and back.
 *
 * Either way param is copied first, and the view's pass then runs in place on one of the two
 * copies, chunk by chunk. What a step makes anew (streams, parts, scratch rows) serves views too. A
 * tensor whose states have not begun sees those that it would begin with; they are taken away again
 * after, so reading a view out changes nothing that persists. */
#include <string.h>

#include "runtime/optimizer/internal.h"

/* Copied, then computed while they are still in a core's own cache. */
#define BLOCK_CHUNKS 4u

typedef struct view_run {
  talweg_optimizer* optimizer;
  const talweg_kernels* kernels;
  talweg_pass_args args;
  void* const* destinations; /* [tensor]; null when swapping */
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

static void run_chunks(void* argument, uint32_t begin, uint32_t end) {
  const view_run* run = argument;
  talweg_optimizer* optimizer = run->optimizer;
  for (uint32_t block = begin; block < end;) {
    const uint32_t next = end - block > BLOCK_CHUNKS ? block + BLOCK_CHUNKS : end;
    copy_chunks(run, block, next);
    if (optimizer->begins_some) talweg_begin_chunks(optimizer, block, next);
    run->kernels->phases[0].pass(run->kernels->self, &run->args, block, next);
    if (optimizer->begins_some) talweg_clear_chunks(optimizer, block, next, 0);
    block = next;
  }
}

/* Points stream 0 to where the view is computed. No gradient and no input is read: param stands in
 * for the gradient, which says who takes part. */
static void bind_streams(talweg_optimizer* optimizer, void* const* destinations) {
  const talweg_image* image = optimizer->image;
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    void** streams = optimizer->pointers + (size_t)t * image->stream_count;
    void* const param = optimizer->tensors[t].param;
    const int takes_part = optimizer->element_counts[t] > 0 && (!destinations || destinations[t]);
    optimizer->takes_part[t] = (uint8_t)takes_part;
    streams[TALWEG_STREAM_PARAM] = destinations ? destinations[t] : param;
    streams[TALWEG_STREAM_GRAD] = takes_part ? param : 0;
    for (uint32_t i = 0; i < image->input_count; ++i)
      if (image->inputs[i].rate == TALWEG_RATE_ELEMENT) streams[image->inputs[i].stream] = 0;
  }
  optimizer->begins_some = talweg_some_state_begins(optimizer);
}

/* Which way each tensor takes through the view's pass. */
static void bind_routes(talweg_optimizer* optimizer, const talweg_kernels* kernels) {
  const size_t facts = optimizer->image->fact_count;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->view_routes[t] = talweg_route_of_view(kernels, optimizer->tensor_facts + t * facts);
}

static void restore_streams(talweg_optimizer* optimizer) {
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->pointers[(size_t)t * optimizer->image->stream_count + TALWEG_STREAM_PARAM] =
        optimizer->tensors[t].param;
  talweg_forget_parts(optimizer);
}

static void compute(talweg_optimizer* optimizer, uint32_t view, void* const* destinations) {
  view_run run = {
      .optimizer = optimizer,
      .kernels = &optimizer->image->views[view].kernels,
      .args = optimizer->pass_args,
      .destinations = destinations,
  };
  run.args.tensor_routes = optimizer->view_routes;
  run.args.phase = 0;
  bind_streams(optimizer, destinations);
  bind_routes(optimizer, run.kernels);
  talweg_run_view_scalars(optimizer, run.kernels);
  if (run.kernels->phases[0].tensor_scalars)
    talweg_run_tensors(optimizer, run.kernels, run.kernels->phases[0].tensor_scalars, &run.args);
  if (optimizer->begins_some) talweg_begin_lines(optimizer);
  talweg_run_line_functions(optimizer, run.kernels, &run.kernels->phases[0], &run.args);
  talweg_for_chunks(optimizer, run_chunks, &run);
  if (optimizer->begins_some) talweg_clear_lines(optimizer, 0);
  restore_streams(optimizer);
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
