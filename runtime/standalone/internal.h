/* What the functions of a generated library share. */
#ifndef TALWEG_STANDALONE_INTERNAL_H
#define TALWEG_STANDALONE_INTERNAL_H

#include "runtime/optimizer/message.h"
#include "runtime/optimizer/step.h"
#include "runtime/standalone/rule.h"

struct talweg_lib_optimizer {
  const char* library; /* whose it is: the address of its talweg_lib_identity. First, as this alone
                          may be looked at in optimizers of other libraries */
  talweg_optimizer* core;
  const talweg_lib_rule* rule;
  const talweg_lib_variant* variant;
  const talweg_image* image;
  void *control_allocation, *state_allocation; /* ours to free, or null */
  /* What a step hands to the core, [input_count] each, so that it allocates nothing. */
  double* model_inputs;
  uint8_t* given;
  const void* const** element_inputs;
  const void* const** line_inputs;
  const double** group_inputs;
  const double** tensor_inputs;
#ifndef TALWEG_HOST_ONLY
  const talweg_lib_gpu_code* gpu; /* what it runs on a GPU; null: it is the host's */
#endif
};

/* Codes and errors of the core are codes and errors of a library. */
static inline talweg_error* core_error(talweg_lib_error* error) { return (talweg_error*)error; }
static inline talweg_lib_status from_core(talweg_status status) {
  return (talweg_lib_status)status;
}
static inline talweg_lib_status fail(talweg_lib_error* error, talweg_lib_status status,
                                     const char* text) {
  return from_core(talweg_fail(core_error(error), (talweg_status)status, text));
}
/* A variable, not a constant: those of several libraries in one program must not become one. */
extern char talweg_lib_identity;

static inline int is_own(const talweg_lib_optimizer* optimizer) {
  return optimizer && optimizer->library == &talweg_lib_identity;
}

/* "the optimizer is null" */
static inline talweg_lib_status fail_null(talweg_lib_error* error, const char* what) {
  fail(error, TALWEG_LIB_BAD_ARGUMENT, what);
  talweg_put(core_error(error), " is null");
  return TALWEG_LIB_BAD_ARGUMENT;
}

/* Of an optimizer that is not this library's own, or null. */
talweg_lib_status talweg_lib_refuse_foreign(const talweg_lib_optimizer* optimizer,
                                            talweg_lib_error* error);

/* The best variant that runs here, or the one that TALWEG_CPU names. */
talweg_lib_status talweg_lib_choose(const talweg_lib_rule* rule, const talweg_lib_variant** variant,
                                    talweg_lib_error* error);

/* Checks what a spec says of itself and makes one for the core of it. */
talweg_lib_status talweg_lib_read_spec(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                       const talweg_lib_variant** variant,
                                       talweg_optimizer_spec* core, talweg_lib_error* error);

/* The bytes of our struct and the arrays behind it, and where these are put, which is done before
 * the first step. */
size_t talweg_lib_front_bytes(const talweg_image* image);
void talweg_lib_carve_inputs(talweg_lib_optimizer* optimizer);

/* A function of one rule must not be given the optimizer of another. */
talweg_lib_status talweg_lib_check_rule(const talweg_lib_rule* rule,
                                        const talweg_lib_optimizer* optimizer,
                                        talweg_lib_error* error);

/* The newest code that a device of an architecture runs (90: of compute capability 9.0). Null where
 * that is older than the oldest code is for. */
talweg_lib_status talweg_lib_choose_gpu(const talweg_lib_rule* rule, uint32_t architecture,
                                        const talweg_lib_gpu_code** code, uint32_t* oldest,
                                        talweg_lib_error* error);

/* Whether memory of the caller can be that of an optimizer. */
talweg_lib_status talweg_lib_check_given(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                         const talweg_lib_sizes* sizes, const void* control_memory,
                                         const void* state_memory, talweg_lib_error* error);

/* The row of a name among `count` rows of `row_bytes` that begin with their names; `kind` is what
 * they are. The error says which there are. */
talweg_lib_status talweg_lib_find(const char* kind, const void* rows, size_t row_bytes,
                                  uint32_t count, const char* name, uint32_t* row,
                                  talweg_lib_error* error);

/* Whether states may be saved and loaded now; `what` ends "before it is ". */
talweg_lib_status talweg_lib_refuse_between(const talweg_lib_optimizer* optimizer, const char* what,
                                            talweg_lib_error* error);

/* talweg_lib_next_state, but for waiting for a device; also while a step waits: sizes and names are
 * the same then. */
int talweg_lib_list_state(talweg_lib_optimizer* optimizer, talweg_lib_state* state);

#endif
