/* What stands between an optimizer and a device, where tensors, states and scratch lie in memory
 * that the host cannot touch. The optimizer's own tables (its control memory) are then memory that
 * both can, functions of its image but for those that place tensors are handles of the device's,
 * and there is no parallel_for.
 *
 * What is asked of a device is done when the call returns, but for `step` and `begin_copy`. What
 * fails it remembers: it does nothing more then, until `failure` was asked. */
#ifndef TALWEG_OPTIMIZER_DEVICE_H
#define TALWEG_OPTIMIZER_DEVICE_H

#include "runtime/optimizer/step.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a function goes over. */
typedef enum talweg_work {
  TALWEG_WORK_ROW = 0,     /* one talweg_scalar_args */
  TALWEG_WORK_TENSORS = 1, /* these and all below: talweg_pass_args */
  TALWEG_WORK_LINES = 2,   /* chunks of matrices, rows or columns */
  TALWEG_WORK_BLOCKS = 3,  /* row blocks */
  TALWEG_WORK_CHUNKS = 4,  /* always all of them */
} talweg_work;

typedef void (*talweg_handle)(void);

struct talweg_device_calls {
  void (*run)(void* context, talweg_work work, talweg_handle function, const void* args,
              uint32_t begin, uint32_t end);
  /* Of elements; from wherever to wherever. */
  void (*copy)(void* context, void* to, const void* from, uint64_t bytes);
  /* The same, one of many: done when `finish_copies` returns, which is to be called whatever
   * failed. */
  void (*begin_copy)(void* context, void* to, const void* from, uint64_t bytes);
  void (*finish_copies)(void* context);
  /* Values of rows or columns, into a table of theirs; null: zeros. In the order of steps: it need
   * not be done when the call returns. */
  void (*put)(void* context, void* to, const void* from, uint64_t bytes);
  /* Inputs that are numbers and lie in the device's memory are brought to where functions find
   * them, in place of what was given. */
  void (*inputs)(void* context);
  void (*fill)(void* context, void* start, uint64_t element_count, uint32_t dtype, double value);
  /* A whole step, where the device goes through it by itself: 1, with what talweg_step is to
   * return. It has been begun then, not done. 0: the host leads through it. What was given is bound
   * then; nothing else has happened. */
  int (*step)(void* context, talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
              talweg_status* status, talweg_outcome* outcome, talweg_error* error);
  /* Waits for steps, and brings back what of the optimizer's tables they have changed. Before any
   * of that is read or written. */
  talweg_status (*settle)(void* context, talweg_optimizer* optimizer, talweg_error* error);
  talweg_status (*failure)(void* context, talweg_error* error);
};

#ifdef __cplusplus
}
#endif

#endif
