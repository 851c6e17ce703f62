/* The contract between compiled rules and the runtime that steps them. C11; includes no other
 * header of the project. The only thing that compiler/ and runtime/ share.
 *
 * An image is one rule compiled for one machine: tables that describe it, and what it runs in
 * phases. Each phase has scalar functions, which compute what differs per step (model), per step
 * and parameter group (group), or per step and tensor (tensor), and a pass, which walks the chunk
 * table. A pass leaves partial results of reductions, one a chunk; the runtime folds them in a
 * fixed order before the phase that reads them. Nothing in an image allocates, fails or keeps
 * state.
 *
 * Version history (append only)
 *   1: first release. */
#ifndef TALWEG_ABI_H
#define TALWEG_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TALWEG_ABI_VERSION 1u

/* Elements per chunk and per segment of a chunk. Part of the numeric contract: they fix the order
 * in which partial sums are combined. */
#define TALWEG_CHUNK_ELEMENTS 16384u
#define TALWEG_SEGMENT_ELEMENTS 1024u

typedef enum talweg_dtype {
  TALWEG_F32 = 1,
  TALWEG_F64 = 2,
  TALWEG_BF16 = 3, /* known, not served yet */
  TALWEG_F16 = 4,  /* known, not served yet */
} talweg_dtype;

typedef enum talweg_rate {
  TALWEG_RATE_MODEL = 1,
  TALWEG_RATE_GROUP = 2,
  TALWEG_RATE_TENSOR = 3,
  TALWEG_RATE_MATRIX = 4,
  TALWEG_RATE_ROW = 5,
  TALWEG_RATE_COL = 6,
  TALWEG_RATE_ELEMENT = 7,
} talweg_rate;

typedef enum talweg_hyper_kind {
  TALWEG_HYPER_NUMBER = 0,
  TALWEG_HYPER_INT = 1,
  TALWEG_HYPER_BOOL = 2, /* 0 or 1 */
} talweg_hyper_kind;

/* How a call ended. */
typedef enum talweg_outcome {
  TALWEG_COMPLETED = 0,
  TALWEG_HELD = 1,    /* what was assigned is kept, but no step was made: `t` stays */
  TALWEG_SKIPPED = 2, /* nothing but some assignments to states is kept: `t` stays */
  TALWEG_REGRAD = 3,  /* it has not: the step goes on with the gradients of the next call, to be
                         computed at the parameters as they are now */
} talweg_outcome;

typedef struct talweg_hyper_info {
  const char* name; /* as a user sets it */
  const char* doc;
  double default_value;
  double low, high; /* range; may be infinite */
  uint8_t low_closed, high_closed;
  uint8_t kind; /* talweg_hyper_kind */
  uint8_t rate; /* MODEL or GROUP */
  uint8_t
      bound; /* 1: computed by the rule each step (range-checked then); setting it is an error */
  uint8_t rounds;  /* 1: enters array arithmetic; the range holds after rounding to the compute type
                      too */
  uint8_t follows; /* 1 (with `bound`): may be set all the same; NaN among the hypers that functions
                      see until it is, and computed only then */
  uint8_t bound_phase; /* whose functions compute it; its range is checked after them */
} talweg_hyper_info;

typedef enum talweg_initial {
  TALWEG_INITIAL_ZERO = 0,
  TALWEG_INITIAL_CONSTANT = 1, /* `initial_value`, from the start */
  TALWEG_INITIAL_SCALAR =
      2, /* from initial_states(), in the first call of its tensor (or of all) that keeps it */
  TALWEG_INITIAL_PARAM = 3, /* a copy of param as the tensor's first call that keeps it found it */
  TALWEG_INITIAL_KERNELS = 4, /* likewise in that call, from param and what it reduces to: by
                                 initial_kernels */
} talweg_initial;

