/* The C interface of a generated library, written once: what C files here implement under the
 * prefix talweg_lib, a library's header shows under its own. The generator takes what stands
 * between BEGIN and END and replaces `talweg_lib_` and `TALWEG_LIB_`; it says what an element is
 * and adds, at RULES, what depends on a rule: hypers and inputs by name, creation, the step. What
 * stands between CUDA and END CUDA is left out of libraries without code for GPUs. */
#ifndef TALWEG_STANDALONE_INTERFACE_H
#define TALWEG_STANDALONE_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void talweg_lib_element;

/* BEGIN */
/* The version of this interface. A library accepts specs of its own version and of older ones. */
#define TALWEG_LIB_INTERFACE 1u

/* ---- Errors ---- */

/* How a call ended. A call that did not end with OK has changed nothing; none ever aborts. */
typedef enum talweg_lib_status {
  TALWEG_LIB_OK = 0,
  TALWEG_LIB_BAD_ARGUMENT = 2,     /* null, misaligned, out of bounds, named twice */
  TALWEG_LIB_NOT_SERVED = 3,       /* described correctly, but not possible in this version */
  TALWEG_LIB_OVERLAP = 4,          /* memory that must be apart is not */
  TALWEG_LIB_TOO_LARGE = 5,        /* more than can be addressed or numbered */
  TALWEG_LIB_OUT_OF_RANGE = 6,     /* a value that a hyper may not have */
  TALWEG_LIB_BOUND = 7,            /* a hyper that the rule computes itself */
  TALWEG_LIB_MISSING_INPUT = 8,    /* the step reads an input that was not given */
  TALWEG_LIB_NOT_YET = 9,          /* has no value before the first step */
  TALWEG_LIB_SWAPPED_IN = 10,      /* not while a view stands in for the parameters */
  TALWEG_LIB_WAITING = 11,         /* not while a step waits for another gradient */
  TALWEG_LIB_UNKNOWN_NAME = 12,    /* no hyper, state or view is called so */
  TALWEG_LIB_NO_MEMORY = 13,       /* malloc gave none */
  TALWEG_LIB_UNSUPPORTED_CPU = 14, /* no code in the library is for this processor */
  TALWEG_LIB_NEWER_INTERFACE = 15, /* the caller's header is newer than the library */
  TALWEG_LIB_BAD_DATA = 16,        /* saved by another rule or for other tensors; see load */
  TALWEG_LIB_DEVICE_FAILED = 19,   /* a GPU or its driver failed, or there is none */
} talweg_lib_status;

/* The code by its name: "OUT_OF_RANGE". */
const char* talweg_lib_status_text(talweg_lib_status status);

/* What went wrong: a sentence in UTF-8 that names the argument and ends with a 0. Written only by
 * calls that fail. Every function takes a null error too. */
typedef struct talweg_lib_error {
  talweg_lib_status status;
  char message[512];
} talweg_lib_error;

/* ---- Threads ---- */

/* A loop of yours: runs task(argument, i) once for every i below task_count, in any order, at once
 * or one after the other, and returns when all are done. */
typedef void (*talweg_lib_parallel_for)(void* context, uint32_t task_count,
                                        void (*task)(void* argument, uint32_t index),
                                        void* argument);

/* For those who have no threads to give: a pool that sleeps between steps. talweg_lib_pool_run is
 * a parallel_for, the pool its context. Nothing else in the library starts threads. Optimizers may
 * share a pool if they do not step at the same time. A null pool is the calling thread alone.
 * (There is none on WebAssembly.) */
typedef struct talweg_lib_pool talweg_lib_pool;

/* `threads` counts the calling one. Null: there is no memory. */
talweg_lib_pool* talweg_lib_pool_create(uint32_t threads);
uint32_t talweg_lib_pool_threads(const talweg_lib_pool* pool);
void talweg_lib_pool_run(void* pool, uint32_t task_count,
                         void (*task)(void* argument, uint32_t index), void* argument);

/* Ends its threads, when the optimizers that use it are destroyed. Null does nothing. */
void talweg_lib_pool_destroy(talweg_lib_pool* pool);

/* ---- What an optimizer is made of ---- */

