/* See chunk_table.h. */
#include "runtime/memory/chunk_table.h"

int talweg_count_chunks(uint64_t element_count, uint32_t* chunk_count) {
  const uint64_t added =
      element_count / TALWEG_CHUNK_ELEMENTS + (element_count % TALWEG_CHUNK_ELEMENTS != 0);
  if (added >= UINT32_MAX - *chunk_count) return 0;
  *chunk_count += (uint32_t)added;
  return 1;
}

talweg_chunk* talweg_fill_chunks(uint64_t element_count, uint32_t tensor_index,
                                 talweg_chunk* chunks) {
  for (uint64_t first = 0; first < element_count; first += TALWEG_CHUNK_ELEMENTS) {
    const uint64_t left = element_count - first;
    chunks->first_element = first;
    chunks->element_count = left < TALWEG_CHUNK_ELEMENTS ? (uint32_t)left : TALWEG_CHUNK_ELEMENTS;
    chunks->tensor_index = tensor_index;
    ++chunks;
  }
  return chunks;
}
