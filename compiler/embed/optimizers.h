/* Optimizers of compiled rules: those of runtime/standalone, which here hold their rule. */
#ifndef TALWEG_EMBED_OPTIMIZERS_H
#define TALWEG_EMBED_OPTIMIZERS_H

#include "runtime/standalone/rule.h"
#include "runtime/standalone/table.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const talweg_lib_functions talweg_embed_functions;

/* What an optimizer was made from. */
const talweg_lib_rule* talweg_embed_code_of(const talweg_lib_optimizer* optimizer);

/* talweg_lib_choose_gpu; compiles the kernels where that has not been done. */
talweg_lib_status talweg_embed_choose_gpu(const talweg_lib_rule* rule, uint32_t architecture,
                                          const talweg_lib_gpu_code** code, uint32_t* oldest,
                                          talweg_lib_error* error);

/* talweg_lib_destroy, and the end of the optimizer's hold on its rule. */
void talweg_embed_destroy(talweg_lib_optimizer* optimizer);

#ifdef __cplusplus
}
#endif

#endif
