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
  unsigned seen_after = 0;

  template <class Call>
  void with_modes(Call call) {
    const unsigned before = _mm_getcsr();
    _mm_setcsr(modes);
    call();
    seen_after = _mm_getcsr() & ~kFlags;
    _mm_setcsr(before);
  }
  static Intruder& of(void* self) { return *static_cast<Intruder*>(self); }
};

/// The image, called with the intruder's modes set.
struct CoveredImage {
  explicit CoveredImage(Intruder& intruder) : image(*intruder.image), pass(image.passes[0]) {
    image.self = &intruder;
    image.model_scalars = [](void* self, const talweg_scalar_args* args) {
      Intruder& i = Intruder::of(self);
      i.with_modes([&] { i.image->model_scalars(i.image->self, args); });
    };
    image.group_scalars = [](void* self, const talweg_scalar_args* args) {
      Intruder& i = Intruder::of(self);
      i.with_modes([&] { i.image->group_scalars(i.image->self, args); });
    };
    image.initial_states = [](void* self, const talweg_scalar_args* args) {
      Intruder& i = Intruder::of(self);
      i.with_modes([&] { i.image->initial_states(i.image->self, args); });
    };
    pass.run = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                  std::uint32_t end) {
      Intruder& i = Intruder::of(self);
      i.with_modes([&] { i.image->passes[0].run(i.image->self, args, begin, end); });
    };
    image.passes = &pass;
  }
  talweg_image image;
  talweg_pass_info pass;
};

void check_modes(const driver::Program& program, unsigned modes) {
  StepSetting setting;
  setting.tensors = {{1000}};
  setting.steps = 3;
  const Outcome expected = run_steps(program.image(), setting);
  Intruder intruder{&program.image(), modes};
  const CoveredImage covered(intruder);
  CHECK(first_difference(expected, run_steps(covered.image, setting)).empty());
  CHECK(intruder.seen_after == modes);
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