typedef struct talweg_state_info {
  const char* name;
  const char* doc;
  double initial_value;
  uint32_t stream;   /* element states: index of its stream; else UINT32_MAX */
  uint8_t rate;      /* talweg_rate: MODEL, GROUP, TENSOR or ELEMENT */
  uint8_t dtype;     /* talweg_dtype: the compute type for element states, F64 for scalar ones */
  uint8_t initial;   /* talweg_initial */
  uint8_t is_stored; /* 1 if a step can change it */
} talweg_state_info;

typedef struct talweg_input_info {
  const char* name;
  const char* doc;
  uint32_t stream; /* element inputs: index of its stream; else UINT32_MAX */
  uint8_t rate;    /* talweg_rate */
  uint8_t reserved[3];
} talweg_input_info;

/* What a rule asks about a tensor where it chooses a pipeline for it. */
typedef enum talweg_fact_kind {
  TALWEG_FACT_RANK = 0,   /* number of dimensions */
  TALWEG_FACT_SIZE = 1,   /* number of elements */
  TALWEG_FACT_NAMED = 2,  /* 1 if the name matches the pattern `text`, in which `*` stands for any
                             characters and `?` for any one byte; else 0 */
  TALWEG_FACT_TAGGED = 3, /* 1 if the tensor has the tag `text`, else 0 */
  TALWEG_FACT_ROWS = 4,   /* of its matrices; 0 for a tensor of rank 0 or 1, as what follows */
  TALWEG_FACT_COLS = 5,
  TALWEG_FACT_MATRICES = 6, /* how many there are */
} talweg_fact_kind;

typedef struct talweg_fact_info {
  const char* text; /* of NAMED and TAGGED; else empty */
  uint8_t kind;     /* talweg_fact_kind */
  uint8_t reserved[7];
} talweg_fact_info;

/* What an image says of one tensor, once, where the optimizer is built. */
typedef struct talweg_placement {
  const double* facts;    /* [fact_count] in */
  uint32_t* route;        /* out: what passes are told of the tensor */
  uint8_t* state_present; /* [state_count] out: 1 for states per tensor, or faster, that it keeps */
  uint8_t* input_present; /* [input_count] out: 1 for inputs per tensor, or faster, that its steps
                             may read */
  uint8_t* in_domain;     /* [domain_count] out: 1 for the sets of tensors it belongs to, over which
                             reductions range */
  uint8_t* requirement_met; /* [requirement_count] out: 0 for what a rule requires and it lacks */
} talweg_placement;

typedef void (*talweg_place_function)(void* self, const talweg_placement* placement);

/* A contiguous run of elements of one tensor: the unit of work, of reduction order and of sharding.
 */
typedef struct talweg_chunk {
  uint64_t first_element; /* elements, from the start of the tensor; a multiple of
                             TALWEG_CHUNK_ELEMENTS */
  uint32_t element_count; /* 1 to TALWEG_CHUNK_ELEMENTS */
  uint32_t tensor_index;
} talweg_chunk;

/* Which two dimensions of a tensor are the rows and columns of its matrices; all others number the
 * matrices. */
typedef enum talweg_split {
  TALWEG_SPLIT_NONE = 0,       /* of an image: it has no matrices. Of a tensor: as the image says */
  TALWEG_SPLIT_FIRST_REST = 1, /* dimension 0, and all others as one: one matrix */
  TALWEG_SPLIT_LAST_TWO = 2,
  TALWEG_SPLIT_TWO_LARGEST = 3, /* in their order; of equal ones the later */
  TALWEG_SPLIT_AT = 4,   /* of a tensor: dimensions before `split_at` as one, and the others */
  TALWEG_SPLIT_PAIR = 5, /* of a tensor: dimension `split_at` and the later one `split_to` */
} talweg_split;

/* A tensor as matrices: element ((((o * rows + r) * inner + i) * cols + c) * last + l) is row r and
 * column c of matrix (o * inner + i) * last + l; o is below outer, i below inner, l below last. All
 * 0 for a tensor of rank 0 or 1. Matrices, rows and columns of an optimizer are numbered through:
 * tensor by tensor, within it by matrix, within that by row or column. */
