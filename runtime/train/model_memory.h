// Whether a model fits into the machine, found out before any of it is allocated.
#pragma once

#include <cstdint>

#include "runtime/abi/talweg_abi.h"
#include "runtime/support/machine.h"
#include "runtime/support/result.h"
#include "runtime/train/model_spec.h"

namespace talweg::train {

/// Fails (Usage), naming parameters and bytes, if training needs more than `available` bytes for
/// the parameters, their gradients and the copy from which a step is undone. The optimizer's states
/// come on top.
support::Status check_memory(const NetworkSpec& spec, talweg_dtype dtype,
                             std::uint64_t available = support::physical_memory_bytes());

}  // namespace talweg::train
