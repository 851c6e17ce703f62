/* adamw.h: AdamW. Made by talweg RELEASE; changes belong in the rule.
 *
 * Optimizer steps as fused, vectorised kernels that need nothing but the C library. For C99 and
 * C++. The results are the same bits on every processor and with any number of threads.
 *
 *     #include <stdio.h>
 *     #include "adamw.h"
 *
 *     int main(void) {
 *       adamw_element weights[2][3] = {{0}}, gradient[2][3] = {{0}};
 *       const uint64_t shape[] = {2, 3};
 *       adamw_tensor tensor = {0};
 *       tensor.name = "weights";
 *       tensor.shape = shape;
 *       tensor.rank = 2;
 *       tensor.param = weights[0];
 *       adamw_spec spec = {0};
 *       spec.interface_version = ADAMW_INTERFACE;
 *       spec.tensors = &tensor;
 *       spec.tensor_count = 1;
 *       adamw_optimizer* optimizer;
 *       adamw_error error;
 *       if (adamw_create(&spec, &optimizer, &error)) return puts(error.message), 1;
 *       adamw_hypers hypers = adamw_defaults();
 *       hypers.lr = 0.001;
 *       adamw_set_hypers(optimizer, ADAMW_ALL_GROUPS, &hypers, NULL);
 *       adamw_element* gradients[] = {gradient[0]};
 *       for (int i = 0; i < 100; ++i) {
 *         // compute the gradient at the weights as they are, then
 *         if (adamw_step(optimizer, gradients, NULL, &error))
 *           return puts(error.message), 1;
 *       }
 *       adamw_destroy(optimizer);
 *     } */
#ifndef ADAMW_H
#define ADAMW_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters, gradients, and states per element, row and column. */
typedef float adamw_element;

/* The version of this interface. A library accepts specs of its own version and of older ones. */
#define ADAMW_INTERFACE 1u

/* ---- Errors ---- */

/* How a call ended. A call that did not end with OK has changed nothing; none ever aborts. */
typedef enum adamw_status {
  ADAMW_OK = 0,
  ADAMW_BAD_ARGUMENT = 2,     /* null, misaligned, out of bounds, named twice */
  ADAMW_NOT_SERVED = 3,       /* described correctly, but not possible in this version */
  ADAMW_OVERLAP = 4,          /* memory that must be apart is not */
  ADAMW_TOO_LARGE = 5,        /* more than can be addressed or numbered */
  ADAMW_OUT_OF_RANGE = 6,     /* a value that a hyper may not have */
  ADAMW_BOUND = 7,            /* a hyper that the rule computes itself */
  ADAMW_MISSING_INPUT = 8,    /* the step reads an input that was not given */
  ADAMW_NOT_YET = 9,          /* has no value before the first step */
  ADAMW_SWAPPED_IN = 10,      /* not while a view stands in for the parameters */
  ADAMW_WAITING = 11,         /* not while a step waits for another gradient */
  ADAMW_UNKNOWN_NAME = 12,    /* no hyper, state or view is called so */
  ADAMW_NO_MEMORY = 13,       /* malloc gave none */
  ADAMW_UNSUPPORTED_CPU = 14, /* no code in the library is for this processor */
  ADAMW_NEWER_INTERFACE = 15, /* the caller's header is newer than the library */
  ADAMW_BAD_DATA = 16,        /* saved by another rule or for other tensors; see load */
  ADAMW_DEVICE_FAILED = 19,   /* a GPU or its driver failed, or there is none */
} adamw_status;

/* The code by its name: "OUT_OF_RANGE". */
const char* adamw_status_text(adamw_status status);

/* What went wrong: a sentence in UTF-8 that names the argument and ends with a 0. Written only by
 * calls that fail. Every function takes a null error too. */
typedef struct adamw_error {
  adamw_status status;
  char message[512];
} adamw_error;

/* ---- Threads ---- */

/* A loop of yours: runs task(argument, i) once for every i below task_count, in any order, at once
 * or one after the other, and returns when all are done. */
typedef void (*adamw_parallel_for)(void* context, uint32_t task_count,
                                   void (*task)(void* argument, uint32_t index), void* argument);

/* For those who have no threads to give: a pool that sleeps between steps. adamw_pool_run is a
 * parallel_for, the pool its context. Nothing else in the library starts threads. Optimizers may
 * share a pool if they do not step at the same time. A null pool is the calling thread alone.
 * (There is none on WebAssembly.) */
