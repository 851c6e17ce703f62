/* Finds tensors of one name, without memory, and parameters that share memory, by sorting: there
 * may be 100,000. The order of addresses is kept, for what later calls are given (apart.c). */
#include <string.h>

#include "runtime/memory/dtype.h"
#include "runtime/optimizer/internal.h"

typedef int (*comes_before)(const talweg_optimizer_spec* spec, uint32_t a, uint32_t b);

static int by_name(const talweg_optimizer_spec* spec, uint32_t a, uint32_t b) {
  return strcmp(spec->tensors[a].name, spec->tensors[b].name) < 0;
}

static int by_address(const talweg_optimizer_spec* spec, uint32_t a, uint32_t b) {
  return (uintptr_t)spec->tensors[a].param < (uintptr_t)spec->tensors[b].param;
}

/* Sinks the entry at `root` until no entry below it in the heap comes after it. */
static void sift_down(uint32_t* order, uint32_t root, uint32_t count, comes_before before,
                      const talweg_optimizer_spec* spec) {
  for (;;) {
    uint64_t child = 2 * (uint64_t)root + 1;
    if (child >= count) return;
    if (child + 1 < count && before(spec, order[child], order[child + 1])) ++child;
    if (!before(spec, order[root], order[child])) return;
    const uint32_t sunk = order[root];
    order[root] = order[child];
    order[child] = sunk;
    root = (uint32_t)child;
  }
}

/* Heap sort: in place, and never slow whatever the order was. */
static void sort(uint32_t* order, uint32_t count, comes_before before,
                 const talweg_optimizer_spec* spec) {
  for (uint32_t root = count / 2; root-- > 0;) sift_down(order, root, count, before, spec);
  for (uint32_t last = count; last-- > 1;) {
    const uint32_t largest = order[0];
    order[0] = order[last];
    order[last] = largest;
    sift_down(order, 0, last, before, spec);
  }
}

static talweg_status check_names(const talweg_optimizer_spec* spec, uint32_t* order,
                                 talweg_error* error) {
  for (uint32_t i = 0; i < spec->tensor_count; ++i) order[i] = i;
  sort(order, spec->tensor_count, by_name, spec);
  for (uint32_t i = 1; i < spec->tensor_count; ++i) {
    const char* name = spec->tensors[order[i]].name;
    if (strcmp(spec->tensors[order[i - 1]].name, name) != 0) continue;
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "two tensors are named ");
    talweg_put_name(error, name);
    return TALWEG_BAD_ARGUMENT;
  }
  return TALWEG_OK;
}

talweg_status talweg_check_apart(talweg_optimizer* optimizer, talweg_error* error) {
  const talweg_optimizer_spec* spec = &optimizer->spec;
  uint32_t* order = optimizer->by_address;
  const talweg_status status = check_names(spec, order, error);
  if (status != TALWEG_OK) return status;
  const uint32_t element_bytes = talweg_dtype_bytes(spec->image->compute_dtype);
  uint32_t count = 0;
  for (uint32_t i = 0; i < spec->tensor_count; ++i) {
    if (talweg_element_count(&spec->tensors[i]) == 0) continue;
    order[count++] = i;
    if (spec->tensors[i].param) continue;
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "tensor ");
    talweg_put_name(error, spec->tensors[i].name);
    talweg_put(error, " has no memory (param is null)");
    return TALWEG_BAD_ARGUMENT;
  }
  sort(order, count, by_address, spec);
  for (uint32_t i = 1; i < count; ++i) {
    const talweg_tensor* lower = &spec->tensors[order[i - 1]];
    const talweg_tensor* upper = &spec->tensors[order[i]];
    const uintptr_t end = (uintptr_t)lower->param + talweg_element_count(lower) * element_bytes;
    if (end <= (uintptr_t)upper->param) continue;
    talweg_fail(error, TALWEG_OVERLAP, "tensors ");
    talweg_put_name(error, lower->name);
    talweg_put(error, " and ");
    talweg_put_name(error, upper->name);
    talweg_put(error, " share memory");
    return TALWEG_OVERLAP;
  }
  for (uint32_t i = 0; i < count; ++i)
    optimizer->param_begins[i] = (uintptr_t)spec->tensors[order[i]].param;
  optimizer->placed_count = count;
  return TALWEG_OK;
}
