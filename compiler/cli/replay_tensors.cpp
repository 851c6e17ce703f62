// Some of a case's tensors: for rules that do not serve all of them.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/cli/replay_case.h"

namespace talweg::cli {

namespace {

template <class Value>
void keep_only(std::vector<Value>& tensors, std::span<const std::size_t> chosen) {
  std::vector<Value> kept;
  for (const std::size_t tensor : chosen) kept.push_back(std::move(tensors[tensor]));
  tensors = std::move(kept);
}

void keep_only(std::vector<TensorValues>& steps, std::span<const std::size_t> chosen) {
  for (TensorValues& tensors : steps) keep_only(tensors, chosen);
}

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

}  // namespace

support::Result<ReplayCase> only_tensors(const ReplayCase& reference,
                                         std::span<const std::size_t> chosen) {
  if (reference.kind != CaseKind::Trajectory)
    return usage(fmt::format("case `{}` has no given gradients, so its tensors cannot be chosen",
                             reference.name));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i] >= reference.tensors.size())
      return usage(fmt::format("case `{}` has {} tensors, so none is {}", reference.name,
                               reference.tensors.size(), chosen[i]));
    if (std::ranges::find(chosen.first(i), chosen[i]) != chosen.begin() + static_cast<long>(i))
      return usage(fmt::format("tensor {} is named twice", chosen[i]));
  }
  ReplayCase some = reference;
  keep_only(some.tensors, chosen);
  keep_only(some.start, chosen);
  TrajectoryCase& given = some.trajectory;
  for (auto* steps :
       {&given.gradients, &given.params, &given.hessians, &given.noise, &given.single_params})
    keep_only(*steps, chosen);
  for (CaseState& state : given.states)
    if (!state.scalar) keep_only(state.tensors, chosen);
  return some;
}

}  // namespace talweg::cli
