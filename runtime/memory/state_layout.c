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

int talweg_place_tensor(talweg_state_layout* layout, uint64_t element_count, uint64_t* offset) {
  const uint64_t end = layout->end_bytes;
  if (end > MAX_BLOCK_BYTES || element_count > (MAX_BLOCK_BYTES - end) / layout->element_bytes)
    return 0;
  const uint64_t bytes = element_count * layout->element_bytes;
  *offset = round_up(end, bytes >= LARGE_TENSOR_BYTES ? PAGE_BYTES : CACHE_LINE_BYTES);
  if (bytes > 0) layout->end_bytes = *offset + bytes;
  return 1;
}

int talweg_close_layout(talweg_state_layout* layout) {
  layout->region_bytes = round_up(layout->end_bytes, PAGE_BYTES) + STAGGER_BYTES;
  layout->block_bytes = 0;
  if (layout->state_count == 0 || layout->end_bytes == 0) return 1;
  if (layout->region_bytes > MAX_BLOCK_BYTES / layout->state_count) return 0;
  layout->block_bytes = layout->state_count * layout->region_bytes;
  return 1;
}

uint64_t talweg_region_offset(const talweg_state_layout* layout, uint32_t state) {
  return state * layout->region_bytes + STAGGER_BYTES;
}
