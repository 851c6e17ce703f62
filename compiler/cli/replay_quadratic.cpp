#include "compiler/cli/replay_quadratic.h"

#include <fmt/format.h>

namespace talweg::cli {

namespace {

using Objective = train::CallbackObjective<double>;
constexpr double kCoupling = 0.25;

double value_and_gradient(const QuadraticData& data, std::span<const double> x,
                          std::span<const double> w, std::span<double> gradient_x,
                          std::span<double> gradient_w) {
  double value = kCoupling * x[0] * w[0];
  for (std::size_t row = 0; row < x.size(); ++row) {
    double product = 0;
    for (std::size_t col = 0; col < x.size(); ++col)
      product += data.a[row * x.size() + col] * x[col];
    value += x[row] * (0.5 * product - data.b[row]);
    gradient_x[row] = product - data.b[row];
  }
  for (std::size_t i = 0; i < w.size(); ++i) {
    value += w[i] * (0.5 * data.c[i] * w[i] + data.d[i]);
    gradient_w[i] = data.c[i] * w[i] + data.d[i];
  }
  gradient_x[0] += kCoupling * w[0];
  gradient_w[0] += kCoupling * x[0];
  return value;
}

}  // namespace

support::Result<Objective> quadratic_objective(const ReplayCase& reference) {
  const QuadraticData& data = reference.problem.quadratic;
  const auto& tensors = reference.tensors;
  const bool fits = tensors.size() == 2 && data.b.size() == tensors[0].elements &&
                    data.a.size() == data.b.size() * data.b.size() && !data.b.empty() &&
                    data.c.size() == tensors[1].elements && data.d.size() == data.c.size() &&
                    !data.c.empty();
  if (!fits)
    return support::Failure{
        support::FailureKind::Usage,
        fmt::format("problem `{}` cannot be replayed: its data do not fit its tensors",
                    reference.name)};
  Objective objective([data](const Objective::Parameters& at, const Objective::Gradients& gradients,
                             std::span<const std::uint32_t>) {
    return value_and_gradient(data, at[0], at[1], gradients[0], gradients[1]);
  });
  for (std::size_t i = 0; i < tensors.size(); ++i)
    objective.add_parameter(tensors[i].name, tensors[i].shape, reference.start[i]);
  return objective;
}

}  // namespace talweg::cli
