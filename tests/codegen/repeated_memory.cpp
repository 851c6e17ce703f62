#include "tests/codegen/repeated_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace talweg::tests {

namespace {

constexpr std::uint64_t kPageBytes = 4096;

std::uint64_t mapped_bytes(std::uint64_t count) {
  return (count * sizeof(float) + kPageBytes - 1) / kPageBytes * kPageBytes;
}

bool map_pages(int file, char* to, std::uint64_t bytes, std::uint64_t offset) {
  return mmap(to, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
              static_cast<off_t>(offset)) != MAP_FAILED;
}

}  // namespace

std::optional<RepeatedFloats> RepeatedFloats::map(std::uint64_t count, std::uint64_t period_pages) {
  const std::uint64_t period_bytes = period_pages * kPageBytes;
  const std::uint64_t bytes = mapped_bytes(count);
  const std::uint64_t tail = bytes - kPageBytes;
  const int file = memfd_create("repeated", 0);
  if (file < 0) return {};
  void* own = MAP_FAILED;
  void* all = MAP_FAILED;
  if (ftruncate(file, static_cast<off_t>(period_bytes + kPageBytes)) == 0) {
    own = mmap(nullptr, period_bytes + kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    all = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  bool is_mapped = own != MAP_FAILED && all != MAP_FAILED;
  char* const start = static_cast<char*>(all);
  for (std::uint64_t at = 0; at < tail && is_mapped; at += period_bytes)
    is_mapped = map_pages(file, start + at, std::min(period_bytes, tail - at), 0);
  is_mapped = is_mapped && map_pages(file, start + tail, kPageBytes, period_bytes);
  close(file);
  RepeatedFloats result;
  result.count_ = count;
  result.period_ = period_bytes / sizeof(float);
  if (own != MAP_FAILED) result.own_ = static_cast<float*>(own);
  if (all != MAP_FAILED) result.data_ = static_cast<float*>(all);
  if (!is_mapped) return {};
  return result;
}

RepeatedFloats::~RepeatedFloats() {
  if (own_ != nullptr) munmap(own_, own_count() * sizeof(float));
  if (data_ != nullptr) munmap(data_, mapped_bytes(count_));
}

RepeatedFloats::RepeatedFloats(RepeatedFloats&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      own_(std::exchange(other.own_, nullptr)),
      count_(other.count_),
      period_(other.period_) {}

}  // namespace talweg::tests