typedef struct talweg_matrix_view {
  uint64_t outer, rows, inner, cols, last;
  uint64_t first_matrix, first_row, first_col; /* the numbers of the tensor's first ones */
  uint64_t first_block;     /* place of its first block in the table of row blocks */
  uint64_t first_block_col; /* place of that block's results among partial results of columns */
} talweg_matrix_view;

/* Rows of a block: the unit in which columns are added up. Part of the numeric contract. */
#define TALWEG_BLOCK_ROWS 64u

/* Some matrices of a tensor, some rows or columns of one matrix, or a block of its rows. */
typedef struct talweg_line_chunk {
  uint64_t first;  /* number of the first: matrix, row or column of the optimizer */
  uint64_t matrix; /* number of the matrix of the optimizer */
  uint32_t count;
  uint32_t tensor_index;
} talweg_line_chunk;

/* A scalar kept for later code. An array-typed scalar of a float32 image is in f32, all others in
 * f64; bools are bits 0 or 1. */
typedef union talweg_slot {
  double f64;
  float f32;
  uint64_t bits;
} talweg_slot;

/* How partial results are folded. Every fold starts from a value that changes nothing: +0,
 * +infinity, -infinity; MIN and MAX give NaN if one value is NaN, and order -0 below +0. */
typedef enum talweg_fold {
  TALWEG_FOLD_SUM = 0,
  TALWEG_FOLD_MIN = 1,
  TALWEG_FOLD_MAX = 2,
} talweg_fold;

/* Where the values come from that a reduction folds. */
typedef enum talweg_reduction_source {
  TALWEG_FROM_CHUNKS = 0,   /* a pass leaves one a chunk */
  TALWEG_FROM_TENSORS = 1,  /* the tensor function leaves one a tensor */
  TALWEG_FROM_GROUPS = 2,   /* the group function leaves one a group */
  TALWEG_FROM_MATRICES = 3, /* the matrix function leaves one a matrix */
  TALWEG_FROM_ROWS = 4,     /* the row function, or the pass over lines, leaves one a row */
  TALWEG_FROM_COLS = 5, /* the column function leaves one a column; or the pass over lines leaves
                           one a column of each row block, of which the sequence of blocks makes
                           one a column (`blocks`) */
} talweg_reduction_source;

/* One value for the model, for each group or for each tensor, folded from many.
 *
 * The order depends on shapes only. A sequence of values is folded like this: values 1,024 k to
 * 1,024 k + 1,023 are a block; within it value i joins lane i mod 64, in order, from the fold's
 * start; the lanes fold by halves (lane i with lane i + 32, then i with i + 16, ... 1); of more
 * than one block the results, one a block, are such a sequence in their turn. Elements are a
 * sequence of segments within their chunk (a block is a segment), chunks within their tensor,
 * tensors within their group or the model, where tensors that take no part count as the fold's
 * start. Where a matrix or row is asked for, elements are a sequence within their row, and rows
 * within their matrix. A column adds the rows of a block in order, from the fold's start; the
 * blocks of its matrix are a sequence. Rows (or columns) are a sequence within their matrix,
 * matrices within their tensor. A result of rate ROW is what FROM_ROWS left, and one of rate COL
 * what FROM_COLS left or its blocks make: nothing else is folded for them. */
typedef struct talweg_reduction_info {
  uint8_t fold;     /* talweg_fold */
  uint8_t source;   /* talweg_reduction_source */
  uint8_t rate;     /* of the result: MODEL, GROUP, TENSOR, MATRIX, ROW or COL */
  uint8_t counts;   /* 1: the values folded are numbers of index values (of elements: FROM_CHUNKS;
                       else   1 for each tensor, or group), and nobody leaves them */
  uint32_t phase;   /* whose functions are the first to see it; folded right before them */
  uint32_t partial; /* which of the partial results of its source; where `counts` is 0 */
  uint32_t domain;  /* the tensors it ranges over, as placements say; UINT32_MAX: all */
  uint32_t blocks;  /* FROM_COLS: which of the partial results of row blocks makes its columns, or
                       UINT32_MAX: the column function leaves them */
} talweg_reduction_info;

