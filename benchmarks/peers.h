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

void twin_of_one(const Arrays& a, std::size_t begin, std::size_t end, double t);    // p
void twin_of_two(const Arrays& a, std::size_t begin, std::size_t end, double t);    // p m
void twin_of_three(const Arrays& a, std::size_t begin, std::size_t end, double t);  // p m v

void adam_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void adamw_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void radam_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void rmsprop_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void lion_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void momentum_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);
void sgd_plain(const Arrays& a, std::size_t begin, std::size_t end, double t);

}  // namespace talweg::benchmarks
