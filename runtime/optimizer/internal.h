/* The optimizer's insides, shared by the C files of runtime/optimizer, and with those of
 * runtime/gpu, which has its tables on a device too. No others. */
#ifndef TALWEG_OPTIMIZER_INTERNAL_H
#define TALWEG_OPTIMIZER_INTERNAL_H

#include "runtime/memory/state_layout.h"
#include "runtime/optimizer/arena.h"
#include "runtime/optimizer/lines.h"
#include "runtime/optimizer/message.h"
#include "runtime/optimizer/parts.h"
#include "runtime/optimizer/step.h"

/* Rows of scalars: row 0 is the model's, row 1 + g that of group g. Every row has an entry for
 * every hyper, state or input of the image; entries of other rates are unused, but groups see the
 * model's values too. */
#define MODEL_ROW 0u

/* The offset of a state that a tensor does not keep. */
#define NOT_KEPT UINT64_MAX

/* Of an image that places tensors. */
#define TALWEG_MAX_FACTS 512u
#define TALWEG_MAX_PLACED 4096u /* states, inputs, domains, requirements */

/* place.c: what an image with a place function says of one tensor. Entries for what image and
 * tensor do not have mean nothing. */
typedef struct talweg_placed {
  uint32_t route;
  double facts[TALWEG_MAX_FACTS];
  uint8_t state_present[TALWEG_MAX_PLACED];
  uint8_t input_present[TALWEG_MAX_PLACED];
  uint8_t in_domain[TALWEG_MAX_PLACED];
  uint8_t requirement_met[TALWEG_MAX_PLACED];
} talweg_placed;
void talweg_place(const talweg_image* image, const talweg_tensor* tensor, talweg_placed* placed);
/* The same of kernels that run beside the step, for a tensor of these facts: its route, and
 * `domain_count` sets of tensors. */
uint32_t talweg_place_beside(const talweg_kernels* kernels, const double* facts, uint8_t* in_domain,
                             uint32_t domain_count);

/* Consecutive tensors that are small enough to stay in cache from one pass to the next. */
typedef struct talweg_block {
  uint64_t work; /* in elements, or what costs as much */
  uint32_t tensor_begin, tensor_end;
} talweg_block;

/* Where states lie in state_memory. */
typedef struct talweg_state_places {
  talweg_state_layout layout;
  uint64_t persistent_bytes; /* scratch follows */
} talweg_state_places;

/* Columns of tables that serve the step, and views in between. */
typedef struct talweg_widths {
  uint64_t model_slots, group_slots, tensor_slots, matrix_slots, row_slots, col_slots;
  uint64_t chunk_partials, tensor_partials, group_partials;
  uint64_t matrix_partials, row_partials, col_partials, block_partials;
  uint64_t reductions, tensor_reductions,
      matrix_reductions; /* the last two: 0 if to none of these */
  int reduces_to_groups;
} talweg_widths;
talweg_widths talweg_find_widths(const talweg_image* image); /* widths.c */

/* How far a step has come: it may wait for another gradient between two phases, so this lasts from
 * one call to the next. */
typedef struct talweg_progress {
  uint32_t next_phase; /* where a step that waits goes on; 0: none waits */
  uint32_t regrad;     /* what the model function of this phase says */
  int has_waited;      /* for another gradient, so param may have moved */
  int begins;          /* element states get their initial values before what reads elements next */
  int lines_began;     /* those of rows and columns have got them */
  int has_made;        /* some of either were made before the first phase (made_states.c) */
} talweg_progress;

struct talweg_optimizer {
  talweg_optimizer_spec spec; /* tensors point to our copies */
  const talweg_image* image;
  uint32_t row_count; /* 1 + groups */
  uint32_t element_bytes;
  uint32_t chunk_count;

