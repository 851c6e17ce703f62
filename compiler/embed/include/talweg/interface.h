/* Optimizers and rules as values: what talweg/talweg.h and the libraries that `talweg build` makes
 * have in common. Made of the headers inside (tests/embed/header_test.py). */
#ifndef TALWEG_INTERFACE_H
#define TALWEG_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of parameters, gradients and states of elements: float, or double where a rule was compiled so.
 */
typedef void talweg_element;

/* BEGIN */
/* The version of this interface. A library accepts specs of its own version and of older ones. */
#define TALWEG_INTERFACE 1u

/* ---- Errors ---- */

/* How a call ended. A call that did not end with OK has changed nothing; none ever aborts. */
typedef enum talweg_status {
  TALWEG_OK = 0,
  TALWEG_BAD_ARGUMENT = 2,     /* null, misaligned, out of bounds, named twice */
  TALWEG_NOT_SERVED = 3,       /* described correctly, but not possible in this version */
  TALWEG_OVERLAP = 4,          /* memory that must be apart is not */
  TALWEG_TOO_LARGE = 5,        /* more than can be addressed or numbered */
  TALWEG_OUT_OF_RANGE = 6,     /* a value that a hyper may not have */
  TALWEG_BOUND = 7,            /* a hyper that the rule computes itself */
  TALWEG_MISSING_INPUT = 8,    /* the step reads an input that was not given */
  TALWEG_NOT_YET = 9,          /* has no value before the first step */
  TALWEG_SWAPPED_IN = 10,      /* not while a view stands in for the parameters */
  TALWEG_WAITING = 11,         /* not while a step waits for another gradient */
  TALWEG_UNKNOWN_NAME = 12,    /* no hyper, state or view is called so */
  TALWEG_NO_MEMORY = 13,       /* malloc gave none */
  TALWEG_UNSUPPORTED_CPU = 14, /* no code in the library is for this processor */
  TALWEG_NEWER_INTERFACE = 15, /* the caller's header is newer than the library */
  TALWEG_BAD_DATA = 16,        /* saved by another rule or for other tensors; see load */
  TALWEG_DEVICE_FAILED = 19,   /* a GPU or its driver failed, or there is none */
} talweg_status;

/* The code by its name: "OUT_OF_RANGE". */
const char* talweg_status_text(talweg_status status);

/* What went wrong: a sentence in UTF-8 that names the argument and ends with a 0. Written only by
 * calls that fail. Every function takes a null error too. */
typedef struct talweg_error {
  talweg_status status;
  char message[512];
} talweg_error;

/* ---- Threads ---- */

/* A loop of yours: runs task(argument, i) once for every i below task_count, in any order, at once
 * or one after the other, and returns when all are done. */
typedef void (*talweg_parallel_for)(void* context, uint32_t task_count,
                                    void (*task)(void* argument, uint32_t index), void* argument);

/* For those who have no threads to give: a pool that sleeps between steps. talweg_pool_run is
 * a parallel_for, the pool its context. Nothing else in the library starts threads. Optimizers may
 * share a pool if they do not step at the same time. A null pool is the calling thread alone.
 * (There is none on WebAssembly.) */
typedef struct talweg_pool talweg_pool;

/* `threads` counts the calling one. Null: there is no memory. */
talweg_pool* talweg_pool_create(uint32_t threads);
uint32_t talweg_pool_threads(const talweg_pool* pool);
void talweg_pool_run(void* pool, uint32_t task_count, void (*task)(void* argument, uint32_t index),
                     void* argument);

/* Ends its threads, when the optimizers that use it are destroyed. Null does nothing. */
void talweg_pool_destroy(talweg_pool* pool);

/* ---- What an optimizer is made of ---- */

/* For rules with rows and columns: which dimensions of a tensor these are. */
typedef enum talweg_split {
  TALWEG_SPLIT_BY_RULE = 0,
  TALWEG_SPLIT_FIRST_REST = 1,  /* the first dimension; all others together */
  TALWEG_SPLIT_LAST_TWO = 2,    /* the last two; the others number matrices */
  TALWEG_SPLIT_TWO_LARGEST = 3, /* the two largest; the others number matrices */
  TALWEG_SPLIT_AT = 4,          /* all before dimension split_at; the others */
  TALWEG_SPLIT_PAIR = 5,        /* dimensions split_at and, later, split_to */
} talweg_split;

