/* What a library takes of the C library, besides what compilers call by themselves (memcpy,
 * memset). Declared here: a library is compiled for machines whose headers are not at hand. */
#ifndef TALWEG_STANDALONE_LIBC_H
#define TALWEG_STANDALONE_LIBC_H

#include <stddef.h>

void* malloc(size_t bytes);
void free(void* memory);
char* getenv(const char* name);

#endif
