// Names that users refer to things by: patterns over them, and the one they probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace talweg::train {

/// Whether the whole of `name` matches `pattern`, in which `*` stands for any run of characters and
/// `?` for one; upper and lower case differ.
bool matches_pattern(const std::string& pattern, const std::string& name);

/// ` (did you mean `x`?)` for the candidate within a third of its length in edits, the nearest
/// first; empty where none is near.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

/// "`a`, `b`, `c` and 12 more": at most `shown` names.
std::string list_names(std::span<const std::string> names, std::size_t shown = 8);

}  // namespace talweg::train
