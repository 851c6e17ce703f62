// "Did you mean": the known name nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace talweg::optimizer {

/// " (did you mean `lr`?)" if a known name differs in few letters; else the known names, if they
/// are few; else nothing.
std::string suggest(std::string_view name, std::span<const std::string_view> known);

}  // namespace talweg::optimizer
