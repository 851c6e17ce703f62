/* One block of memory that tables are carved from; without the block, it only measures. */
#ifndef TALWEG_OPTIMIZER_ARENA_H
#define TALWEG_OPTIMIZER_ARENA_H

#include <stdint.h>

typedef struct talweg_arena {
  unsigned char* base; /* null: only measures */
  uint64_t used;
  int is_full; /* asked for more than can be addressed */
} talweg_arena;

/* Room for `count` objects of `bytes` bytes (a power of two up to 8, or a multiple of 8); null when
 * measuring. Starts on a cache line if it fills one, so that tables which threads read do not share
 * lines with what a step writes. */
void* talweg_carve(talweg_arena* memory, uint64_t count, uint64_t bytes);

/* The same for a table of rows and columns, however many. */
void* talweg_carve_table(talweg_arena* memory, uint64_t rows, uint64_t columns, uint64_t bytes);

#endif
