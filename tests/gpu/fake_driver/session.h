// What the tests of the driver interface share: a fresh pretended driver, and kernels for it.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/device/cuda_calls.h"
#include "tests/gpu/fake_driver/fake_cuda.h"

namespace fake_cuda_test {

/// `add_one` adds 1 to `count` numbers at `data`, as its control structure says.
struct Control {
  std::uint64_t data;
  std::uint64_t count;
};

/// Runs `add_one` without looking at its code: what these tests are about is how it is started.
class AddOne : public talweg::gpu::Executor {
 public:
  explicit AddOne(talweg::gpu::DeviceMemory& memory) : memory_(memory) {}
  void launch(std::string_view kernel, talweg::gpu::Dim grid, talweg::gpu::Dim block,
              std::span<const std::uint64_t> arguments) override {
    if (kernel != "add_one" || arguments.size() != 1) throw talweg::gpu::Fault("no such kernel");
    Control control{};
    std::memcpy(&control, checked(arguments[0], sizeof control), sizeof control);
    auto* data = static_cast<float*>(checked(control.data, control.count * sizeof(float)));
    const std::uint64_t threads = std::uint64_t{grid.x} * block.x;
    for (std::uint64_t i = 0; i < control.count && i < threads; ++i) data[i] += 1;
  }
  [[nodiscard]] std::vector<std::string> kernels() const override { return {"add_one"}; }

 private:
  void* checked(std::uint64_t address, std::uint64_t bytes) {
    void* memory = reinterpret_cast<void*>(address);
    if (!memory_.contains(memory, bytes)) throw talweg::gpu::Fault("add_one: out of bounds");
    return memory;
  }
  talweg::gpu::DeviceMemory& memory_;
};

inline std::unique_ptr<talweg::gpu::Executor> make_add_one(std::string_view ptx,
                                                           talweg::gpu::DeviceMemory& memory) {
  if (ptx.find("nonsense") != std::string_view::npos)
    throw talweg::gpu::Fault(
        "ptxas application ptx input, line 7; error   : unknown `nonsense`\n"
        "ptxas fatal   : Ptx assembly aborted due to errors");
  return std::make_unique<AddOne>(memory);
}

inline constexpr const char* kPtx = R"(//
// Generated for a test
.version 8.0
.target sm_80
.address_size 64
	// .globl	add_one
.visible .entry add_one(
	.param .u64 .ptr .align 8 add_one_param_0
)
{
	ret;
}
)";

/// A driver with so many devices, of which nothing is used yet, and the context of the first.
class Session {
 public:
  explicit Session(int devices = 1) {
    ::setenv("TALWEG_CUDA_DRIVER", FAKE_CUDA, 1);
    fake_cuda_reset(devices);
    fake_cuda_set_executor(make_add_one);
    talweg_cuda_error error{};
    const std::int32_t result = talweg_cuda_retain_context(0, &context, &error);
    INFO(error.message);
    REQUIRE(result == TALWEG_CUDA_OK);
    REQUIRE(talweg_cuda_enter(context, nullptr) == TALWEG_CUDA_OK);
  }

  talweg_cuda_address allocate(std::size_t bytes) {
    talweg_cuda_address address = 0;
    REQUIRE(talweg_cuda_allocate(&address, bytes, nullptr) == TALWEG_CUDA_OK);
    return address;
  }
  talweg_cuda_stream stream() {
    talweg_cuda_stream made = nullptr;
    REQUIRE(talweg_cuda_create_stream(&made, nullptr) == TALWEG_CUDA_OK);
    return made;
  }
  talweg_cuda_function add_one() {
    talweg_cuda_module module = nullptr;
    talweg_cuda_function function = nullptr;
    REQUIRE(talweg_cuda_load(&module, kPtx, nullptr) == TALWEG_CUDA_OK);
    REQUIRE(talweg_cuda_find(&function, module, "add_one", nullptr) == TALWEG_CUDA_OK);
    return function;
  }
  /// Copies at once.
  template <class T>
  talweg_cuda_address upload(const std::vector<T>& values) {
    const talweg_cuda_address address = allocate(values.size() * sizeof(T));
    REQUIRE(talweg_cuda_copy_in(address, values.data(), values.size() * sizeof(T), nullptr,
                                nullptr) == TALWEG_CUDA_OK);
    REQUIRE(talweg_cuda_wait(nullptr, nullptr) == TALWEG_CUDA_OK);
    return address;
  }
  std::vector<float> download(talweg_cuda_address address, std::size_t count) {
    std::vector<float> values(count);
    REQUIRE(talweg_cuda_copy_out(values.data(), address, count * sizeof(float), nullptr, nullptr) ==
            TALWEG_CUDA_OK);
    REQUIRE(talweg_cuda_wait(nullptr, nullptr) == TALWEG_CUDA_OK);
    return values;
  }

  talweg_cuda_context context = nullptr;
};

/// A row of blocks; the kernel has one parameter.
inline std::int32_t launch(talweg_cuda_function function, std::uint32_t blocks,
                           std::uint32_t threads, std::uint32_t shared_bytes,
                           talweg_cuda_stream stream, talweg_cuda_address argument,
                           talweg_cuda_error* error) {
  const talweg_cuda_grid grid{blocks, 1, threads, shared_bytes};
  const std::uint64_t parameter = argument;
  return talweg_cuda_launch(function, &grid, stream, &parameter, 1, error);
}

inline std::string log_text() {
  std::string text;
  for (std::size_t i = 0; i < fake_cuda_log_lines(); ++i)
    text += std::string(fake_cuda_log_line(i)) + "\n";
  return text;
}

}  // namespace fake_cuda_test
