/* Where element states lie in one block of memory.
 *
 * Each state has a region with room for every tensor; a tensor is at the same place in each region. A tensor
 * starts on a cache line, one of many elements on a page. Regions start at different distances from a page:
 * streams that a loop reads and writes together would otherwise meet at equal addresses modulo 4096, and
 * x86 cores then take a load for one that depends on a store still in flight. */
#ifndef TALWEG_MEMORY_STATE_LAYOUT_H
#define TALWEG_MEMORY_STATE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TALWEG_STATE_ALIGNMENT 4096u /* bytes, of the block */

typedef struct talweg_state_layout {
  uint64_t region_bytes; /* distance from one region to the next, less what they are staggered by */
  uint64_t total_bytes;  /* of the block; 0 without states or elements */
  uint32_t state_count;
} talweg_state_layout;

/* Plans a block for `state_count` states. Writes where each tensor starts in a region, in bytes, to
 * `tensor_offsets` if that is not null. 0 if the block could not be addressed (PTRDIFF_MAX bytes); else 1. */
int talweg_plan_states(const uint64_t* element_counts, uint32_t tensor_count, uint32_t state_count,
                       uint32_t element_bytes, uint64_t* tensor_offsets, talweg_state_layout* layout);

/* Where the region of a state starts, in bytes from the block. */
uint64_t talweg_state_region(const talweg_state_layout* layout, uint32_t state);

#ifdef __cplusplus
}
#endif

#endif
