/* How two values are folded, and what takes part: as in fold.c and reductions.c of the optimizer.
 */
#ifndef TALWEG_GPU_DEVICE_JOIN_H
#define TALWEG_GPU_DEVICE_JOIN_H

#include "runtime/gpu/fold_tables.h"

static inline double start_of(uint32_t fold) {
  if (fold == TALWEG_FOLD_SUM) return 0;
  return fold == TALWEG_FOLD_MIN ? __builtin_inf() : -__builtin_inf();
}

/* Without branches. What is not chosen for a reason of `a` is `b`, a NaN too. */
static inline double lesser(double a, double b) {
  const int is_a = (a != a) | (a < b) | ((a == b) & (__builtin_signbit(a) != 0)); /* -0 below +0 */
  return is_a ? a : b;
}

static inline double greater(double a, double b) {
  const int is_a = (a != a) | (a > b) | ((a == b) & (__builtin_signbit(b) != 0));
  return is_a ? a : b;
}

static inline double join(uint32_t fold, double lane, double value) {
  if (fold == TALWEG_FOLD_SUM) return lane + value;
  return fold == TALWEG_FOLD_MIN ? lesser(lane, value) : greater(lane, value);
}

static inline int ranges_over(const talweg_gpu_folds* args, const talweg_gpu_fold* of,
                              uint32_t tensor) {
  return args->takes_part[tensor] &&
         (of->domain == TALWEG_NO_OWNER ||
          args->in_domain[(uint64_t)tensor * args->domain_count + of->domain]);
}

#endif
