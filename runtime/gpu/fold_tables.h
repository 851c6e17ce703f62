/* What the folds of a step are on a GPU: tables in its memory that the host writes once, and that
 * the kernels of device/ go through. Their order is that of talweg_reduction_info, and so is every
 * bit of a result.
 *
 * A sequence is cut into runs of at most TALWEG_FOLD_BLOCK values, each within one block. Where
 * there are several, the fold of each goes to scratch, and the runs of the next level, which is
 * another launch, make a sequence of these. fold_runs.h writes such tables. */
#ifndef TALWEG_GPU_FOLD_TABLES_H
#define TALWEG_GPU_FOLD_TABLES_H

#include <stdint.h>

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of an owner or a domain: there is none, nothing is left out. */
#define TALWEG_NO_OWNER UINT32_MAX

/* Some values of one block, one behind the other. Where in its block it begins does not matter:
 * lanes meet by their numbers modulo 32, 16, ..., which a shift of all does not change, and to join
 * two values in either order is the same. */
typedef struct talweg_fold_run {
  uint64_t first;  /* index of the first value */
  uint64_t result; /* place of the result */
  uint32_t owner;  /* the tensor whose values they are; of members the group: see the kernels */
  uint16_t count;  /* 0 to TALWEG_FOLD_BLOCK */
  uint8_t from_scratch;
  uint8_t to_scratch;
} talweg_fold_run;

/* Some columns of one block of rows of a table: values of a column are `stride` apart. */
typedef struct talweg_column_run {
  uint64_t first;  /* index of the first value of the first column */
  uint64_t result; /* place of the result of the first column; of others, those behind it */
  uint64_t stride;
  uint32_t tensor;  /* whose columns they are */
  uint32_t columns; /* best at most TALWEG_GPU_WARP */
  uint16_t count;   /* values of a column, 0 to TALWEG_FOLD_BLOCK */
  uint8_t from_scratch;
  uint8_t to_scratch;
  uint32_t reserved;
} talweg_column_run;

/* One reduction, over its runs. */
typedef struct talweg_gpu_fold {
  const void* runs; /* talweg_fold_run or talweg_column_run */
  uint64_t run_count;
  const double* values; /* null: each value is 1 */
  double* scratch;      /* of this reduction alone */
  double* results;      /* places are `stride` apart */
  uint64_t stride;
  uint64_t value_stride; /* from one of `values` to the next; of columns, their runs say it */
  uint32_t copies;       /* of a result, at its place and those behind it */
  uint32_t fold;         /* talweg_fold */
  uint32_t domain;       /* or TALWEG_NO_OWNER */
  uint32_t of_groups;    /* 1: members are groups, not tensors */
  const double* present; /* [group] of groups: 0 for those that count as the start */
} talweg_gpu_fold;

/* The argument of the kernels. */
typedef struct talweg_gpu_folds {
  const talweg_gpu_fold* folds;
  const uint8_t* takes_part;     /* [tensor] */
  const uint8_t* in_domain;      /* [tensor][domain_count] */
  const uint32_t* tensor_groups; /* [tensor] */
  uint32_t fold_count, domain_count;
} talweg_gpu_folds;

/* The kernels, all of (const talweg_gpu_folds*, const uint32_t* stop): nothing is done where *stop
 * is not 0. One dimension of threads, a multiple of TALWEG_GPU_WARP; any number of blocks, y over
 * the folds. Nothing that differs from step to step changes a launch.
 *
 *   talweg_gpu_fold_runs     A run is of the values of its owner. Where that takes no part, or is
 *                            not in the domain, the fold's start is the result.
 *   talweg_gpu_fold_members  Value i is that of tensor i, and the owner is a group: tensors that
 *                            are not in it (NO_OWNER: all are), take no part or are not in the
 *                            domain count as the start. Or value i is that of group i.
 *   talweg_gpu_fold_columns  As talweg_gpu_fold_runs, but where the tensor is left out, its results
 *                            stay as they are.
 *
 * Counts are folds too: of the numbers of elements of tensors, or without values. What of the
 * groups is present for groups that are folded is the count of their tensors. */

#ifdef __cplusplus
}
#endif

#endif
