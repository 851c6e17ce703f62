/* Writes the sentences of errors without the C library's stdio. Internal to runtime/optimizer. */
#ifndef TALWEG_OPTIMIZER_MESSAGE_H
#define TALWEG_OPTIMIZER_MESSAGE_H

#include <stdint.h>

#include "runtime/optimizer/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts an error; each put appends to its message. An `error` may be null: nothing is written. */
talweg_status talweg_fail(talweg_error* error, talweg_status status, const char* text);
void talweg_put(talweg_error* error, const char* text);
/* A name in backquotes; control characters become `?`, a long name is cut off. */
void talweg_put_name(talweg_error* error, const char* name);
void talweg_put_count(talweg_error* error, uint64_t value);
/* Up to 12 significant digits; "inf", "-inf", "nan". */
void talweg_put_number(talweg_error* error, double value);

#ifdef __cplusplus
}
#endif

#endif
