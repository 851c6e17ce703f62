/* What the tables of chunks and lines have for tensors, and what it costs. */
#include "runtime/optimizer/internal.h"

/* What a chunk costs besides its elements, in elements: many tensors are tiny. */
#define CHUNK_OVERHEAD_ELEMENTS 64u
/* What the function of a matrix costs, in elements. */
#define MATRIX_ELEMENTS 16u

uint32_t talweg_length_of(const talweg_optimizer* optimizer, talweg_table table) {
  if (table == TALWEG_BLOCKS) return optimizer->block_count;
  return talweg_entries_of(optimizer, table, 0, optimizer->spec.tensor_count).end;
}

static uint32_t first_of(const talweg_optimizer* optimizer, talweg_table table, uint32_t tensor) {
  if (table == TALWEG_CHUNKS) return optimizer->first_chunks[tensor];
  if (optimizer->image->split == TALWEG_SPLIT_NONE) return 0;
  const talweg_line_places* places = &optimizer->lines.places[tensor];
  if (table == TALWEG_MATRICES) return places->matrix_chunk;
  if (table == TALWEG_ROWS) return places->row_chunk;
  return table == TALWEG_ROW_BLOCKS ? places->row_block : places->col_chunk;
}

talweg_range talweg_entries_of(const talweg_optimizer* optimizer, talweg_table table,
                               uint32_t tensor_begin, uint32_t tensor_end) {
  return (talweg_range){first_of(optimizer, table, tensor_begin),
                        first_of(optimizer, table, tensor_end)};
}

static const talweg_line_chunk* line_chunk(const talweg_lines* lines, talweg_table table,
                                           uint32_t i) {
  if (table == TALWEG_MATRICES) return &lines->matrix_chunks[i];
  if (table == TALWEG_ROWS) return &lines->row_chunks[i];
  return table == TALWEG_ROW_BLOCKS ? &lines->row_blocks[i] : &lines->col_chunks[i];
}

static uint64_t elements_of(const talweg_lines* lines, talweg_table table,
                            const talweg_line_chunk* chunk) {
  const talweg_matrix_view* view = &lines->views[chunk->tensor_index];
  if (table == TALWEG_MATRICES) return (uint64_t)chunk->count * MATRIX_ELEMENTS;
  if (table == TALWEG_COL_FOLDS) return chunk->count * talweg_count_blocks(view);
  return table == TALWEG_ROW_BLOCKS ? chunk->count * view->cols : chunk->count;
}

uint64_t talweg_work_of(const talweg_optimizer* optimizer, talweg_reach reach, talweg_table table,
                        uint32_t entry) {
  if (table == TALWEG_BLOCKS) return optimizer->blocks[entry].work;
  const talweg_line_chunk* lines =
      table == TALWEG_CHUNKS ? 0 : line_chunk(&optimizer->lines, table, entry);
  const uint32_t tensor = lines ? lines->tensor_index : optimizer->chunks[entry].tensor_index;
  if (!optimizer->takes_part[tensor] ||
      (reach == TALWEG_LARGE_TENSORS && !talweg_is_large(optimizer, tensor)))
    return 0;
  const uint64_t elements =
      lines ? elements_of(&optimizer->lines, table, lines) : optimizer->chunks[entry].element_count;
  return elements + CHUNK_OVERHEAD_ELEMENTS;
}

uint64_t talweg_work_of_tensor(const talweg_optimizer* optimizer, uint32_t tensor) {
  if (!optimizer->takes_part[tensor]) return 0;
  const talweg_range chunks = talweg_entries_of(optimizer, TALWEG_CHUNKS, tensor, tensor + 1);
  const uint64_t work = optimizer->element_counts[tensor] +
                        (uint64_t)(chunks.end - chunks.begin) * CHUNK_OVERHEAD_ELEMENTS;
  if (optimizer->image->split == TALWEG_SPLIT_NONE) return work;
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  return work + talweg_count_matrices(view) * (view->rows + view->cols + MATRIX_ELEMENTS);
}
