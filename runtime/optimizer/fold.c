/* See fold.h. What the order leaves to us: a lane that nothing joined holds the fold's start, which
 * changes no lane that it meets (a sum that begins at +0 is never -0), so such lanes are left out,
 * and so are blocks that consist of them. For the same reason a sequence of one result is that
 * result, and blocks may join the next level before it is known whether there will be others. */
#include "runtime/optimizer/fold.h"

double talweg_fold_start(uint32_t fold) {
  if (fold == TALWEG_FOLD_SUM) return 0;
  return fold == TALWEG_FOLD_MIN ? __builtin_inf() : -__builtin_inf();
}

static double lesser(double a, double b) {
  if (a != a || b != b) return a != a ? a : b;
  if (a == b) return __builtin_signbit(a) ? a : b; /* -0 is below +0 */
  return a < b ? a : b;
}

static double greater(double a, double b) {
  if (a != a || b != b) return a != a ? a : b;
  if (a == b) return __builtin_signbit(a) ? b : a;
  return a > b ? a : b;
}

static inline double join(uint32_t fold, double lane, double value) {
  if (fold == TALWEG_FOLD_SUM) return lane + value;
  return fold == TALWEG_FOLD_MIN ? lesser(lane, value) : greater(lane, value);
}

void talweg_join_lanes(uint32_t fold, double* lanes, const double* values, uint32_t count) {
  if (fold == TALWEG_FOLD_SUM)
    for (uint32_t i = 0; i < count; ++i) lanes[i] += values[i];
  else if (fold == TALWEG_FOLD_MIN)
    for (uint32_t i = 0; i < count; ++i) lanes[i] = lesser(lanes[i], values[i]);
  else
    for (uint32_t i = 0; i < count; ++i) lanes[i] = greater(lanes[i], values[i]);
}

/* By halves, of a block of `count` values. */
static double fold_lanes(uint32_t fold, double* lanes, uint32_t count) {
  uint32_t width = count < TALWEG_FOLD_LANES ? count : TALWEG_FOLD_LANES;
  for (uint32_t half = TALWEG_FOLD_LANES / 2; half > 0; half /= 2) {
    if (width <= half) continue;
    talweg_join_lanes(fold, lanes, lanes + half, width - half);
    width = half;
  }
  return lanes[0];
}

static double fold_block(uint32_t fold, const double* values, uint32_t count) {
  double lanes[TALWEG_FOLD_LANES];
  const uint32_t width = count < TALWEG_FOLD_LANES ? count : TALWEG_FOLD_LANES;
  lanes[0] = talweg_fold_start(fold); /* the result of no value */
  for (uint32_t i = 1; i < width; ++i) lanes[i] = lanes[0];
  for (uint32_t i = 0; i < count; i += TALWEG_FOLD_LANES)
    talweg_join_lanes(fold, lanes, values + i,
                      count - i < TALWEG_FOLD_LANES ? count - i : TALWEG_FOLD_LANES);
  return fold_lanes(fold, lanes, count);
}

double talweg_fold_sequence(uint32_t fold, const double* values, uint64_t count) {
  if (count <= TALWEG_FOLD_BLOCK) return fold_block(fold, values, (uint32_t)count);
  talweg_folding blocks;
  talweg_begin_fold(&blocks, fold);
  for (uint64_t i = 0; i < count; i += TALWEG_FOLD_BLOCK) {
    const uint64_t left = count - i;
    talweg_fold_value(&blocks,
                      fold_block(fold, values + i,
                                 left < TALWEG_FOLD_BLOCK ? (uint32_t)left : TALWEG_FOLD_BLOCK));
  }
  return talweg_end_fold(&blocks);
}

void talweg_begin_fold(talweg_folding* folding, uint32_t fold) {
  folding->fold = fold;
  for (uint32_t i = 0; i < TALWEG_FOLD_LEVELS; ++i) {
    folding->levels[i].position = 0;
    folding->levels[i].has_value = 0;
  }
}

/* Before a value of the block at a level's position. */
static void start_block(const talweg_folding* folding, talweg_fold_level* at) {
  if (at->has_value) return;
  const double start = talweg_fold_start(folding->fold);
  for (uint32_t i = 0; i < TALWEG_FOLD_LANES; ++i) at->lanes[i] = start;
  at->has_value = 1;
}

static void add_gap(talweg_folding* folding, uint32_t level, uint64_t count);

static void add_value(talweg_folding* folding, uint32_t level, double value) {
  /* A block that a value fills is one of the next level: one loop instead of a recursion. */
  for (;; ++level) {
    talweg_fold_level* at = &folding->levels[level];
    start_block(folding, at);
    double* lane = &at->lanes[at->position % TALWEG_FOLD_LANES];
    *lane = join(folding->fold, *lane, value);
    at->position += 1;
    if (at->position % TALWEG_FOLD_BLOCK != 0) return;
    at->has_value = 0;
    value = fold_lanes(folding->fold, at->lanes, TALWEG_FOLD_BLOCK);
  }
}

/* Ends the block at a level's position, which has come to its end. */
static void close_block(talweg_folding* folding, uint32_t level) {
  talweg_fold_level* at = &folding->levels[level];
  if (!at->has_value) {
    add_gap(folding, level + 1, 1);
    return;
  }
  at->has_value = 0;
  add_value(folding, level + 1, fold_lanes(folding->fold, at->lanes, TALWEG_FOLD_BLOCK));
}

static void add_gap(talweg_folding* folding, uint32_t level, uint64_t count) {
  talweg_fold_level* at = &folding->levels[level];
  const uint64_t room = TALWEG_FOLD_BLOCK - at->position % TALWEG_FOLD_BLOCK;
  at->position += count;
  if (count < room) return;
  close_block(folding, level);
  const uint64_t empty_blocks = (count - room) / TALWEG_FOLD_BLOCK;
  if (empty_blocks > 0) add_gap(folding, level + 1, empty_blocks);
}

void talweg_fold_value(talweg_folding* folding, double value) { add_value(folding, 0, value); }

void talweg_fold_values(talweg_folding* folding, const double* values, uint64_t count) {
  talweg_fold_level* at = &folding->levels[0];
  while (count > 0) {
    const uint32_t lane = (uint32_t)(at->position % TALWEG_FOLD_LANES);
    const uint32_t room = TALWEG_FOLD_LANES - lane;
    const uint32_t some = count < room ? (uint32_t)count : room;
    start_block(folding, at);
    talweg_join_lanes(folding->fold, at->lanes + lane, values, some);
    at->position += some;
    if (at->position % TALWEG_FOLD_BLOCK == 0) close_block(folding, 0);
    values += some;
    count -= some;
  }
}

void talweg_fold_gap(talweg_folding* folding, uint64_t count) {
  if (count > 0) add_gap(folding, 0, count);
}

double talweg_end_fold(talweg_folding* folding) {
  const uint32_t last = TALWEG_FOLD_LEVELS - 1;
  for (uint32_t level = 0; level < last; ++level) {
    talweg_fold_level* at = &folding->levels[level];
    if (!at->has_value) continue;
    const uint64_t in_block = at->position % TALWEG_FOLD_BLOCK;
    const double result = fold_lanes(folding->fold, at->lanes, (uint32_t)in_block);
    if (at->position < TALWEG_FOLD_BLOCK) return result; /* there is no other block */
    add_value(folding, level + 1, result);
  }
  talweg_fold_level* top = &folding->levels[last];
  if (!top->has_value) return talweg_fold_start(folding->fold);
  return fold_lanes(folding->fold, top->lanes, (uint32_t)top->position);
}
