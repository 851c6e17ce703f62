/* Which of a rule's codes for GPUs runs on a device: PTX is for an architecture and all newer ones.
 */
#include "runtime/standalone/internal.h"

talweg_lib_status talweg_lib_choose_gpu(const talweg_lib_rule* rule, uint32_t architecture,
                                        const talweg_lib_gpu_code** code, uint32_t* oldest,
                                        talweg_lib_error* error) {
  (void)error;
  *code = 0;
  *oldest = rule->gpu_codes[0].architecture;
  for (uint32_t i = 0; i < rule->gpu_code_count; ++i)
    if (rule->gpu_codes[i].architecture <= architecture) *code = &rule->gpu_codes[i];
  return TALWEG_LIB_OK;
}