typedef struct adamw_pool adamw_pool;

/* `threads` counts the calling one. Null: there is no memory. */
adamw_pool* adamw_pool_create(uint32_t threads);
uint32_t adamw_pool_threads(const adamw_pool* pool);
void adamw_pool_run(void* pool, uint32_t task_count, void (*task)(void* argument, uint32_t index),
                    void* argument);

/* Ends its threads, when the optimizers that use it are destroyed. Null does nothing. */
void adamw_pool_destroy(adamw_pool* pool);

/* ---- What an optimizer is made of ---- */

/* For rules with rows and columns: which dimensions of a tensor these are. */
typedef enum adamw_split {
  ADAMW_SPLIT_BY_RULE = 0,
  ADAMW_SPLIT_FIRST_REST = 1,  /* the first dimension; all others together */
  ADAMW_SPLIT_LAST_TWO = 2,    /* the last two; the others number matrices */
  ADAMW_SPLIT_TWO_LARGEST = 3, /* the two largest; the others number matrices */
  ADAMW_SPLIT_AT = 4,          /* all before dimension split_at; the others */
  ADAMW_SPLIT_PAIR = 5,        /* dimensions split_at and, later, split_to */
} adamw_split;

/* One parameter tensor: row-major and contiguous. Begin with {0}; only the name, and what says
 * where and how large the tensor is, must be set. */
typedef struct adamw_tensor {
  const char* name;        /* not empty; no other tensor of the optimizer has it */
  const uint64_t* shape;   /* [rank]; a 0 makes the tensor empty */
  const int64_t* strides;  /* reserved: null */
  const char* const* tags; /* [tag_count], for rules that ask for tags */
  const void* storage;     /* reserved: null */
  adamw_element* param;    /* yours, aligned to an element; must outlive the optimizer */
  uint32_t rank;           /* dimensions; 0: a single element */
  uint32_t tag_count;
  uint32_t group;          /* whose hypers it takes; below group_count */
  uint32_t device;         /* reserved: 0 */
  uint32_t split;          /* of enum adamw_split */
  uint32_t split_at;       /* a dimension, from 0 */
  uint32_t split_to;       /* a dimension, from 0 */
} adamw_tensor;

/* Copied at creation with all that it points to, except the parameters. Begin with {0}. */
typedef struct adamw_spec {
  uint32_t interface_version;      /* ADAMW_INTERFACE */
  uint32_t tensor_count;
  const adamw_tensor* tensors;     /* [tensor_count] */
  uint32_t group_count;            /* sets of hypers; 0 means 1 */
  uint32_t thread_count;           /* into how many tasks a pass may be cut; 0 means 1. Results
                                      never depend on it */
  adamw_parallel_for parallel_for; /* null: everything on the calling thread */
  void* parallel_context;          /* handed to parallel_for */
} adamw_spec;

/* In place of the number of a group: all of them. */
#define ADAMW_ALL_GROUPS UINT32_MAX

/* The memory of an optimizer. */
typedef struct adamw_sizes {
  uint64_t control_bytes, control_alignment;
  uint64_t state_bytes, state_alignment; /* per element, row and column; bytes may be 0 */
} adamw_sizes;

/* One optimizer. At most one call at a time; different optimizers are independent. Only functions
 * of the library that made it are for it: those of other ones refuse it with BAD_ARGUMENT, or
 * return 0, and leave it as it is. */
typedef struct adamw_optimizer adamw_optimizer;

/* How a step ended. */
typedef enum adamw_outcome {
  ADAMW_COMPLETED = 0,
  ADAMW_HELD = 1,    /* the rule ended the call early and keeps what it has assigned */
  ADAMW_SKIPPED = 2, /* the rule left the step out: all is as before */
  ADAMW_REGRAD = 3,  /* it has moved the parameters: compute gradients there, call again */
} adamw_outcome;

/* ---- AdamW ---- */

