#include "tests/gpu/ptx/opcode_text.h"

#include <algorithm>

namespace talweg::gpu::ptx {

namespace {

bool has(std::string_view opcode, std::string_view modifier) {
  return std::ranges::count(split_opcode(opcode), modifier) != 0;
}

}  // namespace

std::vector<std::string_view> split_opcode(std::string_view opcode) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dot = opcode.find('.');
    parts.push_back(opcode.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    opcode.remove_prefix(dot + 1);
  }
}

bool flushes_subnormals(std::string_view opcode) {
  const auto parts = split_opcode(opcode);
  // Atomic sums of float32 outside of shared memory do, whatever is asked for.
  const bool is_atomic_sum = (parts.front() == "atom" || parts.front() == "red") &&
                             has(opcode, "add") && parts.back() == "f32" && !has(opcode, "shared");
  return is_atomic_sum || has(opcode, "ftz");
}

bool is_approximate(std::string_view opcode) {
  const std::string_view name = split_opcode(opcode).front();
  return has(opcode, "approx") || (name == "div" && has(opcode, "full")) || name == "ex2" ||
         name == "lg2" || name == "sin" || name == "cos" || name == "tanh" || name == "rsqrt";
}

std::string why_unknown(const std::string& opcode) {
  if (flushes_subnormals(opcode)) return "'" + opcode + "' flushes subnormal numbers to zero";
  if (is_approximate(opcode)) return "'" + opcode + "' is approximate";
  const auto parts = split_opcode(opcode);
  const std::string_view name = parts.front(), last = parts.back();
  if (parts.size() == 2 && (name == "add" || name == "sub" || name == "mul") &&
      last.starts_with('f'))
    return "'" + opcode + "' names no rounding, and so may be fused";
  return "unknown instruction '" + opcode + "'";
}

}  // namespace talweg::gpu::ptx
