/* The interface of NVIDIA's driver, as far as talweg calls it, in declarations of its own: no CUDA
 * header is needed to build talweg or a library that it generates, and no driver to start them. The
 * driver's library is opened on first use.
 *
 * Freestanding C11; of the C library's it takes dlopen, dlsym, dlerror, getenv and sched_yield. */
#ifndef TALWEG_DEVICE_CUDA_DRIVER_H
#define TALWEG_DEVICE_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/device/cuda_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The driver's handles have the struct names of cuda.h: a program that includes it may pass its
 * own. */
typedef struct CUctx_st* talweg_cuda_context;
typedef struct CUmod_st* talweg_cuda_module;
typedef struct CUfunc_st* talweg_cuda_function;
typedef struct CUstream_st* talweg_cuda_stream; /* null: the default stream */
typedef struct CUevent_st* talweg_cuda_event;
typedef int talweg_cuda_result; /* an enum of cuda.h; 0: success */
typedef int talweg_cuda_device;
typedef unsigned long long talweg_cuda_address;
typedef struct talweg_cuda_uuid {
  char bytes[16];
} talweg_cuda_uuid;

/* Numbers of cuda.h. */
enum {
  TALWEG_CUDA_INVALID_VALUE = 1,
  TALWEG_CUDA_OUT_OF_MEMORY = 2,
  TALWEG_CUDA_NO_DEVICE = 100,
  TALWEG_CUDA_NOT_READY = 600,

  TALWEG_CUDA_MULTIPROCESSORS = 16, /* CUdevice_attribute */
  TALWEG_CUDA_CAPABILITY_MAJOR = 75,
  TALWEG_CUDA_CAPABILITY_MINOR = 76,

  TALWEG_CUDA_POINTER_DEVICE = 9, /* CUpointer_attribute: the ordinal */
  TALWEG_CUDA_POINTER_MEMORY_TYPE = 2,
  TALWEG_CUDA_MEMORY_OF_DEVICE = 2, /* CUmemorytype */

  TALWEG_CUDA_SHARED_BYTES = 1, /* CUfunction_attribute */
  TALWEG_CUDA_LOCAL_BYTES = 3,
  TALWEG_CUDA_REGISTERS = 4,
  TALWEG_CUDA_MOST_DYNAMIC_SHARED_BYTES = 8,

  TALWEG_CUDA_JIT_ERROR_LOG = 5, /* CUjit_option */
  TALWEG_CUDA_JIT_ERROR_LOG_BYTES = 6,

  TALWEG_CUDA_STREAM_NON_BLOCKING = 1,
  TALWEG_CUDA_EVENT_DISABLE_TIMING = 2,
  TALWEG_CUDA_CAPTURE_NONE = 0, /* CUstreamCaptureStatus */
};

/* Every function that is called, with its parameters, by the name that its symbol has: cuda.h maps
 * cuMemAlloc to cuMemAlloc_v2 and so on. The newest of them came with CUDA 11.4. */
