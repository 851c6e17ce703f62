// Text from files, made fit for a message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace talweg::checkpoint {

/// In backquotes; control characters (which could drive a terminal) become `?`, a long name is cut
/// off.
std::string in_quotes(std::string_view name);
/// "[2, 3]"
std::string shape_text(const std::vector<std::uint64_t>& shape);

}  // namespace talweg::checkpoint
