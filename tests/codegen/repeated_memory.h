// Very large arrays in little memory: the same pages of a file mapped over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace talweg::tests {

/// An array of floats of which element i is element `index(i)` of a small one. The period is a
/// prime number of pages, so that an address cut to 32 bits, or off by any power of two, meets
/// another element. The elements of the last page are found once.
class RepeatedFloats {
 public:
  /// Nothing if the machine does not let us map so much.
  static std::optional<RepeatedFloats> map(std::uint64_t count, std::uint64_t period_pages);
  ~RepeatedFloats();
  RepeatedFloats(RepeatedFloats&& other) noexcept;
  RepeatedFloats(const RepeatedFloats&) = delete;
  RepeatedFloats& operator=(const RepeatedFloats&) = delete;
  RepeatedFloats& operator=(RepeatedFloats&&) = delete;

  /// All of it.
  [[nodiscard]] float* data() const { return data_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The small array, which is the same memory.
  [[nodiscard]] float* own() const { return own_; }
  [[nodiscard]] std::uint64_t own_count() const { return period_ + kPageFloats; }
  /// Calls visit(first, index, count) for the runs of elements that lie together in both.
  template <class Visit>
  void for_runs(Visit visit) const {
    for (std::uint64_t first = 0; first < count_;) {
      const std::uint64_t index = this->index(first);
      const std::uint64_t tail = (count_ - 1) / kPageFloats * kPageFloats;
      std::uint64_t run = first < tail ? period_ - index : count_ - first;
      if (first < tail && run > tail - first) run = tail - first;
      visit(first, index, run);
      first += run;
    }
  }
  [[nodiscard]] std::uint64_t index(std::uint64_t i) const {
    const std::uint64_t tail = (count_ - 1) / kPageFloats * kPageFloats;
    return i < tail ? i % period_ : period_ + (i - tail);
  }

 private:
  static constexpr std::uint64_t kPageFloats = 1024;
  RepeatedFloats() = default;

  float* data_ = nullptr;
  float* own_ = nullptr;
  std::uint64_t count_ = 0, period_ = 0;
};

}  // namespace talweg::tests
