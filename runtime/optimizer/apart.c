/* Memory that a caller hands to a call must be apart from the parameters and from the optimizer's
 * own two pieces: else a step would read, or a view write, what another part of it writes.
 *
 * Parameters share no memory with one another, so in the order of their addresses only the last one
 * that begins before the end of given memory can reach into it. A step asks this only of memory
 * that it was not given the time before (talweg_is_new). */
#include "runtime/optimizer/internal.h"

#define NO_TENSOR UINT32_MAX

/* How many parameters begin before `end`. Gradients mostly lie in the order of their parameters, or
 * all on one side of them: then it is as many as for the one asked about before, or one more. */
static uint32_t count_before(talweg_optimizer* optimizer, uintptr_t end) {
  const uintptr_t* begins = optimizer->param_begins;
  const uint32_t count = optimizer->placed_count;
  uint32_t first = optimizer->places_before;
  for (uint32_t last = first + 1; first <= last && first <= count; ++first)
    if ((first == 0 || begins[first - 1] < end) && (first == count || begins[first] >= end))
      return optimizer->places_before = first;
  first = 0;
  for (uint32_t left = count; left > 0;) {
    const uint32_t half = left / 2;
    const int is_before = begins[first + half] < end;
    first += is_before ? half + 1 : 0;
    left = is_before ? left - half - 1 : half;
  }
  return optimizer->places_before = first;
}

static uint32_t sharing_tensor(talweg_optimizer* optimizer, uintptr_t begin, uint64_t bytes) {
  const uint32_t before = count_before(optimizer, begin + (uintptr_t)bytes);
  if (before == 0) return NO_TENSOR;
  const uint32_t tensor = optimizer->by_address[before - 1];
  const uint64_t own = optimizer->element_counts[tensor] * optimizer->element_bytes;
  return begin < optimizer->param_begins[before - 1] + own ? tensor : NO_TENSOR;
}

static int shares_states(const talweg_optimizer* optimizer, uintptr_t begin, uint64_t bytes) {
  const uintptr_t states = (uintptr_t)optimizer->state_memory;
  const uint64_t own = optimizer->places.layout.block_bytes;
  return own > 0 && begin < states + own && states < begin + bytes;
}

/* The control memory begins with the optimizer itself. */
static int shares_control(const talweg_optimizer* optimizer, uintptr_t begin, uint64_t bytes) {
  const uintptr_t control = (uintptr_t)optimizer;
  return begin < control + optimizer->control_bytes && control < begin + bytes;
}

int talweg_is_apart(talweg_optimizer* optimizer, const void* memory, uint64_t bytes) {
  const uintptr_t begin = (uintptr_t)memory;
  return sharing_tensor(optimizer, begin, bytes) == NO_TENSOR &&
         !shares_states(optimizer, begin, bytes) && !shares_control(optimizer, begin, bytes);
}

void talweg_put_shared(talweg_optimizer* optimizer, const void* memory, uint64_t bytes,
                       uint32_t own, talweg_error* error) {
  const uintptr_t begin = (uintptr_t)memory;
  const uint32_t tensor = sharing_tensor(optimizer, begin, bytes);
  talweg_put(error, " shares memory with ");
  if (tensor == NO_TENSOR) {
    talweg_put(error, shares_states(optimizer, begin, bytes) ? "states" : "the control memory");
  } else if (tensor == own) {
    talweg_put(error, "its parameter");
  } else {
    talweg_put(error, "tensor ");
    talweg_put_name(error, optimizer->tensors[tensor].name);
  }
}

/* Starts a message "input `x` of tensor `w`" that the caller ends. */
static void fail_memory(const talweg_optimizer* optimizer, const talweg_given* given,
                        talweg_status status, talweg_error* error) {
  talweg_fail(error, status, given->kind);
  if (given->name) talweg_put_name(error, given->name);
  talweg_put(error, " of tensor ");
  talweg_put_name(error, optimizer->tensors[given->tensor].name);
}

talweg_status talweg_check_memory(talweg_optimizer* optimizer, const talweg_given* given,
                                  const void* memory, talweg_error* error) {
  const uint64_t bytes = optimizer->element_counts[given->tensor] * optimizer->element_bytes;
  const uintptr_t begin = (uintptr_t)memory;
  if (bytes == 0) return TALWEG_OK;
  if ((begin & (optimizer->element_bytes - 1)) != 0) {
    fail_memory(optimizer, given, TALWEG_BAD_ARGUMENT, error);
    talweg_put(error, " is not aligned to the size of an element");
    return TALWEG_BAD_ARGUMENT;
  }
  if (bytes > UINTPTR_MAX - begin) {
    fail_memory(optimizer, given, TALWEG_TOO_LARGE, error);
    talweg_put(error, " goes past the end of memory");
    return TALWEG_TOO_LARGE;
  }
  if (talweg_is_apart(optimizer, memory, bytes)) return TALWEG_OK;
  fail_memory(optimizer, given, TALWEG_OVERLAP, error);
  talweg_put_shared(optimizer, memory, bytes, given->tensor, error);
  return TALWEG_OVERLAP;
}
