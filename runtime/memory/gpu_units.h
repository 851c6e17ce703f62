/* Divides chunks among the blocks of a GPU's pass (talweg_gpu_abi.h): a long chunk is a unit of its
 * own, short ones share one. Never changes results. */
#ifndef TALWEG_MEMORY_GPU_UNITS_H
#define TALWEG_MEMORY_GPU_UNITS_H

#include "runtime/abi/talweg_gpu_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of chunks [begin, end). Gives how many units they make, which `units`, unless it is null, has
 * room for: never more than there are chunks. */
uint32_t talweg_fill_gpu_units(const talweg_chunk* chunks, uint32_t begin, uint32_t end,
                               talweg_gpu_unit* units);

#ifdef __cplusplus
}
#endif

#endif
