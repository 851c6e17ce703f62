/* What the rule has bound in a phase, as check_bound of the host's scalars.c; and where a skipped
 * call ends. One warp. */
#include "runtime/gpu/device/threads.h"
#include "runtime/gpu/step_tables.h"
#include "runtime/optimizer/hyper_range.h"

/* Of rows and hypers numbered through, in the order in which the host looks at them: the first that
 * this thread finds refused; or `none`. */
static inline double first_refused(const talweg_gpu_step* step, uint32_t phase, double none) {
  for (uint64_t row = lane_of_warp(); row < step->row_count; row += TALWEG_GPU_WARP) {
    if (row > 0 && !step->group_has_tensor[row - 1]) continue;
    for (uint32_t h = 0; h < step->hyper_count; ++h) {
      const talweg_hyper_info* hyper = &step->hypers[h];
      const uint64_t entry = row * step->hyper_count + h;
      if (!hyper->bound || hyper->rate != (row == 0 ? TALWEG_RATE_MODEL : TALWEG_RATE_GROUP) ||
          step->unbound[entry] || hyper->bound_phase != phase)
        continue;
      if (!talweg_accepts(hyper, step->bound[entry], (int)step->is_float)) return (double)entry;
    }
  }
  return none;
}

static inline int keeps_some(const talweg_gpu_step* step) {
  for (uint32_t s = 0; s < step->state_count; ++s)
    if (step->kept[s]) return 1;
  return 0;
}

TALWEG_KERNEL talweg_gpu_check(const talweg_gpu_step* step, uint64_t phase, uint64_t ends,
                               const uint32_t* stop) {
  const int stops = *stop != 0;
  wait_for_block(); /* before `stop` is written */
  if (stops) return;
  const double none = (double)(step->row_count * step->hyper_count);
  const double first = least_of_warp(first_refused(step, (uint32_t)phase, none));
  if (lane_of_warp() != 0) return;
  if (first < none) {
    const uint64_t entry = (uint64_t)first;
    step->report->number = (uint32_t)(entry % step->hyper_count);
    step->report->where = entry / step->hyper_count;
    step->report->value = step->bound[entry];
    step->report->refused = TALWEG_GPU_BOUND_HYPER;
    step->progress->refused = 1;
    step->progress->stop = 1;
  } else if (ends && *step->outcome == TALWEG_SKIPPED && !keeps_some(step)) {
    step->progress->stop = 1;
  }
}