/* For rules with rows and columns: which dimensions of a tensor these are. */
typedef enum talweg_lib_split {
  TALWEG_LIB_SPLIT_BY_RULE = 0,
  TALWEG_LIB_SPLIT_FIRST_REST = 1,  /* the first dimension; all others together */
  TALWEG_LIB_SPLIT_LAST_TWO = 2,    /* the last two; the others number matrices */
  TALWEG_LIB_SPLIT_TWO_LARGEST = 3, /* the two largest; the others number matrices */
  TALWEG_LIB_SPLIT_AT = 4,          /* all before dimension split_at; the others */
  TALWEG_LIB_SPLIT_PAIR = 5,        /* dimensions split_at and, later, split_to */
} talweg_lib_split;

/* One parameter tensor: row-major and contiguous. Begin with {0}; only the name, and what says
 * where and how large the tensor is, must be set. */
typedef struct talweg_lib_tensor {
  const char* name;          /* not empty; no other tensor of the optimizer has it */
  const uint64_t* shape;     /* [rank]; a 0 makes the tensor empty */
  const int64_t* strides;    /* reserved: null */
  const char* const* tags;   /* [tag_count], for rules that ask for tags */
  const void* storage;       /* reserved: null */
  talweg_lib_element* param; /* yours, aligned to an element; must outlive the optimizer */
  uint32_t rank;             /* dimensions; 0: a single element */
  uint32_t tag_count;
  uint32_t group;    /* whose hypers it takes; below group_count */
  uint32_t device;   /* reserved: 0 */
  uint32_t split;    /* of enum talweg_lib_split */
  uint32_t split_at; /* a dimension, from 0 */
  uint32_t split_to; /* a dimension, from 0 */
} talweg_lib_tensor;

/* Copied at creation with all that it points to, except the parameters. Begin with {0}. */
typedef struct talweg_lib_spec {
  uint32_t interface_version; /* TALWEG_LIB_INTERFACE */
  uint32_t tensor_count;
  const talweg_lib_tensor* tensors; /* [tensor_count] */
  uint32_t group_count;             /* sets of hypers; 0 means 1 */
  uint32_t thread_count; /* into how many tasks a pass may be cut; 0 means 1. Results never depend
                            on it */
  talweg_lib_parallel_for parallel_for; /* null: everything on the calling thread */
  void* parallel_context;               /* handed to parallel_for */
} talweg_lib_spec;

/* In place of the number of a group: all of them. */
#define TALWEG_LIB_ALL_GROUPS UINT32_MAX

/* The memory of an optimizer. */
typedef struct talweg_lib_sizes {
  uint64_t control_bytes, control_alignment;
  uint64_t state_bytes, state_alignment; /* per element, row and column; bytes may be 0 */
} talweg_lib_sizes;

/* One optimizer. At most one call at a time; different optimizers are independent. Only functions
 * of the library that made it are for it: those of other ones refuse it with BAD_ARGUMENT, or
 * return 0, and leave it as it is. */
typedef struct talweg_lib_optimizer talweg_lib_optimizer;

/* How a step ended. */
typedef enum talweg_lib_outcome {
  TALWEG_LIB_COMPLETED = 0,
  TALWEG_LIB_HELD = 1,    /* the rule ended the call early and keeps what it has assigned */
  TALWEG_LIB_SKIPPED = 2, /* the rule left the step out: all is as before */
  TALWEG_LIB_REGRAD = 3,  /* it has moved the parameters: compute gradients there, call again */
} talweg_lib_outcome;
/* CUDA */

/* ---- NVIDIA GPUs ---- */

/* An optimizer that cuda_create makes works in the memory of a GPU. Parameters, gradients, inputs
 * of elements, rows and columns and destinations of views are addresses of the device then, as
 * cudaMalloc and cuMemAlloc give them; the memory for talweg_lib_swap_in may be; all else is of the
 * host, but for what talweg_lib_cuda_set_input is told.
 * Every function for optimizers is for it too, and results are the same bits as without a GPU.
 *
 * It puts its work into a stream of yours, where gradients must have been computed, and most steps
 * return before they are done. What is read by the host is waited for first; talweg_lib_next_state
 * does so in its first call only: make no step, and launch no graph that has one, before its last.
 * What a step computes and may not (a hyper out of its range), or reads and was not given, a later
 * call says: talweg_lib_cuda_wait. A step that ends with REGRAD has moved the parameters in the
 * order of the stream. Where the device fails within a call, what the call was to change is
 * undefined.
 *
 * The driver is opened when the first one is made, as libcuda.so.1 or what the environment variable
 * TALWEG_CUDA_DRIVER names; nothing else of CUDA is needed. Handles have the names of cuda.h. */
