/* Where a thread is, and what it has of the others of its warp. */
#ifndef TALWEG_GPU_DEVICE_THREADS_H
#define TALWEG_GPU_DEVICE_THREADS_H

#include <stdint.h>

#include "runtime/abi/talweg_gpu_abi.h"

#define TALWEG_KERNEL __attribute__((device_kernel)) void

static inline uint32_t lane_of_warp(void) {
  return (uint32_t)__nvvm_read_ptx_sreg_tid_x() % TALWEG_GPU_WARP;
}

/* Of the grid's warps along x. */
static inline uint64_t first_warp(void) {
  return ((uint64_t)(uint32_t)__nvvm_read_ptx_sreg_ctaid_x() *
              (uint32_t)__nvvm_read_ptx_sreg_ntid_x() +
          (uint32_t)__nvvm_read_ptx_sreg_tid_x()) /
         TALWEG_GPU_WARP;
}

static inline uint64_t warp_count(void) {
  return (uint64_t)(uint32_t)__nvvm_read_ptx_sreg_nctaid_x() *
         ((uint32_t)__nvvm_read_ptx_sreg_ntid_x() / TALWEG_GPU_WARP);
}

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

#endif
