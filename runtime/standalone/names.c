/* Names of hypers, states and views as callers give them. */
#include <string.h>

#include "runtime/standalone/internal.h"

static const char* name_of(const void* rows, size_t row_bytes, uint32_t row) {
  return *(const char* const*)((const char*)rows + row * row_bytes);
}

static talweg_lib_status refuse(const char* kind, const void* rows, size_t row_bytes,
                                uint32_t count, const char* name, talweg_lib_error* error) {
  talweg_error* to = core_error(error);
  fail(error, TALWEG_LIB_UNKNOWN_NAME, "there is no ");
  talweg_put(to, kind);
  talweg_put(to, " ");
  talweg_put_name(to, name);
  talweg_put(to, count == 0 ? "; the rule has none" : "; the rule has ");
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) talweg_put(to, ", ");
    talweg_put(to, name_of(rows, row_bytes, i));
  }
  return TALWEG_LIB_UNKNOWN_NAME;
}

talweg_lib_status talweg_lib_find(const char* kind, const void* rows, size_t row_bytes,
                                  uint32_t count, const char* name, uint32_t* row,
                                  talweg_lib_error* error) {
  if (!name) return fail_null(error, "the name");
  for (*row = 0; *row < count; ++*row)
    if (strcmp(name_of(rows, row_bytes, *row), name) == 0) return TALWEG_LIB_OK;
  return refuse(kind, rows, row_bytes, count, name, error);
}

const char* talweg_lib_status_text(talweg_lib_status status) {
  static const char* const texts[] = {"OK",
                                      "BAD_IMAGE",
                                      "BAD_ARGUMENT",
                                      "NOT_SERVED",
                                      "OVERLAP",
                                      "TOO_LARGE",
                                      "OUT_OF_RANGE",
                                      "BOUND",
                                      "MISSING_INPUT",
                                      "NOT_YET",
                                      "SWAPPED_IN",
                                      "WAITING",
                                      "UNKNOWN_NAME",
                                      "NO_MEMORY",
                                      "UNSUPPORTED_CPU",
                                      "NEWER_INTERFACE",
                                      "BAD_DATA",
                                      "BAD_RULE",
                                      "SYSTEM",
                                      "DEVICE_FAILED"};
  const size_t count = sizeof texts / sizeof *texts;
  return (size_t)status < count ? texts[status] : "unknown status";
}

const char* talweg_lib_version(void) { return talweg_lib_release; }

const char* talweg_lib_describe(void) { return talweg_lib_description; }

uint32_t talweg_lib_interface_version(void) { return TALWEG_LIB_INTERFACE; }
