#include "runtime/optimizer/message.h"

#include <string.h>

#include "runtime/support/append_text.h"

#define SIGNIFICANT_DIGITS 12
#define MAX_NAME_BYTES 96

static void put_bytes(talweg_error* error, const char* text, size_t bytes) {
  if (error) talweg_append_bytes(error->message, sizeof error->message, text, bytes);
}

talweg_status talweg_fail(talweg_error* error, talweg_status status, const char* text) {
  if (error) {
    error->status = status;
    error->message[0] = 0;
    talweg_put(error, text);
  }
  return status;
}

void talweg_put(talweg_error* error, const char* text) { put_bytes(error, text, strlen(text)); }

void talweg_put_name(talweg_error* error, const char* name) {
  size_t bytes = strlen(name);
  const int is_cut = bytes > MAX_NAME_BYTES;
  if (is_cut) {
    bytes = MAX_NAME_BYTES;
    while (bytes > 0 && ((unsigned char)name[bytes] & 0xC0) == 0x80) --bytes;
  }
  talweg_put(error, "`");
  for (size_t i = 0; i < bytes; ++i) {
    const unsigned char byte = (unsigned char)name[i];
    put_bytes(error, byte < 0x20 || byte == 0x7F ? "?" : name + i, 1);
  }
  talweg_put(error, is_cut ? "...`" : "`");
}

void talweg_put_count(talweg_error* error, uint64_t value) {
  if (error) talweg_append_count(error->message, sizeof error->message, value);
}

/* Scales a positive finite value to [1, 10) and returns the power of ten taken out. */
static int take_exponent(double* value) {
  static const double kPowers[] = {1e256, 1e128, 1e64, 1e32, 1e16, 1e8, 1e4, 1e2, 1e1};
  static const int kExponents[] = {256, 128, 64, 32, 16, 8, 4, 2, 1};
  int exponent = 0;
  for (int i = 0; i < 9; ++i) {
    if (*value >= kPowers[i]) {
      *value /= kPowers[i];
      exponent += kExponents[i];
    }
  }
  for (int i = 0; i < 9; ++i) {
    if (*value < 10 / kPowers[i]) {
      *value *= kPowers[i];
      exponent -= kExponents[i];
    }
  }
  return exponent;
}

/* digits * 10^exponent, where `digits` has `count` significant digits and no trailing zero. */
static void put_decimal(talweg_error* error, uint64_t digits, int count, int exponent) {
  const int point = count + exponent; /* digits before the decimal point */
  if (exponent >= 0 && point <= SIGNIFICANT_DIGITS) {
    for (; exponent > 0; --exponent) digits *= 10;
    talweg_put_count(error, digits);
    return;
  }
  uint64_t scale = 1;
  const int is_scientific = point < -3 || point > SIGNIFICANT_DIGITS;
  const int whole = is_scientific ? 1 : point;
  for (int i = whole; i < count; ++i) scale *= 10;
  talweg_put_count(error, whole > 0 ? digits / scale : 0);
  uint64_t rest = whole > 0 ? digits % scale : digits;
  if (rest != 0) talweg_put(error, ".");
  for (int i = whole; i < 0; ++i) talweg_put(error, "0");
  if (rest != 0) {
    for (uint64_t place = scale / 10; whole > 0 && place > rest; place /= 10)
      talweg_put(error, "0");
    talweg_put_count(error, rest);
  }
  if (is_scientific) {
    talweg_put(error, point > 0 ? "e+" : "e-");
    talweg_put_count(error, (uint64_t)(point > 0 ? point - 1 : 1 - point));
  }
}

void talweg_put_number(talweg_error* error, double value) {
  if (value != value) {
    talweg_put(error, "nan");
    return;
  }
  if (value < 0) {
    talweg_put(error, "-");
    value = -value;
  }
  if (value > 1.7976931348623157e308) {
    talweg_put(error, "inf");
    return;
  }
  if (value == 0) {
    talweg_put(error, "0");
    return;
  }
  int exponent = take_exponent(&value) - (SIGNIFICANT_DIGITS - 1);
  uint64_t digits = (uint64_t)(value * 1e11 + 0.5);
  int count = SIGNIFICANT_DIGITS;
  if (digits >= 1000000000000u) {
    digits /= 10;
    ++exponent;
  }
  while (digits % 10 == 0) {
    digits /= 10;
    ++exponent;
    --count;
  }
  put_decimal(error, digits, count, exponent);
}
