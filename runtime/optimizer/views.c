/* Views: read out into a caller's memory, or swapped in for the parameters and back.
 *
 * Either way param is copied first, and the view's last pass then runs in place on one of the two
 * copies, chunk by chunk. What a view reduces, the phases before have folded: over all tensors,
 * asked for or not, as no gradient says who takes part, and at the parameters themselves.
 *
 * A tensor whose states have not begun sees those that it would begin with; they are taken away
 * again after, so reading a view out changes nothing that persists. */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

typedef struct view_run {
  talweg_beside beside;
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
  const talweg_optimizer* optimizer = run->beside.optimizer;
  talweg_chunk_run some;
  for (uint32_t i = begin; i < end; i = some.chunk_end) {
    some = talweg_run_of(optimizer, i, end);
    if (!optimizer->takes_part[some.tensor]) continue;
    const unsigned char* param = optimizer->tensors[some.tensor].param;
    talweg_copy_elements(optimizer,
                         copy_of(optimizer, run->destinations, some.tensor) + some.offset,
                         param + some.offset, some.bytes);
  }
}

/* The last pass. */
static void write_chunks(void* argument, uint32_t begin, uint32_t end) {
  const view_run* run = argument;
  const talweg_beside* beside = &run->beside;
  talweg_optimizer* optimizer = beside->optimizer;
  uint32_t next;
  for (uint32_t block = begin; block < end; block = next) {
    next = talweg_block_end(optimizer, block, end);
    copy_chunks(run, block, next);
    if (run->begins_blocks) talweg_begin_chunks(optimizer, block, next);
    talweg_call_pass(optimizer, beside->kernels->self, beside->phase->pass, &beside->args, block,
                     next);
    if (run->begins_blocks) talweg_clear_chunks(optimizer, block, next, 0);
  }
}

static void begin_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_begin_chunks(argument, begin, end);
}

static void clear_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_clear_chunks(argument, begin, end, 0);
}

static int is_asked(const talweg_optimizer* optimizer, void* const* destinations, uint32_t tensor) {
  return optimizer->element_counts[tensor] > 0 && (!destinations || destinations[tensor]);
}

/* All tensors, to be read as they are. */
static void show_all(talweg_optimizer* optimizer) {
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    talweg_show_beside(optimizer, t, optimizer->tensors[t].param, 1);
}

/* Points stream 0 to where the view is computed, for those tensors where it is. */
static void show_asked(talweg_optimizer* optimizer, void* const* destinations) {
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    talweg_show_beside(optimizer, t, destinations ? destinations[t] : optimizer->tensors[t].param,
                       is_asked(optimizer, destinations, t));
}

/* A view that reduces nothing looks at no more tensors than are asked for, and at each once. */
static void compute_alone(view_run* run) {
  talweg_optimizer* optimizer = run->beside.optimizer;
  show_asked(optimizer, run->destinations);
  if (optimizer->begins_some) talweg_begin_lines(optimizer);
  run->begins_blocks = optimizer->begins_some;
  talweg_run_phases_beside(&run->beside);
  talweg_run_tables_beside(&run->beside);
  talweg_for_chunks(optimizer, write_chunks, run);
  if (optimizer->begins_some) talweg_clear_lines(optimizer, 0);
}

static void compute_together(view_run* run) {
  talweg_optimizer* optimizer = run->beside.optimizer;
  show_all(optimizer);
  if (optimizer->begins_some) talweg_begin_lines(optimizer);
  if (optimizer->begins_some) talweg_for_chunks(optimizer, begin_chunks, optimizer);
  talweg_run_phases_beside(&run->beside);
  show_asked(optimizer, run->destinations);
  talweg_run_tables_beside(&run->beside);
  talweg_for_chunks(optimizer, write_chunks, run);
  if (!optimizer->begins_some) return;
  show_all(optimizer);
  talweg_for_chunks(optimizer, clear_chunks, optimizer);
  talweg_clear_lines(optimizer, 0);
}

/* The view, or what a state begins with that it may read, is over all tensors. */
static int sees_all(const talweg_optimizer* optimizer, const talweg_kernels* view) {
  return view->phase_count > 1 || view->reduction_count > 0 || optimizer->image->initial_kernels;
}