#define TALWEG_CUDA_FUNCTIONS(F)                                                                  \
  F(cuGetErrorName, (talweg_cuda_result, const char**))                                           \
  F(cuGetErrorString, (talweg_cuda_result, const char**))                                         \
  F(cuInit, (unsigned))                                                                           \
  F(cuDriverGetVersion, (int*))                                                                   \
  F(cuDeviceGetCount, (int*))                                                                     \
  F(cuDeviceGet, (talweg_cuda_device*, int))                                                      \
  F(cuDeviceGetName, (char*, int, talweg_cuda_device))                                            \
  F(cuDeviceGetUuid_v2, (talweg_cuda_uuid*, talweg_cuda_device))                                  \
  F(cuDeviceTotalMem_v2, (size_t*, talweg_cuda_device))                                           \
  F(cuDeviceGetAttribute, (int*, int, talweg_cuda_device))                                        \
  F(cuDevicePrimaryCtxRetain, (talweg_cuda_context*, talweg_cuda_device))                         \
  F(cuDevicePrimaryCtxRelease_v2, (talweg_cuda_device))                                           \
  F(cuCtxGetCurrent, (talweg_cuda_context*))                                                      \
  F(cuCtxPushCurrent_v2, (talweg_cuda_context))                                                   \
  F(cuCtxPopCurrent_v2, (talweg_cuda_context*))                                                   \
  F(cuCtxGetDevice, (talweg_cuda_device*))                                                        \
  F(cuCtxSynchronize, (void))                                                                     \
  F(cuMemGetInfo_v2, (size_t*, size_t*))                                                          \
  F(cuMemAlloc_v2, (talweg_cuda_address*, size_t))                                                \
  F(cuMemFree_v2, (talweg_cuda_address))                                                          \
  F(cuMemAllocHost_v2, (void**, size_t))                                                          \
  F(cuMemFreeHost, (void*))                                                                       \
  F(cuPointerGetAttribute, (void*, int, talweg_cuda_address))                                     \
  F(cuMemcpyHtoDAsync_v2, (talweg_cuda_address, const void*, size_t, talweg_cuda_stream))         \
  F(cuMemcpyDtoHAsync_v2, (void*, talweg_cuda_address, size_t, talweg_cuda_stream))               \
  F(cuMemcpyDtoDAsync_v2, (talweg_cuda_address, talweg_cuda_address, size_t, talweg_cuda_stream)) \
  F(cuMemcpyAsync, (talweg_cuda_address, talweg_cuda_address, size_t, talweg_cuda_stream))        \
  F(cuMemsetD8Async, (talweg_cuda_address, unsigned char, size_t, talweg_cuda_stream))            \
  F(cuModuleLoadDataEx, (talweg_cuda_module*, const void*, unsigned, int*, void**))               \
  F(cuModuleUnload, (talweg_cuda_module))                                                         \
  F(cuModuleGetFunction, (talweg_cuda_function*, talweg_cuda_module, const char*))                \
  F(cuFuncGetAttribute, (int*, int, talweg_cuda_function))                                        \
  F(cuFuncSetAttribute, (talweg_cuda_function, int, int))                                         \
  F(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int*, talweg_cuda_function, int, size_t))       \
  F(cuLaunchKernel, (talweg_cuda_function, unsigned, unsigned, unsigned, unsigned, unsigned,      \
                     unsigned, unsigned, talweg_cuda_stream, void**, void**))                     \
  F(cuStreamCreate, (talweg_cuda_stream*, unsigned))                                              \
  F(cuStreamDestroy_v2, (talweg_cuda_stream))                                                     \
  F(cuStreamSynchronize, (talweg_cuda_stream))                                                    \
  F(cuStreamWaitEvent, (talweg_cuda_stream, talweg_cuda_event, unsigned))                         \
  F(cuStreamIsCapturing, (talweg_cuda_stream, int*))                                              \
  F(cuStreamGetCtx, (talweg_cuda_stream, talweg_cuda_context*))                                   \
  F(cuEventCreate, (talweg_cuda_event*, unsigned))                                                \
  F(cuEventDestroy_v2, (talweg_cuda_event))                                                       \
  F(cuEventRecord, (talweg_cuda_event, talweg_cuda_stream))                                       \
  F(cuEventQuery, (talweg_cuda_event))                                                            \
  F(cuEventSynchronize, (talweg_cuda_event))                                                      \
  F(cuEventElapsedTime, (float*, talweg_cuda_event, talweg_cuda_event))

typedef struct talweg_cuda_driver {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration has none */
#define TALWEG_CUDA_MEMBER(name, parameters) talweg_cuda_result(*name) parameters;
  TALWEG_CUDA_FUNCTIONS(TALWEG_CUDA_MEMBER)
#undef TALWEG_CUDA_MEMBER
} talweg_cuda_driver;

/* Opens and initialises the driver; any thread may ask, as often as it likes. Not TALWEG_CUDA_OK,
 * with the reason in `error` (which may be null), where there is none, where it is too old, or
 * where it has no device. Its library is `libcuda.so.1`, or the one that the environment variable
 * TALWEG_CUDA_DRIVER names; whether it can be opened is found out once in a process. */
int32_t talweg_cuda_open(const talweg_cuda_driver** driver, talweg_cuda_error* error);

/* The driver where talweg_cuda_open() has found its library, whether or not it is initialised: for
 * the names of its errors. Null otherwise. */
const talweg_cuda_driver* talweg_cuda_opened(void);

#ifdef __cplusplus
}
#endif

#endif
