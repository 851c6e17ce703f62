#include "runtime/device/cuda_error.h"

#include <stddef.h>
#include <string.h>

#include "runtime/device/cuda_driver.h"
#include "runtime/support/append_text.h"

int32_t talweg_cuda_fail(talweg_cuda_error* error, int32_t code, const char* text) {
  if (error) {
    error->code = code;
    error->message[0] = 0;
    talweg_cuda_put(error, text);
  }
  return code;
}

void talweg_cuda_put(talweg_cuda_error* error, const char* text) {
  if (error) talweg_append_bytes(error->message, sizeof error->message, text, strlen(text));
}

void talweg_cuda_put_count(talweg_cuda_error* error, uint64_t value) {
  if (error) talweg_append_count(error->message, sizeof error->message, value);
}

void talweg_cuda_put_result(talweg_cuda_error* error, int32_t result) {
  const talweg_cuda_driver* driver = talweg_cuda_opened();
  const char *name = NULL, *description = NULL;
  if (!driver || driver->cuGetErrorName(result, &name) != 0) name = NULL;
  if (!driver || driver->cuGetErrorString(result, &description) != 0) description = NULL;
  if (name) {
    talweg_cuda_put(error, name);
  } else {
    talweg_cuda_put(error, "CUDA error ");
    talweg_cuda_put_count(error, (uint64_t)result);
  }
  if (description) {
    talweg_cuda_put(error, " (");
    talweg_cuda_put(error, description);
    talweg_cuda_put(error, ")");
  }
}

void talweg_cuda_put_log(talweg_cuda_error* error, const char* log) {
  if (!error) return;
  int is_first = 1;
  while (*log) {
    size_t bytes = 0;
    while (log[bytes] && log[bytes] != '\n' && log[bytes] != '\r') ++bytes;
    if (bytes > 0) {
      if (!is_first) talweg_cuda_put(error, "; ");
      talweg_append_bytes(error->message, sizeof error->message, log, bytes);
      is_first = 0;
    }
    log += bytes;
    while (*log == '\n' || *log == '\r') ++log;
  }
}

int32_t talweg_cuda_check(talweg_cuda_error* error, int32_t result, const char* call) {
  if (result == 0) return TALWEG_CUDA_OK;
  talweg_cuda_fail(error, result, call);
  talweg_cuda_put(error, ": ");
  talweg_cuda_put_result(error, result);
  return result;
}

static int32_t check_with(talweg_cuda_error* error, int32_t result, const char* call,
                          const char* before, uint64_t count, const char* after) {
  if (result == 0) return TALWEG_CUDA_OK;
  talweg_cuda_fail(error, result, call);
  talweg_cuda_put(error, before);
  talweg_cuda_put_count(error, count);
  talweg_cuda_put(error, after);
  talweg_cuda_put_result(error, result);
  return result;
}

int32_t talweg_cuda_check_bytes(talweg_cuda_error* error, int32_t result, const char* call,
                                uint64_t bytes) {
  return check_with(error, result, call, "(", bytes, bytes == 1 ? " byte): " : " bytes): ");
}

int32_t talweg_cuda_check_device(talweg_cuda_error* error, int32_t result, const char* call,
                                 int32_t device) {
  return check_with(error, result, call, device < 0 ? "(device -" : "(device ",
                    device < 0 ? 0 - (uint64_t)device : (uint64_t)device, "): ");
}
