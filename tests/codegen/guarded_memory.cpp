// Guard pages by mmap; see guarded_memory.h.
#include "tests/codegen/guarded_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace talweg::tests {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr unsigned char kOfNobody = 0x3F;  // four of them: 0.747, eight: 0.00048

}  // namespace

GuardedArray::GuardedArray(std::size_t bytes, Placement placement) {
  const std::size_t inner = (bytes + kPageBytes) / kPageBytes * kPageBytes;
  mapped_bytes_ = inner + 2 * kPageBytes;
  void* mapping = mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<char*>(mapping);
  char* start = mapping_ + kPageBytes;
  if (mprotect(start, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  data_ = placement == Placement::AtStart ? start : start + inner - bytes;
  rest_ = placement == Placement::AtStart ? start + bytes : start;
  rest_bytes_ = inner - bytes;
  std::memset(rest_, kOfNobody, rest_bytes_);
}

GuardedArray::~GuardedArray() {
  if (mapping_ == nullptr) return;
  const auto* rest = reinterpret_cast<const unsigned char*>(rest_);
  if (!std::all_of(rest, rest + rest_bytes_, [](unsigned char c) { return c == kOfNobody; })) {
    std::fputs("what lies between an array and its guard was written to\n", stderr);
    std::abort();
  }
  munmap(mapping_, mapped_bytes_);
}

GuardedArray::GuardedArray(GuardedArray&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_bytes_(other.mapped_bytes_),
      data_(other.data_),
      rest_(other.rest_),
      rest_bytes_(other.rest_bytes_) {}

}  // namespace talweg::tests
