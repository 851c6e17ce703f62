// Whether a text is well-formed as far as our pictures need it: one root, tags that close in order,
// attributes in double quotes, no stray `<` or `&`.
#pragma once

#include <string_view>

namespace talweg::train::testing {

bool is_well_formed_xml(std::string_view text);

}  // namespace talweg::train::testing
