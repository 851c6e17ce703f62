/* What a step on a GPU works with beside the tables of talweg_pass_args: written by the host once,
 * but for talweg_gpu_progress. Addresses are those of the device's memory. C11. */
#ifndef TALWEG_GPU_STEP_TABLES_H
#define TALWEG_GPU_STEP_TABLES_H

#include "runtime/abi/talweg_abi.h"
#include "runtime/abi/talweg_gpu_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of a block of TALWEG_GPU_THREADS. */
#define TALWEG_GPU_WARPS (TALWEG_GPU_THREADS / TALWEG_GPU_WARP)

/* How calls go, as far as the device knows. */
typedef struct talweg_gpu_progress {
  uint32_t stop;     /* what kernels look at: in this call nothing is to be done any more */
  uint32_t left_out; /* this call is, for a gradient that is not finite: it counts as none */
  uint32_t refused;  /* a call was: nothing is done until the host has looked */
  uint32_t is_over;  /* the last call was refused, and its caller told: what is left of it, as a
                        graph's second half, does nothing */
} talweg_gpu_progress;

/* For what a step was refused. */
typedef enum talweg_gpu_refused {
  TALWEG_GPU_NOT_REFUSED = 0,
  TALWEG_GPU_BOUND_HYPER = 1,   /* a hyper that the rule bound to a value it may not have */
  TALWEG_GPU_MISSING_INPUT = 2, /* an input that it reads and was not given */
} talweg_gpu_refused;

/* What was refused, in memory of the host. */
typedef struct talweg_gpu_report {
  uint32_t refused; /* talweg_gpu_refused; the host looks at this without waiting */
  uint32_t number;  /* of the hyper or input */
  uint64_t where;   /* of a hyper, 0: of the model; else 1 + the group. Of an input: the tensor */
  double value;     /* of a hyper */
} talweg_gpu_report;

typedef struct talweg_gpu_step {
  talweg_gpu_progress* progress;
  talweg_gpu_report* report;
  const talweg_hyper_info* hypers; /* [hyper_count]; texts are not there */
  const uint8_t* is_of_model;      /* [state_count] scalar states of the model */
  const uint8_t* group_has_tensor; /* [group] */
  const uint8_t* takes_part;       /* [tensor] */
  const uint8_t* state_present;    /* [tensor][state_count], where there are such states */
  talweg_scalar_args* args;        /* [row] */
  uint32_t* outcome;
  double* counters;                                     /* completed steps, calls */
  double *scalar_states, *states_before, *states_after; /* [row][state_count] */
  double *bound, *last_bound;                           /* [row][hyper_count] */
  uint8_t* unbound;                                     /* [row][hyper_count] */
  uint8_t* kept;                                        /* [state_count] */
  uint8_t* needed;                                      /* [row][input_count] */
  const talweg_input_info* inputs;                      /* [input_count]; texts are not there */
  const uint8_t* given;                                 /* [input_count] */
  const uint8_t* lines_given;     /* [tensor][input_count] inputs of matrices, rows or columns */
  const uint8_t* input_present;   /* [tensor][input_count] */
  double* row_inputs;             /* [row][input_columns], or one row for all */
  double* tensor_inputs;          /* [tensor][input_count] */
  const uint64_t* element_counts; /* [tensor] */
  const uint32_t* tensor_groups;  /* [tensor] */
  double* first_missing;          /* [TALWEG_GPU_WARPS] what talweg_gpu_check_inputs works with */
  double *tensor_states, *tensor_before, *tensor_after; /* [tensor][state_count] */
  double* matrix_states;                                /* [state of matrices][matrix] */
  double *matrix_before, *matrix_after;                 /* [matrix][state_count] */
  const uint32_t* matrix_state_numbers;                 /* [state of matrices] its state */
  const uint32_t* tensor_state_numbers;                 /* [state of tensors] likewise */
  const talweg_line_chunk* matrices;                    /* [matrix] one each */
  const talweg_chunk* chunks;
  void* const* pointers; /* [tensor][stream_count] */
  uint64_t row_count, tensor_count, matrix_count, chunk_count;
  uint32_t hyper_count, state_count, input_count, input_columns, stream_count;
  uint32_t tensor_state_count, matrix_state_count;
  uint32_t is_float; /* the compute type: 1: float32, 0: float64 */
} talweg_gpu_step;

/* clang-format off: a kernel a line */
/* The kernels. One dimension of threads and blocks, any number of them but where it says so.
 *   talweg_gpu_begin   (step, found_inf)     what talweg_begin_scalars does. `found_inf`: a float32
 *                                            of which any but 0 leaves the call out; or null
 *   talweg_gpu_check   (step, phase, ends, stop)  one warp: what functions of model and groups have
 *                                            bound in the phase; `ends`: 1: and whether it is the
 *                                            end of a skipped call
 *   talweg_gpu_commit  (step)                what the step keeps
 *   talweg_gpu_fill    (start, count, value, is_float)  `value`: the bits of a double
 *   talweg_gpu_unscale (step, scale, stop)   gradients: times the float32 of 1 / *scale
 *   talweg_gpu_read_numbers (step, input, numbers, is_float)  an input of model, groups or tensors,
 *                                            of float32 or float64
 *   talweg_gpu_check_inputs (step)           one block of TALWEG_GPU_THREADS: whether what the call
 *                                            reads was given; behind the functions of model and
 *                                            groups of the first phase */
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
