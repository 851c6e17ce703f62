/* What the driver refused, in words: the call, the driver's name of the error and what it says of
 * it, as in `cuMemAlloc_v2(4096 bytes): CUDA_ERROR_OUT_OF_MEMORY (out of memory)`. */
#ifndef TALWEG_DEVICE_CUDA_ERROR_H
#define TALWEG_DEVICE_CUDA_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results besides the driver's own, which are positive. */
enum {
  TALWEG_CUDA_OK = 0,
  TALWEG_CUDA_NO_DRIVER = -1,      /* its library was not found, or cannot be opened */
  TALWEG_CUDA_DRIVER_TOO_OLD = -2, /* a function is missing */
  TALWEG_CUDA_WRONG_CONTEXT = -3,  /* the caller's stack of contexts is not as it was left */
};

/* As long as a talweg_error's, of runtime/optimizer. */
#define TALWEG_CUDA_MESSAGE_BYTES 512

typedef struct talweg_cuda_error {
  int32_t code;                            /* a CUresult, or one of the above */
  char message[TALWEG_CUDA_MESSAGE_BYTES]; /* UTF-8, ends with a 0; cut off where it is too long */
} talweg_cuda_error;

/* Starts an error; each put appends to its message. An `error` may be null: nothing is written. */
int32_t talweg_cuda_fail(talweg_cuda_error* error, int32_t code, const char* text);
void talweg_cuda_put(talweg_cuda_error* error, const char* text);
void talweg_cuda_put_count(talweg_cuda_error* error, uint64_t value);
/* The driver's name of a result and what it says of it. */
void talweg_cuda_put_result(talweg_cuda_error* error, int32_t result);
/* Lines of a log in one: joined by "; ". */
void talweg_cuda_put_log(talweg_cuda_error* error, const char* log);

/* Give the result of a call, and write what went wrong if it is none of success: `call: RESULT`,
 * `call(4096 bytes): RESULT`, `call(device 2): RESULT`. */
int32_t talweg_cuda_check(talweg_cuda_error* error, int32_t result, const char* call);
int32_t talweg_cuda_check_bytes(talweg_cuda_error* error, int32_t result, const char* call,
                                uint64_t bytes);
int32_t talweg_cuda_check_device(talweg_cuda_error* error, int32_t result, const char* call,
                                 int32_t device);

#ifdef __cplusplus
}
#endif

#endif