/* One parameter tensor: row-major and contiguous. Begin with {0}; only the name, and what says
 * where and how large the tensor is, must be set. */
typedef struct talweg_tensor {
  const char* name;        /* not empty; no other tensor of the optimizer has it */
  const uint64_t* shape;   /* [rank]; a 0 makes the tensor empty */
  const int64_t* strides;  /* reserved: null */
  const char* const* tags; /* [tag_count], for rules that ask for tags */
  const void* storage;     /* reserved: null */
  talweg_element* param;   /* yours, aligned to an element; must outlive the optimizer */
  uint32_t rank;           /* dimensions; 0: a single element */
  uint32_t tag_count;
  uint32_t group;    /* whose hypers it takes; below group_count */
  uint32_t device;   /* reserved: 0 */
  uint32_t split;    /* of enum talweg_split */
  uint32_t split_at; /* a dimension, from 0 */
  uint32_t split_to; /* a dimension, from 0 */
} talweg_tensor;

/* Copied at creation with all that it points to, except the parameters. Begin with {0}. */
typedef struct talweg_spec {
  uint32_t interface_version; /* TALWEG_INTERFACE */
  uint32_t tensor_count;
  const talweg_tensor* tensors; /* [tensor_count] */
  uint32_t group_count;         /* sets of hypers; 0 means 1 */
  uint32_t thread_count; /* into how many tasks a pass may be cut; 0 means 1. Results never depend
                            on it */
  talweg_parallel_for parallel_for; /* null: everything on the calling thread */
  void* parallel_context;           /* handed to parallel_for */
} talweg_spec;

/* In place of the number of a group: all of them. */
#define TALWEG_ALL_GROUPS UINT32_MAX

/* The memory of an optimizer. */
typedef struct talweg_sizes {
  uint64_t control_bytes, control_alignment;
  uint64_t state_bytes, state_alignment; /* per element, row and column; bytes may be 0 */
} talweg_sizes;

/* One optimizer. At most one call at a time; different optimizers are independent. Only functions
 * of the library that made it are for it: those of other ones refuse it with BAD_ARGUMENT, or
 * return 0, and leave it as it is. */
typedef struct talweg_optimizer talweg_optimizer;

/* How a step ended. */
typedef enum talweg_outcome {
  TALWEG_COMPLETED = 0,
  TALWEG_HELD = 1,    /* the rule ended the call early and keeps what it has assigned */
  TALWEG_SKIPPED = 2, /* the rule left the step out: all is as before */
  TALWEG_REGRAD = 3,  /* it has moved the parameters: compute gradients there, call again */
} talweg_outcome;

/* ---- NVIDIA GPUs ---- */

/* An optimizer that cuda_create makes works in the memory of a GPU. Parameters, gradients, inputs
 * of elements, rows and columns and destinations of views are addresses of the device then, as
 * cudaMalloc and cuMemAlloc give them; the memory for talweg_swap_in may be; all else is of the
 * host, but for what talweg_cuda_set_input is told.
 * Every function for optimizers is for it too, and results are the same bits as without a GPU.
 *
 * It puts its work into a stream of yours, where gradients must have been computed, and most steps
 * return before they are done. What is read by the host is waited for first; talweg_next_state
 * does so in its first call only: make no step, and launch no graph that has one, before its last.
 * What a step computes and may not (a hyper out of its range), or reads and was not given, a later
 * call says: talweg_cuda_wait. A step that ends with REGRAD has moved the parameters in the
 * order of the stream. Where the device fails within a call, what the call was to change is
 * undefined.
 *
 * The driver is opened when the first one is made, as libcuda.so.1 or what the environment variable
 * TALWEG_CUDA_DRIVER names; nothing else of CUDA is needed. Handles have the names of cuda.h. */
struct CUctx_st;
struct CUstream_st;

/* Where an optimizer works. Begin with {0}: what is null is as said. */
typedef struct talweg_cuda {
  struct CUctx_st* context;   /* a CUcontext; null: the calling thread's current one, which
                                 cudaMalloc, for example, has made */
  struct CUstream_st* stream; /* a CUstream or cudaStream_t; null: the default stream. It must
                                 exist until another one was set, or the optimizer is destroyed */
  void* state_memory;         /* of the device, yours, of the state_bytes and the alignment that
                                 measure says; null: allocated */
} talweg_cuda;