struct CUctx_st;
struct CUstream_st;

/* Where an optimizer works. Begin with {0}: what is null is as said. */
typedef struct talweg_lib_cuda {
  struct CUctx_st* context;   /* a CUcontext; null: the calling thread's current one, which
                                 cudaMalloc, for example, has made */
  struct CUstream_st* stream; /* a CUstream or cudaStream_t; null: the default stream. It must
                                 exist until another one was set, or the optimizer is destroyed */
  void* state_memory;         /* of the device, yours, of the state_bytes and the alignment that
                                 measure says; null: allocated */
} talweg_lib_cuda;
/* END CUDA */
/* RULES */
/* ---- Any optimizer of the library ---- */

/* Puts parameters back that a view stands in for, abandons a step that waits, frees what creation
 * allocated. Null does nothing. */
void talweg_lib_destroy(talweg_lib_optimizer* optimizer);

/* Back to the moment of creation, except for hypers and parameters. */
talweg_lib_status talweg_lib_reset(talweg_lib_optimizer* optimizer, talweg_lib_error* error);

/* Completed steps, and calls: those that were held or skipped too. */
uint64_t talweg_lib_steps(const talweg_lib_optimizer* optimizer);
uint64_t talweg_lib_calls(const talweg_lib_optimizer* optimizer);

/* The instruction set that the optimizer runs with, such as "x86-64-v3": the best one that the
 * processor has, or what the environment variable TALWEG_CPU says at creation; on a GPU that of its
 * kernels, "nvptx-sm90". Results never depend on it. */
const char* talweg_lib_cpu(const talweg_lib_optimizer* optimizer);

/* ---- Hypers by name ---- */

/* Integers are given as they are, truths as 0 or 1. */
talweg_lib_status talweg_lib_set_hyper(talweg_lib_optimizer* optimizer, const char* name,
                                       uint32_t group, double value, talweg_lib_error* error);

/* The value that was set; of a hyper that the rule computes, the one of the last step. */
talweg_lib_status talweg_lib_get_hyper(const talweg_lib_optimizer* optimizer, const char* name,
                                       uint32_t group, double* value, talweg_lib_error* error);

/* ---- Steps that ask for another gradient ---- */

/* 1 after a step returned TALWEG_LIB_REGRAD: the next call of the step goes on with the gradients
 * at the parameters as they are now. Until it ends, all else is refused. */
int talweg_lib_is_waiting(const talweg_lib_optimizer* optimizer);

/* Gives up a step that waits, as if it had not begun. */
void talweg_lib_abandon(talweg_lib_optimizer* optimizer);

/* ---- Views: other values than the parameters to evaluate with, such as their average ---- */

/* Computes a view into destinations [tensor], each of its parameter's size and apart from all
 * parameters and states; null: not of this tensor. */
talweg_lib_status talweg_lib_read_view(talweg_lib_optimizer* optimizer, const char* view,
                                       talweg_lib_element* const* destinations,
                                       talweg_lib_error* error);

/* Puts a view in place of all parameters. These are kept in `memory` of talweg_lib_swap_bytes
 * bytes, aligned to an element, which is the optimizer's until they are swapped back. */
talweg_lib_status talweg_lib_swap_in(talweg_lib_optimizer* optimizer, const char* view,
                                     void* memory, talweg_lib_error* error);
uint64_t talweg_lib_swap_bytes(const talweg_lib_optimizer* optimizer);

/* Puts the parameters back, byte for byte. */
talweg_lib_status talweg_lib_swap_out(talweg_lib_optimizer* optimizer, talweg_lib_error* error);

/* ---- States ---- */

typedef enum talweg_lib_state_kind {
  TALWEG_LIB_STATE_VALUE = 0,   /* a state of the rule */
  TALWEG_LIB_STATE_COUNTER = 1, /* "t", the completed steps, or "calls" */
  TALWEG_LIB_STATE_BEGUN = 2,   /* 1 if the state of that name has got its initial value, else 0 */
} talweg_lib_state_kind;

