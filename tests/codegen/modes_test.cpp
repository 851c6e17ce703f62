// The caller's floating-point modes neither change what kernels compute nor are changed by them.
#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

namespace talweg::tests {

namespace {

constexpr unsigned kFlushToZero = 0x8000;
constexpr unsigned kSubnormalsAreZero = 0x0040;
constexpr unsigned kRoundUp = 0x4000;
constexpr unsigned kAllMasks = 0x1f80;
constexpr unsigned kFlags = 0x003f;

/// Sets modes while a scalar function or pass of `image` runs, by standing before it.
struct Intruder {
  const talweg_image* image;
  unsigned modes;
  unsigned calls = 0, changed = 0;  // of functions; of those that left other modes

  template <class Call>
  void with_modes(Call call) {
    const unsigned before = _mm_getcsr();
    _mm_setcsr(modes);
    call();
    changed += (_mm_getcsr() & ~kFlags) == modes ? 0 : 1;
    ++calls;
    _mm_setcsr(before);
  }
  static Intruder& of(void* self) { return *static_cast<Intruder*>(self); }
};

/// A phase whose functions, where there are any, run with the intruder's modes set.
template <std::uint32_t kPhase>
talweg_phase covered(talweg_phase phase) {
  if (phase.model_scalars != nullptr)
    phase.model_scalars = [](void* self, const talweg_scalar_args* args) {
      Intruder& i = Intruder::of(self);
      const talweg_kernels& step = i.image->step;
      i.with_modes([&] { step.phases[kPhase].model_scalars(step.self, args); });
    };
  if (phase.group_scalars != nullptr)
    phase.group_scalars = [](void* self, const talweg_scalar_args* args) {
      Intruder& i = Intruder::of(self);
      const talweg_kernels& step = i.image->step;
      i.with_modes([&] { step.phases[kPhase].group_scalars(step.self, args); });
    };
  if (phase.tensor_scalars != nullptr)
    phase.tensor_scalars = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                              std::uint32_t end) {
      Intruder& i = Intruder::of(self);
      const talweg_kernels& step = i.image->step;
      i.with_modes([&] { step.phases[kPhase].tensor_scalars(step.self, args, begin, end); });
    };
  if (phase.pass != nullptr)
    phase.pass = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                    std::uint32_t end) {
      Intruder& i = Intruder::of(self);
      const talweg_kernels& step = i.image->step;
      i.with_modes([&] { step.phases[kPhase].pass(step.self, args, begin, end); });
    };
  return phase;
}

/// The image, every function of its step and of initial states called with the intruder's modes.
struct CoveredImage {
  explicit CoveredImage(Intruder& intruder) : image(*intruder.image) {
    REQUIRE(image.step.phase_count <= 2);
    phases.push_back(covered<0>(image.step.phases[0]));
    if (image.step.phase_count > 1) phases.push_back(covered<1>(image.step.phases[1]));
    image.step.phases = phases.data();
    image.step.self = &intruder;
    if (image.initial_states == nullptr) return;
    image.initial_states = [](void* self, const talweg_scalar_args* args) {
      Intruder& i = Intruder::of(self);
      i.with_modes([&] { i.image->initial_states(i.image->step.self, args); });
    };
  }
  CoveredImage(const CoveredImage&) = delete;
  CoveredImage& operator=(const CoveredImage&) = delete;

  talweg_image image;
  std::vector<talweg_phase> phases;
};

void check_modes(const driver::Program& program, unsigned modes) {
  StepSetting setting;
  setting.tensors = {{1000}};
  setting.steps = 3;
  const Outcome expected = run_steps(program.image(), setting);
  Intruder intruder{&program.image(), modes};
  const CoveredImage covered(intruder);
  CHECK(first_difference(expected, run_steps(covered.image, setting)).empty());
  CHECK(intruder.calls > 0);
  CHECK(intruder.changed == 0);
}

}  // namespace

TEST_CASE("kernels keep the caller's modes and do not see them") {
  // The last has division by zero, overflow and invalid operations unmasked: a kernel must not
  // trap.
  for (const unsigned modes :
       {kAllMasks | kFlushToZero | kSubnormalsAreZero, kAllMasks | kRoundUp, 0x1000u}) {
    check_modes(*driver::make_interpreter(adamw_graph(), types::ComputeType::F32), modes);
    for (const std::string& isa : isas_here())
      check_modes(*compile_for(adamw_graph(), types::ComputeType::F32, isa), modes);
  }
}

}  // namespace talweg::tests
#endif
