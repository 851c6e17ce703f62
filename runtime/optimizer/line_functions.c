/* Runs functions over the tables of matrices, rows, columns and row blocks, on all threads. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

typedef struct function_run {
  const talweg_optimizer* optimizer;
  talweg_work work;
  talweg_line_function function;
  void* self;
  const talweg_pass_args* args;
} function_run;

static void run_part(void* argument, uint32_t begin, uint32_t end) {
  const function_run* run = argument;
  talweg_call_lines(run->optimizer, run->self, run->work, run->function, run->args, begin, end);
}

static void run_over(talweg_optimizer* optimizer, const talweg_scope* scope, talweg_table table,
                     talweg_line_function function, void* self, const talweg_pass_args* args) {
  if (!function) return;
  function_run run = {
      .optimizer = optimizer,
      .work = table == TALWEG_ROW_BLOCKS ? TALWEG_WORK_BLOCKS : TALWEG_WORK_LINES,
      .function = function,
      .self = self,
      .args = args,
  };
  talweg_for_scope(optimizer, scope, table, run_part, &run);
}

void talweg_run_scope_line_functions(talweg_optimizer* optimizer, const talweg_scope* scope,
                                     const talweg_kernels* kernels, const talweg_phase* phase,
                                     const talweg_pass_args* args) {
  run_over(optimizer, scope, TALWEG_MATRICES, phase->matrix_scalars, kernels->self, args);
  run_over(optimizer, scope, TALWEG_ROWS, phase->row_scalars, kernels->self, args);
  run_over(optimizer, scope, TALWEG_COLS, phase->col_scalars, kernels->self, args);
}

void talweg_run_scope_lines(talweg_optimizer* optimizer, const talweg_scope* scope,
                            const talweg_kernels* kernels, const talweg_phase* phase,
                            const talweg_pass_args* args) {
  run_over(optimizer, scope, TALWEG_ROW_BLOCKS, phase->lines, kernels->self, args);
}

void talweg_run_line_functions(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                               const talweg_phase* phase, const talweg_pass_args* args) {
  const talweg_scope all = {.reach = TALWEG_ALL_TENSORS};
  talweg_run_scope_line_functions(optimizer, &all, kernels, phase, args);
}

void talweg_run_lines(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                      const talweg_phase* phase, const talweg_pass_args* args) {
  const talweg_scope all = {.reach = TALWEG_ALL_TENSORS};
  talweg_run_scope_lines(optimizer, &all, kernels, phase, args);
}