/* What scalar functions see. Arrays are indexed as the image's tables; entries of other rates are
 * unused. */
typedef struct talweg_scalar_args {
  double step_number; /* t: 1 + completed steps */
  double call_number; /* calls: from 1, this one included */
  const double*
      hypers; /* [hyper_count] of this group; model hypers in every group's row; bools 0 or 1 */
  const double*
      states; /* [state_count] scalar states before the step: model ones, and this group's */
  const double* inputs; /* [input_count] model inputs, and this group's; 0 where not given */
  const uint8_t* given; /* [input_count] 1 where the caller gave the input */
  double*
      new_states; /* [state_count] out: values after the step of the states this function stores */
  double* bound;  /* [hyper_count] out: values of bound hypers of this function's rate */
  talweg_slot* model_slots; /* model function: out; group function: in */
  talweg_slot* group_slots; /* group function: out */
  /* [input_count] out, all 1 before the first phase: cleared by its functions for inputs that this
   * step does not read, so that they may be missing. An input is needed for a group if neither
   * function cleared it. */
  uint8_t* needed;
  uint32_t* outcome; /* model function of the end phase, out: a talweg_outcome; TALWEG_COMPLETED
                        before */
  /* [state_count] the same function, out, all 1 before: cleared in a skipped call for the states
   * that it leaves as they were; whose initial values, if they have none yet, later calls make. */
  uint8_t* kept;
  /* [hyper_count] out, all 0 before: set for bound hypers of this function's rate that the call
   * ended before; `bound` then says nothing. */
  uint8_t* unbound;
  /* The model function of a phase that says so (talweg_phase.says_regrad), out, 0 before: 1 if the
   * call returns after this phase, so that the caller computes a new gradient at the parameters as
   * they are then. */
  uint32_t* regrad;
  const double*
      reduced;      /* [reduction_count] of the model; in a group's row also those of the group */
  double* partials; /* [group_partial_count] group function, out: what reductions fold */
} talweg_scalar_args;

typedef void (*talweg_scalar_function)(void* self, const talweg_scalar_args* args);

/* What a tensor function or a pass sees. Tensors without a gradient this step have a null gradient
 * pointer: they are passed over and nothing of theirs is read or written. */
