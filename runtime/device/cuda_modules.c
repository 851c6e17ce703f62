/* Code: modules of PTX, their functions, launches. */
#include "runtime/device/cuda_begin.h"

enum { LOG_BYTES = 4096, MOST_PARAMETERS = 8 };

int32_t talweg_cuda_load(talweg_cuda_module* module, const char* ptx, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  char log[LOG_BYTES] = {0};
  /* A number that an option takes stands in the place of a pointer. */
  int options[] = {TALWEG_CUDA_JIT_ERROR_LOG, TALWEG_CUDA_JIT_ERROR_LOG_BYTES};
  void* values[] = {log, (void*)(uintptr_t)(LOG_BYTES - 1)};
  *module = NULL;
  const int32_t result = driver->cuModuleLoadDataEx(module, ptx, 2, options, values);
  if (result == 0) return TALWEG_CUDA_OK;
  talweg_cuda_check(error, result, "cuModuleLoadDataEx");
  if (log[0]) {
    talweg_cuda_put(error, ": ");
    talweg_cuda_put_log(error, log);
  }
  return result;
}

int32_t talweg_cuda_unload(talweg_cuda_module module, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuModuleUnload(module), "cuModuleUnload");
}

int32_t talweg_cuda_find(talweg_cuda_function* function, talweg_cuda_module module,
                         const char* name, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *function = NULL;
  const int32_t result = driver->cuModuleGetFunction(function, module, name);
  if (result == 0) return TALWEG_CUDA_OK;
  talweg_cuda_fail(error, result, "cuModuleGetFunction(");
  talweg_cuda_put(error, name);
  talweg_cuda_put(error, "): ");
  talweg_cuda_put_result(error, result);
  return result;
}

int32_t talweg_cuda_function_usage(talweg_cuda_function function, talweg_cuda_usage* usage,
                                   talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  const struct {
    int attribute;
    int32_t* value;
  } attributes[] = {{TALWEG_CUDA_REGISTERS, &usage->registers},
                    {TALWEG_CUDA_LOCAL_BYTES, &usage->local_bytes},
                    {TALWEG_CUDA_SHARED_BYTES, &usage->shared_bytes}};
  int32_t result = 0;
  for (int i = 0; i < 3 && result == 0; ++i)
    result = driver->cuFuncGetAttribute(attributes[i].value, attributes[i].attribute, function);
  return talweg_cuda_check(error, result, "cuFuncGetAttribute");
}

int32_t talweg_cuda_allow_shared(talweg_cuda_function function, uint32_t bytes,
                                 talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check_bytes(
      error,
      driver->cuFuncSetAttribute(function, TALWEG_CUDA_MOST_DYNAMIC_SHARED_BYTES, (int)bytes),
      "cuFuncSetAttribute", bytes);
}

int32_t talweg_cuda_blocks_at_once(talweg_cuda_function function, uint32_t threads,
                                   uint32_t shared_bytes, int32_t* blocks,
                                   talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *blocks = 0;
  return talweg_cuda_check(error,
                           driver->cuOccupancyMaxActiveBlocksPerMultiprocessor(
                               blocks, function, (int)threads, shared_bytes),
                           "cuOccupancyMaxActiveBlocksPerMultiprocessor");
}

int32_t talweg_cuda_launch(talweg_cuda_function function, const talweg_cuda_grid* grid,
                           talweg_cuda_stream stream, const uint64_t* parameters,
                           uint32_t parameter_count, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  void* addresses[MOST_PARAMETERS]; /* what they point to is read before the call returns */
  for (uint32_t i = 0; i < parameter_count && i < MOST_PARAMETERS; ++i)
    addresses[i] = (void*)(uintptr_t)&parameters[i];
  const int32_t result =
      driver->cuLaunchKernel(function, grid->blocks, grid->blocks_y, 1, grid->threads, 1, 1,
                             grid->shared_bytes, stream, addresses, NULL);
  if (result == 0) return TALWEG_CUDA_OK;
  const uint64_t blocks = (uint64_t)grid->blocks * grid->blocks_y;
  talweg_cuda_fail(error, result, "cuLaunchKernel(");
  talweg_cuda_put_count(error, blocks);
  talweg_cuda_put(error, blocks == 1 ? " block of " : " blocks of ");
  talweg_cuda_put_count(error, grid->threads);
  talweg_cuda_put(error, grid->threads == 1 ? " thread): " : " threads): ");
  talweg_cuda_put_result(error, result);
  return result;
}
