/* Where element states lie in one block of memory.
 *
 * Each state has a region with room for every tensor; a tensor is at the same place in each region.
 * A tensor starts on a cache line, one of many elements on a page. Regions start at different
 * distances from a page: streams that a loop reads and writes together would otherwise meet at
 * equal addresses modulo 4096, and x86 cores then take a load for one that depends on a store still
 * in flight. */
#ifndef TALWEG_MEMORY_STATE_LAYOUT_H
#define TALWEG_MEMORY_STATE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TALWEG_STATE_ALIGNMENT 4096u /* bytes, of the block */

/* Starts as zeros but for the first two members. */
typedef struct talweg_state_layout {
  uint32_t state_count;
  uint32_t element_bytes;
  uint64_t end_bytes;    /* of the last tensor placed, from the start of its region */
  uint64_t region_bytes; /* distance from one region to the next */
  uint64_t block_bytes;  /* 0 without states or elements */
} talweg_state_layout;

/* Places the next tensor: `offset` bytes into each region. 0 if that could not be addressed,
 * else 1. */
int talweg_place_tensor(talweg_state_layout* layout, uint64_t element_count, uint64_t* offset);

/* After the last tensor: sets region_bytes and block_bytes. 0 if the block could not be addressed,
 * else 1. */
int talweg_close_layout(talweg_state_layout* layout);

/* Where the region of a state starts, in bytes from the block. */
uint64_t talweg_region_offset(const talweg_state_layout* layout, uint32_t state);

#ifdef __cplusplus
}
#endif

#endif