typedef struct talweg_pass_args {
  const talweg_chunk* chunks;     /* sorted by tensor, then first element */
  void* const* pointers;          /* [tensor][stream_count]: start of each stream of each tensor */
  const uint32_t* tensor_groups;  /* [tensor] */
  const talweg_slot* model_slots; /* [model_slot_count] */
  const talweg_slot* group_slots; /* [group][group_slot_count] */
  const talweg_scalar_args* group_args; /* [group]: what the scalar functions saw */
  const uint32_t* tensor_routes;        /* [tensor] as place() said */
  const double* tensor_facts;           /* [tensor][fact_count] */
  talweg_slot* tensor_slots;            /* [tensor][tensor_slot_count]; tensor function: out */
  const double* tensor_states;          /* [tensor][state_count] tensor states before the step */
  double* new_tensor_states;            /* [tensor][state_count] tensor function, out: after it */
  const double* tensor_inputs;          /* [tensor][input_count] tensor inputs; 0 where not given */
  const double* tensor_reduced;         /* [tensor][reduction_count] those of rate tensor */
  double* tensor_partials; /* [tensor_partial_count][tensor] tensor function, out: what reductions
                              fold */
  double* chunk_partials;  /* [chunk_partial_count][chunk_count] pass, out: what reductions fold */
  uint64_t chunk_count;
  uint64_t tensor_count;
  uint64_t phase; /* of the step or view, which runs now */
  /* Matrices, rows and columns: null or 0 where the image has none. Tables of all of them are
   * indexed by their numbers; slots and states of rows and columns are arrays of their own. */
  const talweg_matrix_view* views;        /* [tensor] */
  const talweg_line_chunk* matrix_chunks; /* for the matrix function: of one tensor each */
  const talweg_line_chunk* row_chunks;    /* for the row function: of one matrix each */
  const talweg_line_chunk* col_chunks;    /* for the column function */
  const talweg_line_chunk* row_blocks;    /* for the pass over lines */
  uint64_t matrix_count, row_count, col_count, block_col_count;
  talweg_slot* matrix_slots;    /* [matrix][matrix_slot_count] */
  const double* matrix_states;  /* [matrix][state_count] before the step */
  double* new_matrix_states;    /* [matrix][state_count] matrix function, out */
  const double* matrix_reduced; /* [matrix][reduction_count] those of rate matrix */
  double* matrix_partials;      /* [matrix_partial_count][matrix] */
  talweg_slot* row_slots;       /* [row_slot_count][row]: float for an Array of a float32
                                   image, else float64; a slot's array starts at a
                                   multiple of row_count slots */
  talweg_slot* col_slots;       /* [col_slot_count][col] likewise */
  void* const* line_states;     /* [state_count] states of rows and columns, of the
                                   compute type; read and written in place */
  double* row_partials;         /* [row_partial_count][row] */
  double* col_partials;         /* [col_partial_count][col] */
  double* block_partials;       /* [block_partial_count][block_col_count]: within one, the
                                   blocks of the tensors in order, with an entry for
                                   each column of their matrix */
  /* How many elements a thread goes through, as far as is known, before it comes back to the same
   * ones: whether a pass finds them in cache. 0: those of this call. Never changes results. */
  uint64_t round_elements;
  /* Inputs of these rates, 0 where not given: [matrix][input_count], and [input_count] arrays of
   * rows or columns of the compute type. */
  const double* matrix_inputs;
  const void* const* line_inputs;
} talweg_pass_args;

/* Runs tensors [tensor_begin, tensor_end). May be called from several threads for disjoint ranges.
 */
typedef void (*talweg_tensor_function)(void* self, const talweg_pass_args* args,
                                       uint32_t tensor_begin, uint32_t tensor_end);

/* Runs chunks [chunk_begin, chunk_end). May be called from several threads for disjoint ranges. */
typedef void (*talweg_pass_function)(void* self, const talweg_pass_args* args, uint32_t chunk_begin,
                                     uint32_t chunk_end);

/* Runs line chunks [begin, end) of its table. May be called from several threads for disjoint
 * ranges. */
typedef void (*talweg_line_function)(void* self, const talweg_pass_args* args, uint32_t begin,
                                     uint32_t end);

/* In order: reductions of this phase are folded; the model function; the group function for each
 * group that has tensors; the tensor function; the functions of matrices, rows and columns; the
 * pass over lines, which goes over the elements row block by row block and stores nothing; the
 * pass. What is null does nothing. Where a phase folds only for tensors, matrices, rows and
 * columns, and has no functions of model and groups, a tensor may be through with it before another
 * has begun the phase before. */
typedef struct talweg_phase {
  talweg_scalar_function model_scalars;
  talweg_scalar_function group_scalars;
  talweg_tensor_function tensor_scalars;
  talweg_line_function matrix_scalars; /* over matrix_chunks */
  talweg_line_function row_scalars;    /* over row_chunks */
  talweg_line_function col_scalars;    /* over col_chunks */
  talweg_line_function lines;          /* over row_blocks */
  talweg_pass_function pass;
  uint32_t read_bytes_per_element; /* of the pass */
  uint32_t written_bytes_per_element;
  uint32_t says_regrad; /* 1: its model function says whether the call returns after it; 2: it
                           always says so */
} talweg_phase;

