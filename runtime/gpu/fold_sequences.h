/* The sequences that an optimizer folds, as runs in the tables of a program. */
#ifndef TALWEG_GPU_FOLD_SEQUENCES_H
#define TALWEG_GPU_FOLD_SEQUENCES_H

#include "runtime/gpu/fold_runs.h"
#include "runtime/gpu/program.h"
#include "runtime/optimizer/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Named by the values and by what they are folded to. */
typedef enum talweg_sequences {
  TALWEG_BLOCKS_TO_COLS = 0, /* talweg_column_run; all others talweg_fold_run */
  TALWEG_ROWS_TO_MATRICES,
  TALWEG_COLS_TO_MATRICES,
  TALWEG_MATRICES_TO_TENSORS,
  TALWEG_CHUNKS_TO_TENSORS,
  TALWEG_TENSORS_TO_TENSORS, /* one value each */
  TALWEG_TENSORS_TO_GROUPS,  /* level 0 of this and of what follows is of members */
  TALWEG_TENSORS_TO_MODEL,
  TALWEG_GROUPS_TO_MODEL,
  TALWEG_SEQUENCES_COUNT
} talweg_sequences;

/* Of all tensors, whether they take part or not. */
typedef struct talweg_runs_there {
  uint64_t runs[TALWEG_FOLD_LEVELS]; /* on the device */
  uint64_t counts[TALWEG_FOLD_LEVELS];
  uint64_t scratch; /* values, of each fold */
} talweg_runs_there;

talweg_runs_there talweg_carve_sequences(talweg_gpu_program* program,
                                         const talweg_optimizer* optimizer,
                                         talweg_sequences sequences);

#ifdef __cplusplus
}
#endif

#endif
