/* What an optimizer keeps: counters, then states in the order of the rule, each of model, groups or
 * tensors, then which of those that begin late have begun. */
#include <string.h>

#include "runtime/optimizer/work.h"
#include "runtime/standalone/internal.h"

/* place[0] of an iteration. */
enum { LIST_START = 0, LIST_STATES = 1, LIST_BEGUN = 2, LIST_END = 3 };

static void show(talweg_lib_state* state, const char* name, void* data, uint32_t element_bytes) {
  const talweg_lib_state shown = {
      .name = name,
      .data = data,
      .elements = 1,
      .element_bytes = element_bytes,
      .place = {state->place[0], state->place[1], state->place[2]},
  };
  *state = shown;
}

static uint64_t count_elements(const uint64_t* shape, uint32_t rank) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < rank; ++i) count *= shape[i];
  return count;
}

static void set_shape(talweg_lib_state* state, const uint64_t* shape, uint32_t rank) {
  state->shape = shape;
  state->rank = rank;
  state->elements = count_elements(shape, rank);
}

/* State `s` of entry `index` (a group or a tensor); 0 if there is none. */
static int show_entry(const talweg_lib_optimizer* optimizer, uint32_t s, uint32_t index,
                      talweg_lib_state* state) {
  const talweg_state_info* info = &optimizer->image->states[s];
  const talweg_tensor* tensors = talweg_get_spec(optimizer->core)->tensors;
  const uint32_t bytes = info->dtype == TALWEG_F32 ? 4 : 8;
  talweg_state_array array;
  void* data;
  switch (info->rate) {
    case TALWEG_RATE_MODEL:
    case TALWEG_RATE_GROUP:
      show(state, info->name, talweg_scalar_state_here(optimizer->core, s, index), bytes);
      state->group = index;
      return 1;
    case TALWEG_RATE_TENSOR:
      data = talweg_tensor_state_here(optimizer->core, s, index);
      if (!data) return 0;
      show(state, info->name, data, bytes);
      break;
    case TALWEG_RATE_ELEMENT:
      data = talweg_element_state(optimizer->core, s, index);
      if (!data && count_elements(tensors[index].shape, tensors[index].rank) > 0) return 0;
      show(state, info->name, data, bytes);
      set_shape(state, tensors[index].shape, tensors[index].rank);
      break;
    default:
      if (!talweg_array_state_here(optimizer->core, s, index, &array)) return 0;
      show(state, info->name, array.data, bytes);
      state->lines[0] = array.shape[0];
      state->lines[1] = array.shape[1];
      set_shape(state, state->lines, array.rank);
  }
  state->tensor = tensors[index].name;
  state->on_device = talweg_device_of(optimizer->core) && info->rate >= TALWEG_RATE_ROW;
  return 1;
}

static int show_begun(const talweg_lib_optimizer* optimizer, uint32_t s, uint32_t index,
                      talweg_lib_state* state) {
  const talweg_state_info* info = &optimizer->image->states[s];
  double* begun = talweg_state_begun(optimizer->core, s, index);
  if (!begun) return 0;
  show(state, info->name, begun, sizeof(double));
  state->kind = TALWEG_LIB_STATE_BEGUN;
  if (info->rate > TALWEG_RATE_GROUP)
    state->tensor = talweg_get_spec(optimizer->core)->tensors[index].name;
  return 1;
}

/* How many entries a state has, in a list. */
static uint32_t entries_of(const talweg_lib_optimizer* optimizer, uint32_t list, uint32_t s) {
  const talweg_optimizer_spec* spec = talweg_get_spec(optimizer->core);
  const uint32_t rate = optimizer->image->states[s].rate;
  if (rate == TALWEG_RATE_MODEL) return 1;
  if (rate == TALWEG_RATE_GROUP) return list == LIST_BEGUN ? 1 : spec->group_count;
  return spec->tensor_count;
}

