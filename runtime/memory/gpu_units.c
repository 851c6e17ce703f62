/* See gpu_units.h. */
#include "runtime/memory/gpu_units.h"

#define WARPS (TALWEG_GPU_THREADS / TALWEG_GPU_WARP)

uint32_t talweg_fill_gpu_units(const talweg_chunk* chunks, uint32_t begin, uint32_t end,
                               talweg_gpu_unit* units) {
  uint32_t count = 0;
  for (uint32_t first = begin; first < end; ++count) {
    uint32_t next = first;
    while (next < end && next - first < WARPS &&
           chunks[next].element_count <= TALWEG_GPU_WARP_ELEMENTS)
      ++next;
    if (next == first) ++next; /* long */
    if (units) units[count] = (talweg_gpu_unit){first, next - first};
    first = next;
  }
  return count;
}