static void compute(talweg_optimizer* optimizer, uint32_t view, void* const* destinations) {
  const talweg_kernels* kernels = &optimizer->image->views[view].kernels;
  const int together = sees_all(optimizer, kernels);
  view_run run = {.destinations = destinations};
  const talweg_float_mode mode = talweg_enter_float_mode();
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->takes_part[t] = (uint8_t)(together || is_asked(optimizer, destinations, t));
  talweg_forget_parts(optimizer);
  optimizer->begins_some = talweg_some_state_begins(optimizer);
  optimizer->running = kernels;
  talweg_begin_view_scalars(optimizer);
  optimizer->running = &optimizer->image->step;
  talweg_begin_beside(&run.beside, optimizer, kernels);
  if (together)
    compute_together(&run);
  else
    compute_alone(&run);
  talweg_end_beside(&run.beside);
  talweg_leave_float_mode(mode);
}

static talweg_status check_view(const talweg_optimizer* optimizer, uint32_t view, const char* what,
                                talweg_error* error) {
  if (view >= optimizer->image->view_count)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no such view");
  const talweg_status status = talweg_refuse_swapped(optimizer, what, error);
  if (status != TALWEG_OK) return status;
  const talweg_status waits = talweg_refuse_waiting(optimizer, "a view is computed", error);
  return waits != TALWEG_OK ? waits : talweg_settle(optimizer, error);
}

talweg_status talweg_read_view(talweg_optimizer* optimizer, uint32_t view,
                               void* const* destinations, talweg_error* error) {
  talweg_status status = check_view(optimizer, view, "a view is read out", error);
  if (status != TALWEG_OK) return status;
  if (!destinations && optimizer->spec.tensor_count > 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no memory to read a view into");
  for (uint32_t t = 0; status == TALWEG_OK && t < optimizer->spec.tensor_count; ++t) {
    const talweg_given given = {.kind = "the memory for a view", .tensor = t};
    if (destinations[t]) status = talweg_check_memory(optimizer, &given, destinations[t], error);
  }
  if (status != TALWEG_OK || !destinations) return status;
  compute(optimizer, view, destinations);
  return talweg_or_failure(optimizer, TALWEG_OK, error);
}

size_t talweg_swap_bytes(const talweg_optimizer* optimizer) {
  const uint32_t last = optimizer->spec.tensor_count;
  return last == 0 ? 0
                   : (size_t)(optimizer->param_offsets[last - 1] +
                              optimizer->element_counts[last - 1] * optimizer->element_bytes);
}

uint32_t talweg_swapped_view(const talweg_optimizer* optimizer) { return optimizer->swapped_view; }

/* Whether `memory` can keep the parameters: it must not be where they or states are. */
static talweg_status check_saved(talweg_optimizer* optimizer, const void* memory,
                                 talweg_error* error) {
  const uintptr_t begin = (uintptr_t)memory;
  const uint64_t bytes = talweg_swap_bytes(optimizer);
  if (bytes == 0) return TALWEG_OK;
  if (!memory)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no memory to keep the parameters in");
  if (begin % optimizer->element_bytes != 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT,
                       "the memory to keep the parameters in is not aligned to an element");
  if (bytes > UINTPTR_MAX - begin)
    return talweg_fail(error, TALWEG_TOO_LARGE,
                       "the memory to keep the parameters in goes past the end of memory");
  if (talweg_is_apart(optimizer, memory, bytes)) return TALWEG_OK;
  talweg_fail(error, TALWEG_OVERLAP, "the memory to keep the parameters in");
  talweg_put_shared(optimizer, memory, bytes, UINT32_MAX, error);
  return TALWEG_OVERLAP;
}

talweg_status talweg_swap_in(talweg_optimizer* optimizer, uint32_t view, void* memory,
                             talweg_error* error) {
  talweg_status status = check_view(optimizer, view, "another is swapped in", error);
  if (status == TALWEG_OK) status = check_saved(optimizer, memory, error);
  if (status != TALWEG_OK) return status;
  optimizer->saved_params = memory;
  compute(optimizer, view, 0);
  optimizer->swapped_view = view;
  return talweg_or_failure(optimizer, TALWEG_OK, error);
}

static void put_back_chunks(void* argument, uint32_t begin, uint32_t end) {
  const talweg_optimizer* optimizer = argument;
  talweg_chunk_run run;
  for (uint32_t i = begin; i < end; i = run.chunk_end) {
    run = talweg_run_of(optimizer, i, end);
    unsigned char* param = optimizer->tensors[run.tensor].param;
    talweg_copy_elements(optimizer, param + run.offset,
                         copy_of(optimizer, 0, run.tensor) + run.offset, run.bytes);
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
  return talweg_or_failure(optimizer, TALWEG_OK, error);
}
