/* See line_tables.h. */
#include "runtime/memory/line_tables.h"

#include "runtime/memory/matrix_view.h"

/* Adds to a count that must stay below a limit; 0 if it would not. */
static int add(uint64_t* count, uint64_t added, uint64_t limit) {
  if (added > limit - *count) return 0;
  *count += added;
  return 1;
}

static int add_chunks(uint32_t* count, uint64_t added) {
  if (added >= UINT32_MAX - *count) return 0;
  *count += (uint32_t)added;
  return 1;
}

static uint64_t chunks_of(uint64_t lines, uint32_t most) {
  return lines / most + (lines % most != 0);
}

/* None of these products is too large: a tensor's rows and columns are below TALWEG_MAX_LINES, and
 * a matrix's columns times its blocks are where its elements can be numbered. */
int talweg_number_lines(talweg_matrix_view* view, talweg_line_counts* counts) {
  const uint64_t matrices = talweg_count_matrices(view);
  const uint64_t blocks = talweg_count_blocks(view);
  view->first_matrix = counts->matrices;
  view->first_row = counts->rows;
  view->first_col = counts->cols;
  view->first_block = counts->row_blocks;
  view->first_block_col = counts->block_cols;
  return add(&counts->matrices, matrices, TALWEG_MAX_LINES) &&
         add(&counts->rows, matrices * view->rows, TALWEG_MAX_LINES) &&
         add(&counts->cols, matrices * view->cols, TALWEG_MAX_LINES) &&
         add(&counts->block_cols, matrices * blocks * view->cols, UINT64_MAX / 2) &&
         add_chunks(&counts->matrix_chunks, chunks_of(matrices, UINT32_MAX)) &&
         add_chunks(&counts->row_chunks,
                    matrices * chunks_of(view->rows, TALWEG_LINES_PER_CHUNK)) &&
         add_chunks(&counts->col_chunks,
                    matrices * chunks_of(view->cols, TALWEG_LINES_PER_CHUNK)) &&
         add_chunks(&counts->row_blocks, matrices * blocks);
}

/* Cuts lines `first` to `first + count - 1` of one matrix (or matrices themselves) into chunks. */
static talweg_line_chunk* cut(talweg_line_chunk chunk, uint64_t count, uint32_t most,
                              talweg_line_chunk* chunks) {
  for (uint64_t done = 0; done < count; done += chunk.count) {
    chunk.count = count - done < most ? (uint32_t)(count - done) : most;
    *chunks++ = chunk;
    chunk.first += chunk.count;
  }
  return chunks;
}

void talweg_fill_lines(const talweg_matrix_view* view, uint32_t tensor_index,
                       talweg_line_tables* tables) {
  const uint64_t matrices = talweg_count_matrices(view);
  const talweg_line_chunk all = {
      .first = view->first_matrix, .matrix = view->first_matrix, .tensor_index = tensor_index};
  /* Each chunk of matrices says the first of its own. */
  talweg_line_chunk* const first = tables->matrix_chunks;
  tables->matrix_chunks = cut(all, matrices, UINT32_MAX, first);
  for (talweg_line_chunk* chunk = first; chunk < tables->matrix_chunks; ++chunk)
    chunk->matrix = chunk->first;
  for (uint64_t m = 0; m < matrices; ++m) {
    talweg_line_chunk line = all;
    line.matrix += m;
    line.first = view->first_row + m * view->rows;
    tables->row_chunks = cut(line, view->rows, TALWEG_LINES_PER_CHUNK, tables->row_chunks);
    tables->row_blocks = cut(line, view->rows, TALWEG_BLOCK_ROWS, tables->row_blocks);
    line.first = view->first_col + m * view->cols;
    tables->col_chunks = cut(line, view->cols, TALWEG_LINES_PER_CHUNK, tables->col_chunks);
  }
}
