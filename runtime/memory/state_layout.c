#include "runtime/memory/state_layout.h"

#define CACHE_LINE_BYTES 64u
#define PAGE_BYTES TALWEG_STATE_ALIGNMENT
/* From here on the up to a page that alignment wastes is at most a sixteenth. */
#define LARGE_TENSOR_BYTES (16u * PAGE_BYTES)
/* 17 cache lines: with up to 60 states no two regions start at the same distance from a page. */
#define STAGGER_BYTES (17u * CACHE_LINE_BYTES)

static uint64_t round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

int talweg_plan_states(const uint64_t* element_counts, uint32_t tensor_count, uint32_t state_count,
                       uint32_t element_bytes, uint64_t* tensor_offsets, talweg_state_layout* layout) {
  const uint64_t limit = PTRDIFF_MAX;
  uint64_t end = 0;
  for (uint32_t i = 0; i < tensor_count; ++i) {
    if (element_counts[i] > (limit - end) / element_bytes - PAGE_BYTES) return 0;
    const uint64_t bytes = element_counts[i] * element_bytes;
    const uint64_t start = round_up(end, bytes >= LARGE_TENSOR_BYTES ? PAGE_BYTES : CACHE_LINE_BYTES);
    if (tensor_offsets) tensor_offsets[i] = start;
    if (bytes > 0) end = start + bytes;
  }
  layout->state_count = state_count;
  layout->region_bytes = round_up(end, PAGE_BYTES);
  layout->total_bytes = 0;
  if (end == 0 || state_count == 0) return 1;
  if (layout->region_bytes > limit / state_count - STAGGER_BYTES - PAGE_BYTES) return 0;
  layout->total_bytes = talweg_state_region(layout, state_count - 1) + layout->region_bytes;
  return 1;
}

uint64_t talweg_state_region(const talweg_state_layout* layout, uint32_t state) {
  return state * (layout->region_bytes + STAGGER_BYTES) + STAGGER_BYTES;
}
