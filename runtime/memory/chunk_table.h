/* Cuts tensors into chunks: the unit of work, of reduction order and of sharding. Depends on shapes
 * only. A table is made tensor by tensor, twice: once to count, once to fill. */
#ifndef TALWEG_MEMORY_CHUNK_TABLE_H
#define TALWEG_MEMORY_CHUNK_TABLE_H

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Adds the chunks of one tensor to `chunk_count`. 0, with nothing added, if there would be more
 * than a pass can number (UINT32_MAX - 1); else 1. A tensor without elements has no chunk. */
int talweg_count_chunks(uint64_t element_count, uint32_t* chunk_count);

/* Writes the chunks of one tensor, first element ascending. Returns where those of the next tensor
 * go. */
talweg_chunk* talweg_fill_chunks(uint64_t element_count, uint32_t tensor_index,
                                 talweg_chunk* chunks);

#ifdef __cplusplus
}
#endif

#endif
