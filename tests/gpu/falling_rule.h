// A rule that refuses a step.
#pragma once

namespace talweg::gpu {

/// Whose hyper `lr` leaves its range in step 3, until `ceiling` is raised.
inline constexpr const char* kFalls = R"(
rule Falls {
  hyper ceiling = 0.25 in (-inf, inf)
  when rank == 2: HeavyBall(lr = 1)
  otherwise: HeavyBall(lr = ceiling - 0.1 * t)
}
)";

}  // namespace talweg::gpu
