/* Which of a rule's codes for GPUs runs on a device: PTX is for an architecture and all newer ones.
 */
#include "runtime/standalone/internal.h"

/* "9.0" */
static void put_capability(talweg_lib_error* error, uint32_t architecture) {
  talweg_put_count(core_error(error), architecture / 10);
  talweg_put(core_error(error), ".");
  talweg_put_count(core_error(error), architecture % 10);
}

talweg_lib_status talweg_lib_choose_gpu(const talweg_lib_rule* rule, uint32_t architecture,
                                        const talweg_lib_gpu_code** code, talweg_lib_error* error) {
  for (uint32_t i = rule->gpu_code_count; i > 0; --i) {
    *code = &rule->gpu_codes[i - 1];
    if ((*code)->architecture <= architecture) return TALWEG_LIB_OK;
  }
  fail(error, TALWEG_LIB_NOT_SERVED, "the device is of compute capability ");
  put_capability(error, architecture);
  talweg_put(core_error(error), "; the library has code for ");
  put_capability(error, rule->gpu_codes[0].architecture);
  talweg_put(core_error(error), " and newer ones");
  return TALWEG_LIB_NOT_SERVED;
}
