// What runs kernels in processes that say nothing else (fake_cuda_set_executor).
#pragma once

#include "tests/gpu/fake_driver/fake_cuda.h"

namespace fake_cuda {

talweg::gpu::MakeExecutor default_executor();

}  // namespace fake_cuda
