/* The C interface of a generated library, written once: what C files here implement under the
 * prefix talweg_lib, a library's header shows under its own. The generator takes what stands
 * between the two marks and replaces `talweg_lib_` and `TALWEG_LIB_`; it adds what depends on the
 * rule (hypers and inputs by name, creation, the step), and says what an element is. */
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

/* How a call ended. Whatever is not OK has changed nothing. */
typedef enum talweg_lib_status {
  TALWEG_LIB_OK = 0,
  TALWEG_LIB_BAD_ARGUMENT = 2,     /* out of bounds, null, misaligned, named twice */
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
  TALWEG_LIB_UNSUPPORTED_CPU = 14, /* no variant here runs on this processor */
  TALWEG_LIB_NEWER_INTERFACE = 15, /* the caller's header is newer than the library */
  TALWEG_LIB_BAD_DATA = 16,        /* saved data of other tensors, another rule, or damaged */
} talweg_lib_status;

/* What went wrong, in a sentence that names the argument: UTF-8, ends with a 0. Every function may
 * be given a null error. */
typedef struct talweg_lib_error {
  talweg_lib_status status;
  char message[512];
} talweg_lib_error;

/* What a step did. */
typedef enum talweg_lib_outcome {
  TALWEG_LIB_COMPLETED = 0,
  TALWEG_LIB_HELD = 1,    /* the rule ended the call early and keeps what it assigned */
  TALWEG_LIB_SKIPPED = 2, /* the rule abandoned the step */
  TALWEG_LIB_REGRAD = 3,  /* the parameters have moved: compute gradients there and call again */
} talweg_lib_outcome;

/* One parameter tensor: row-major, contiguous. What is 0 here may be left out. */
typedef struct talweg_lib_tensor {
  const char* name;          /* not empty; no other tensor of the optimizer has it */
  const uint64_t* shape;     /* [rank]; a 0 makes the tensor empty */
  const int64_t* strides;    /* 0 */
  const char* const* tags;   /* [tag_count] for rules that ask for tags */
  const void* storage;       /* 0 */
  talweg_lib_element* param; /* yours; must outlive the optimizer */
  uint32_t rank;             /* 0: one element */
  uint32_t tag_count;
  uint32_t group;  /* below group_count */
  uint32_t device; /* 0 */
  /* For rules with rows and columns, which dimensions are these, where not as the rule says: 1: the
   * first one, all others; 2: the last two; 3: the two largest; 4: all before dimension split_at,
   * the others; 5: dimensions split_at and split_to. */
  uint32_t split, split_at, split_to;
} talweg_lib_tensor;

/* Runs task(argument, i) for every i below task_count, in any order, perhaps at once, and returns
 * when all are done. */
typedef void (*talweg_lib_parallel_for)(void* context, uint32_t task_count,
                                        void (*task)(void* argument, uint32_t index),
                                        void* argument);

/* Threads, for those who have none of their own to give: a small pool whose talweg_lib_pool_run is
 * a parallel_for with the pool as context. Nothing else here starts threads. Several optimizers may
 * share one, but not step at the same time. (Not for WebAssembly.) */
typedef struct talweg_lib_pool talweg_lib_pool;
/* `threads` counts the calling one; null: there is no memory. The threads sleep between steps. */
talweg_lib_pool* talweg_lib_pool_create(uint32_t threads);
uint32_t talweg_lib_pool_threads(const talweg_lib_pool* pool);
void talweg_lib_pool_run(void* pool, uint32_t task_count,
                         void (*task)(void* argument, uint32_t index), void* argument);
/* Ends its threads; after the optimizers that use it. Null does nothing. */
void talweg_lib_pool_destroy(talweg_lib_pool* pool);

/* Copied where an optimizer is created, with all that it points to but the parameters. */
typedef struct talweg_lib_spec {
  uint32_t interface_version; /* TALWEG_LIB_INTERFACE */
  uint32_t tensor_count;
  const talweg_lib_tensor* tensors;
  uint32_t group_count;  /* 0 means 1 */
  uint32_t thread_count; /* into how many parts a pass may be split; 0 means 1. Never changes
                            results */
  talweg_lib_parallel_for parallel_for; /* null: all on the calling thread. */
  void* parallel_context;
} talweg_lib_spec;

/* Memory that an optimizer needs. */
typedef struct talweg_lib_sizes {
  uint64_t control_bytes, control_alignment;
  uint64_t state_bytes, state_alignment; /* states of elements, rows, columns; bytes may be 0 */
} talweg_lib_sizes;

/* One optimizer. One caller at a time; different optimizers are independent. */
typedef struct talweg_lib_optimizer talweg_lib_optimizer;

/* "OUT_OF_RANGE" */
const char* talweg_lib_status_text(talweg_lib_status status);
/* The release of talweg that generated the library. */
const char* talweg_lib_version(void);
uint32_t talweg_lib_interface_version(void);
/* The rules of the library with their hypers, states, inputs and views, as JSON. */
const char* talweg_lib_describe(void);