/* A state of an optimizer, to be read and written through `data`. */
typedef struct talweg_lib_state {
  const char* name;       /* "m" */
  const char* tensor;     /* the tensor that it belongs to; null: a group or the model */
  void* data;             /* [shape], row-major; null where there is no element */
  const uint64_t* shape;  /* [rank] */
  uint64_t elements;      /* the product of shape */
  uint32_t rank;          /* 0: a single number */
  uint32_t group;         /* of a state of groups: which; else 0 */
  uint32_t element_bytes; /* 4: float, 8: double */
  uint32_t kind;          /* of enum talweg_lib_state_kind */
  uint32_t place[3];      /* used by talweg_lib_next_state */
  uint32_t on_device;     /* 1: data is an address of a GPU's memory; 0: of the host's */
  uint64_t lines[2];      /* used for shape */
} talweg_lib_state;

/* Goes over all states: begin with a struct of zeros, call until it returns 0. While a step waits
 * for another gradient there are none. */
int talweg_lib_next_state(talweg_lib_optimizer* optimizer, talweg_lib_state* state);

/* One state by its name; of those per tensor or group, the one of number `index`. */
talweg_lib_status talweg_lib_find_state(talweg_lib_optimizer* optimizer, const char* name,
                                        uint32_t index, talweg_lib_state* state,
                                        talweg_lib_error* error);

/* ---- Save and load ---- */

/* All states as one buffer, which is a file in the safetensors format. With the parameters and the
 * hypers, which are yours to save, it decides all later steps bit for bit. */
uint64_t talweg_lib_saved_bytes(talweg_lib_optimizer* optimizer);
talweg_lib_status talweg_lib_save(talweg_lib_optimizer* optimizer, void* buffer, uint64_t bytes,
                                  talweg_lib_error* error);

/* Takes what an optimizer of the same rule and tensors has saved. A damaged header or size, and a
 * counter or flag that cannot be, is refused, and nothing has changed then; what else is damaged is
 * not noticed. */
talweg_lib_status talweg_lib_load(talweg_lib_optimizer* optimizer, const void* buffer,
                                  uint64_t bytes, talweg_lib_error* error);

/* CUDA */
/* ---- Optimizers on a GPU ---- */

/* Work goes into this stream from now on, of the same context, behind what is still to be done in
 * the one before. */
talweg_lib_status talweg_lib_cuda_set_stream(talweg_lib_optimizer* optimizer,
                                             struct CUstream_st* stream, talweg_lib_error* error);

/* Hypers, and states of the host that were written, reach the GPU with the next call of the step.
 * For graphs: a replayed step makes no call, and takes what this function has put into the stream;
 * one that is captured is refused (NOT_SERVED) while there is something to send. */
talweg_lib_status talweg_lib_cuda_send_hypers(talweg_lib_optimizer* optimizer,
                                              talweg_lib_error* error);

/* Numbers in the device's memory, each a float, that all steps from now on look at in the order of
 * the stream; null: there is none. found_inf: where it is not 0, the step is left out and counts as
 * no call. gradient_scale: all gradients are divided by it before the step, in place, by a
 * multiplication with 1 / scale as PyTorch's GradScaler does it; no two may share memory then. */
talweg_lib_status talweg_lib_cuda_set_scaling(talweg_lib_optimizer* optimizer,
                                              const float* found_inf, const float* gradient_scale,
                                              talweg_lib_error* error);

/* Numbers in the device's memory in place of an input that is one number, or one of each group or
 * tensor: all steps from now on read them in the order of the stream, so that the host need not
 * know them, and a replayed graph as they are then. What steps are given for this input is not
 * looked at, until `numbers` is null. They must lie there until the last step that reads them is
 * done. bytes_each: 4 where they are floats, 8 where doubles. */
talweg_lib_status talweg_lib_cuda_set_input(talweg_lib_optimizer* optimizer, const char* input,
                                            const void* numbers, uint32_t bytes_each,
                                            talweg_lib_error* error);

/* Waits for all steps; says how the last one ended, or why one was refused. outcome may be null. */
talweg_lib_status talweg_lib_cuda_wait(talweg_lib_optimizer* optimizer, talweg_lib_outcome* outcome,
                                       talweg_lib_error* error);

/* END CUDA */
/* ---- The library ---- */

/* The release of talweg that generated it, and its version of the interface. */
const char* talweg_lib_version(void);
uint32_t talweg_lib_interface_version(void);

/* Its rules with their hypers, states, inputs and views, as JSON. */
const char* talweg_lib_describe(void);
/* END */

#ifdef __cplusplus
}
#endif

#endif
