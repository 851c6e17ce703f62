/* Writes the tables of runs that the folds of a GPU go through: fold_tables.h. Twice with the same
 * calls: first with null pointers, which only counts, then into memory of that size. */
#ifndef TALWEG_GPU_FOLD_RUNS_H
#define TALWEG_GPU_FOLD_RUNS_H

#include "runtime/gpu/fold_tables.h"
#include "runtime/optimizer/fold.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed, but for the pointers, before it is written to. */
typedef struct talweg_run_table {
  talweg_fold_run* runs[TALWEG_FOLD_LEVELS]; /* null: to count */
  uint64_t counts[TALWEG_FOLD_LEVELS];       /* each level that has any is a launch, in order */
  uint64_t scratch;                          /* values, of each fold */
} talweg_run_table;

typedef struct talweg_column_table {
  talweg_column_run* runs[TALWEG_FOLD_LEVELS];
  uint64_t counts[TALWEG_FOLD_LEVELS];
  uint64_t scratch;
} talweg_column_table;

/* A sequence of `count` values from index `first` on, of one tensor. */
void talweg_add_sequence(talweg_run_table* table, uint64_t first, uint64_t count, uint64_t result,
                         uint32_t tensor);

/* The tensors of a group, ascending; or (null, and NO_OWNER for the group) all of a model, or all
 * groups. Level 0 is for talweg_gpu_fold_members, the others for talweg_gpu_fold_runs. */
void talweg_add_members(talweg_run_table* table, const uint32_t* members, uint32_t count,
                        uint64_t result, uint32_t group);

/* Each of `columns` columns of `count` values, `columns` apart, from index `first` on. */
void talweg_add_columns(talweg_column_table* table, uint64_t first, uint64_t count,
                        uint64_t columns, uint64_t result, uint32_t tensor);

#ifdef __cplusplus
}
#endif

#endif