/* ---- Any optimizer of the library ---- */

/* Puts parameters back that a view stands in for, abandons a step that waits, frees what creation
 * allocated. Null does nothing. */
void talweg_destroy(talweg_optimizer* optimizer);

/* Back to the moment of creation, except for hypers and parameters. */
talweg_status talweg_reset(talweg_optimizer* optimizer, talweg_error* error);

/* Completed steps, and calls: those that were held or skipped too. */
uint64_t talweg_steps(const talweg_optimizer* optimizer);
uint64_t talweg_calls(const talweg_optimizer* optimizer);

/* The instruction set that the optimizer runs with, such as "x86-64-v3": the best one that the
 * processor has, or what the environment variable TALWEG_CPU says at creation; on a GPU that of its
 * kernels, "nvptx-sm90". Results never depend on it. */
const char* talweg_cpu(const talweg_optimizer* optimizer);

/* ---- Hypers by name ---- */

/* Integers are given as they are, truths as 0 or 1. */
talweg_status talweg_set_hyper(talweg_optimizer* optimizer, const char* name, uint32_t group,
                               double value, talweg_error* error);

/* The value that was set; of a hyper that the rule computes, the one of the last step. */
talweg_status talweg_get_hyper(const talweg_optimizer* optimizer, const char* name, uint32_t group,
                               double* value, talweg_error* error);

/* ---- Steps that ask for another gradient ---- */

/* 1 after a step returned TALWEG_REGRAD: the next call of the step goes on with the gradients
 * at the parameters as they are now. Until it ends, all else is refused. */
int talweg_is_waiting(const talweg_optimizer* optimizer);

/* Gives up a step that waits, as if it had not begun. */
void talweg_abandon(talweg_optimizer* optimizer);

/* ---- Views: other values than the parameters to evaluate with, such as their average ---- */

/* Computes a view into destinations [tensor], each of its parameter's size and apart from all
 * parameters and states; null: not of this tensor. */
talweg_status talweg_read_view(talweg_optimizer* optimizer, const char* view,
                               talweg_element* const* destinations, talweg_error* error);

/* Puts a view in place of all parameters. These are kept in `memory` of talweg_swap_bytes
 * bytes, aligned to an element, which is the optimizer's until they are swapped back. */
talweg_status talweg_swap_in(talweg_optimizer* optimizer, const char* view, void* memory,
                             talweg_error* error);
uint64_t talweg_swap_bytes(const talweg_optimizer* optimizer);

/* Puts the parameters back, byte for byte. */
talweg_status talweg_swap_out(talweg_optimizer* optimizer, talweg_error* error);

/* ---- States ---- */

typedef enum talweg_state_kind {
  TALWEG_STATE_VALUE = 0,   /* a state of the rule */
  TALWEG_STATE_COUNTER = 1, /* "t", the completed steps, or "calls" */
  TALWEG_STATE_BEGUN = 2,   /* 1 if the state of that name has got its initial value, else 0 */
} talweg_state_kind;

/* A state of an optimizer, to be read and written through `data`. */
typedef struct talweg_state {
  const char* name;       /* "m" */
  const char* tensor;     /* the tensor that it belongs to; null: a group or the model */
  void* data;             /* [shape], row-major; null where there is no element */
  const uint64_t* shape;  /* [rank] */
  uint64_t elements;      /* the product of shape */
  uint32_t rank;          /* 0: a single number */
  uint32_t group;         /* of a state of groups: which; else 0 */
  uint32_t element_bytes; /* 4: float, 8: double */
  uint32_t kind;          /* of enum talweg_state_kind */
  uint32_t place[3];      /* used by talweg_next_state */
  uint32_t on_device;     /* 1: data is an address of a GPU's memory; 0: of the host's */
  uint64_t lines[2];      /* used for shape */
} talweg_state;

/* Goes over all states: begin with a struct of zeros, call until it returns 0. While a step waits
 * for another gradient there are none. */
int talweg_next_state(talweg_optimizer* optimizer, talweg_state* state);

/* One state by its name; of those per tensor or group, the one of number `index`. */
talweg_status talweg_find_state(talweg_optimizer* optimizer, const char* name, uint32_t index,
                                talweg_state* state, talweg_error* error);

