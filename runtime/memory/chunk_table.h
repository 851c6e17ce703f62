/* Cuts tensors into chunks: the unit of work, of reduction order and of sharding. Depends on shapes only. */
#ifndef TALWEG_MEMORY_CHUNK_TABLE_H
#define TALWEG_MEMORY_CHUNK_TABLE_H

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Chunks of tensors with these element counts, into `chunk_count`. 0 if there are more than a pass can
 * number (UINT32_MAX - 1); else 1. A tensor without elements has no chunk. */
int talweg_count_chunks(const uint64_t* element_counts, uint32_t tensor_count, uint32_t* chunk_count);

/* Writes those chunks, by tensor, then first element. `chunks` has room for all. */
void talweg_fill_chunks(const uint64_t* element_counts, uint32_t tensor_count, talweg_chunk* chunks);

#ifdef __cplusplus
}
#endif

#endif
