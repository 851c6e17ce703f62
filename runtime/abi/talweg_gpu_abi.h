/* What the kernels of a GPU are given beside the tables of talweg_abi.h, which lie in its memory.
 * C11. The only other header that compiler/ and runtime/ share.
 *
 * Every kernel has the same parameters, all of 8 bytes, which never change from step to step, so
 * that a captured graph of launches can be replayed:
 *   args     talweg_scalar_args of the first row, or talweg_pass_args
 *   begin    the first row, tensor, line chunk, row block or unit, and
 *   end      the one behind the last
 *   extra    of a pass: talweg_gpu_unit [end]; of the functions of groups: uint8_t [end], 0 for
 *            those to leave out, or null; else null
 *   stop     uint32_t: nothing is done where it is not 0
 * Functions of all levels run one row, tensor or line chunk a thread, for any number of threads; a
 * pass runs one unit, and a pass over lines one row block, a block of TALWEG_GPU_THREADS threads,
 * for any number of blocks. */
#ifndef TALWEG_GPU_ABI_H
#define TALWEG_GPU_ABI_H

#include <stdint.h>

#include "runtime/abi/talweg_abi.h"

#define TALWEG_GPU_WARP 32u
/* Threads of a block of a pass: a warp for each two segments of a chunk. */
#define TALWEG_GPU_THREADS 256u
#define TALWEG_GPU_WARP_ELEMENTS (2u * TALWEG_SEGMENT_ELEMENTS)

/* What a block works on: one chunk, for all its warps; or several, a warp each, of at most
 * TALWEG_GPU_WARP_ELEMENTS elements. */
typedef struct talweg_gpu_unit {
  uint32_t first_chunk;
  uint32_t chunk_count; /* 1 to TALWEG_GPU_THREADS / TALWEG_GPU_WARP */
} talweg_gpu_unit;

#endif
