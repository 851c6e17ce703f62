// Why an opcode is not known, for messages; and what of one matters to summaries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace talweg::gpu::ptx {

/// "ld.global.v4.b32" at its dots.
std::vector<std::string_view> split_opcode(std::string_view opcode);
bool flushes_subnormals(std::string_view opcode);
bool is_approximate(std::string_view opcode);
std::string why_unknown(const std::string& opcode);

}  // namespace talweg::gpu::ptx
