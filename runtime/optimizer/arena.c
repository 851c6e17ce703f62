/* See arena.h. */
#include "runtime/optimizer/arena.h"

#include "runtime/optimizer/step.h"

void* talweg_carve(talweg_arena* memory, uint64_t count, uint64_t bytes) {
  const uint64_t limit = (uint64_t)PTRDIFF_MAX - 2 * TALWEG_CONTROL_ALIGNMENT;
  if (memory->is_full || memory->used > limit || count > (limit - memory->used) / bytes) {
    memory->is_full = 1;
    return 0;
  }
  const uint64_t alignment =
      count * bytes < TALWEG_CONTROL_ALIGNMENT ? 8 : TALWEG_CONTROL_ALIGNMENT;
  const uint64_t start = (memory->used + alignment - 1) / alignment * alignment;
  memory->used = start + count * bytes;
  return memory->base ? memory->base + start : 0;
}

void* talweg_carve_table(talweg_arena* memory, uint64_t rows, uint64_t columns, uint64_t bytes) {
  if (columns > 0 && rows > UINT64_MAX / columns) {
    memory->is_full = 1;
    return 0;
  }
  return talweg_carve(memory, rows * columns, bytes);
}