/* ---- Save and load ---- */

/* All states as one buffer, which is a file in the safetensors format. With the parameters and the
 * hypers, which are yours to save, it decides all later steps bit for bit. */
uint64_t talweg_saved_bytes(talweg_optimizer* optimizer);
talweg_status talweg_save(talweg_optimizer* optimizer, void* buffer, uint64_t bytes,
                          talweg_error* error);

/* Takes what an optimizer of the same rule and tensors has saved. A damaged header or size, and a
 * counter or flag that cannot be, is refused, and nothing has changed then; what else is damaged is
 * not noticed. */
talweg_status talweg_load(talweg_optimizer* optimizer, const void* buffer, uint64_t bytes,
                          talweg_error* error);

/* ---- Optimizers on a GPU ---- */

/* Work goes into this stream from now on, of the same context, behind what is still to be done in
 * the one before. */
talweg_status talweg_cuda_set_stream(talweg_optimizer* optimizer, struct CUstream_st* stream,
                                     talweg_error* error);

/* Hypers, and states of the host that were written, reach the GPU with the next call of the step.
 * For graphs: a replayed step makes no call, and takes what this function has put into the stream;
 * one that is captured is refused (NOT_SERVED) while there is something to send. */
talweg_status talweg_cuda_send_hypers(talweg_optimizer* optimizer, talweg_error* error);

/* Numbers in the device's memory, each a float, that all steps from now on look at in the order of
 * the stream; null: there is none. found_inf: where it is not 0, the step is left out and counts as
 * no call. gradient_scale: all gradients are divided by it before the step, in place, by a
 * multiplication with 1 / scale as PyTorch's GradScaler does it; no two may share memory then. */
talweg_status talweg_cuda_set_scaling(talweg_optimizer* optimizer, const float* found_inf,
                                      const float* gradient_scale, talweg_error* error);

/* Numbers in the device's memory in place of an input that is one number, or one of each group or
 * tensor: all steps from now on read them in the order of the stream, so that the host need not
 * know them, and a replayed graph as they are then. What steps are given for this input is not
 * looked at, until `numbers` is null. They must lie there until the last step that reads them is
 * done. bytes_each: 4 where they are floats, 8 where doubles. */
talweg_status talweg_cuda_set_input(talweg_optimizer* optimizer, const char* input,
                                    const void* numbers, uint32_t bytes_each, talweg_error* error);

/* Waits for all steps; says how the last one ended, or why one was refused. outcome may be null. */
talweg_status talweg_cuda_wait(talweg_optimizer* optimizer, talweg_outcome* outcome,
                               talweg_error* error);

/* ---- The library ---- */

/* The release of talweg that generated it, and its version of the interface. */
const char* talweg_version(void);
uint32_t talweg_interface_version(void);

/* Its rules with their hypers, states, inputs and views, as JSON. */
const char* talweg_describe(void);

typedef struct talweg_functions talweg_functions;

/* A rule: one that talweg_compile made, or one of a library that `talweg build` made, whose
 * function NAME_rule() returns it. It is read only. */
typedef struct talweg_rule {
  uint32_t interface_version; /* of the library that the rule belongs to */
  uint32_t element_bytes;     /* of parameters and gradients; 4: float, 8: double */
  const char* name;
  const char*
      description; /* hypers, states, inputs and views, as JSON; of all rules of a library */
  const talweg_functions* functions;
  const void* code;
} talweg_rule;

/* How often there is one of a hyper, state or input. */
typedef enum talweg_rate {
  TALWEG_OF_MODEL = 1,
  TALWEG_OF_GROUP = 2,
  TALWEG_OF_TENSOR = 3,
  TALWEG_OF_MATRIX = 4,
  TALWEG_OF_ROW = 5,
  TALWEG_OF_COLUMN = 6,
  TALWEG_OF_ELEMENT = 7,
} talweg_rate;

/* A hyper that may be set. */
typedef struct talweg_hyper {
  const char* name;
  const char* about;    /* from the comment before it; may be empty */
  double default_value; /* NaN: computed from other hypers until it is set */
  double low, high;
  uint32_t low_closed, high_closed; /* 1: the bound itself is allowed */
  uint32_t kind;                    /* 0: a number, 1: an integer, 2: 0 or 1 */
  talweg_rate rate;                 /* of the model or of groups */
} talweg_hyper;

