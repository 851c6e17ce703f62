#include "compiler/cli/trace_run.h"

#include <utility>

#include "compiler/cli/optimizer_factory.h"

namespace talweg::cli {

support::Status run_trace(const TraceSettings& settings,
                          const std::shared_ptr<driver::Program>& program,
                          const std::function<bool(const TracePoint&)>& on_point) {
  const auto factory = [&](std::vector<optimizer::Tensor> tensors, std::uint32_t groups,
                           talweg_dtype) {
    return make_optimizer(program, settings.settings, std::move(tensors), groups,
                          std::make_shared<support::ThreadPool>(1));
  };
  const auto dtype = static_cast<talweg_dtype>(program->image().compute_dtype);
  return train::follow({settings.function, settings.start, settings.steps, dtype, settings.view},
                       factory, on_point);
}

}  // namespace talweg::cli