static void show_counter(talweg_lib_optimizer* optimizer, talweg_lib_state* state, int is_calls) {
  talweg_counters* counters = &optimizer->core->counters;
  if (is_calls)
    show(state, "calls", &counters->calls, sizeof(double));
  else
    show(state, "t", &counters->completed_steps, sizeof(double));
  state->kind = TALWEG_LIB_STATE_COUNTER;
}

int talweg_lib_list_state(talweg_lib_optimizer* optimizer, talweg_lib_state* state) {
  uint32_t* place = state->place;
  if (place[0] == LIST_START) {
    show_counter(optimizer, state, place[1] == 1);
    if (++place[1] == 2) {
      place[0] = LIST_STATES;
      place[1] = 0;
    }
    return 1;
  }
  for (; place[0] < LIST_END; ++place[0], place[1] = 0) {
    for (; place[1] < optimizer->image->state_count; ++place[1], place[2] = 0) {
      const uint32_t entries = entries_of(optimizer, place[0], place[1]);
      while (place[2] < entries) {
        const uint32_t index = place[2]++;
        if (place[0] == LIST_STATES ? show_entry(optimizer, place[1], index, state)
                                    : show_begun(optimizer, place[1], index, state))
          return 1;
      }
    }
  }
  return 0;
}

int talweg_lib_next_state(talweg_lib_optimizer* optimizer, talweg_lib_state* state) {
  if (!is_own(optimizer) || !state || talweg_is_waiting(optimizer->core)) return 0;
  /* Not for each: it would wait as often as there are states, and nothing runs between them. */
  if (state->place[0] == LIST_START && state->place[1] == 0) talweg_settle(optimizer->core, 0);
  return talweg_lib_list_state(optimizer, state);
}

static talweg_lib_status refuse_index(const talweg_lib_optimizer* optimizer, uint32_t s,
                                      uint32_t index, talweg_lib_error* error) {
  talweg_error* to = core_error(error);
  fail(error, TALWEG_LIB_BAD_ARGUMENT, "state ");
  talweg_put_name(to, optimizer->image->states[s].name);
  talweg_put(to, index < entries_of(optimizer, LIST_STATES, s) ? " is not kept by tensor "
                                                               : " has no entry ");
  talweg_put_count(to, index);
  return TALWEG_LIB_BAD_ARGUMENT;
}

talweg_lib_status talweg_lib_find_state(talweg_lib_optimizer* optimizer, const char* name,
                                        uint32_t index, talweg_lib_state* state,
                                        talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  if (!state) return fail_null(error, "the place for the state");
  if (talweg_is_waiting(optimizer->core))
    return fail(error, TALWEG_LIB_WAITING,
                "a step waits for another gradient: states are in the middle of it");
  const talweg_image* image = optimizer->image;
  uint32_t s;
  const talweg_lib_status found = talweg_lib_find("state", image->states, sizeof *image->states,
                                                  image->state_count, name, &s, error);
  if (found != TALWEG_LIB_OK) return found;
  talweg_lib_state shown = {0};
  talweg_settle(optimizer->core, 0);
  if (index < entries_of(optimizer, LIST_STATES, s) && show_entry(optimizer, s, index, &shown)) {
    *state = shown;
    if (shown.shape == shown.lines) state->shape = state->lines;
    return TALWEG_LIB_OK;
  }
  return refuse_index(optimizer, s, index, error);
}

static uint64_t read_counter(const talweg_lib_optimizer* optimizer, int is_calls) {
  if (!is_own(optimizer)) return 0;
  const talweg_counters* counters = talweg_get_counters(optimizer->core);
  return (uint64_t)(is_calls ? counters->calls : counters->completed_steps);
}

uint64_t talweg_lib_steps(const talweg_lib_optimizer* optimizer) {
  return read_counter(optimizer, 0);
}

uint64_t talweg_lib_calls(const talweg_lib_optimizer* optimizer) {
  return read_counter(optimizer, 1);
}
