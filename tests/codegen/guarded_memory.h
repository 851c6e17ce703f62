// An array with pages on both sides that nothing may touch: an access outside ends the program. The
// array begins or ends at a page; what is left between its other side and a guard holds ordinary
// numbers, so that results differ where it is read, and a write there ends the program later.
#pragma once

#include <cstddef>

namespace talweg::tests {

enum class Placement { AtStart, AtEnd };  // against which of the two guards the array lies

class GuardedArray {
 public:
  GuardedArray(std::size_t bytes, Placement placement);
  ~GuardedArray();
  GuardedArray(GuardedArray&& other) noexcept;
  GuardedArray(const GuardedArray&) = delete;
  GuardedArray& operator=(const GuardedArray&) = delete;
  GuardedArray& operator=(GuardedArray&&) = delete;

  [[nodiscard]] void* data() const { return data_; }

 private:
  char* mapping_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  void* data_ = nullptr;
  char* rest_ = nullptr;
  std::size_t rest_bytes_ = 0;
};

}  // namespace talweg::tests
