/* Arrays with bytes around them that nobody may write. */
#ifndef TALWEG_TESTS_STANDALONE_GUARDED_H
#define TALWEG_TESTS_STANDALONE_GUARDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_BYTES = 128, GUARD_VALUE = 0xa5 };

typedef struct guarded {
  unsigned char *allocation, *data;
  size_t bytes;
} guarded;

/* At an address that is a multiple of `alignment`, a power of two, and not of twice that. */
static inline guarded guarded_make(size_t bytes, size_t alignment) {
  guarded made;
  made.bytes = bytes;
  made.allocation = (unsigned char*)malloc(bytes + 4 * alignment + 2 * GUARD_BYTES);
  if (!made.allocation) abort();
  const uintptr_t least = (uintptr_t)made.allocation + GUARD_BYTES;
  const uintptr_t twice = 2 * (uintptr_t)alignment;
  const uintptr_t start = (least + twice - 1) / twice * twice + alignment;
  made.data = made.allocation + (start - (uintptr_t)made.allocation);
  memset(made.data - GUARD_BYTES, GUARD_VALUE, GUARD_BYTES);
  memset(made.data + bytes, GUARD_VALUE, GUARD_BYTES);
  return made;
}

/* Ends the program where a byte around the array was written. */
static inline void guarded_check(const guarded* array, const char* what) {
  for (size_t i = 0; i < GUARD_BYTES; ++i) {
    if (array->data[(ptrdiff_t)i - GUARD_BYTES] == GUARD_VALUE &&
        array->data[array->bytes + i] == GUARD_VALUE)
      continue;
    fprintf(stderr, "%s: a byte outside the array was written\n", what);
    exit(1);
  }
}

static inline void guarded_free(guarded* array, const char* what) {
  guarded_check(array, what);
  free(array->allocation);
}

#endif
