/* Folds a sequence of values into one, in the order that talweg_reduction_info fixes. The order
 * depends on how many values there are, never on when or by whom they were made. Allocates nothing:
 * a sequence that comes value by value is kept as 64 lanes a level of blocks. */
#ifndef TALWEG_OPTIMIZER_FOLD_H
#define TALWEG_OPTIMIZER_FOLD_H

#include <stdint.h>

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TALWEG_FOLD_LANES 64u
#define TALWEG_FOLD_BLOCK 1024u
/* Blocks, blocks of blocks, ...: enough for 2^40 values. */
#define TALWEG_FOLD_LEVELS 4u

/* One level: the values themselves, or one result a block of the level below. */
typedef struct talweg_fold_level {
  double lanes[TALWEG_FOLD_LANES]; /* of the block at `position`, where it has a value */
  uint64_t position;               /* of the next value */
  int has_value;
} talweg_fold_level;

typedef struct talweg_folding {
  uint32_t fold; /* talweg_fold */
  talweg_fold_level levels[TALWEG_FOLD_LEVELS];
} talweg_folding;

/* The value that changes nothing: +0, +infinity, -infinity. */
double talweg_fold_start(uint32_t fold);

/* All values at hand: at most 2^40, as below. */
double talweg_fold_sequence(uint32_t fold, const double* values, uint64_t count);

/* The sequence of one value: the start changes no bit but the sign of a sum that is -0. */
static inline double talweg_fold_one(uint32_t fold, double value) {
  return fold == TALWEG_FOLD_SUM ? 0 + value : value;
}

/* fold_columns.c: the same for each column of a table of `count` rows, `stride` values apart. */
void talweg_fold_columns(uint32_t fold, const double* values, uint64_t count, uint64_t stride,
                         uint64_t column_count, double* results);

/* Value i joins lane i. */
void talweg_join_lanes(uint32_t fold, double* lanes, const double* values, uint32_t count);

/* Value by value: begin, then values and gaps in their order, then end, once. */
void talweg_begin_fold(talweg_folding* folding, uint32_t fold);
void talweg_fold_value(talweg_folding* folding, double value);
void talweg_fold_values(talweg_folding* folding, const double* values, uint64_t count);
/* As if `count` times the fold's start followed; costs next to nothing. */
void talweg_fold_gap(talweg_folding* folding, uint64_t count);
double talweg_end_fold(talweg_folding* folding);

#ifdef __cplusplus
}
#endif

#endif
