/* Memory that a caller hands in for an optimizer: as large and aligned as was measured, and apart
 * from each other and from the parameters. */
#include "runtime/memory/dtype.h"
#include "runtime/standalone/internal.h"

typedef struct block {
  const char* name;
  uintptr_t begin;
  uint64_t bytes;
} block;

static talweg_lib_status refuse(const block* of, talweg_lib_status status, const char* what,
                                talweg_lib_error* error) {
  fail(error, status, of->name);
  talweg_put(core_error(error), what);
  return status;
}

static talweg_lib_status check_block(const block* of, uint64_t alignment, talweg_lib_error* error) {
  if (of->bytes == 0) return TALWEG_LIB_OK;
  if (of->begin == 0) return refuse(of, TALWEG_LIB_BAD_ARGUMENT, " is null", error);
  if (of->begin % alignment != 0)
    return refuse(of, TALWEG_LIB_BAD_ARGUMENT, " is not aligned as measured", error);
  if (of->bytes > UINTPTR_MAX - of->begin)
    return refuse(of, TALWEG_LIB_TOO_LARGE, " goes past the end of memory", error);
  return TALWEG_LIB_OK;
}

static int share_memory(const block* a, const block* b) {
  return a->bytes > 0 && b->bytes > 0 && a->begin < b->begin + b->bytes &&
         b->begin < a->begin + a->bytes;
}

talweg_lib_status talweg_lib_check_given(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                         const talweg_lib_sizes* sizes, const void* control_memory,
                                         const void* state_memory, talweg_lib_error* error) {
  const block given[2] = {
      {"the control memory", (uintptr_t)control_memory, sizes->control_bytes},
      {"the state memory", (uintptr_t)state_memory, sizes->state_bytes},
  };
  talweg_lib_status status = check_block(&given[0], sizes->control_alignment, error);
  if (status == TALWEG_LIB_OK) status = check_block(&given[1], sizes->state_alignment, error);
  if (status != TALWEG_LIB_OK) return status;
  if (share_memory(&given[0], &given[1]))
    return refuse(&given[0], TALWEG_LIB_OVERLAP, " shares memory with the state memory", error);
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    const talweg_lib_tensor* tensor = &spec->tensors[t];
    uint64_t bytes = talweg_dtype_bytes(rule->variants[0].image->compute_dtype);
    for (uint32_t i = 0; i < tensor->rank; ++i) bytes *= tensor->shape[i];
    if (!tensor->param) continue; /* which creation refuses if there are elements */
    const block param = {tensor->name, (uintptr_t)tensor->param, bytes};
    for (int i = 0; i < 2; ++i) {
      if (!share_memory(&given[i], &param)) continue;
      refuse(&given[i], TALWEG_LIB_OVERLAP, " shares memory with tensor ", error);
      talweg_put_name(core_error(error), tensor->name);
      return TALWEG_LIB_OVERLAP;
    }
  }
  return TALWEG_LIB_OK;
}
