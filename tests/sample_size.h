// How much a test that draws samples should do. The promise of each such test is about its full
// sample in a release build; sanitizers make everything slower, so they see a part of it.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace talweg::tests {

/// The part of a sample to run, from 0 to 1: $TALWEG_TEST_SAMPLE (0.1 is a tenth), else 1, or 1/20
/// in a sanitizer build.
inline double sample_part() {
  if (const char* text = std::getenv("TALWEG_TEST_SAMPLE")) {
    const double part = std::strtod(text, nullptr);
    if (part > 0 && part <= 1) return part;
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0.05;
#else
  return 1;
#endif
}

/// That part of `full`, at least 1.
inline std::uint64_t sample_size(std::uint64_t full) {
  const auto size = static_cast<std::uint64_t>(static_cast<double>(full) * sample_part());
  return size > 0 ? size : 1;
}

/// Whether case number `index` of many belongs to that part.
inline bool is_in_sample(std::uint64_t index) {
  return index % static_cast<std::uint64_t>(1 / sample_part() + 0.5) == 0;
}

}  // namespace talweg::tests
