// What talweg's kernels are measured against, over float32 arrays.
//
// The traffic twins touch the same streams as a rule and do next to no arithmetic: no kernel that
// moves these bytes can be much faster. The plain loops are what a careful C++ programmer writes,
// the hand-written kernels (hand_kernels.h) what an expert writes for one processor.
#pragma once

#include <cstddef>

namespace talweg::benchmarks {

/// The arrays of one tensor; unused ones are null.
struct Arrays {
  float* p = nullptr;
  const float* g = nullptr;
  float* m = nullptr;
  float* v = nullptr;
};

/// What is known of a step before its elements; a peer computes what its rule needs of it once.
struct Step {
  double t = 0;            // the step number
  bool in_memory = false;  // more data than a core's own cache holds
  float first = 1;         // undoes the bias of the average of gradients
  float second = 1;        // of squared gradients
  float factor = 1;        // RAdam's
  bool rectifies = false;
};

/// Fills in what depends on the step number; null where nothing does.
using Prepare = void (*)(Step& step);
/// Elements [begin, end) of a step.
using Kernel = void (*)(const Arrays& arrays, std::size_t begin, std::size_t end, const Step& step);

/// The settings that every peer runs with.
namespace settings {
inline constexpr double kExactBeta1 = 0.9, kExactBeta2 = 0.999, kExactRho = 0.99;
inline constexpr float kLr = 1e-3F, kEps = 1e-8F, kDecay = 1e-2F;
inline constexpr float kBeta1 = static_cast<float>(kExactBeta1);
inline constexpr float kBeta2 = static_cast<float>(kExactBeta2);
inline constexpr float kRho = static_cast<float>(kExactRho);  // of RMSprop, and of Lion's average
/// 1 less the above, rounded once.
inline constexpr float kRest1 = static_cast<float>(1 - kExactBeta1);
inline constexpr float kRest2 = static_cast<float>(1 - kExactBeta2);
inline constexpr float kRestRho = static_cast<float>(1 - kExactRho);
}  // namespace settings

void prepare_adam(Step& step);
void prepare_radam(Step& step);

void twin_of_one(const Arrays& a, std::size_t begin, std::size_t end, const Step&);    // p
void twin_of_two(const Arrays& a, std::size_t begin, std::size_t end, const Step&);    // p m
void twin_of_three(const Arrays& a, std::size_t begin, std::size_t end, const Step&);  // p m v

void adam_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);
void adamw_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);
void radam_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);
void rmsprop_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);
void lion_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);
void momentum_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);
void sgd_plain(const Arrays& a, std::size_t begin, std::size_t end, const Step& step);

}  // namespace talweg::benchmarks
