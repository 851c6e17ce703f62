/* Numbers the matrices, rows and columns of an optimizer through, and cuts them into chunks: the
 * units of work. Like the chunk table, made tensor by tensor, twice: once to count, once to fill.
 */
#ifndef TALWEG_MEMORY_LINE_TABLES_H
#define TALWEG_MEMORY_LINE_TABLES_H

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows or columns of a chunk, at most. */
#define TALWEG_LINES_PER_CHUNK 16384u

/* Starts as zeros. */
typedef struct talweg_line_counts {
  uint64_t matrices, rows, cols;
  uint64_t block_cols; /* columns of row blocks, one entry for each block */
  uint32_t matrix_chunks, row_chunks, col_chunks, row_blocks;
} talweg_line_counts;

/* Gives a tensor's view its numbers, the next ones, and counts them. 0 if there are more than can
 * be numbered, else 1. */
int talweg_number_lines(talweg_matrix_view* view, talweg_line_counts* counts);

/* Where chunks of the next tensor go. */
typedef struct talweg_line_tables {
  talweg_line_chunk* matrix_chunks;
  talweg_line_chunk* row_chunks;
  talweg_line_chunk* col_chunks;
  talweg_line_chunk* row_blocks;
} talweg_line_tables;

/* Writes the chunks of one tensor, whose view has its numbers. */
void talweg_fill_lines(const talweg_matrix_view* view, uint32_t tensor_index,
                       talweg_line_tables* tables);

#ifdef __cplusplus
}
#endif

#endif
