/* What a generated library says of one of its rules, as constants; and the functions that its own
 * ones, which know the rule, hand over to. */
#ifndef TALWEG_STANDALONE_RULE_H
#define TALWEG_STANDALONE_RULE_H

#include "runtime/abi/talweg_abi.h"
#include "runtime/standalone/interface.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A rule with a flat step has at most so many hypers, states and slots of each level; its states
 * are of elements, and its step is one phase that reduces and asks nothing. */
#define TALWEG_LIB_FLAT_LIMIT 64u

/* One rule for one instruction set. Images of a rule differ in code only. */
typedef struct talweg_lib_variant {
  const char* cpu;
  const talweg_image* image;
  uint32_t level; /* of x86-64 as its psABI counts them; 1 on other machines */
  uint32_t reserved;
} talweg_lib_variant;

/* The kernels of one rule for GPUs of an architecture and newer ones: PTX, which ends with a 0,
 * with those of runtime/gpu/device. */
typedef struct talweg_lib_gpu_code {
  const char* isa; /* "nvptx-sm90" */
  const char* ptx;
  uint32_t architecture; /* 90 */
  uint32_t reserved;
} talweg_lib_gpu_code;

typedef struct talweg_lib_rule {
  const talweg_lib_variant* variants; /* the best first */
  const uint32_t* fields;             /* [field_count] hypers of the struct of hypers, in order */
  uint32_t variant_count;
  uint32_t field_count;
  const talweg_lib_gpu_code* gpu_codes; /* [gpu_code_count] the newest last */
  uint32_t gpu_code_count;
  uint32_t reserved;
} talweg_lib_rule;

/* The release of talweg that generated the library, and what is in it as JSON: constants of each
 * library. */
extern const char talweg_lib_release[], talweg_lib_description[];

talweg_lib_status talweg_lib_measure(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                     talweg_lib_sizes* sizes, talweg_lib_error* error);
talweg_lib_status talweg_lib_create(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                    talweg_lib_optimizer** optimizer, talweg_lib_error* error);
talweg_lib_status talweg_lib_create_in(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                       void* control_memory, void* state_memory,
                                       talweg_lib_optimizer** optimizer, talweg_lib_error* error);

/* `hypers` [field_count]; all of them are set, or none. */
talweg_lib_status talweg_lib_set_hypers(const talweg_lib_rule* rule,
                                        talweg_lib_optimizer* optimizer, uint32_t group,
                                        const double* hypers, talweg_lib_error* error);
talweg_lib_status talweg_lib_get_hypers(const talweg_lib_rule* rule,
                                        const talweg_lib_optimizer* optimizer, uint32_t group,
                                        double* hypers, talweg_lib_error* error);

/* `inputs` [input_count]: of a model input a pointer to its value, of others what
 * talweg_step_inputs has for them; null where not given. May be null. */
talweg_lib_status talweg_lib_step(const talweg_lib_rule* rule, talweg_lib_optimizer* optimizer,
                                  const void* const* gradients, const void* const* inputs,
                                  talweg_lib_outcome* outcome, talweg_lib_error* error);

/* On a GPU. `cuda` may be null. */
talweg_lib_status talweg_lib_cuda_create(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                         const talweg_lib_cuda* cuda,
                                         talweg_lib_optimizer** optimizer, talweg_lib_error* error);

/* talweg_lib_step in a stream, which the optimizer keeps; `hypers` [field_count], of all groups,
 * may be null. */
talweg_lib_status talweg_lib_cuda_step(const talweg_lib_rule* rule, talweg_lib_optimizer* optimizer,
                                       const void* const* gradients, const void* const* inputs,
                                       const double* hypers, struct CUstream_st* stream,
                                       talweg_lib_outcome* outcome, talweg_lib_error* error);

/* Step `t` (from 1) of `n` elements without an optimizer: streams are param, gradient and the
 * states in order; `hypers` as above. */
talweg_lib_status talweg_lib_step_flat(const talweg_lib_rule* rule, void* const* streams,
                                       uint64_t n, uint64_t t, const double* hypers,
                                       talweg_lib_error* error);

#ifdef __cplusplus
}
#endif

#endif
