/* See state_layout.h. */
#include "runtime/memory/state_layout.h"

#define CACHE_LINE_BYTES 64u
#define PAGE_BYTES TALWEG_STATE_ALIGNMENT
/* From here on the up to a page that alignment wastes is at most a sixteenth. */
#define LARGE_TENSOR_BYTES (16u * PAGE_BYTES)
/* 17 cache lines, and 64 make a page: up to 63 regions start at different distances from one, none
 * at 0. */
#define STAGGER_BYTES (17u * CACHE_LINE_BYTES)
/* Room for rounding up is left below what can be addressed. */
#define MAX_BLOCK_BYTES ((uint64_t)PTRDIFF_MAX - 2u * PAGE_BYTES)

static uint64_t round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

void talweg_begin_region(talweg_state_layout* layout) {
  layout->region_count += 1;
  layout->region_begin = round_up(layout->block_bytes, PAGE_BYTES) +
                         layout->region_count * (uint64_t)STAGGER_BYTES % PAGE_BYTES;
}

int talweg_place_tensor(talweg_state_layout* layout, uint64_t element_count, uint64_t* offset) {
  const uint64_t begin = layout->region_begin;
  const uint64_t end = layout->block_bytes > begin ? layout->block_bytes : begin;
  if (end > MAX_BLOCK_BYTES || element_count > (MAX_BLOCK_BYTES - end) / layout->element_bytes)
    return 0;
  const uint64_t bytes = element_count * layout->element_bytes;
  const uint64_t alignment = bytes >= LARGE_TENSOR_BYTES ? PAGE_BYTES : CACHE_LINE_BYTES;
  *offset = begin + round_up(end - begin, alignment);
  if (bytes > 0) layout->block_bytes = *offset + bytes;
  return 1;
}