  /* Fixed at creation. */
  talweg_tensor* tensors;    /* [tensor] */
  uint64_t* element_counts;  /* [tensor] */
  uint64_t* state_offsets;   /* [element state, then scratch][tensor] bytes into state_memory, or
                                NOT_KEPT */
  uint32_t* tensor_routes;   /* [tensor] */
  double* tensor_facts;      /* [tensor][fact] */
  uint64_t* param_offsets;   /* [tensor] bytes into saved_params */
  uint8_t* input_present;    /* [tensor][input] */
  uint8_t* state_present;    /* [tensor][state], where places_states says so */
  uint8_t* in_domain;        /* [tensor][domain] of the step */
  uint32_t* tensor_groups;   /* [tensor] */
  uint8_t* group_has_tensor; /* [group] */
  talweg_chunk* chunks;      /* [chunk] */
  uint32_t* first_chunks;    /* [tensor + 1] into chunks */
  uint32_t* group_tensors; /* tensors by group, then index, where something is reduced to groups */
  uint32_t* group_begins;  /* [group + 1] into group_tensors */
  unsigned char* state_memory;
  uint64_t control_bytes;  /* from the optimizer itself on */
  uint32_t* by_address;    /* tensors that have elements, by their parameters' addresses */
  uintptr_t* param_begins; /* [placed] these addresses */
  uint32_t placed_count;   /* of both */
  talweg_state_places places;
  talweg_lines lines;
  uint32_t* span_ends; /* [phase]: where the span that begins with it ends (spans.c) */
  talweg_widths widths;
  talweg_pass_args pass_args;
  uint32_t tensor_state_count, tensor_input_count; /* of the image's states and inputs */
  int places_states;      /* there are states of tensors, matrices, rows or columns */
  uint32_t input_columns; /* from one row of `inputs` to the next: 0 if all groups see the same */

  /* Set by the user. */
  double* hypers; /* [group][hyper] */

  /* Persistent. */
  talweg_counters counters;
  double* scalar_states; /* [row][state] */
  double* tensor_states; /* [tensor][state], where there are tensor states */
  double* begun;         /* [state][1 + tensor] 1 once the state has its initial value; entry 0
                            is of scalar states. Only for states that begin late */

  /* While a view is swapped in. */
  uint32_t swapped_view;       /* else TALWEG_NO_VIEW */
  unsigned char* saved_params; /* the caller's: parameters at their param_offsets */

  /* Made anew in each step, and wherever a view is computed. */
  /* 0: part_begins of that table is not valid */
  uint32_t part_counts[TALWEG_SHARED_REACH_COUNT][TALWEG_TABLE_COUNT];

  void** pointers;                /* [tensor][stream] */
  uint8_t* takes_part;            /* [tensor] */
  uint8_t* took_part;             /* [tensor] takes_part, while initial values are made */
  void** beside_pointers;         /* [tensor][stream] of what runs beside the step */
  uint32_t* beside_routes;        /* [tensor] through its passes */
  uint8_t* beside_domains;        /* [tensor][domain] of it */
  const talweg_kernels* running;  /* the step's, or those of what runs beside it */
  const uint8_t* running_domains; /* [tensor][domain] of these */
  uint32_t* part_begins;          /* [reach][table][thread + 1] of the tensors that take part */
  int blocks_are_made;            /* what follows is valid */
  talweg_block* blocks;           /* [block], where the image has spans */
  uint32_t* large_tensors;        /* [large tensor] those in no block that take part */
  uint32_t block_count, large_count;
  uint64_t block_elements; /* a tensor of more is large */
  uint64_t large_work;     /* of those, in elements */
  uint32_t places_before;  /* what apart.c found last */
  int begins_some;         /* a state of a tensor that takes part has no value yet */
  talweg_progress progress;
  uint32_t outcome;       /* talweg_outcome */
  double* states_before;  /* [row][state] */
  double* states_after;   /* [row][state] */
  double* initial_states; /* [row][state] */
  double* bound;          /* [row][hyper] */
  uint8_t* needed;        /* [row][input] of the last step */
  uint8_t* view_needed;   /* [input] what all rows of a view write instead */
  uint8_t* kept;          /* [state] */
  uint8_t* unbound;       /* [row][hyper] */
  double* inputs;         /* [row][input], or one row for all (input_columns) */
  uint8_t* given;         /* [input] */
  talweg_slot* model_slots;
  talweg_slot* group_slots;  /* [group][slot] */
  talweg_slot* tensor_slots; /* [tensor][slot] */
  double* tensor_before;     /* [tensor][state], as tensor_states */
  double* tensor_after;      /* [tensor][state] */
  double* tensor_inputs;     /* [tensor][input], where there are tensor inputs */
  double* reduced;           /* [row][reduction] */
  double* tensor_reduced;    /* [tensor][reduction], where something is reduced to tensors */
  double* group_partials;    /* [group][partial] */
  double* tensor_partials;   /* [partial][tensor] */
  double* chunk_partials;    /* [partial][chunk] */
  uint8_t* group_takes_part; /* [group] of reductions over groups */
  talweg_scalar_args* args;  /* [row] */
  double* last_bound;        /* [row][hyper] of the last completed step; NaN before it */
};

