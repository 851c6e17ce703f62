// Where code of earlier runs is kept, and what it is found by.
#pragma once

#include <optional>
#include <string>

#include "compiler/driver/compile.h"
#include "compiler/driver/object_cache.h"
#include "compiler/plan/plan.h"
#include "compiler/targets/target.h"

namespace talweg::driver {

/// Nothing where options or environment want none.
std::optional<ObjectCache> open_cache(const CompileOptions& options);

/// Everything that decides the bytes of a plan's code, as text; empty if it cannot be known.
std::string cache_key(const plan::Plan& plan, const targets::Target& target);

}  // namespace talweg::driver
