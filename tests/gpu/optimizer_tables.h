/* The tables of an optimizer that the folds of its step read and write. */
#ifndef TALWEG_TESTS_GPU_OPTIMIZER_TABLES_H
#define TALWEG_TESTS_GPU_OPTIMIZER_TABLES_H

#include "runtime/gpu/program.h"
#include "runtime/optimizer/step.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct number_table {
  double* numbers;
  uint64_t count;
} number_table;

#define PARTIAL_TABLES 7

/* In its control memory, which begins with the optimizer itself. */
typedef struct optimizer_tables {
  number_table partials[PARTIAL_TABLES]; /* what functions and passes leave to be folded */
  number_table reduced, tensor_reduced, matrix_reduced;
  number_table columns;            /* the one of partials that folds write, too */
  uint8_t* takes_part;             /* [tensor] */
  uint8_t* in_domain;              /* [tensor][domain] */
  const talweg_matrix_view* views; /* [tensor], or null */
  uint64_t control_bytes;
} optimizer_tables;

optimizer_tables tables_of(talweg_optimizer* optimizer);

/* talweg_fold_reductions and talweg_gpu_add_folds, whose headers are for C only. */
void fold_phase_on_host(talweg_optimizer* optimizer, uint32_t phase);
void add_folds_of_phase(talweg_gpu_program* program, const talweg_optimizer* optimizer,
                        uint32_t phase);

#ifdef __cplusplus
}
#endif

#endif