/* The instruction set that an optimizer runs with: "x86-64-v3". The environment variable TALWEG_CPU
 * forces one, where it is read at creation. Results are the same with all. */
const char* talweg_lib_cpu(const talweg_lib_optimizer* optimizer);

/* Ends an optimizer: puts parameters back that a view stands in for, abandons a step that waits,
 * frees what was allocated at creation. Null does nothing. */
void talweg_lib_destroy(talweg_lib_optimizer* optimizer);
/* Back to the moment of creation but for hypers and parameters. */
talweg_lib_status talweg_lib_reset(talweg_lib_optimizer* optimizer, talweg_lib_error* error);

/* Hypers by name. A group, or all groups; numbers, integers, or 0 and 1. */
#define TALWEG_LIB_ALL_GROUPS UINT32_MAX
talweg_lib_status talweg_lib_set_hyper(talweg_lib_optimizer* optimizer, const char* name,
                                       uint32_t group, double value, talweg_lib_error* error);
/* The value that was set; of a hyper that the rule computes, the one of the last step. */
talweg_lib_status talweg_lib_get_hyper(const talweg_lib_optimizer* optimizer, const char* name,
                                       uint32_t group, double* value, talweg_lib_error* error);

/* Whether a step has returned TALWEG_LIB_REGRAD and waits for the gradients at the parameters as
 * they are. The next step goes on with these. Meanwhile all else is refused. */
int talweg_lib_is_waiting(const talweg_lib_optimizer* optimizer);
/* Ends a step that waits, as if it had not begun. */
void talweg_lib_abandon(talweg_lib_optimizer* optimizer);

/* Completed steps, and calls of the step: those that were held or skipped too. */
uint64_t talweg_lib_steps(const talweg_lib_optimizer* optimizer);
uint64_t talweg_lib_calls(const talweg_lib_optimizer* optimizer);

/* Views: other values than the parameters to evaluate with, such as an average of them. */
/* Computes a view of every tensor into destinations [tensor] of its parameter's size; null: not of
 * this one. */
talweg_lib_status talweg_lib_read_view(talweg_lib_optimizer* optimizer, const char* view,
                                       talweg_lib_element* const* destinations,
                                       talweg_lib_error* error);
/* Puts a view in place of all parameters, and keeps those in `memory` of talweg_lib_swap_bytes
 * bytes, which is the optimizer's until they are swapped back. */
talweg_lib_status talweg_lib_swap_in(talweg_lib_optimizer* optimizer, const char* view,
                                     void* memory, talweg_lib_error* error);
uint64_t talweg_lib_swap_bytes(const talweg_lib_optimizer* optimizer);
/* Puts the parameters back, byte for byte. */
talweg_lib_status talweg_lib_swap_out(talweg_lib_optimizer* optimizer, talweg_lib_error* error);

/* A state of the optimizer, which may be read and written through `data`. */
typedef struct talweg_lib_state {
  const char* name;      /* "m" */
  const char* tensor;    /* of which tensor; null: of a group or of the model */
  void* data;            /* [shape], null where there is no element */
  const uint64_t* shape; /* [rank] */
  uint64_t elements;
  uint32_t rank;
  uint32_t group;         /* of a state of groups, else 0 */
  uint32_t element_bytes; /* 4: float, 8: double */
  uint32_t kind;     /* 0: a state; 1: a counter, "t" (completed steps) or "calls"; 2: whether the
                        state of that name has got its initial value, as 0 or 1 */
  uint32_t place[3]; /* for talweg_lib_next_state */
  uint64_t lines[2]; /* the shape of states of matrices, rows and columns */
} talweg_lib_state;
/* All states, one after the other, from a zeroed struct on; 0 after the last one. */
int talweg_lib_next_state(talweg_lib_optimizer* optimizer, talweg_lib_state* state);
/* One of them by its name; `tensor` or group number `index`, where it has one for each. */
talweg_lib_status talweg_lib_find_state(talweg_lib_optimizer* optimizer, const char* name,
                                        uint32_t index, talweg_lib_state* state,
                                        talweg_lib_error* error);

/* All states as one buffer, in the safetensors format: with the parameters and the hypers all that
 * decides later steps. Files of it can be read by any reader of that format. */
uint64_t talweg_lib_saved_bytes(talweg_lib_optimizer* optimizer);
talweg_lib_status talweg_lib_save(talweg_lib_optimizer* optimizer, void* buffer, uint64_t bytes,
                                  talweg_lib_error* error);
/* What an optimizer of the same rule and tensors has saved. */
talweg_lib_status talweg_lib_load(talweg_lib_optimizer* optimizer, const void* buffer,
                                  uint64_t bytes, talweg_lib_error* error);
/* END */

#ifdef __cplusplus
}
#endif

#endif
