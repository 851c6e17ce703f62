/* A column a thread, so that a warp reads what lies side by side. The halves of 64 lanes are a
 * tree: eight lanes that are eight apart are folded in registers, from 32 to 8, and so eight times,
 * in an order in which three registers hold what waits for its other half. See fold_tables.h. */
#include "runtime/gpu/device/join.h"
#include "runtime/gpu/device/threads.h"
#include "runtime/optimizer/fold.h"

#define APART 8u /* lanes at a time, and how far apart they are */

/* Lanes at, at + 8, ..., at + 56. */
static inline double fold_eight(uint32_t fold, const double* values, uint64_t stride,
                                uint32_t count, uint32_t at) {
  double lanes[APART]; /* registers: all loops over it are unrolled */
  const double start = start_of(fold);
#pragma unroll
  for (uint32_t i = 0; i < APART; ++i) lanes[i] = start;
#pragma nounroll
  for (uint32_t first = at; first < count; first += TALWEG_FOLD_LANES) {
#pragma unroll
    for (uint32_t i = 0; i < APART; ++i) {
      /* Reads without a branch, all at once. To join the start changes nothing. */
      const uint32_t row = first + i * APART;
      const double value = values[(row < count ? row : first) * stride];
      lanes[i] = join(fold, lanes[i], row < count ? value : start);
    }
  }
#pragma unroll
  for (uint32_t half = APART / 2; half > 0; half /= 2) {
#pragma unroll
    for (uint32_t i = 0; i < half; ++i) lanes[i] = join(fold, lanes[i], lanes[i + half]);
  }
  return lanes[0];
}

static inline double fold_column(uint32_t fold, const double* values, uint64_t stride,
                                 uint32_t count) {
  double fours = 0, twos = 0, ones = 0; /* what waits for lanes 4, 2 and 1 behind it */
  for (uint32_t i = 0;; ++i) {
    const uint32_t at = (i & 1) * 4 + (i & 2) + i / 4; /* 0, 4, 2, 6, 1, 5, 3, 7 */
    double value = fold_eight(fold, values, stride, count, at);
    if (!(i & 1)) {
      fours = value;
      continue;
    }
    value = join(fold, fours, value);
    if (!(i & 2)) {
      twos = value;
      continue;
    }
    value = join(fold, twos, value);
    if (!(i & 4)) {
      ones = value;
      continue;
    }
    return join(fold, ones, value);
  }
}

TALWEG_KERNEL talweg_gpu_fold_columns(const talweg_gpu_folds* args, const uint32_t* stop) {
  if (*stop != 0) return;
  for (uint32_t f = first_fold(); f < args->fold_count; f += fold_step()) {
    const talweg_gpu_fold* of = &args->folds[f];
    for (uint64_t i = first_warp(); i < of->run_count; i += warp_count()) {
      const talweg_column_run* run = (const talweg_column_run*)of->runs + i;
      if (!ranges_over(args, of, run->tensor)) continue;
      const double* values = (run->from_scratch ? of->scratch : of->values) + run->first;
      for (uint32_t c = lane_of_warp(); c < run->columns; c += TALWEG_GPU_WARP) {
        const double value = fold_column(of->fold, values + c, run->stride, run->count);
        if (run->to_scratch)
          of->scratch[run->result + c] = value;
        else
          of->results[(run->result + c) * of->stride] = value;
      }
    }
  }
}
