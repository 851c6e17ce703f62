/* What the C files use of the C library's string.h, for compiling them without its headers. */
#ifndef TALWEG_FREESTANDING_STRING_H
#define TALWEG_FREESTANDING_STRING_H

#include <stddef.h>

void* memcpy(void* restrict to, const void* restrict from, size_t bytes);
void* memset(void* memory, int value, size_t bytes);
int memcmp(const void* a, const void* b, size_t bytes);
size_t strlen(const char* text);
int strcmp(const char* a, const char* b);

#endif
