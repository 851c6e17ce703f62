/* The embedding library's part of runtime/standalone: a compiled rule has one variant, which was
 * chosen when it was compiled, and code for GPUs when it is asked for. */
#include "compiler/embed/optimizers.h"
#include "runtime/standalone/internal.h"

talweg_lib_status talweg_lib_choose(const talweg_lib_rule* rule, const talweg_lib_variant** variant,
                                    talweg_lib_error* error) {
  (void)error;
  *variant = &rule->variants[0];
  return TALWEG_LIB_OK;
}

talweg_lib_status talweg_lib_choose_gpu(const talweg_lib_rule* rule, uint32_t architecture,
                                        const talweg_lib_gpu_code** code, uint32_t* oldest,
                                        talweg_lib_error* error) {
  return talweg_embed_choose_gpu(rule, architecture, code, oldest, error);
}

const talweg_lib_rule* talweg_embed_code_of(const talweg_lib_optimizer* optimizer) {
  return optimizer->rule;
}
