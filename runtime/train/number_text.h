// Numbers as people type them in data files, settings and specifications.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace talweg::train {

/// `text` without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);
/// The whole of `text` as a decimal number (`1`, `-2.5`, `+3e-4`), nothing else; also `inf` and
/// `nan`. Out of a double's range: nothing.
std::optional<double> parse_number(std::string_view text);
/// The whole of `text` as decimal digits.
std::optional<std::uint64_t> parse_count(std::string_view text);

}  // namespace talweg::train
