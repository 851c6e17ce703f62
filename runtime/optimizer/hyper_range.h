/* Whether a hyper may have a value: the same on the host and on devices. */
#ifndef TALWEG_OPTIMIZER_HYPER_RANGE_H
#define TALWEG_OPTIMIZER_HYPER_RANGE_H

#include "runtime/abi/talweg_abi.h"

#define TALWEG_MAX_EXACT_INTEGER 9007199254740992.0 /* 2^53 */

static inline int talweg_is_in_range(const talweg_hyper_info* hyper, double value) {
  return (hyper->low_closed ? value >= hyper->low : value > hyper->low) &&
         (hyper->high_closed ? value <= hyper->high : value < hyper->high);
}

static inline int talweg_is_integer(double value) {
  return value >= -TALWEG_MAX_EXACT_INTEGER && value <= TALWEG_MAX_EXACT_INTEGER &&
         (double)(int64_t)value == value;
}

/* What a value becomes where it enters array arithmetic. */
static inline double talweg_rounded_hyper(const talweg_hyper_info* hyper, double value,
                                          int is_float) {
  return hyper->rounds && is_float ? (double)(float)value : value;
}

static inline int talweg_accepts(const talweg_hyper_info* hyper, double value, int is_float) {
  if (value != value) return 0;
  if (hyper->kind == TALWEG_HYPER_BOOL && value != 0 && value != 1) return 0;
  if (hyper->kind == TALWEG_HYPER_INT && !talweg_is_integer(value)) return 0;
  return talweg_is_in_range(hyper, value) &&
         talweg_is_in_range(hyper, talweg_rounded_hyper(hyper, value, is_float));
}

#endif
