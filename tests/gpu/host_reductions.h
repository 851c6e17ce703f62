/* Reductions as an optimizer on the host folds them, of values that somebody left. */
#ifndef TALWEG_TESTS_GPU_HOST_REDUCTIONS_H
#define TALWEG_TESTS_GPU_HOST_REDUCTIONS_H

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One partial result of each source. */
typedef struct host_reductions {
  const talweg_reduction_info* infos; /* all of phase 0 */
  uint32_t reduction_count, tensor_count, group_count, domain_count;
  uint32_t* tensor_groups; /* [tensor] */
  uint32_t* group_begins;  /* [group + 1] into: */
  uint32_t* group_tensors;
  uint8_t* takes_part;      /* [tensor] */
  uint8_t* in_domain;       /* [tensor][domain] */
  uint64_t* element_counts; /* [tensor] */
  uint32_t* first_chunks;   /* [tensor + 1] */
  talweg_matrix_view* views;
  double *chunks, *tensors, *groups, *matrices, *rows, *cols; /* the values */
  double* reduced;                                            /* [1 + group][reduction] out */
  double* tensor_reduced; /* [tensor][reduction] out, of those that take part */
  double* matrix_reduced; /* [matrix][reduction] out, of those that take part */
} host_reductions;

void fold_on_host(const host_reductions* of);

#ifdef __cplusplus
}
#endif

#endif