/* layout.c: sizes of all tables, and where `memory` is not null, their addresses and copies of
 * tensors; the rest of their contents is not set. `bytes` of memory are needed. */
talweg_status talweg_lay_out(const talweg_optimizer_spec* spec, talweg_optimizer* optimizer,
                             void* memory, uint64_t* bytes, talweg_error* error);
/* Lays out element states, of the tensors that keep them, then states of rows and columns, then
 * scratch; notes where unless `offsets` and `line_offsets` ([state]; NOT_KEPT for other states) are
 * null. 0 if they could not be addressed, else 1. */
int talweg_place_states(const talweg_optimizer_spec* spec, const talweg_line_counts* lines,
                        talweg_state_places* places, uint64_t* offsets, uint64_t* line_offsets);
/* layout_lines.c: the part of matrices, rows and columns. */
void talweg_carve_lines(talweg_optimizer* optimizer, talweg_arena* memory);

/* check_image.c, check_kernels.c, check_tensor.c, check_apart.c: of what a spec holds. */
talweg_status talweg_check_image(const talweg_image* image, talweg_error* error);
talweg_status talweg_check_kernels(const talweg_image* image, talweg_error* error);
talweg_status talweg_refuse_image(const talweg_image* image, const char* what, talweg_error* error);
talweg_status talweg_refuse_part(const char* kind, const char* name, const char* what,
                                 talweg_error* error);
talweg_status talweg_check_tensor(const talweg_optimizer_spec* spec, uint32_t tensor,
                                  talweg_error* error);
/* Elements of a tensor whose shape was checked. */
uint64_t talweg_element_count(const talweg_tensor* tensor);
/* Names differ, parameters do not overlap. Sorts these by address. */
talweg_status talweg_check_apart(talweg_optimizer* optimizer, talweg_error* error);

/* hypers.c: whether a hyper may have a value; `where` ends the sentence, e.g. " in step 3". */
talweg_status talweg_check_hyper_value(const talweg_image* image, uint32_t hyper, double value,
                                       talweg_error* error);

/* initial.c */
int talweg_is_scalar_rate(uint32_t rate);
/* Whether a state's initial value is made in a call, not at creation. */
int talweg_begins_late(const talweg_state_info* state);
/* Writes a value, in an element type. */
void talweg_fill(void* start, uint64_t element_count, uint32_t dtype, double value);
/* Whether a tensor that takes part keeps a state that has no value yet. */
int talweg_some_state_begins(talweg_optimizer* optimizer);
void talweg_reset_states(talweg_optimizer* optimizer);
/* Runs initial_states for the model and for each group, into initial_states. */
void talweg_compute_initial_states(talweg_optimizer* optimizer);
/* Gives element states that have no value yet their initial ones, for chunks [begin, end); but for
 * those of made_states.c. */
void talweg_begin_chunks(talweg_optimizer* optimizer, uint32_t chunk_begin, uint32_t chunk_end);

/* Makes those of them that `kept` [state] does not name (null: all) zeros again: of a call that
 * does not keep them, what they begin with was there for others to read only. */
void talweg_clear_chunks(talweg_optimizer* optimizer, uint32_t chunk_begin, uint32_t chunk_end,
                         const uint8_t* kept);

/* made_states.c: makes the initial values of TALWEG_INITIAL_KERNELS of states that begin in some
 * tensor that takes part, or of those of model and group only. 1 if some went to memory of states.
 */
