/* Where a thread is, and what it has of the others of its warp. */
#ifndef TALWEG_GPU_DEVICE_THREADS_H
#define TALWEG_GPU_DEVICE_THREADS_H

#include <stdint.h>

#include "runtime/abi/talweg_gpu_abi.h"

#define TALWEG_KERNEL __attribute__((device_kernel)) void

static inline uint32_t lane_of_warp(void) {
  return (uint32_t)__nvvm_read_ptx_sreg_tid_x() % TALWEG_GPU_WARP;
}

static inline uint32_t thread_of_block(void) { return (uint32_t)__nvvm_read_ptx_sreg_tid_x(); }
static inline uint32_t threads_of_block(void) { return (uint32_t)__nvvm_read_ptx_sreg_ntid_x(); }

/* Of the grid's blocks, threads and warps along x: which one this is in, and how many there are. */
static inline uint64_t first_block(void) { return (uint32_t)__nvvm_read_ptx_sreg_ctaid_x(); }
static inline uint64_t block_count(void) { return (uint32_t)__nvvm_read_ptx_sreg_nctaid_x(); }
static inline uint64_t first_thread(void) {
  return first_block() * threads_of_block() + thread_of_block();
}
static inline uint64_t thread_count(void) { return block_count() * threads_of_block(); }
static inline uint64_t first_warp(void) { return first_thread() / TALWEG_GPU_WARP; }
static inline uint64_t warp_count(void) {
  return block_count() * (threads_of_block() / TALWEG_GPU_WARP);
}

/* All threads of the block; what they have written before is there for all after it. */
static inline void wait_for_block(void) { __syncthreads(); }

static inline uint32_t first_fold(void) { return (uint32_t)__nvvm_read_ptx_sreg_ctaid_y(); }
static inline uint32_t fold_step(void) { return (uint32_t)__nvvm_read_ptx_sreg_nctaid_y(); }

/* The value of the thread whose number differs in the bit `distance`. All threads of a warp. */
static inline double from_other(double value, int distance) {
  union {
    double f64;
    int32_t half[2];
  } bits = {.f64 = value};
  bits.half[0] = __nvvm_shfl_sync_bfly_i32(-1, bits.half[0], distance, 31);
  bits.half[1] = __nvvm_shfl_sync_bfly_i32(-1, bits.half[1], distance, 31);
  return bits.f64;
}

/* For all threads of a warp; no value is NaN. */
static inline double least_of_warp(double value) {
  for (int distance = 1; distance < (int)TALWEG_GPU_WARP; distance *= 2) {
    const double other = from_other(value, distance);
    value = other < value ? other : value;
  }
  return value;
}

#endif