/* A state, input or view. */
typedef struct talweg_part {
  const char* name;
  const char* about;
  talweg_rate rate;
  uint32_t element_bytes; /* 8 but where it is of rows, columns or elements */
} talweg_part;

/* What a rule has, by number; 0 after the last one. */
int talweg_rule_hyper(const talweg_rule* rule, uint32_t index, talweg_hyper* hyper);
int talweg_rule_state(const talweg_rule* rule, uint32_t index, talweg_part* state);
int talweg_rule_input(const talweg_rule* rule, uint32_t index, talweg_part* input);
int talweg_rule_view(const talweg_rule* rule, uint32_t index, talweg_part* view);

/* What can be done with a rule and its optimizers; each as the function of that name. Later
 * versions of the interface add functions at the end. */
struct talweg_functions {
  talweg_status (*measure)(const talweg_rule*, const talweg_spec*, talweg_sizes*, talweg_error*);
  talweg_status (*create)(const talweg_rule*, const talweg_spec*, talweg_optimizer**,
                          talweg_error*);
  talweg_status (*create_in)(const talweg_rule*, const talweg_spec*, void*, void*,
                             talweg_optimizer**, talweg_error*);
  void (*destroy)(talweg_optimizer*);
  talweg_status (*reset)(talweg_optimizer*, talweg_error*);
  talweg_status (*step)(talweg_optimizer*, talweg_element* const*, const void* const*,
                        talweg_outcome*, talweg_error*);
  int (*is_waiting)(const talweg_optimizer*);
  void (*abandon)(talweg_optimizer*);
  talweg_status (*set_hyper)(talweg_optimizer*, const char*, uint32_t, double, talweg_error*);
  talweg_status (*get_hyper)(const talweg_optimizer*, const char*, uint32_t, double*,
                             talweg_error*);
  uint64_t (*steps)(const talweg_optimizer*);
  uint64_t (*calls)(const talweg_optimizer*);
  talweg_status (*read_view)(talweg_optimizer*, const char*, talweg_element* const*, talweg_error*);
  talweg_status (*swap_in)(talweg_optimizer*, const char*, void*, talweg_error*);
  uint64_t (*swap_bytes)(const talweg_optimizer*);
  talweg_status (*swap_out)(talweg_optimizer*, talweg_error*);
  int (*next_state)(talweg_optimizer*, talweg_state*);
  talweg_status (*find_state)(talweg_optimizer*, const char*, uint32_t, talweg_state*,
                              talweg_error*);
  uint64_t (*saved_bytes)(talweg_optimizer*);
  talweg_status (*save)(talweg_optimizer*, void*, uint64_t, talweg_error*);
  talweg_status (*load)(talweg_optimizer*, const void*, uint64_t, talweg_error*);
  const char* (*cpu)(const talweg_optimizer*);
  const char* (*status_text)(talweg_status);
  int (*rule_hyper)(const talweg_rule*, uint32_t, talweg_hyper*);
  int (*rule_state)(const talweg_rule*, uint32_t, talweg_part*);
  int (*rule_input)(const talweg_rule*, uint32_t, talweg_part*);
  int (*rule_view)(const talweg_rule*, uint32_t, talweg_part*);
  void (*release)(const talweg_rule*); /* ends the rule; rules of libraries need no end */
  /* Optimizers on a GPU; refused (NOT_SERVED) by a library without code for one. */
  talweg_status (*cuda_create)(const talweg_rule*, const talweg_spec*, const talweg_cuda*,
                               talweg_optimizer**, talweg_error*);
  talweg_status (*cuda_set_stream)(talweg_optimizer*, struct CUstream_st*, talweg_error*);
  talweg_status (*cuda_send_hypers)(talweg_optimizer*, talweg_error*);
  talweg_status (*cuda_set_scaling)(talweg_optimizer*, const float*, const float*, talweg_error*);
  talweg_status (*cuda_wait)(talweg_optimizer*, talweg_outcome*, talweg_error*);
  talweg_status (*cuda_set_input)(talweg_optimizer*, const char*, const void*, uint32_t,
                                  talweg_error*);
};
/* END */

#ifdef __cplusplus
}
#endif

#endif
