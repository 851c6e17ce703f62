/* Appends to messages of fixed size. Freestanding C, in a header: generated libraries carry it. */
#ifndef TALWEG_SUPPORT_APPEND_TEXT_H
#define TALWEG_SUPPORT_APPEND_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Appends as many of the bytes as fit into `message`, an array of `size` that ends in 0; whole
 * characters of UTF-8 only. */
static inline void talweg_append_bytes(char* message, size_t size, const char* text, size_t bytes) {
  const size_t used = strlen(message);
  const size_t room = size - 1 - used;
  if (bytes > room) {
    bytes = room;
    while (bytes > 0 && ((unsigned char)text[bytes] & 0xC0) == 0x80) --bytes;
  }
  memcpy(message + used, text, bytes);
  message[used + bytes] = 0;
}

/* In decimal digits. */
static inline void talweg_append_count(char* message, size_t size, uint64_t value) {
  char digits[20];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  talweg_append_bytes(message, size, digits + first, sizeof digits - first);
}

#endif
