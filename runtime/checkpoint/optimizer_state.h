// An optimizer's persistent data in a file: states, scalar states, `t`, calls. With the parameters
// and the hypers, which are saved elsewhere, a resumed run continues bit for bit. Refused while a
// view is swapped in or a step waits for another gradient.
#pragma once

#include <filesystem>

#include "runtime/checkpoint/safetensors.h"
#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/result.h"

namespace talweg::checkpoint {

/// Atomic. `metadata` is added to what is written anyway: "rule", the image's name.
support::Status save_optimizer(const std::filesystem::path& path, optimizer::Optimizer& optimizer,
                               const Metadata& metadata = {});

/// Names, types and shapes must be those of this optimizer, counters and flags must be such. On
/// failure (Io; says what is missing, unexpected or wrong) nothing has changed.
support::Status load_optimizer(const std::filesystem::path& path, optimizer::Optimizer& optimizer);

}  // namespace talweg::checkpoint
