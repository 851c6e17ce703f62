#include "benchmarks/agree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "benchmarks/hand_kernels.h"

namespace talweg::benchmarks {

namespace {

constexpr std::size_t kElements = 1037;  // whole turns of every loop, and a rest
constexpr int kSteps = 8;                // past the fifth, from which RAdam rectifies

// Numbers that float32 holds exactly, the same in torch_peer.py.
float start_of(std::size_t i) { return static_cast<float>((i * 31) % 257) * 0x1p-8F - 0.5F; }
float gradient_of(std::size_t i, int t) {
  const auto place = static_cast<float>((i * 7919 + static_cast<std::size_t>(t) * 104729) % 2001);
  return (place - 1000) * 0x1p-17F;
}

/// The parameters after all steps; `step` makes one.
template <class StepOnce>
std::vector<float> run_through(const Memory& memory, StepOnce step) {
  for (std::size_t i = 0; i < kElements; ++i) memory.p[i] = start_of(i);
  std::fill_n(memory.m, kElements, 0.0F);
  std::fill_n(memory.v, kElements, 0.0F);
  for (int t = 1; t <= kSteps; ++t) {
    for (std::size_t i = 0; i < kElements; ++i) memory.g[i] = gradient_of(i, t);
    step();
  }
  return {memory.p, memory.p + kElements};
}

/// A step moves a parameter of at most 0.5 by 1e-3 to 1e-2; what rounding it can differ by, in all
/// steps, is a quarter of this. A wrong constant makes more.
constexpr float kTolerance = 1e-6F;

void compare(const Case& contest, const std::string& who, const std::vector<float>& theirs,
             const std::vector<float>& ours) {
  float greatest = 0;
  for (std::size_t i = 0; i < kElements; ++i) {
    const float difference = std::abs(theirs.at(i) - ours[i]);
    greatest = difference <= greatest ? greatest : difference;  // NaN is kept
  }
  if (!(greatest <= kTolerance))
    give_up(fmt::format("{}: {} differs from the rule by {} after {} steps", contest.name, who,
                        greatest, kSteps));
  fmt::print(stderr, "{}: {} agrees within {:.1e}\n", contest.name, who, greatest);
}

}  // namespace

void check_agreement(const Case& contest, const std::vector<std::unique_ptr<TorchPeer>>& torches) {
  const Layout layout{"check", {kElements}};
  const Memory memory(kElements);
  const auto pool = std::make_shared<support::ThreadPool>(1);
  TalwegRun talweg(contest.rule, layout, memory, pool);
  const std::vector<float> ours = run_through(memory, [&] { talweg.step(); });

  const auto check_kernel = [&](const char* who, Kernel kernel, bool in_memory) {
    Step at{.in_memory = in_memory};
    const Arrays arrays{memory.p, memory.g, memory.m, memory.v};
    const auto theirs = run_through(memory, [&] {
      at.t += 1;
      if (contest.prepare != nullptr) contest.prepare(at);
      kernel(arrays, 0, kElements, at);
    });
    compare(contest, who, theirs, ours);
  };
  check_kernel("the plain loop", contest.plain, false);
  if (const Kernel hand = hand_kernel(contest.name)) {
    check_kernel("the hand-written kernel", hand, false);
    check_kernel("the hand-written kernel for memory", hand, true);
  }
  for (const auto& torch : torches)
    if (const auto theirs = torch->parameters_after(contest.name, kSteps, kElements))
      compare(contest, "PyTorch " + torch->version(), *theirs, ours);
}

}  // namespace talweg::benchmarks
