/* The folds of a step's phases as launches: which kernels of device/ run, over which tables, so
 * that what functions of a phase find reduced is what runtime/optimizer/reductions.c folds. Made
 * once. */
#ifndef TALWEG_GPU_FOLD_PROGRAM_H
#define TALWEG_GPU_FOLD_PROGRAM_H

#include "runtime/gpu/program.h"
#include "runtime/optimizer/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Adds the launches that fold what a phase of the image's step reduces, in order. `optimizer` has
 * its tables in control memory, whose copy on the device begins at program->control. */
void talweg_gpu_add_folds(talweg_gpu_program* program, const talweg_optimizer* optimizer,
                          uint32_t phase);

#ifdef __cplusplus
}
#endif

#endif
