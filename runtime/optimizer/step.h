/* One optimizer: tensors, groups, hypers, states, and the step over all of them. Freestanding C11:
 * allocates nothing, prints nothing, keeps no global state, uses of the C library only memcpy,
 * memset, strlen and strcmp. Generated libraries carry it; optimizer.hpp covers it for C++.
 *
 * A step, in order: what was given is checked; then the image's phases. Of each, what it reduces is
 * folded; its functions run, once for the model and once for each group that has tensors; the
 * hypers that they bind are checked; its functions run for tensors, then for matrices, rows and
 * columns; its pass over lines runs over the row blocks; and its pass runs over the chunk table,
 * split into contiguous parts. Passes before the last hyper is checked store nothing that persists.
 * Scalar states and counters come last. A refused step has changed nothing and counts as no call.
 *
 * A rule may skip a step or hold it (talweg_outcome): the call counts, `t` stays. A skipped call
 * that keeps nothing runs no more than the functions that say so.
 *
 * A rule may ask for another gradient (TALWEG_REGRAD): the call returns between two phases with the
 * parameters moved, and the next one goes on there. Both are one step, and count as one call.
 *
 * A step in which no tensor has a gradient completes like any other: scalar states and `t` advance.
 *
 * Every function may be given a null `error`. Functions that take an optimizer: one caller at a
 * time. */
#ifndef TALWEG_OPTIMIZER_STEP_H
#define TALWEG_OPTIMIZER_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/abi/talweg_abi.h"
#include "runtime/abi/talweg_tensor.h"
#include "runtime/optimizer/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct talweg_optimizer talweg_optimizer;
typedef struct talweg_device_calls talweg_device_calls; /* device.h */

#define TALWEG_CONTROL_ALIGNMENT 64u
#define TALWEG_MAX_THREADS 1024u

/* Copied by talweg_create, with all it points to but the image, the parameters and the context. */
typedef struct talweg_optimizer_spec {
  const talweg_image* image;
  const talweg_tensor* tensors;
  uint32_t tensor_count;
  uint32_t group_count;             /* at least 1 */
  talweg_parallel_for parallel_for; /* null: serial */
  void* parallel_context;
  uint32_t thread_count; /* parts that a pass is split into; 1 to TALWEG_MAX_THREADS. Never changes
                            results */
  const talweg_device_calls* device; /* in whose memory tensors and states are; null: the host's */
  void* device_context;              /* handed to its functions */
} talweg_optimizer_spec;

typedef struct talweg_optimizer_sizes {
  size_t control_bytes; /* of memory aligned to TALWEG_CONTROL_ALIGNMENT */
  size_t state_bytes;   /* of memory aligned to TALWEG_STATE_ALIGNMENT (state_layout.h); may be 0 */
} talweg_optimizer_sizes;

/* Checks a spec and says how much memory its optimizer needs. */
talweg_status talweg_measure(const talweg_optimizer_spec* spec, talweg_optimizer_sizes* sizes,
                             talweg_error* error);

/* Makes an optimizer in memory of the sizes that talweg_measure said; its content before does not
 * matter. The memory is the caller's, and is all there is to release. */
talweg_status talweg_create(const talweg_optimizer_spec* spec, void* control_memory,
                            void* state_memory, talweg_optimizer** optimizer, talweg_error* error);

/* Back to the moment of creation but for hypers: states, scalar states, `t` and calls. */
talweg_status talweg_reset(talweg_optimizer* optimizer, talweg_error* error);

#define TALWEG_ALL_GROUPS UINT32_MAX

/* `hyper` is its index in the image. A model hyper is set for all groups only, unless there is one
 * group. NaN, of a hyper that follows others: it follows them again. */
talweg_status talweg_set_hyper(talweg_optimizer* optimizer, uint32_t hyper, uint32_t group,
                               double value, talweg_error* error);
/* Whether talweg_set_hyper would accept the value. */
talweg_status talweg_check_hyper(const talweg_optimizer* optimizer, uint32_t hyper, uint32_t group,
                                 double value, talweg_error* error);
/* The value that was set; NaN of a hyper that follows others and was not. Both must exist. */
double talweg_hyper_as_set(const talweg_optimizer* optimizer, uint32_t hyper, uint32_t group);
/* The value that was set, or for a hyper that is bound, or follows others, the one of the last
 * completed step. */
talweg_status talweg_get_hyper(const talweg_optimizer* optimizer, uint32_t hyper, uint32_t group,
                               double* value, talweg_error* error);

/* What one step is given. All memory is the caller's; read during the call only. */
typedef struct talweg_step_inputs {
  const void* const* gradients; /* [tensor]; null: the tensor is left out. The array may be null
                                   where the rule reads no gradient: then every tensor takes part */
  const double* model_inputs;   /* [input]; may be null where `given` is */
  const uint8_t* given;         /* [input] 1 where model_inputs has a value; null: none has */
  const void* const* const*
      element_inputs;                 /* [input][tensor]; null where not given, at any level */
  const double* const* group_inputs;  /* [input][group]; null where not given, at either level */
  const double* const* tensor_inputs; /* [input][tensor]; likewise. Entries of tensors that do not
                                         take part, or read the input, do not matter */
  /* [input][tensor] inputs of matrices, rows and columns, each an array as talweg_array_state shows
   * states of its rate: float64, or of the compute type; null where not given, at any level */
  const void* const* const* line_inputs;
} talweg_step_inputs;

