/* How every function of cuda_calls.h begins: it opens the driver, or gives why that failed. */
#ifndef TALWEG_DEVICE_CUDA_BEGIN_H
#define TALWEG_DEVICE_CUDA_BEGIN_H

#include "runtime/device/cuda_calls.h"

#define TALWEG_CUDA_BEGIN(driver, error)                            \
  const talweg_cuda_driver* driver;                                 \
  do {                                                              \
    const int32_t talweg_opened = talweg_cuda_open(&driver, error); \
    if (talweg_opened != TALWEG_CUDA_OK) return talweg_opened;      \
  } while (0)

#endif
