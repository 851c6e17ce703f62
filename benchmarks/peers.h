// What talweg's kernels are measured against, over float32 arrays.
//
// The traffic twins touch the same streams as a rule and do next to no arithmetic: no kernel that
// moves these bytes can be much faster. The plain loops are what a careful C++ programmer writes.
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

/// Elements [begin, end) of a step; `t` is the step number.
using Kernel = void (*)(const Arrays& arrays, std::size_t begin, std::size_t end, double t);

void adamw_twin(const Arrays& a, std::size_t begin, std::size_t end,
                double t);  // reads p g m v, writes p m v
void adamw_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void momentum_twin(const Arrays& a, std::size_t begin, std::size_t end,
                   double t);  // reads p g m, writes p m
void momentum_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void sgd_twin(const Arrays& a, std::size_t begin, std::size_t end,
              double t);  // reads p g, writes p
void sgd_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);

}  // namespace talweg::benchmarks
