#include "tests/gpu/host_reductions.h"

#include "runtime/optimizer/internal.h"

void fold_on_host(const host_reductions* of) {
  static uint8_t group_takes_part[64];
  const talweg_image image = {.domain_count = of->domain_count};
  const talweg_kernels kernels = {
      .reductions = of->infos, .reduction_count = of->reduction_count, .group_partial_count = 1};
  talweg_optimizer optimizer = {.image = &image,
                                .running = &kernels,
                                .row_count = 1 + of->group_count,
                                .chunk_count = of->first_chunks[of->tensor_count],
                                .element_counts = of->element_counts,
                                .tensor_groups = of->tensor_groups,
                                .first_chunks = of->first_chunks,
                                .group_tensors = of->group_tensors,
                                .group_begins = of->group_begins,
                                .takes_part = of->takes_part,
                                .running_domains = of->in_domain,
                                .reduced = of->reduced,
                                .tensor_reduced = of->tensor_reduced,
                                .group_partials = of->groups,
                                .tensor_partials = of->tensors,
                                .chunk_partials = of->chunks,
                                .group_takes_part = group_takes_part};
  optimizer.spec.tensor_count = of->tensor_count;
  optimizer.spec.group_count = of->group_count;
  optimizer.lines.views = of->views;
  optimizer.lines.matrix_partials = of->matrices;
  optimizer.lines.row_partials = of->rows;
  optimizer.lines.col_partials = of->cols;
  optimizer.lines.matrix_reduced = of->matrix_reduced;
  talweg_fold_reductions(&optimizer, 0);
}
