/* A rule as a value: what it has, and what can be done with it, as a table of functions. A
 * generated library hands out one for each of its rules, the embedding library one for each that it
 * compiles, so a program that goes by the table (talweg/talweg.hpp does) runs with either. The text
 * between the marks is shown in talweg/talweg.h. */
#ifndef TALWEG_STANDALONE_TABLE_H
#define TALWEG_STANDALONE_TABLE_H

#include "runtime/standalone/interface.h"

#ifdef __cplusplus
extern "C" {
#endif

/* BEGIN */
typedef struct talweg_lib_functions talweg_lib_functions;

/* A rule: one that talweg_compile made, or one of a library that `talweg build` made, whose
 * function NAME_rule() returns it. It is read only. */
typedef struct talweg_lib_table {
  uint32_t interface_version; /* of the library that the rule belongs to */
  uint32_t element_bytes;     /* of parameters and gradients; 4: float, 8: double */
  const char* name;
  const char*
      description; /* hypers, states, inputs and views, as JSON; of all rules of a library */
  const talweg_lib_functions* functions;
  const void* code;
} talweg_lib_table;

/* How often there is one of a hyper, state or input. */
typedef enum talweg_lib_rate {
  TALWEG_LIB_OF_MODEL = 1,
  TALWEG_LIB_OF_GROUP = 2,
  TALWEG_LIB_OF_TENSOR = 3,
  TALWEG_LIB_OF_MATRIX = 4,
  TALWEG_LIB_OF_ROW = 5,
  TALWEG_LIB_OF_COLUMN = 6,
  TALWEG_LIB_OF_ELEMENT = 7,
} talweg_lib_rate;

/* A hyper that may be set. */
typedef struct talweg_lib_hyper {
  const char* name;
  const char* about;    /* from the comment before it; may be empty */
  double default_value; /* NaN: computed from other hypers until it is set */
  double low, high;
  uint32_t low_closed, high_closed; /* 1: the bound itself is allowed */
  uint32_t kind;                    /* 0: a number, 1: an integer, 2: 0 or 1 */
  talweg_lib_rate rate;             /* of the model or of groups */
} talweg_lib_hyper;

/* A state, input or view. */
typedef struct talweg_lib_part {
  const char* name;
  const char* about;
  talweg_lib_rate rate;
  uint32_t element_bytes; /* 8 but where it is of rows, columns or elements */
} talweg_lib_part;

/* What a rule has, by number; 0 after the last one. */
int talweg_lib_rule_hyper(const talweg_lib_table* rule, uint32_t index, talweg_lib_hyper* hyper);
int talweg_lib_rule_state(const talweg_lib_table* rule, uint32_t index, talweg_lib_part* state);
int talweg_lib_rule_input(const talweg_lib_table* rule, uint32_t index, talweg_lib_part* input);
int talweg_lib_rule_view(const talweg_lib_table* rule, uint32_t index, talweg_lib_part* view);

/* What can be done with a rule and its optimizers; each as the function of that name. Later
 * versions of the interface add functions at the end. */
struct talweg_lib_functions {
  talweg_lib_status (*measure)(const talweg_lib_table*, const talweg_lib_spec*, talweg_lib_sizes*,
                               talweg_lib_error*);
  talweg_lib_status (*create)(const talweg_lib_table*, const talweg_lib_spec*,
                              talweg_lib_optimizer**, talweg_lib_error*);
  talweg_lib_status (*create_in)(const talweg_lib_table*, const talweg_lib_spec*, void*, void*,
                                 talweg_lib_optimizer**, talweg_lib_error*);
  void (*destroy)(talweg_lib_optimizer*);
  talweg_lib_status (*reset)(talweg_lib_optimizer*, talweg_lib_error*);
  talweg_lib_status (*step)(talweg_lib_optimizer*, talweg_lib_element* const*, const void* const*,
                            talweg_lib_outcome*, talweg_lib_error*);
  int (*is_waiting)(const talweg_lib_optimizer*);
  void (*abandon)(talweg_lib_optimizer*);
  talweg_lib_status (*set_hyper)(talweg_lib_optimizer*, const char*, uint32_t, double,
                                 talweg_lib_error*);
  talweg_lib_status (*get_hyper)(const talweg_lib_optimizer*, const char*, uint32_t, double*,
                                 talweg_lib_error*);
  uint64_t (*steps)(const talweg_lib_optimizer*);
  uint64_t (*calls)(const talweg_lib_optimizer*);
  talweg_lib_status (*read_view)(talweg_lib_optimizer*, const char*, talweg_lib_element* const*,
                                 talweg_lib_error*);
  talweg_lib_status (*swap_in)(talweg_lib_optimizer*, const char*, void*, talweg_lib_error*);
  uint64_t (*swap_bytes)(const talweg_lib_optimizer*);
  talweg_lib_status (*swap_out)(talweg_lib_optimizer*, talweg_lib_error*);
  int (*next_state)(talweg_lib_optimizer*, talweg_lib_state*);
  talweg_lib_status (*find_state)(talweg_lib_optimizer*, const char*, uint32_t, talweg_lib_state*,
                                  talweg_lib_error*);
  uint64_t (*saved_bytes)(talweg_lib_optimizer*);
  talweg_lib_status (*save)(talweg_lib_optimizer*, void*, uint64_t, talweg_lib_error*);
  talweg_lib_status (*load)(talweg_lib_optimizer*, const void*, uint64_t, talweg_lib_error*);
  const char* (*cpu)(const talweg_lib_optimizer*);
  const char* (*status_text)(talweg_lib_status);
  int (*rule_hyper)(const talweg_lib_table*, uint32_t, talweg_lib_hyper*);
  int (*rule_state)(const talweg_lib_table*, uint32_t, talweg_lib_part*);
  int (*rule_input)(const talweg_lib_table*, uint32_t, talweg_lib_part*);
  int (*rule_view)(const talweg_lib_table*, uint32_t, talweg_lib_part*);
  void (*release)(const talweg_lib_table*); /* ends the rule; rules of libraries need no end */
  /* Optimizers on a GPU; refused (NOT_SERVED) by a library without code for one. */
  talweg_lib_status (*cuda_create)(const talweg_lib_table*, const talweg_lib_spec*,
                                   const talweg_lib_cuda*, talweg_lib_optimizer**,
                                   talweg_lib_error*);
  talweg_lib_status (*cuda_set_stream)(talweg_lib_optimizer*, struct CUstream_st*,
                                       talweg_lib_error*);
  talweg_lib_status (*cuda_send_hypers)(talweg_lib_optimizer*, talweg_lib_error*);
  talweg_lib_status (*cuda_set_scaling)(talweg_lib_optimizer*, const float*, const float*,
                                        talweg_lib_error*);
  talweg_lib_status (*cuda_wait)(talweg_lib_optimizer*, talweg_lib_outcome*, talweg_lib_error*);
  talweg_lib_status (*cuda_set_input)(talweg_lib_optimizer*, const char*, const void*, uint32_t,
                                      talweg_lib_error*);
};
/* END */

/* Those of rules that a library was generated with. */
extern const talweg_lib_functions talweg_lib_built_functions;

/* The functions above that are told the rule, for any table. */
talweg_lib_status talweg_lib_table_measure(const talweg_lib_table* rule,
                                           const talweg_lib_spec* spec, talweg_lib_sizes* sizes,
                                           talweg_lib_error* error);
talweg_lib_status talweg_lib_table_create(const talweg_lib_table* rule, const talweg_lib_spec* spec,
                                          talweg_lib_optimizer** optimizer,
                                          talweg_lib_error* error);
talweg_lib_status talweg_lib_table_create_in(const talweg_lib_table* rule,
                                             const talweg_lib_spec* spec, void* control_memory,
                                             void* state_memory, talweg_lib_optimizer** optimizer,
                                             talweg_lib_error* error);
talweg_lib_status talweg_lib_table_cuda_create(const talweg_lib_table* rule,
                                               const talweg_lib_spec* spec,
                                               const talweg_lib_cuda* cuda,
                                               talweg_lib_optimizer** optimizer,
                                               talweg_lib_error* error);
/* The step of an optimizer of whatever rule. */
talweg_lib_status talweg_lib_step_any(talweg_lib_optimizer* optimizer,
                                      talweg_lib_element* const* gradients,
                                      const void* const* inputs, talweg_lib_outcome* outcome,
                                      talweg_lib_error* error);

#ifdef __cplusplus
}
#endif

#endif