/* What runs over tensors: a step, a view, an initial value. */
typedef struct talweg_kernels {
  const talweg_phase* phases;
  const talweg_reduction_info* reductions;
  /* Of a view or an initial value: says which route a tensor takes through its passes, and in which
   * of its domains it is; null: route 0, and it has no domains. What else it says of a placement
   * means nothing. Of a step: says everything of a placement; null: every tensor has route 0, all
   * states and all inputs, and is in every domain. */
  talweg_place_function place;
  void* self; /* first argument of the functions */
  uint32_t phase_count, reduction_count;
  uint32_t model_slot_count, group_slot_count, tensor_slot_count;
  uint32_t matrix_slot_count, row_slot_count, col_slot_count;
  uint32_t chunk_partial_count, tensor_partial_count, group_partial_count;
  uint32_t matrix_partial_count, row_partial_count, col_partial_count, block_partial_count;
  /* The phase whose model function says how the call ends. Nothing that depends on it is stored
   * before, and nothing at all before the bound hypers of all phases are checked. Passes of phases
   * up to the last one that says whether the call returns store nothing but scratch and, right
   * where they do, param. */
  uint32_t end_phase;
  /* The stream of scratch that holds, from the first phase on that may return for a new gradient,
   * what param was where the step began; UINT32_MAX: no phase before the last stores param. */
  uint32_t origin_stream;
} talweg_kernels;

/* A value that can be read out in place of the parameters. Its kernels see `step_number` as the
 * number of completed steps, and read no gradient and no input; every tensor takes part in its
 * reductions. The pass of the last phase, which there must be, writes stream 0 and nothing else:
 * what it leaves there of param, which it finds there, is the view. It may leave it all, so stream
 * 0 holds param before; it runs for the tensors that are asked for only. */
typedef struct talweg_view_info {
  const char* name;
  const char* doc;
  talweg_kernels kernels;
} talweg_view_info;

/* Streams: 0 is param, 1 is grad, then element states and element inputs, as their infos say, then
 * scratch. */
#define TALWEG_STREAM_PARAM 0u
#define TALWEG_STREAM_GRAD 1u

typedef struct talweg_image {
  uint32_t abi_version;
  uint32_t
      compute_dtype; /* TALWEG_F32 or TALWEG_F64: of params, gradients, element states and inputs */
  const char* name;
  const char* doc;
  const char* isa; /* "interpreter", "x86-64-v4", ... */
  const talweg_hyper_info* hypers;
  const talweg_state_info* states;
  const talweg_input_info* inputs;
  const talweg_fact_info* facts;
  const char* const* requirements; /* [requirement_count] "rule `R` requires rank <= 2" */
  uint32_t hyper_count, state_count, input_count, fact_count, requirement_count, domain_count;
  uint32_t stream_count;
  uint32_t scratch_count; /* the last streams are scratch: memory of the compute type for each
                             element of each tensor, whose content between steps means nothing */
  uint32_t uses_gradient; /* 0 for a rule that never reads grad */
  uint32_t split;         /* talweg_split */
  uint32_t view_count;
  talweg_kernels step;
  /* Writes new_states for the states whose `initial` is SCALAR (what others have means nothing);
   * sees hypers only; `self` is that of the step. Called for the model and for each group; a tensor
   * state begins with the value of its group. Null if no state's `initial` is SCALAR. */
  talweg_scalar_function initial_states;
  const talweg_view_info* views;
  /* [state_count], those of states whose `initial` is KERNELS; null if no state's is. They run as a
   * view does, but before the call's step, over the tensors that take part in it, and see hypers
   * and param only. What they leave: of an element state stream 0, which finds a copy of param
   * there; of others what a step leaves that stores the state. The functions and passes of the last
   * phase that are not of model and groups run for the tensors whose state begins only, and are the
   * only ones that store states of rows and columns. */
  const talweg_kernels* initial_kernels;
} talweg_image;

/* Runs `task(argument, i)` for every i in [0, task_count), in any order, perhaps at once, and
 * returns when all are done. */
typedef void (*talweg_parallel_for)(void* context, uint32_t task_count,
                                    void (*task)(void* argument, uint32_t index), void* argument);

#ifdef __cplusplus
}
#endif

#endif