/* AdamW: Adam with weight decay kept out of the gradient.
 *
 *     param <- param - lr * weight_decay * param
 *     m     <- beta1 * m + (1 - beta1) * grad
 *     v     <- beta2 * v + (1 - beta2) * grad^2
 *     m_hat =  m / (1 - beta1^t),  v_hat = v / (1 - beta2^t)
 *     param <- param - lr * m_hat / (sqrt(v_hat) + eps)
 *
 * Source   Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.
 * Deviates decay is multiplied by lr, as in PyTorch and optax; the paper multiplies it by the
 *          schedule only: decay_by_lr = false, with weight_decay bound to the schedule.
 * Variant  PyTorch's: decay comes before the step, eps is added to the root of the corrected v.
 *          decay_point = new decays the new point instead: with eps_place = raw that is
 *          HuggingFace's AdamW. `eps_place`, `eps_root` and `bias_correction` are as in Adam.
 * State    m, v: 8 bytes a parameter in float32.
 *
 * States, 8 bytes per element of the parameters:
 *   m            float per element, starts at 0
 *   v            float per element, starts at 0 */

/* What can be set, for each group. */
typedef struct adamw_hypers {
  double lr;           /* in [0, inf); 0.001 by default */
  double beta1;        /* in [0, 1); 0.9 by default */
  double beta2;        /* in [0, 1); 0.999 by default */
  double eps;          /* in (0, inf); 1e-08 by default */
  double weight_decay; /* in [0, inf); 0.01 by default */
} adamw_hypers;

static inline adamw_hypers adamw_defaults(void) {
  adamw_hypers hypers;
  hypers.lr = 0.001;
  hypers.beta1 = 0.9;
  hypers.beta2 = 0.999;
  hypers.eps = 1e-08;
  hypers.weight_decay = 0.01;
  return hypers;
}

/* Makes an optimizer in memory of malloc. Hypers have their defaults. */
adamw_status adamw_create(const adamw_spec* spec, adamw_optimizer** optimizer, adamw_error* error);

/* Checks a spec and says how much memory its optimizer takes. Parameters may still be null. */
adamw_status adamw_measure(const adamw_spec* spec, adamw_sizes* sizes, adamw_error* error);

/* Makes an optimizer in memory of yours, as much and as aligned as was measured, whatever it holds.
 * Release it when the optimizer is destroyed. */
adamw_status adamw_create_in(const adamw_spec* spec, void* control_memory, void* state_memory,
                             adamw_optimizer** optimizer, adamw_error* error);

/* Sets all hypers of a group, or of ADAMW_ALL_GROUPS; none where one is refused. */
adamw_status adamw_set_hypers(adamw_optimizer* optimizer, uint32_t group,
                              const adamw_hypers* hypers, adamw_error* error);

/* What was set, in the form in which it is set: NaN where one follows others. */
adamw_status adamw_get_hypers(const adamw_optimizer* optimizer, uint32_t group,
                              adamw_hypers* hypers, adamw_error* error);

/* One step of all tensors; allocates nothing. gradients [tensor] have the sizes of their
 * parameters, share no memory with any parameter or state, and are only read; null: the tensor is
 * left out. outcome may be null. */
adamw_status adamw_step(adamw_optimizer* optimizer, adamw_element* const* gradients,
                        adamw_outcome* outcome, adamw_error* error);

/* Step t, from 1, of one array without an optimizer, on the calling thread. Arrays are of n
 * elements and share no memory. States are yours to keep; before step 1 set them to what is said
 * above. hypers may be null: the defaults. */
adamw_status adamw_step_flat(adamw_element* param, const adamw_element* grad, adamw_element* m,
                             adamw_element* v, uint64_t n, uint64_t t, const adamw_hypers* hypers,
                             adamw_error* error);

/* The rule as a value, for talweg/talweg.hpp: C++ code that runs with this library and with rules
 * that are compiled while it runs. */
const struct talweg_rule* adamw_rule(void);

/* ---- Any optimizer of the library ---- */

/* Puts parameters back that a view stands in for, abandons a step that waits, frees what creation
 * allocated. Null does nothing. */
void adamw_destroy(adamw_optimizer* optimizer);

/* Back to the moment of creation, except for hypers and parameters. */
adamw_status adamw_reset(adamw_optimizer* optimizer, adamw_error* error);

/* Completed steps, and calls: those that were held or skipped too. */
uint64_t adamw_steps(const adamw_optimizer* optimizer);
uint64_t adamw_calls(const adamw_optimizer* optimizer);

/* The instruction set that the optimizer runs with, such as "x86-64-v3": the best one that the
 * processor has, or what the environment variable TALWEG_CPU says at creation; on a GPU that of its
 * kernels, "nvptx-sm90". Results never depend on it. */
const char* adamw_cpu(const adamw_optimizer* optimizer);

