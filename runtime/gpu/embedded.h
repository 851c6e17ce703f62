/* The kernels of device/ as LLVM bitcode: the bytes from the name up to that with _end. */
#ifndef TALWEG_GPU_EMBEDDED_H
#define TALWEG_GPU_EMBEDDED_H

#ifdef __cplusplus
extern "C" {
#endif

extern const char talweg_gpu_kernels[], talweg_gpu_kernels_end[];

#ifdef __cplusplus
}
#endif

#endif
