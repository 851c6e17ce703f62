// cvt. Integers keep their low bits; floats become the nearest integer that the type has.
#include <cmath>
#include <limits>

#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

namespace {

template <class Visit>
void for_each_integer(Visit visit) {
  visit.template operator()<std::uint8_t>("u8");
  visit.template operator()<std::int8_t>("s8");
  visit.template operator()<std::uint16_t>("u16");
  visit.template operator()<std::int16_t>("s16");
  visit.template operator()<std::uint32_t>("u32");
  visit.template operator()<std::int32_t>("s32");
  visit.template operator()<std::uint64_t>("u64");
  visit.template operator()<std::int64_t>("s64");
}

/// Halves go to the even integer; the mode of this process is to nearest.
struct ToNearest {
  template <class T>
  T operator()(T a) const {
    return std::nearbyint(a);
  }
};
struct TowardZero {
  template <class T>
  T operator()(T a) const {
    return std::trunc(a);
  }
};
struct Down {
  template <class T>
  T operator()(T a) const {
    return std::floor(a);
  }
};
struct Up {
  template <class T>
  T operator()(T a) const {
    return std::ceil(a);
  }
};

template <class Visit>
void for_each_rounding(Visit visit) {
  visit(".rni", ToNearest());
  visit(".rzi", TowardZero());
  visit(".rmi", Down());
  visit(".rpi", Up());
}

/// `whole` is an integer or infinite.
template <class I, class F>
I clamp_to(F whole) {
  if (whole != whole)
    return sizeof(F) == 4 && sizeof(I) < 8
               ? I{0}
               : static_cast<I>(std::uint64_t{1} << (sizeof(I) * 8 - 1));
  // Powers of two, so exact: the first value that is too large.
  const F end = std::ldexp(F{1}, std::numeric_limits<I>::digits);
  if (whole >= end) return std::numeric_limits<I>::max();
  if (whole < (std::is_signed_v<I> ? -end : F{0})) return std::numeric_limits<I>::min();
  return static_cast<I>(whole);
}

template <class F>
void add_of_float(Forms& forms, const std::string& name) {
  for_each_rounding([&]<class Round>(const std::string& rounding, Round) {
    for_each_integer([&]<class I>(const std::string& integer) {
      forms
          .pure<I, F>("cvt" + rounding + "." + integer + "." + name,
                      [](F a) { return clamp_to<I>(Round{}(a)); })
          .takes_wider = true;
    });
    forms.pure<F, F>("cvt" + rounding + "." + name + "." + name, [](F a) { return Round{}(a); });
  });
  for_each_integer([&]<class I>(const std::string& integer) {
    forms.pure<F, I>("cvt.rn." + name + "." + integer, [](I a) { return static_cast<F>(a); })
        .takes_wider = true;
  });
}

}  // namespace

void add_conversion_forms(Forms& forms) {
  for_each_integer([&]<class From>(const std::string& from) {
    for_each_integer([&]<class To>(const std::string& to) {
      forms.pure<To, From>("cvt." + to + "." + from, [](From a) { return static_cast<To>(a); })
          .takes_wider = true;
    });
  });
  add_of_float<float>(forms, "f32");
  add_of_float<double>(forms, "f64");
  forms.pure<double, float>("cvt.f64.f32", [](float a) { return static_cast<double>(a); });
  forms.pure<float, double>("cvt.rn.f32.f64", [](double a) { return static_cast<float>(a); });
}

}  // namespace talweg::gpu::ptx