int talweg_make_initial_values(talweg_optimizer* optimizer, int scalars_only);
/* Where a tensor state begins, once its initial value is made. */
double talweg_made_for_tensor(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
/* Computes what a state of model, groups or tensors would begin with now, over all tensors. */
talweg_status talweg_foresee(talweg_optimizer* optimizer, uint32_t state, talweg_error* error);

/* beside.c */
typedef struct talweg_beside {
  talweg_optimizer* optimizer;
  const talweg_kernels* kernels;
  const talweg_phase* phase; /* that runs, or has run last */
  talweg_pass_args args;
  const talweg_kernels* outer; /* what was running */
  const uint8_t* outer_domains;
} talweg_beside;
void talweg_begin_beside(talweg_beside* run, talweg_optimizer* optimizer,
                         const talweg_kernels* kernels);
void talweg_end_beside(talweg_beside* run);
/* Whether a tensor takes part from here on, and what its stream 0 is. */
void talweg_show_beside(talweg_optimizer* optimizer, uint32_t tensor, void* param, int takes_part);
/* All but the last phase, and of that one the functions of model and groups. */
void talweg_run_phases_beside(talweg_beside* run);
/* What is left of the phase but for its pass. */
void talweg_run_tables_beside(talweg_beside* run);

/* What the functions of step.h show without _here, for those who have settled (work.h), or look at
 * places only: each of these waits for a device. In create.c, tensor_states.c and line_states.c. */
double* talweg_scalar_state_here(talweg_optimizer* optimizer, uint32_t state, uint32_t group);
double* talweg_tensor_state_here(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
int talweg_array_state_here(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor,
                            talweg_state_array* array);

/* tensor_states.c: where there are tensor states. */
int talweg_keeps_tensor_state(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
void talweg_reset_tensor_states(talweg_optimizer* optimizer);
/* What functions see, of the tensors that take part. */
void talweg_copy_tensor_states(talweg_optimizer* optimizer);
void talweg_commit_tensor_states(talweg_optimizer* optimizer);

/* inputs.c: what was given, to where the image's functions find it. */
talweg_status talweg_bind_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                 talweg_error* error);
/* All but what passes read: that is not looked at. */
void talweg_bind_scalar_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs);
/* The error of one that a step reads and was not given; `tensor`: for that one, or null. */
talweg_status talweg_refuse_missing(const talweg_optimizer* optimizer, uint32_t input,
                                    const talweg_tensor* tensor, talweg_error* error);
/* Inputs that this step reads must be there. A stream that it does not read gets memory that can be
 * loaded from: a pass may load what it then does not select. */
talweg_status talweg_check_inputs(talweg_optimizer* optimizer, talweg_error* error);

/* reductions.c: those of a phase of what is running, from what earlier ones left. */
void talweg_fold_reductions(talweg_optimizer* optimizer, uint32_t phase);
/* The same within a scope, where none of them is of more than one tensor. */
void talweg_fold_scope(talweg_optimizer* optimizer, const talweg_scope* scope, uint32_t phase);
/* Whether a tensor takes part in a reduction. */
int talweg_ranges_over(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                       uint32_t tensor);
/* Whether functions of a later phase see what the pass of this phase leaves, or its pass over
 * lines. */
int talweg_reads_chunks_after(const talweg_kernels* kernels, uint32_t phase);
int talweg_reads_lines_after(const talweg_kernels* kernels, uint32_t phase);

/* scalars.c: of the step. Write nothing persistent but for initial values, which begin where
 * `begins_all` says so, else those of model and group only. Once a call: */
void talweg_begin_scalars(talweg_optimizer* optimizer, int begins_all);
/* What the functions of what is running find in each row, and where they leave new states. */
void talweg_show_rows(talweg_optimizer* optimizer, double* new_states);
/* The error of a hyper that the rule has bound to a value it may not have. */
talweg_status talweg_refuse_bound(const talweg_optimizer* optimizer, size_t row, uint32_t hyper,
                                  double value, talweg_error* error);
/* Folds what the phase reads, runs its model and group functions and checks what they bound. */
talweg_status talweg_run_scalars(talweg_optimizer* optimizer, uint32_t phase, talweg_error* error);
/* The same for a view, which binds nothing, and for an initial value. */
void talweg_begin_view_scalars(talweg_optimizer* optimizer);
void talweg_run_scalars_beside(talweg_optimizer* optimizer, uint32_t phase);
/* Whether this step reads an input in a group, or anywhere. After talweg_run_scalars. */
int talweg_is_needed_in_group(const talweg_optimizer* optimizer, uint32_t input, uint32_t group);
int talweg_is_needed(const talweg_optimizer* optimizer, uint32_t input);

/* phases.c: the whole of a step but for what is bound before and committed after; up to where it
 * waits, and on from there. Where it fails nothing persistent has changed. */
talweg_status talweg_run_phases(talweg_optimizer* optimizer, talweg_error* error);
/* Takes back what a step that has begun and does not end left in parameters and states. */
void talweg_take_back(talweg_optimizer* optimizer);

/* spans.c: whether the image has phases that can run tensor after tensor; then there are blocks. */
int talweg_has_spans(const talweg_image* image);
/* Whether a tensor is too large for a block. */
int talweg_is_large(const talweg_optimizer* optimizer, uint32_t tensor);
/* Sets span_ends. */
void talweg_find_spans(talweg_optimizer* optimizer);
/* Once its functions of model and groups have run: the end of the span that `phase` begins, if that
 * is to run tensor after tensor; else `phase` itself. */
uint32_t talweg_span_from(talweg_optimizer* optimizer, uint32_t phase);
/* Runs what is left of phases [begin, end). */
void talweg_run_span(talweg_optimizer* optimizer, uint32_t begin, uint32_t end);

/* waiting.c: fails while a step waits for another gradient; `what` ends "..., before ". */
talweg_status talweg_refuse_waiting(const talweg_optimizer* optimizer, const char* what,
                                    talweg_error* error);
/* The gradients with which a step that waits goes on. Where it fails the step waits as it did. */
talweg_status talweg_bind_next_gradients(talweg_optimizer* optimizer, const void* const* gradients,
                                         talweg_error* error);

/* step.c: what a step is given, once it was found to be right, to where the image's functions find
 * it. */
talweg_status talweg_begin_step(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                talweg_error* error);
/* The null array of gradients is only for a rule that reads none. */
talweg_status talweg_check_gradients(const talweg_optimizer* optimizer,
                                     const void* const* gradients, talweg_error* error);
/* What a tensor is given. Where no gradient is read, param stands in for it: not null, so the
 * tensor takes part. */
const void* talweg_gradient_of(const talweg_optimizer* optimizer, const void* const* gradients,
                               uint32_t tensor);

/* apart.c: whether memory of a caller shares none with parameters, states and control memory. It
 * does not go past the end of memory. */
int talweg_is_apart(talweg_optimizer* optimizer, const void* memory, uint64_t bytes);
/* Where it does, with what: " shares memory with states". `own` is the tensor that it is for. */
void talweg_put_shared(talweg_optimizer* optimizer, const void* memory, uint64_t bytes,
                       uint32_t own, talweg_error* error);
/* What memory is given as, for messages: "the gradient", or "input " and its name. */
typedef struct talweg_given {
  const char *kind, *name; /* name: or null */
  uint32_t tensor;
} talweg_given;
/* Memory of a tensor's size is aligned and apart. */
talweg_status talweg_check_memory(talweg_optimizer* optimizer, const talweg_given* given,
                                  const void* memory, talweg_error* error);
/* Whether a step has to check what it is given for a stream: what the stream was set to has been,
 * unless it is param, which stands in where nothing is read. */
static inline int talweg_is_new(void* const* streams, uint32_t stream, const void* memory) {
  return memory != streams[stream] || memory == streams[TALWEG_STREAM_PARAM];
}

/* views.c: fails while a view is swapped in; `what` ends "swap it out before ". */
talweg_status talweg_refuse_swapped(const talweg_optimizer* optimizer, const char* what,
                                    talweg_error* error);

#endif
