// JSON as runs write it: numbers that JSON has no form for become strings, text of any bytes is
// escaped.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace talweg::train {

/// Keeps the order in which fields were set.
using Json = nlohmann::ordered_json;

/// A number; "nan", "inf" or "-inf" as text where it is not finite.
Json json_number(double value);
/// null for nothing.
Json json_number(const std::optional<double>& value);
/// One line (indent -1) or indented; bytes that are not UTF-8 become U+FFFD.
std::string json_text(const Json& value, int indent = -1);

}  // namespace talweg::train
