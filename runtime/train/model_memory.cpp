// Counting bytes without overflow.
#include "runtime/train/model_memory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace talweg::train {
namespace {

std::string bytes_text(std::uint64_t bytes) {
  constexpr double kGibibyte = 1 << 30;
  return fmt::format("{} bytes ({:.1f} GiB)", bytes, static_cast<double>(bytes) / kGibibyte);
}

}  // namespace

support::Status check_memory(const NetworkSpec& spec, talweg_dtype dtype, std::uint64_t available) {
  const std::uint64_t bytes_each = 3 * (dtype == TALWEG_F32 ? sizeof(float) : sizeof(double));
  const auto count = parameter_count(spec);
  if (count && *count <= available / bytes_each) return support::ok();
  const bool is_countable = count && *count <= UINT64_MAX / bytes_each;
  return support::Failure{
      support::FailureKind::Usage,
      fmt::format("a model of widths {} has {} parameters; with gradients and a copy to undo a "
                  "step they need {}, but this machine has {}; use narrower layers",
                  fmt::join(spec.widths, "-"), count ? fmt::format("{}", *count) : "over 2^64",
                  is_countable ? bytes_text(*count * bytes_each) : "over 2^64 bytes",
                  bytes_text(available))};
}

}  // namespace talweg::train
