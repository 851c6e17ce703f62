#include "runtime/memory/chunk_table.h"

static uint64_t chunks_of(uint64_t element_count) {
  return element_count / TALWEG_CHUNK_ELEMENTS + (element_count % TALWEG_CHUNK_ELEMENTS != 0);
}

int talweg_count_chunks(const uint64_t* element_counts, uint32_t tensor_count, uint32_t* chunk_count) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < tensor_count; ++i) {
    total += chunks_of(element_counts[i]);
    if (total >= UINT32_MAX) return 0;
  }
  *chunk_count = (uint32_t)total;
  return 1;
}

void talweg_fill_chunks(const uint64_t* element_counts, uint32_t tensor_count, talweg_chunk* chunks) {
  for (uint32_t i = 0; i < tensor_count; ++i) {
    for (uint64_t first = 0; first < element_counts[i]; first += TALWEG_CHUNK_ELEMENTS) {
      const uint64_t left = element_counts[i] - first;
      chunks->first_element = first;
      chunks->element_count = left < TALWEG_CHUNK_ELEMENTS ? (uint32_t)left : TALWEG_CHUNK_ELEMENTS;
      chunks->tensor_index = i;
      ++chunks;
    }
  }
}
