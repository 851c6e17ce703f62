/* What a phase's reductions fold, in stages: each goes on from what the one before has made, and
 * folds once for a reduction at most. */
#ifndef TALWEG_GPU_FOLD_STAGES_H
#define TALWEG_GPU_FOLD_STAGES_H

#include "runtime/gpu/fold_sequences.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum talweg_fold_stage {
  TALWEG_STAGE_COLS = 0, /* row blocks to columns */
  TALWEG_STAGE_MATRICES, /* rows and columns to matrices */
  TALWEG_STAGE_TENSORS,  /* matrices and chunks to tensors */
  TALWEG_STAGE_GROUPS,   /* tensors to groups, and to the model */
  TALWEG_STAGE_MODEL,    /* groups to the model */
  TALWEG_STAGE_COUNT
} talweg_fold_stage;

/* Values that only later stages read: an array for each reduction that needs one, or for several of
 * the same values. */
typedef enum talweg_between {
  TALWEG_OF_MATRICES = 0, /* [matrix] */
  TALWEG_OF_TENSORS,      /* [tensor] */
  TALWEG_OF_GROUPS,       /* [group] how many of its tensors a reduction of groups ranges over */
  TALWEG_BETWEEN_COUNT
} talweg_between;

typedef struct talweg_phase_folds {
  talweg_gpu_program* program;
  const talweg_optimizer* optimizer;
  const talweg_kernels* kernels; /* of the step */
  uint32_t phase;
  int chunks_are_tensors;                /* each tensor has one chunk: its value is the tensor's */
  uint64_t arrays[TALWEG_BETWEEN_COUNT]; /* on the device: one behind the other */
  uint64_t element_counts;               /* [tensor] on the device, as numbers to be added */
} talweg_phase_folds;

typedef struct talweg_found_fold {
  talweg_gpu_fold fold; /* but for its runs and scratch */
  talweg_sequences sequences;
} talweg_found_fold;

/* How many arrays the first reductions of the step need; of how many values one is. */
uint32_t talweg_count_arrays(const talweg_phase_folds* of, talweg_between array,
                             uint32_t reduction_end);
uint64_t talweg_length_between(const talweg_phase_folds* of, talweg_between array);

/* What a stage folds for a reduction; 0: nothing. Some stages have several turns, which follow one
 * another: from 0 on, until one has nothing for any reduction. */
int talweg_find_fold(const talweg_phase_folds* of, talweg_fold_stage stage, uint32_t turn,
                     uint32_t reduction, talweg_found_fold* to);

#ifdef __cplusplus
}
#endif

#endif
