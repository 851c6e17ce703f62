/* What a library takes of the C library, for WebAssembly modules that stand alone (NAME.wasm).
 * Archives for linking have none of it: there the program brings it.
 *
 * malloc: free blocks in a list by address, first fit; neighbours are joined where one is freed.
 * Memory grows and never shrinks, as WebAssembly has it. A module has one thread. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/standalone/libc.h"

#define PAGE_BYTES 65536u
#define UNIT 16u /* of alignment, of sizes, and of what stands before a block */

typedef struct block {
  size_t bytes;       /* with this */
  struct block* next; /* of a free one */
  uint64_t unused;
} block;
_Static_assert(sizeof(block) == UNIT, "block");

extern unsigned char __heap_base; /* the linker knows where data and stack end */
static block first = {0, 0, 0};   /* of the list; has no memory */

static void add_free(block* added) {
  block* before = &first;
  while (before->next && before->next < added) before = before->next;
  added->next = before->next;
  before->next = added;
  if (added->next && (unsigned char*)added + added->bytes == (unsigned char*)added->next) {
    added->bytes += added->next->bytes;
    added->next = added->next->next;
  }
  if (before != &first && (unsigned char*)before + before->bytes == (unsigned char*)added) {
    before->bytes += added->bytes;
    before->next = added->next;
  }
}

static block* take_free(size_t bytes) {
  for (block* before = &first; before->next; before = before->next) {
    block* found = before->next;
    if (found->bytes < bytes) continue;
    if (found->bytes >= bytes + 2 * UNIT) {
      block* rest = (block*)((unsigned char*)found + bytes);
      rest->bytes = found->bytes - bytes;
      rest->next = found->next;
      before->next = rest;
      found->bytes = bytes;
    } else {
      before->next = found->next;
    }
    return found;
  }
  return 0;
}

/* At first what lies behind data and stack, then new pages. */
static int grow(size_t bytes) {
  static int has_begun;
  uintptr_t begin, end;
  if (!has_begun) {
    has_begun = 1;
    begin = ((uintptr_t)&__heap_base + UNIT - 1) / UNIT * UNIT;
    end = __builtin_wasm_memory_size(0) * PAGE_BYTES;
  } else {
    const size_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    const size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1) return 0;
    begin = before * PAGE_BYTES;
    end = begin + pages * PAGE_BYTES;
  }
  if (end - begin < 2 * UNIT) return 1;
  block* added = (block*)begin;
  added->bytes = end - begin;
  add_free(added);
  return 1;
}

void* malloc(size_t bytes) {
  if (bytes > PTRDIFF_MAX) return 0;
  const size_t whole = (bytes + UNIT - 1) / UNIT * UNIT + UNIT;
  for (;;) {
    block* found = take_free(whole);
    if (found) return (unsigned char*)found + UNIT;
    if (!grow(whole)) return 0;
  }
}

void free(void* memory) {
  if (memory) add_free((block*)((unsigned char*)memory - UNIT));
}

/* One instruction each. */
void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  return __builtin_memcpy(to, from, bytes);
}

void* memset(void* memory, int value, size_t bytes) {
  return __builtin_memset(memory, value, bytes);
}

size_t strlen(const char* text) {
  const char* end = text;
  while (*end) ++end;
  return (size_t)(end - text);
}

int strcmp(const char* a, const char* b) {
  for (; *a && *a == *b; ++a, ++b) continue;
  return (unsigned char)*a - (unsigned char)*b;
}
