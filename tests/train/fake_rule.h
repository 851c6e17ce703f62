// A rule written by hand as an image: param -= lr * grad, sharpness-aware where that is asked for,
// view halved = param / 2, in plain C++, so that the loop is tested without the compiler. It
// declares the model inputs that the loop gives and keeps what it was given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/abi/talweg_abi.h"
#include "runtime/train/session.h"

namespace talweg::train::testing {

struct FakeRule {
  explicit FakeRule(double lr = 0.1) : learning_rate(lr) {}

  double learning_rate;
  std::uint64_t poison_view = 0;  // after this step the view is infinite; 0: never
  std::uint64_t poison_step = 0;  // in this step the first parameter becomes NaN; 0: never
  std::vector<std::optional<double>> losses, validation_losses;  // as given, one a step
  std::vector<talweg_outcome> ends;  // of the first calls; those that do not complete read no input
  std::uint32_t groups = 0;
  /// Not 0: first param += rho * grad, where another gradient is asked for; then
  /// param = origin - lr * (that gradient), origin as it was before.
  double rho = 0;
};

/// Optimizers whose image reports to `rule`, which must outlive them. One at a time.
OptimizerFactory fake_factory(FakeRule& rule);

}  // namespace talweg::train::testing
