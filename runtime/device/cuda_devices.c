/* Devices and contexts. */
#include <string.h>

#include "runtime/device/cuda_begin.h"

int32_t talweg_cuda_driver_version(int32_t* version, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuDriverGetVersion(version), "cuDriverGetVersion");
}

int32_t talweg_cuda_device_count(int32_t* count, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuDeviceGetCount(count), "cuDeviceGetCount");
}

static void write_uuid(char* text, const talweg_cuda_uuid* uuid) {
  static const char kDigits[] = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) {
    const unsigned byte = (unsigned char)uuid->bytes[i];
    if (i == 4 || i == 6 || i == 8 || i == 10) *text++ = '-';
    *text++ = kDigits[byte >> 4];
    *text++ = kDigits[byte & 15];
  }
  *text = 0;
}

int32_t talweg_cuda_describe(int32_t device, talweg_cuda_facts* facts, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  memset(facts, 0, sizeof *facts);
  talweg_cuda_device handle = 0;
  talweg_cuda_uuid uuid;
  size_t bytes = 0;
  int32_t result =
      talweg_cuda_check_device(error, driver->cuDeviceGet(&handle, device), "cuDeviceGet", device);
  if (result != 0) return result;
  result = driver->cuDeviceGetName(facts->name, sizeof facts->name, handle);
  if (result != 0) return talweg_cuda_check_device(error, result, "cuDeviceGetName", device);
  result = driver->cuDeviceGetUuid_v2(&uuid, handle);
  if (result != 0) return talweg_cuda_check_device(error, result, "cuDeviceGetUuid_v2", device);
  write_uuid(facts->uuid, &uuid);
  result = driver->cuDeviceTotalMem_v2(&bytes, handle);
  if (result != 0) return talweg_cuda_check_device(error, result, "cuDeviceTotalMem_v2", device);
  facts->memory_bytes = bytes;
  const struct {
    int attribute;
    int32_t* value;
  } attributes[] = {{TALWEG_CUDA_CAPABILITY_MAJOR, &facts->capability_major},
                    {TALWEG_CUDA_CAPABILITY_MINOR, &facts->capability_minor},
                    {TALWEG_CUDA_MULTIPROCESSORS, &facts->multiprocessors}};
  for (int i = 0; i < 3 && result == 0; ++i)
    result = driver->cuDeviceGetAttribute(attributes[i].value, attributes[i].attribute, handle);
  return talweg_cuda_check_device(error, result, "cuDeviceGetAttribute", device);
}

int32_t talweg_cuda_retain_context(int32_t device, talweg_cuda_context* context,
                                   talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  talweg_cuda_device handle = 0;
  *context = NULL;
  const int32_t result = driver->cuDeviceGet(&handle, device);
  if (result != 0) return talweg_cuda_check_device(error, result, "cuDeviceGet", device);
  return talweg_cuda_check_device(error, driver->cuDevicePrimaryCtxRetain(context, handle),
                                  "cuDevicePrimaryCtxRetain", device);
}

int32_t talweg_cuda_release_context(int32_t device, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  talweg_cuda_device handle = 0;
  const int32_t result = driver->cuDeviceGet(&handle, device);
  if (result != 0) return talweg_cuda_check_device(error, result, "cuDeviceGet", device);
  return talweg_cuda_check_device(error, driver->cuDevicePrimaryCtxRelease_v2(handle),
                                  "cuDevicePrimaryCtxRelease_v2", device);
}

int32_t talweg_cuda_current_context(talweg_cuda_context* context, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *context = NULL;
  return talweg_cuda_check(error, driver->cuCtxGetCurrent(context), "cuCtxGetCurrent");
}

int32_t talweg_cuda_current_device(int32_t* device, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuCtxGetDevice(device), "cuCtxGetDevice");
}

int32_t talweg_cuda_enter(talweg_cuda_context context, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuCtxPushCurrent_v2(context), "cuCtxPushCurrent_v2");
}

int32_t talweg_cuda_leave(talweg_cuda_context context, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  talweg_cuda_context left = NULL;
  const int32_t result =
      talweg_cuda_check(error, driver->cuCtxPopCurrent_v2(&left), "cuCtxPopCurrent_v2");
  if (result != 0 || left == context) return result;
  return talweg_cuda_fail(error, TALWEG_CUDA_WRONG_CONTEXT,
                          "cuCtxPopCurrent_v2: another context than the one that was pushed");
}

int32_t talweg_cuda_wait_for_context(talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuCtxSynchronize(), "cuCtxSynchronize");
}
