/* Initial values that take kernels of their own: they come from param, or from what param reduces
 * to. They are made before the step of the call in which their states begin: as the step is to find
 * them, so element states and states of rows and columns right in their memory, others where the
 * step's scalar functions leave new values. A call that does not keep them clears the former.
 *
 * A reduction ranges over the tensors that take part in the call, whether their states begin in it
 * or have begun before. */
#include <string.h>

#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

static int is_made(const talweg_image* image, uint32_t state) {
  return image->states[state].initial == TALWEG_INITIAL_KERNELS;
}

/* Whether the state begins in a tensor; one of model or group, anywhere. */
static int begins(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const double* begun = talweg_state_begun(optimizer, state, tensor);
  return begun && *begun == 0;
}

static int begins_somewhere(talweg_optimizer* optimizer, uint32_t state) {
  if (talweg_is_scalar_rate(optimizer->image->states[state].rate))
    return begins(optimizer, state, 0);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    if (optimizer->takes_part[t] && begins(optimizer, state, t)) return 1;
  return 0;
}

static void copy_params(const talweg_beside* run, uint32_t begin, uint32_t end) {
  const talweg_optimizer* optimizer = run->optimizer;
  talweg_chunk_run some;
  for (uint32_t i = begin; i < end; i = some.chunk_end) {
    some = talweg_run_of(optimizer, i, end);
    if (!optimizer->takes_part[some.tensor]) continue;
    const unsigned char* param = optimizer->tensors[some.tensor].param;
    unsigned char* state =
        run->args
            .pointers[(size_t)some.tensor * optimizer->image->stream_count + TALWEG_STREAM_PARAM];
    talweg_copy_elements(optimizer, state + some.offset, param + some.offset, some.bytes);
  }
}

/* Where a state was, and what is to become it: of an element state a copy of param. */
static void write_chunks(void* argument, uint32_t begin, uint32_t end) {
  const talweg_beside* run = argument;
  uint32_t next;
  for (uint32_t block = begin; block < end; block = next) {
    next = talweg_block_end(run->optimizer, block, end);
    copy_params(run, block, next);
    talweg_call_pass(run->optimizer, run->kernels->self, run->phase->pass, &run->args, block, next);
  }
}

static void show_all(talweg_optimizer* optimizer) {
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    talweg_show_beside(optimizer, t, optimizer->tensors[t].param, optimizer->takes_part[t]);
}

static void show_beginning(talweg_optimizer* optimizer, uint32_t state) {
  const int is_element = optimizer->image->states[state].rate == TALWEG_RATE_ELEMENT;
  talweg_forget_parts(optimizer);
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    talweg_show_beside(
        optimizer, t,
        is_element ? talweg_element_state(optimizer, state, t) : optimizer->tensors[t].param,
        optimizer->takes_part[t] && begins(optimizer, state, t));
}

/* To initial_states, tensor_after, matrix_after or the memory of states. */
static void make_initial_value(talweg_optimizer* optimizer, uint32_t state) {
  const uint32_t columns = optimizer->image->state_count;
  const uint32_t rate = optimizer->image->states[state].rate;
  for (size_t row = 0; row < optimizer->row_count; ++row)
    optimizer->initial_states[row * columns + state] = 0;
  memcpy(optimizer->took_part, optimizer->takes_part, optimizer->spec.tensor_count);
  talweg_beside run;
  talweg_begin_beside(&run, optimizer, &optimizer->image->initial_kernels[state]);
  talweg_show_rows(optimizer, optimizer->initial_states);
  show_all(optimizer);
  talweg_run_phases_beside(&run);
  if (!talweg_is_scalar_rate(rate)) {
    show_beginning(optimizer, state);
    talweg_run_tables_beside(&run);
    if (rate == TALWEG_RATE_ELEMENT) talweg_for_chunks(optimizer, write_chunks, &run);
  }
  memcpy(optimizer->takes_part, optimizer->took_part, optimizer->spec.tensor_count);
  talweg_end_beside(&run);
}

int talweg_make_initial_values(talweg_optimizer* optimizer, int scalars_only) {
  const talweg_image* image = optimizer->image;
  int fills_memory = 0;
  for (uint32_t s = 0; s < image->state_count; ++s) {
    const uint32_t rate = image->states[s].rate;
    if (!is_made(image, s) || (scalars_only && !talweg_is_scalar_rate(rate)) ||
        !begins_somewhere(optimizer, s))
      continue;
    make_initial_value(optimizer, s);
    fills_memory |= rate == TALWEG_RATE_ELEMENT || talweg_is_row_or_col(rate);
  }
  return fills_memory;
}

double talweg_made_for_tensor(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  const size_t columns = optimizer->image->state_count;
  return is_made(optimizer->image, state)
             ? optimizer->tensor_after[tensor * columns + state]
             : optimizer->initial_states[((size_t)optimizer->tensor_groups[tensor] + 1) * columns +
                                         state];
}

talweg_status talweg_foresee(talweg_optimizer* optimizer, uint32_t state, talweg_error* error) {
  const int made = is_made(optimizer->image, state);
  if (made) {
    const talweg_status status =
        talweg_refuse_swapped(optimizer, "a state is read that has not begun", error);
    if (status != TALWEG_OK) return status;
  }
  const talweg_float_mode mode = talweg_enter_float_mode();
  for (uint32_t t = 0; made && t < optimizer->spec.tensor_count; ++t) optimizer->takes_part[t] = 1;
  if (made)
    make_initial_value(optimizer, state);
  else
    talweg_compute_initial_states(optimizer);
  talweg_leave_float_mode(mode);
  return talweg_or_failure(optimizer, TALWEG_OK, error);
}
