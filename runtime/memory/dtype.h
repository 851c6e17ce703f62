/* Sizes and names of the types that streams are kept in. */
#ifndef TALWEG_MEMORY_DTYPE_H
#define TALWEG_MEMORY_DTYPE_H

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of one element; 0 for a value that is no talweg_dtype. */
uint32_t talweg_dtype_bytes(uint32_t dtype);
/* "float32", ...; "unknown" for a value that is no talweg_dtype. */
const char* talweg_dtype_name(uint32_t dtype);
/* Whether an optimizer of this version computes in it. */
int talweg_dtype_is_served(uint32_t dtype);

#ifdef __cplusplus
}
#endif

#endif
