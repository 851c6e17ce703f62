#include "compiler/cli/replay_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace talweg::cli {

bool ReplayResult::agrees() const {
  return std::ranges::all_of(worst, [&](const Worst& w) { return w.error <= tolerance; });
}

void add(const Comparison& comparison, ReplayResult& result) {
  result.worst.push_back(comparison.worst());
  result.compared += comparison.compared();
}

optimizer::StepInputs loss_inputs(const talweg_image& image, std::span<const double> losses,
                                  std::size_t step) {
  const auto has_input = [&](std::string_view name) {
    return std::any_of(image.inputs, image.inputs + image.input_count,
                       [&](const talweg_input_info& input) { return input.name == name; });
  };
  optimizer::StepInputs inputs;
  if (losses.empty()) return inputs;
  if (has_input("loss")) inputs.model.emplace_back("loss", losses[step]);
  if (has_input("validation_loss") && step > 0)
    inputs.model.emplace_back("validation_loss", losses[step - 1]);
  return inputs;
}

support::Result<ReplayResult> replay(const ReplayCase& reference, const ReplayRun& run) {
  const bool is_single = run.program->image().compute_dtype == TALWEG_F32;
  if (is_single && !reference.tolerance32)
    return support::Failure{
        support::FailureKind::Usage,
        fmt::format("case `{}` has no float32 part; use --dtype float64", reference.name)};
  switch (reference.kind) {
    case CaseKind::Trajectory:
      return replay_trajectory(reference, run);
    case CaseKind::Schedule:
      return replay_schedule(reference, run);
    case CaseKind::Problem:
      return replay_problem(reference, run);
  }
  return support::Failure{support::FailureKind::Usage, "a case of no kind"};
}

}  // namespace talweg::cli
