/* What an optimizer has of matrices, rows and columns ("lines"), and what is done with them. All
 * counts are 0 and all tables empty where the rule has none. */
#ifndef TALWEG_OPTIMIZER_LINES_H
#define TALWEG_OPTIMIZER_LINES_H

#include "runtime/memory/line_tables.h"
#include "runtime/memory/matrix_view.h"
#include "runtime/optimizer/parts.h"
#include "runtime/optimizer/step.h"

/* Where the entries of a tensor begin in the tables of chunks. */
typedef struct talweg_line_places {
  uint32_t matrix_chunk, row_chunk, col_chunk, row_block;
} talweg_line_places;

typedef struct talweg_lines {
  /* Fixed at creation. */
  talweg_line_counts counts;
  uint32_t matrix_state_count; /* of the image's states */
  uint32_t matrix_input_count; /* of the image's inputs; of rows and columns too: */
  uint32_t input_count;
  talweg_matrix_view* views;  /* [tensor] */
  talweg_line_places* places; /* [tensor + 1] */
  talweg_line_chunk* matrix_chunks;
  talweg_line_chunk* row_chunks;
  talweg_line_chunk* col_chunks;
  talweg_line_chunk* row_blocks;
  uint64_t* state_offsets; /* [state] of rows and columns: into state_memory, or NOT_KEPT */
  void** states;           /* [state] the same as addresses, or null */

  /* Persistent, besides what state_memory holds. */
  double* matrix_states; /* [state of matrices][matrix] */

  /* Made anew in each step, and wherever a view is computed. */
  talweg_slot* matrix_slots; /* [matrix][slot] */
  talweg_slot* row_slots;    /* [slot][row] */
  talweg_slot* col_slots;    /* [slot][col] */
  double* matrix_before;     /* [matrix][state] where there are matrix states */
  double* matrix_after;      /* [matrix][state] */
  double* matrix_reduced;    /* [matrix][reduction], where something is reduced to matrices */
  double* matrix_partials;   /* [partial][matrix] */
  double* row_partials;      /* [partial][row] */
  double* col_partials;      /* [partial][col] */
  double* block_partials;    /* [partial][column of a row block] */
  double* matrix_inputs;     /* [matrix][input] where there are matrix inputs */
  void** inputs;             /* [input] of rows and columns: one array over all of them */
  uint8_t* input_given; /* [tensor][input] where there are inputs of these rates: 1 where given,
                           or where there are no lines, of tensors that take part */
} talweg_lines;

/* Whether a rate is that of matrices, rows or columns; of rows or columns. */
int talweg_is_line_rate(uint32_t rate);
int talweg_is_row_or_col(uint32_t rate);

/* layout_lines.c: numbers all views, into `counts`. 0 if there are too many lines, else 1. The spec
 * was checked. */
int talweg_count_lines(const talweg_optimizer_spec* spec, talweg_line_counts* counts);

/* lines.c: views, tables and addresses, of what was laid out; what passes see of them. */
void talweg_fill_line_tables(talweg_optimizer* optimizer);
void talweg_show_lines(talweg_optimizer* optimizer);

/* line_states.c: whether a tensor keeps a state of matrices, rows or columns. */
int talweg_keeps_lines(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
void talweg_reset_line_states(talweg_optimizer* optimizer);
/* Gives states of rows and columns that have no value yet their initial ones, in the tensors that
 * take part. After talweg_compute_initial_states. */
void talweg_begin_lines(talweg_optimizer* optimizer);
/* Makes those of them that `kept` [state] does not name (null: all) zeros again. */
void talweg_clear_lines(talweg_optimizer* optimizer, const uint8_t* kept);

/* line_inputs.c: where there are inputs of matrices, rows or columns. */
talweg_status talweg_bind_line_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                      talweg_error* error);
/* Whether a tensor that takes part was given one, or has no lines to be given values for. */
int talweg_has_line_input(const talweg_optimizer* optimizer, uint32_t input, uint32_t tensor);

/* matrix_states.c: where there are states of matrices; as tensor_states.c. */
double* talweg_matrix_state(const talweg_optimizer* optimizer, uint32_t state, uint32_t tensor);
void talweg_reset_matrix_states(talweg_optimizer* optimizer);
void talweg_copy_matrix_states(talweg_optimizer* optimizer);
void talweg_commit_matrix_states(talweg_optimizer* optimizer);

/* line_functions.c: runs those of a phase for matrices, rows and columns; the pass over lines. For
 * all tensors, or within a scope. */
void talweg_run_line_functions(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                               const talweg_phase* phase, const talweg_pass_args* args);
void talweg_run_lines(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                      const talweg_phase* phase, const talweg_pass_args* args);
void talweg_run_scope_line_functions(talweg_optimizer* optimizer, const talweg_scope* scope,
                                     const talweg_kernels* kernels, const talweg_phase* phase,
                                     const talweg_pass_args* args);
void talweg_run_scope_lines(talweg_optimizer* optimizer, const talweg_scope* scope,
                            const talweg_kernels* kernels, const talweg_phase* phase,
                            const talweg_pass_args* args);

/* line_reductions.c: makes columns of what a phase reduces from row blocks. */
void talweg_fold_blocks(talweg_optimizer* optimizer, const talweg_scope* scope, uint32_t phase);
/* Whether the columns of a reduction were made for one before it in the same phase. */
int talweg_has_columns(const talweg_kernels* kernels, uint32_t reduction);
/* What the matrices, rows or columns of a tensor contribute; for a tensor without, the fold's
 * start. */
double talweg_fold_lines(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                         uint32_t tensor);
/* Of tensors [begin, end). */
void talweg_reduce_to_matrices(talweg_optimizer* optimizer, uint32_t reduction, uint32_t begin,
                               uint32_t end);

#endif
