// One rule or function in full, for `talweg list NAME`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "compiler/cli/list_facts.h"
#include "compiler/cli/list_library.h"

namespace talweg::cli {

inline constexpr int kListWidth = 80;

/// The name EntrySort has in output: "rule".
std::string_view sort_text(EntrySort sort);

/// Documentation, hypers, states, inputs, views and memory, as text of kListWidth columns. `facts`
/// are null for a function.
std::string detail_text(const ListEntry& entry, const RuleFacts* facts, bool color);
/// The same as one JSON object.
nlohmann::json detail_json(const ListEntry& entry, const RuleFacts* facts);
/// What a line of the list says, as one JSON object.
nlohmann::json summary_json(const ListEntry& entry);

}  // namespace talweg::cli
