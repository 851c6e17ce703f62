#include "tests/gpu/fake_driver/default_executor.h"

#include "tests/gpu/ptx/interpreter.h"

namespace fake_cuda {

talweg::gpu::MakeExecutor default_executor() {
  return [](std::string_view ptx,
            talweg::gpu::DeviceMemory& memory) -> std::unique_ptr<talweg::gpu::Executor> {
    return std::make_unique<talweg::gpu::PtxInterpreter>(std::string(ptx), memory);
  };
}

}  // namespace fake_cuda
