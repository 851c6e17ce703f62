// Makes a failing example small: edits its list of choices as long as it still fails.
#pragma once

#include <functional>
#include <vector>

#include "tests/random/choices.h"

namespace talweg::tests {

/// `fails` draws an example from the choices and says whether it fails. What comes back fails, and
/// no single edit of those tried makes it smaller; or `most_tries` were made.
std::vector<std::uint32_t> shrink(const std::vector<std::uint32_t>& failing,
                                  const std::function<bool(Choices&)>& fails, int most_tries);

}  // namespace talweg::tests
