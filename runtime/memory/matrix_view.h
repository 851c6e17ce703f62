/* A tensor seen as matrices, of which two of its dimensions (or two runs of them) are rows and
 * columns. Depends on its shape and on what rule and tensor say of it only. */
#ifndef TALWEG_MEMORY_MATRIX_VIEW_H
#define TALWEG_MEMORY_MATRIX_VIEW_H

#include "runtime/abi/talweg_abi.h"
#include "runtime/abi/talweg_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The elements of a row are a sequence that a rule's code folds in three levels of 1,024. */
#define TALWEG_MAX_COLS ((uint64_t)1 << 30)
/* Of a tensor, and of an optimizer: rows, columns and matrices are sequences that the runtime folds
 * in four levels. */
#define TALWEG_MAX_LINES (((uint64_t)1 << 40) - 1)

typedef enum talweg_view_fault {
  TALWEG_VIEW_FITS = 0,
  TALWEG_VIEW_UNKNOWN_SPLIT,  /* the tensor's split is none of talweg_split */
  TALWEG_VIEW_BAD_SPLIT_AT,   /* leaves no dimension on one side, or is none of the tensor's */
  TALWEG_VIEW_BAD_SPLIT_TO,   /* is not after split_at, or none of the tensor's */
  TALWEG_VIEW_TOO_MANY_COLS,  /* than TALWEG_MAX_COLS in a matrix */
  TALWEG_VIEW_TOO_MANY_LINES, /* rows, columns or matrices than TALWEG_MAX_LINES */
} talweg_view_fault;

/* All of a view but `first_...`, which are 0. `split` is the rule's, which the tensor may override;
 * where the rule has no matrices, what the tensor says is not looked at. */
talweg_view_fault talweg_view_tensor(uint32_t split, const talweg_tensor* tensor,
                                     talweg_matrix_view* view);

/* Matrices of a tensor. */
uint64_t talweg_count_matrices(const talweg_matrix_view* view);
/* Row blocks of one matrix. */
uint64_t talweg_count_blocks(const talweg_matrix_view* view);

#ifdef __cplusplus
}
#endif

#endif
