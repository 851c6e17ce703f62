/* Where element states lie in one block of memory.
 *
 * Each state has a region with room for every tensor that keeps it. A tensor starts on a cache
 * line, one of many elements on a page. Regions start at different distances from a page: streams
 * that a loop reads and writes together would otherwise meet at equal addresses modulo 4096, and
 * x86 cores then take a load for one that depends on a store still in flight. */
#ifndef TALWEG_MEMORY_STATE_LAYOUT_H
#define TALWEG_MEMORY_STATE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TALWEG_STATE_ALIGNMENT 4096u /* bytes, of the block */

/* Starts as zeros but for element_bytes. */
typedef struct talweg_state_layout {
  uint32_t element_bytes;
  uint32_t region_count;
  uint64_t region_begin; /* bytes from the start of the block */
  uint64_t block_bytes;  /* so far; 0 without states or elements */
} talweg_state_layout;

/* Begins the region of the next state. */
void talweg_begin_region(talweg_state_layout* layout);

/* Places the region's next tensor: `offset` bytes into the block. 0 if that could not be addressed,
 * else 1. */
int talweg_place_tensor(talweg_state_layout* layout, uint64_t element_count, uint64_t* offset);

#ifdef __cplusplus
}
#endif

#endif
