#include "tests/gpu/optimizer_tables.h"

#include "runtime/gpu/fold_program.h"

optimizer_tables tables_of(talweg_optimizer* optimizer) {
  const talweg_widths* widths = &optimizer->widths;
  const talweg_lines* lines = &optimizer->lines;
  const talweg_line_counts* counts = &lines->counts;
  const uint64_t tensors = optimizer->spec.tensor_count, groups = optimizer->spec.group_count;
  const number_table columns = {lines->col_partials, widths->col_partials * counts->cols};
  return (optimizer_tables){
      .partials = {{optimizer->chunk_partials, widths->chunk_partials * optimizer->chunk_count},
                   {optimizer->tensor_partials, widths->tensor_partials * tensors},
                   {optimizer->group_partials, widths->group_partials * groups},
                   {lines->matrix_partials, widths->matrix_partials * counts->matrices},
                   {lines->row_partials, widths->row_partials * counts->rows},
                   columns,
                   {lines->block_partials, widths->block_partials * counts->block_cols}},
      .reduced = {optimizer->reduced, widths->reductions * optimizer->row_count},
      .tensor_reduced = {optimizer->tensor_reduced, widths->tensor_reductions * tensors},
      .matrix_reduced = {lines->matrix_reduced, widths->matrix_reductions * counts->matrices},
      .columns = columns,
      .takes_part = optimizer->takes_part,
      .in_domain = optimizer->in_domain,
      .views = lines->views,
      .control_bytes = optimizer->control_bytes,
  };
}

void fold_phase_on_host(talweg_optimizer* optimizer, uint32_t phase) {
  talweg_fold_reductions(optimizer, phase);
}

void add_folds_of_phase(talweg_gpu_program* program, const talweg_optimizer* optimizer,
                        uint32_t phase) {
  talweg_gpu_add_folds(program, optimizer, phase);
}
