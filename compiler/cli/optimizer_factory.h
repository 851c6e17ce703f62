// A compiled rule as the optimizer of a run: tensors in, hypers set, ready to step.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/cli/front_end.h"
#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/thread_pool.h"

namespace talweg::cli {

/// Makes an optimizer over `tensors` and applies `settings` (the texts of --set) in order.
/// `make_core`: of the place where steps run. Usage failure: a hyper that is unknown, bound or out
/// of range.
support::Result<optimizer::Optimizer> make_optimizer(
    const std::shared_ptr<driver::Program>& program, const std::vector<std::string>& settings,
    std::vector<optimizer::Tensor> tensors, std::uint32_t groups,
    std::shared_ptr<support::ThreadPool> pool, const optimizer::MakeCore& make_core = {});

}  // namespace talweg::cli
