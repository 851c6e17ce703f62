/* The launches of a step, in order: what talweg_run_phases of the host does, of a step that begins
 * no states. */
#include "runtime/abi/talweg_gpu_abi.h"
#include "runtime/gpu/fold_program.h"
#include "runtime/gpu/internal.h"

uint32_t talweg_gpu_blocks_for(uint64_t count) {
  const uint64_t blocks = (count + TALWEG_GPU_SMALL_BLOCK - 1) / TALWEG_GPU_SMALL_BLOCK;
  const uint64_t most = 1u << 16; /* kernels go on to the next */
  return (uint32_t)(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

int32_t talweg_gpu_launch_one(const talweg_gpu* gpu, const talweg_gpu_launch* launch,
                              talweg_cuda_error* error) {
  const talweg_cuda_grid grid = {
      .blocks = launch->blocks, .blocks_y = launch->blocks_y, .threads = launch->threads};
  return talweg_cuda_launch(gpu->functions[launch->kernel].handle, &grid, gpu->stream,
                            launch->parameters, launch->parameter_count, error);
}

/* A function of the rule, if there is one (see talweg_gpu_abi.h). */
static void add_function(talweg_gpu_program* program, uintptr_t function, uint64_t args,
                         uint64_t count, uint64_t extra, uint32_t blocks, uint32_t threads) {
  if (!function || count == 0) return;
  const talweg_gpu_launch launch = {.kernel = (uint32_t)(function - 1),
                                    .blocks = blocks,
                                    .blocks_y = 1,
                                    .threads = threads,
                                    .parameter_count = 5,
                                    .parameters = {args, 0, count, extra, program->stop}};
  talweg_gpu_add_launch(program, &launch);
}

static void add_each(talweg_gpu_program* program, uintptr_t function, uint64_t args, uint64_t count,
                     uint64_t extra) {
  add_function(program, function, args, count, extra, talweg_gpu_blocks_for(count),
               TALWEG_GPU_SMALL_BLOCK);
}

/* How many things the largest of the tables that a call begins with and commits has. */
static uint64_t most_scalars(const talweg_optimizer* core) {
  const talweg_image* image = core->image;
  const uint64_t counts[] = {
      (uint64_t)core->row_count * image->state_count,
      (uint64_t)core->row_count * image->hyper_count,
      (uint64_t)core->row_count * image->input_count,
      (uint64_t)core->spec.tensor_count * core->tensor_state_count,
      core->lines.counts.matrices * core->lines.matrix_state_count,
  };
  uint64_t most = 1;
  for (uint32_t i = 0; i < sizeof counts / sizeof *counts; ++i)
    if (counts[i] > most) most = counts[i];
  return most;
}

/* `parameters`: behind the step. */
static void add_own(const talweg_gpu* gpu, talweg_gpu_program* program, talweg_gpu_kernel kernel,
                    uint32_t blocks, uint32_t threads, uint32_t count, const uint64_t* parameters) {
  talweg_gpu_launch launch = {.kernel = kernel,
                              .blocks = blocks,
                              .blocks_y = 1,
                              .threads = threads,
                              .parameter_count = 1 + count,
                              .parameters = {gpu->places.step}};
  for (uint32_t i = 0; i < count; ++i) launch.parameters[1 + i] = parameters[i];
  talweg_gpu_add_launch(program, &launch);
}

static int binds_hypers(const talweg_image* image, uint32_t phase) {
  for (uint32_t h = 0; h < image->hyper_count; ++h)
    if (image->hypers[h].bound && image->hypers[h].bound_phase == phase) return 1;
  return 0;
}

/* Whether functions of model and groups of this phase say how the call ends, and nothing is done
 * any more in one that keeps nothing. Where param is moved in between, passes put it back. */
static int may_end(const talweg_gpu* gpu, uint32_t phase) {
  const talweg_kernels* step = &gpu->core->image->step;
  return phase == step->end_phase && step->phases[phase].model_scalars && !gpu->asks;
}

static void add_phase(const talweg_gpu* gpu, talweg_gpu_program* program, uint32_t phase) {
  const talweg_optimizer* core = gpu->core;
  const talweg_phase* functions = &core->image->step.phases[phase];
  const talweg_line_counts* lines = &core->lines.counts;
  const talweg_gpu_places* places = &gpu->places;
  const uint64_t args = places->pass_args + phase * TALWEG_GPU_PASS_ARGS_BYTES;
  const uint64_t groups = places->args + sizeof(talweg_scalar_args);
  talweg_gpu_add_folds(program, core, phase);
  add_function(program, (uintptr_t)functions->model_scalars, places->args, 1, 0, 1,
               TALWEG_GPU_WARP);
  add_each(program, (uintptr_t)functions->group_scalars, groups, core->spec.group_count,
           talweg_gpu_there(program, core->group_has_tensor));
  const int ends = may_end(gpu, phase);
  if (ends || binds_hypers(core->image, phase))
    add_own(gpu, program, TALWEG_GPU_CHECK, 1, TALWEG_GPU_WARP, 3,
            (const uint64_t[]){phase, (uint64_t)ends, program->stop});
  if (phase == 0 && core->image->input_count > 0)
    add_own(gpu, program, TALWEG_GPU_CHECK_INPUTS, 1, TALWEG_GPU_THREADS, 0, NULL);
  add_each(program, (uintptr_t)functions->tensor_scalars, args, core->spec.tensor_count, 0);
  add_each(program, (uintptr_t)functions->matrix_scalars, args, lines->matrices, 0);
  add_each(program, (uintptr_t)functions->row_scalars, args, lines->rows, 0);
  add_each(program, (uintptr_t)functions->col_scalars, args, lines->cols, 0);
  add_function(program, (uintptr_t)functions->lines, args, lines->row_blocks, 0, lines->row_blocks,
               TALWEG_GPU_THREADS);
  add_function(program, (uintptr_t)functions->pass, args, places->unit_count, places->units,
               places->unit_count, TALWEG_GPU_THREADS);
  if (!functions->says_regrad) return;
  const talweg_gpu_launch pause = {.kernel = TALWEG_GPU_PAUSE,
                                   .parameters = {phase, functions->says_regrad == 2}};
  talweg_gpu_add_launch(program, &pause);
}

void talweg_gpu_write_launches(talweg_gpu* gpu, talweg_gpu_program* program) {
  const uint32_t blocks = talweg_gpu_blocks_for(most_scalars(gpu->core));
  const uint64_t no_found_inf = 0; /* step.c puts it in */
  add_own(gpu, program, TALWEG_GPU_BEGIN, blocks, TALWEG_GPU_SMALL_BLOCK, 1, &no_found_inf);
  for (uint32_t phase = 0; phase < gpu->core->image->step.phase_count; ++phase)
    add_phase(gpu, program, phase);
  add_own(gpu, program, TALWEG_GPU_COMMIT, blocks, TALWEG_GPU_SMALL_BLOCK, 0, NULL);
}