/* `outcome`, which may be null, is set where TALWEG_OK is returned.
 *
 * Where it is TALWEG_REGRAD, the parameters stand where the rule wants another gradient, and the
 * step waits for it: the next call goes on with its gradients, of the same tensors, and looks at
 * nothing else that it is given. Other inputs are those of the step's first call; element inputs
 * stay where they are until the step has ended. Meanwhile all else but talweg_abandon and reading
 * hypers is refused: TALWEG_WAITING. Persistent data
 * that are read in place are in the middle of a step. A call that fails for what it was given
 * leaves the step waiting; where the rule itself fails (it computes a hyper out of its range), the
 * step is over, as if it had not begun. */
talweg_status talweg_step(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                          talweg_outcome* outcome, talweg_error* error);

/* What an optimizer was made from; tensors, names and shapes are its own copies. */
const talweg_optimizer_spec* talweg_get_spec(const talweg_optimizer* optimizer);

/* Whether the step waits for another gradient. */
int talweg_is_waiting(const talweg_optimizer* optimizer);
/* Ends a step that waits, as if it had not begun: parameters and all else are as they were before
 * its first call. Does nothing where none waits. */
void talweg_abandon(talweg_optimizer* optimizer);

/* Clears `missing` [input], then sets it to 1 for each input that the next step would refuse to go
 * without, given these. Fails as talweg_step would for any other reason that shows before a pass
 * has run. Without gradients, every tensor is taken to have one. While a step waits for another
 * gradient, nothing is missing. */
talweg_status talweg_missing_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                    uint8_t* missing, talweg_error* error);

/* Whether the last call of talweg_step read an input, or would have, had it been there. To be asked
 * before talweg_missing_inputs, which looks at the next. */
int talweg_has_read(const talweg_optimizer* optimizer, uint32_t input);

/* Computes a view (by its index in the image) of each tensor into memory of the parameter's size,
 * aligned to its elements, apart from parameters and states. `destinations` [tensor]; null: the
 * tensor is left out, but not of what the view reduces. States that have not begun are seen as they
 * would begin now. */
talweg_status talweg_read_view(talweg_optimizer* optimizer, uint32_t view,
                               void* const* destinations, talweg_error* error);

/* Puts a view in place of the parameters, all of them, and keeps those in `memory` of
 * talweg_swap_bytes, which is the optimizer's until talweg_swap_out. Meanwhile a step, a reset, and
 * reading or swapping in a view are refused, and persistent data are not to be saved or loaded. */
talweg_status talweg_swap_in(talweg_optimizer* optimizer, uint32_t view, void* memory,
                             talweg_error* error);
size_t talweg_swap_bytes(const talweg_optimizer* optimizer);
/* The parameters as they were, byte for byte; what was written to them meanwhile is lost. */
talweg_status talweg_swap_out(talweg_optimizer* optimizer, talweg_error* error);
#define TALWEG_NO_VIEW UINT32_MAX
/* The view that is swapped in, or TALWEG_NO_VIEW. */
uint32_t talweg_swapped_view(const talweg_optimizer* optimizer);

/* Value of a scalar state: until it has begun, of the hypers' present values where it starts from
 * such. */
talweg_status talweg_get_scalar(talweg_optimizer* optimizer, uint32_t state, uint32_t group,
                                double* value, talweg_error* error);

/* The same for a state of tensors. Refused for a tensor that does not keep it. */
talweg_status talweg_get_tensor_scalar(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor,
                                       double* value, talweg_error* error);

/* Persistent data, read and written in place. With the hypers it is all that decides later steps.
 */
typedef struct talweg_counters {
  double completed_steps; /* t - 1 of the next step */
  double calls;
} talweg_counters;

talweg_counters* talweg_get_counters(talweg_optimizer* optimizer);
/* A scalar state of a group; of a model state all groups have the same. */
double* talweg_scalar_state(talweg_optimizer* optimizer, uint32_t state, uint32_t group);
/* A scalar state of a tensor; null for a tensor that does not keep it. */
double* talweg_tensor_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
/* A state of matrices, rows or columns in a tensor: [matrices] of float64, or [matrices, rows] or
 * [matrices, columns] of the compute type; the first dimension is left out where it is 1. */
typedef struct talweg_state_array {
  void* data; /* null where there is nothing */
  uint64_t shape[2];
  uint32_t rank;
} talweg_state_array;
/* 0, with nothing written, for a state of another rate, or one that the tensor does not keep. */
int talweg_array_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor,
                       talweg_state_array* array);
/* An element state of a tensor; null for a tensor without elements. */
void* talweg_element_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
/* Whether a state has got its initial value, as 0 or 1: in a tensor, or of one of model or group
 * (for which `tensor` is not looked at) at all. Null for states whose initial value holds from
 * creation, and for tensors that do not keep the state. */
double* talweg_state_begun(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);

#ifdef __cplusplus
}
#endif

#endif
