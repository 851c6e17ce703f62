/* A row of launches and the tables that they go through, made once and run in each step. Written
 * twice by the same calls: first with null memory, which only counts, then into memory of that
 * size.
 */
#ifndef TALWEG_GPU_PROGRAM_H
#define TALWEG_GPU_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TALWEG_GPU_PARAMETERS 5u

/* Kernels that every module has; those of a rule come behind them. */
typedef enum talweg_gpu_kernel {
  TALWEG_GPU_FOLD_RUNS = 0,    /* fold_tables.h: (folds, stop) */
  TALWEG_GPU_FOLD_MEMBERS = 1, /* (folds, stop) */
  TALWEG_GPU_FOLD_COLUMNS = 2, /* (folds, stop) */
  TALWEG_GPU_BEGIN = 3,        /* step_tables.h */
  TALWEG_GPU_CHECK = 4,
  TALWEG_GPU_COMMIT = 5,
  TALWEG_GPU_FILL = 6,
  TALWEG_GPU_UNSCALE = 7,
  TALWEG_GPU_READ_NUMBERS = 8,
  TALWEG_GPU_CHECK_INPUTS = 9,
  TALWEG_GPU_KERNEL_COUNT = 10,
} talweg_gpu_kernel;

/* In place of a kernel: where the step may return for another gradient. Parameters: the phase
 * behind which it is, and 1 if it always does. */
#define TALWEG_GPU_PAUSE UINT32_MAX

typedef struct talweg_gpu_launch {
  uint32_t kernel; /* talweg_gpu_kernel, TALWEG_GPU_KERNEL_COUNT + that of the rule, or
                      TALWEG_GPU_PAUSE */
  uint32_t blocks, blocks_y, threads;
  uint32_t parameter_count;
  uint64_t
      parameters[TALWEG_GPU_PARAMETERS]; /* each of 8 bytes: addresses of the device, numbers */
} talweg_gpu_launch;

typedef struct talweg_gpu_program {
  talweg_gpu_launch* launches; /* null: to count */
  uint32_t launch_count;
  unsigned char* tables; /* of the host, to be copied to the device; null: to count */
  uint64_t table_bytes;
  uint64_t tables_there; /* where they will be on the device */
  const void* control;   /* the optimizer's control memory, and where its copy is on the device */
  uint64_t control_there;
  uint64_t stop; /* on the device: the uint32_t that kernels look at */
} talweg_gpu_program;

/* Room for `bytes` that the host writes; null while counting. `there`: its address on the device (0
 * while counting). Aligned to 16. */
void* talweg_gpu_carve(talweg_gpu_program* program, uint64_t bytes, uint64_t* there);

/* Where an address in control memory is on the device; 0 for null. */
uint64_t talweg_gpu_there(const talweg_gpu_program* program, const void* here);

void talweg_gpu_add_launch(talweg_gpu_program* program, const talweg_gpu_launch* launch);

#ifdef __cplusplus
}
#endif

#endif
