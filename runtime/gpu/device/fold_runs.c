/* A run a warp: thread t has lanes t and t + 32. See fold_tables.h. */
#include "runtime/gpu/device/join.h"
#include "runtime/gpu/device/threads.h"
#include "runtime/optimizer/fold.h"

/* Whether value `index` is one of those that a run of members folds. */
static inline int is_member(const talweg_gpu_folds* args, const talweg_gpu_fold* of, uint32_t owner,
                            uint64_t index) {
  if (of->of_groups) return of->present[index] != 0;
  return (owner == TALWEG_NO_OWNER || args->tensor_groups[index] == owner) &&
         ranges_over(args, of, (uint32_t)index);
}

static inline __attribute__((always_inline)) double fold_run(const talweg_gpu_folds* args,
                                                             const talweg_gpu_fold* of,
                                                             const talweg_fold_run* run,
                                                             int of_members) {
  const uint32_t fold = of->fold, count = run->count;
  const double start = start_of(fold);
  const double* values = run->from_scratch ? of->scratch : of->values;
  const uint64_t stride = run->from_scratch ? 1 : of->value_stride;
  double low = start, high = start;
  for (uint32_t i = lane_of_warp(); i < count; i += TALWEG_FOLD_LANES) {
    const uint64_t index = run->first + i, other = index + TALWEG_FOLD_LANES / 2;
    int has_low = 1, has_high = i + TALWEG_FOLD_LANES / 2 < count;
    if (of_members) {
      has_low = is_member(args, of, run->owner, index);
      has_high = has_high && is_member(args, of, run->owner, other);
    }
    /* To join the start changes nothing. */
    const double first = has_low ? (values ? values[index * stride] : 1) : start;
    const double second = has_high ? (values ? values[other * stride] : 1) : start;
    low = join(fold, low, first);
    high = join(fold, high, second);
  }
  double value = join(fold, low, high);
  for (int half = TALWEG_FOLD_LANES / 4; half > 0; half /= 2)
    value = join(fold, value, from_other(value, half));
  return value;
}

static inline void store(const talweg_gpu_fold* of, const talweg_fold_run* run, double value) {
  if (run->to_scratch) {
    if (lane_of_warp() == 0) of->scratch[run->result] = value;
    return;
  }
  for (uint32_t i = lane_of_warp(); i < of->copies; i += TALWEG_GPU_WARP)
    of->results[(run->result + i) * of->stride] = value;
}

TALWEG_KERNEL talweg_gpu_fold_runs(const talweg_gpu_folds* args, const uint32_t* stop) {
  if (*stop != 0) return;
  for (uint32_t f = first_fold(); f < args->fold_count; f += fold_step()) {
    const talweg_gpu_fold* of = &args->folds[f];
    for (uint64_t i = first_warp(); i < of->run_count; i += warp_count()) {
      const talweg_fold_run* run = (const talweg_fold_run*)of->runs + i;
      const int is_its = run->owner == TALWEG_NO_OWNER || ranges_over(args, of, run->owner);
      store(of, run, is_its ? fold_run(args, of, run, 0) : start_of(of->fold));
    }
  }
}

TALWEG_KERNEL talweg_gpu_fold_members(const talweg_gpu_folds* args, const uint32_t* stop) {
  if (*stop != 0) return;
  for (uint32_t f = first_fold(); f < args->fold_count; f += fold_step()) {
    const talweg_gpu_fold* of = &args->folds[f];
    for (uint64_t i = first_warp(); i < of->run_count; i += warp_count()) {
      const talweg_fold_run* run = (const talweg_fold_run*)of->runs + i;
      store(of, run, fold_run(args, of, run, 1));
    }
  }
}
