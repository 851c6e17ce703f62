// What an image runs, from a plan and the functions that were generated from it.
#pragma once

#include <functional>
#include <string>

#include "compiler/driver/image_tables.h"
#include "compiler/plan/plan.h"
#include "runtime/support/result.h"

namespace talweg::driver {

/// The address of a function by its symbol; fails where there is none.
using FindFunction = std::function<support::Result<void*>(const std::string& symbol)>;

/// Completes the tables of a rule by what `plan`, its views and initial values run. Fails only
/// where `find` does.
support::Status fill_image(ImageTables& tables, const plan::Plan& plan, const FindFunction& find);

}  // namespace talweg::driver
