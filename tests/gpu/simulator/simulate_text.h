// Kernels written as text, for tests of the simulator.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/gpu/simulator/simulator.h"

namespace talweg::gpu {

/// A simulator of `text`, before which the triple, the data layout and declarations of common
/// intrinsics are put. Text that cannot be read fails the test.
std::unique_ptr<Simulator> simulate(const std::string& text, DeviceMemory& memory,
                                    SimulatorOptions options = {});

/// What stops the kernel "k"; empty if nothing does.
std::string fault_of(const std::string& text, DeviceMemory& memory, Dim grid, Dim block,
                     const std::vector<std::uint64_t>& arguments, SimulatorOptions options = {});

/// An array in device memory.
template <class T>
class DeviceArray {
 public:
  DeviceArray(DeviceMemory& memory, const std::vector<T>& values)
      : data_(static_cast<T*>(memory.allocate(values.size() * sizeof(T)))), size_(values.size()) {
    std::memcpy(data_, values.data(), size_ * sizeof(T));
  }
  [[nodiscard]] std::vector<T> values() const { return {data_, data_ + size_}; }
  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(data_); }

 private:
  T* data_;
  std::size_t size_;
};

}  // namespace talweg::gpu
