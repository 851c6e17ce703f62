/* Memory, and work on it in a stream's order. */
#include "runtime/device/cuda_begin.h"

int32_t talweg_cuda_allocate(talweg_cuda_address* address, uint64_t bytes,
                             talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *address = 0;
  return talweg_cuda_check_bytes(error, driver->cuMemAlloc_v2(address, bytes), "cuMemAlloc_v2",
                                 bytes);
}

int32_t talweg_cuda_free(talweg_cuda_address address, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuMemFree_v2(address), "cuMemFree_v2");
}

int32_t talweg_cuda_memory(uint64_t* free_bytes, uint64_t* all_bytes, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  size_t unused = 0, all = 0;
  const int32_t result = driver->cuMemGetInfo_v2(&unused, &all);
  *free_bytes = unused;
  *all_bytes = all;
  return talweg_cuda_check(error, result, "cuMemGetInfo_v2");
}

int32_t talweg_cuda_allocate_pinned(void** memory, uint64_t bytes, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *memory = NULL;
  return talweg_cuda_check_bytes(error, driver->cuMemAllocHost_v2(memory, bytes),
                                 "cuMemAllocHost_v2", bytes);
}

int32_t talweg_cuda_free_pinned(void* memory, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuMemFreeHost(memory), "cuMemFreeHost");
}

int32_t talweg_cuda_device_of(talweg_cuda_address address, int32_t* device,
                              talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  unsigned type = 0;
  *device = -1;
  int32_t result = driver->cuPointerGetAttribute(&type, TALWEG_CUDA_POINTER_MEMORY_TYPE, address);
  /* The driver knows nothing of memory that the host allocated by itself. */
  if (result == TALWEG_CUDA_INVALID_VALUE) return TALWEG_CUDA_OK;
  if (result == 0 && type == TALWEG_CUDA_MEMORY_OF_DEVICE)
    result = driver->cuPointerGetAttribute(device, TALWEG_CUDA_POINTER_DEVICE, address);
  return talweg_cuda_check(error, result, "cuPointerGetAttribute");
}

int32_t talweg_cuda_copy_in(talweg_cuda_address to, const void* from, uint64_t bytes,
                            talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check_bytes(error, driver->cuMemcpyHtoDAsync_v2(to, from, bytes, stream),
                                 "cuMemcpyHtoDAsync_v2", bytes);
}

int32_t talweg_cuda_copy_out(void* to, talweg_cuda_address from, uint64_t bytes,
                             talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check_bytes(error, driver->cuMemcpyDtoHAsync_v2(to, from, bytes, stream),
                                 "cuMemcpyDtoHAsync_v2", bytes);
}

int32_t talweg_cuda_copy_within(talweg_cuda_address to, talweg_cuda_address from, uint64_t bytes,
                                talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check_bytes(error, driver->cuMemcpyDtoDAsync_v2(to, from, bytes, stream),
                                 "cuMemcpyDtoDAsync_v2", bytes);
}

int32_t talweg_cuda_copy(talweg_cuda_address to, talweg_cuda_address from, uint64_t bytes,
                         talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check_bytes(error, driver->cuMemcpyAsync(to, from, bytes, stream),
                                 "cuMemcpyAsync", bytes);
}

int32_t talweg_cuda_fill(talweg_cuda_address to, uint8_t byte, uint64_t bytes,
                         talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check_bytes(error, driver->cuMemsetD8Async(to, byte, bytes, stream),
                                 "cuMemsetD8Async", bytes);
}