/* ---- Hypers by name ---- */

/* Integers are given as they are, truths as 0 or 1. */
adamw_status adamw_set_hyper(adamw_optimizer* optimizer, const char* name, uint32_t group,
                             double value, adamw_error* error);

/* The value that was set; of a hyper that the rule computes, the one of the last step. */
adamw_status adamw_get_hyper(const adamw_optimizer* optimizer, const char* name, uint32_t group,
                             double* value, adamw_error* error);

/* ---- Steps that ask for another gradient ---- */

/* 1 after a step returned ADAMW_REGRAD: the next call of the step goes on with the gradients at the
 * parameters as they are now. Until it ends, all else is refused. */
int adamw_is_waiting(const adamw_optimizer* optimizer);

/* Gives up a step that waits, as if it had not begun. */
void adamw_abandon(adamw_optimizer* optimizer);

/* ---- Views: other values than the parameters to evaluate with, such as their average ---- */

/* Computes a view into destinations [tensor], each of its parameter's size and apart from all
 * parameters and states; null: not of this tensor. */
adamw_status adamw_read_view(adamw_optimizer* optimizer, const char* view,
                             adamw_element* const* destinations, adamw_error* error);

/* Puts a view in place of all parameters. These are kept in `memory` of adamw_swap_bytes bytes,
 * aligned to an element, which is the optimizer's until they are swapped back. */
adamw_status adamw_swap_in(adamw_optimizer* optimizer, const char* view, void* memory,
                           adamw_error* error);
uint64_t adamw_swap_bytes(const adamw_optimizer* optimizer);

/* Puts the parameters back, byte for byte. */
adamw_status adamw_swap_out(adamw_optimizer* optimizer, adamw_error* error);

/* ---- States ---- */

typedef enum adamw_state_kind {
  ADAMW_STATE_VALUE = 0,   /* a state of the rule */
  ADAMW_STATE_COUNTER = 1, /* "t", the completed steps, or "calls" */
  ADAMW_STATE_BEGUN = 2,   /* 1 if the state of that name has got its initial value, else 0 */
} adamw_state_kind;

/* A state of an optimizer, to be read and written through `data`. */
typedef struct adamw_state {
  const char* name;       /* "m" */
  const char* tensor;     /* the tensor that it belongs to; null: a group or the model */
  void* data;             /* [shape], row-major; null where there is no element */
  const uint64_t* shape;  /* [rank] */
  uint64_t elements;      /* the product of shape */
  uint32_t rank;          /* 0: a single number */
  uint32_t group;         /* of a state of groups: which; else 0 */
  uint32_t element_bytes; /* 4: float, 8: double */
  uint32_t kind;          /* of enum adamw_state_kind */
  uint32_t place[3];      /* used by adamw_next_state */
  uint32_t on_device;     /* 1: data is an address of a GPU's memory; 0: of the host's */
  uint64_t lines[2];      /* used for shape */
} adamw_state;

/* Goes over all states: begin with a struct of zeros, call until it returns 0. While a step waits
 * for another gradient there are none. */
int adamw_next_state(adamw_optimizer* optimizer, adamw_state* state);

/* One state by its name; of those per tensor or group, the one of number `index`. */
adamw_status adamw_find_state(adamw_optimizer* optimizer, const char* name, uint32_t index,
                              adamw_state* state, adamw_error* error);

/* ---- Save and load ---- */

/* All states as one buffer, which is a file in the safetensors format. With the parameters and the
 * hypers, which are yours to save, it decides all later steps bit for bit. */
uint64_t adamw_saved_bytes(adamw_optimizer* optimizer);
adamw_status adamw_save(adamw_optimizer* optimizer, void* buffer, uint64_t bytes,
                        adamw_error* error);

/* Takes what an optimizer of the same rule and tensors has saved. A damaged header or size, and a
 * counter or flag that cannot be, is refused, and nothing has changed then; what else is damaged is
 * not noticed. */
adamw_status adamw_load(adamw_optimizer* optimizer, const void* buffer, uint64_t bytes,
                        adamw_error* error);

/* ---- The library ---- */

/* The release of talweg that generated it, and its version of the interface. */
const char* adamw_version(void);
uint32_t adamw_interface_version(void);

/* Its rules with their hypers, states, inputs and views, as JSON. */
const char* adamw_describe(void);

#ifdef __cplusplus
}
#endif

#endif
