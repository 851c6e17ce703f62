/* See fold_program.h. A stage is a launch for each level of its sequences, of all reductions that
 * have that level. Which tensors take part is looked up by the kernels. */
#include "runtime/gpu/fold_program.h"

#include "runtime/abi/talweg_gpu_abi.h"
#include "runtime/gpu/fold_stages.h"

#define THREADS 128u
/* Kernels go round: for more runs or folds than this there is enough to do for every block. */
#define MOST_BLOCKS 2048u
#define MOST_BLOCKS_Y 64u

typedef struct phase_program {
  talweg_phase_folds folds;
  talweg_runs_there runs[TALWEG_SEQUENCES_COUNT];
  uint8_t has_runs[TALWEG_SEQUENCES_COUNT];
} phase_program;

/* One turn of a stage. */
typedef struct turn {
  phase_program* of;
  talweg_fold_stage stage;
  uint32_t number;
  uint64_t scratch; /* on the device: that of its folds one behind the other */
} turn;

/* Made where they are first asked for. */
static const talweg_runs_there* runs_of(phase_program* of, talweg_sequences sequences) {
  if (!of->has_runs[sequences])
    of->runs[sequences] = talweg_carve_sequences(of->folds.program, of->folds.optimizer, sequences);
  of->has_runs[sequences] = 1;
  return &of->runs[sequences];
}

/* What a turn has to do at one level. */
typedef struct level_work {
  uint32_t fold_count;
  uint64_t most_runs; /* of a fold */
  uint64_t scratch;   /* values, of all folds */
} level_work;

/* Goes through the folds of a turn, in order; writes those that have runs at a level to `folds`, or
 * (null) only counts. */
static level_work write_folds(const turn* at, uint32_t level, talweg_gpu_fold* folds) {
  const talweg_phase_folds* of = &at->of->folds;
  level_work work = {0};
  for (uint32_t r = 0; r < of->kernels->reduction_count; ++r) {
    talweg_found_fold found;
    if (!talweg_find_fold(of, at->stage, at->number, r, &found)) continue;
    const talweg_runs_there* runs = runs_of(at->of, found.sequences);
    const uint64_t scratch = at->scratch + work.scratch * sizeof(double);
    work.scratch += runs->scratch;
    const uint64_t run_count = runs->counts[level];
    if (run_count == 0) continue;
    if (folds) {
      found.fold.runs = (const void*)(uintptr_t)runs->runs[level];
      found.fold.run_count = run_count;
      found.fold.scratch = (double*)(uintptr_t)scratch;
      folds[work.fold_count] = found.fold;
    }
    work.fold_count += 1;
    if (run_count > work.most_runs) work.most_runs = run_count;
  }
  return work;
}

static uint32_t kernel_of(talweg_fold_stage stage, uint32_t level) {
  if (stage == TALWEG_STAGE_COLS) return TALWEG_GPU_FOLD_COLUMNS;
  const int of_members = stage == TALWEG_STAGE_GROUPS || stage == TALWEG_STAGE_MODEL;
  return of_members && level == 0 ? TALWEG_GPU_FOLD_MEMBERS : TALWEG_GPU_FOLD_RUNS;
}

static void add_level(const turn* at, uint32_t level) {
  talweg_gpu_program* program = at->of->folds.program;
  const talweg_optimizer* optimizer = at->of->folds.optimizer;
  const level_work work = write_folds(at, level, 0);
  if (work.fold_count == 0) return;
  uint64_t folds_there, args_there;
  talweg_gpu_fold* folds = talweg_gpu_carve(program, work.fold_count * sizeof *folds, &folds_there);
  talweg_gpu_folds* args = talweg_gpu_carve(program, sizeof *args, &args_there);
  if (args) {
    write_folds(at, level, folds);
    const uint64_t takes_part = talweg_gpu_there(program, optimizer->takes_part);
    const uint64_t in_domain = talweg_gpu_there(program, optimizer->in_domain);
    const uint64_t groups = talweg_gpu_there(program, optimizer->tensor_groups);
    *args = (talweg_gpu_folds){.folds = (const talweg_gpu_fold*)(uintptr_t)folds_there,
                               .takes_part = (const uint8_t*)(uintptr_t)takes_part,
                               .in_domain = (const uint8_t*)(uintptr_t)in_domain,
                               .tensor_groups = (const uint32_t*)(uintptr_t)groups,
                               .fold_count = work.fold_count,
                               .domain_count = optimizer->image->domain_count};
  }
  const uint64_t warps = THREADS / TALWEG_GPU_WARP;
  const uint64_t blocks = (work.most_runs + warps - 1) / warps;
  const talweg_gpu_launch launch = {
      .kernel = kernel_of(at->stage, level),
      .blocks = blocks < MOST_BLOCKS ? (uint32_t)blocks : MOST_BLOCKS,
      .blocks_y = work.fold_count < MOST_BLOCKS_Y ? work.fold_count : MOST_BLOCKS_Y,
      .threads = THREADS,
      .parameter_count = 2,
      .parameters = {args_there, program->stop}};
  talweg_gpu_add_launch(program, &launch);
}

static int has_folds(const turn* at) {
  talweg_found_fold found;
  for (uint32_t r = 0; r < at->of->folds.kernels->reduction_count; ++r)
    if (talweg_find_fold(&at->of->folds, at->stage, at->number, r, &found)) return 1;
  return 0;
}

static void add_stage(phase_program* of, talweg_fold_stage stage) {
  for (turn at = {.of = of, .stage = stage}; has_folds(&at); ++at.number) {
    const level_work work = write_folds(&at, 0, 0);
    talweg_gpu_carve(of->folds.program, work.scratch * sizeof(double), &at.scratch);
    for (uint32_t level = 0; level < TALWEG_FOLD_LEVELS; ++level) add_level(&at, level);
  }
}

static int are_chunks_tensors(const talweg_optimizer* optimizer) {
  const uint32_t tensors = optimizer->spec.tensor_count;
  for (uint32_t t = 0; t <= tensors; ++t)
    if (optimizer->first_chunks[t] != t) return 0;
  return 1;
}

static void carve_element_counts(talweg_phase_folds* of) {
  int are_read = 0;
  for (uint32_t r = 0; r < of->kernels->reduction_count; ++r) {
    const talweg_reduction_info* info = &of->kernels->reductions[r];
    are_read |= info->phase == of->phase && info->counts && info->source == TALWEG_FROM_CHUNKS;
  }
  const uint32_t tensors = of->optimizer->spec.tensor_count;
  if (!are_read) return;
  double* counts = talweg_gpu_carve(of->program, tensors * sizeof *counts, &of->element_counts);
  for (uint32_t t = 0; counts && t < tensors; ++t)
    counts[t] = (double)of->optimizer->element_counts[t];
}

void talweg_gpu_add_folds(talweg_gpu_program* program, const talweg_optimizer* optimizer,
                          uint32_t phase) {
  phase_program of = {.folds = {.program = program,
                                .optimizer = optimizer,
                                .kernels = &optimizer->image->step,
                                .phase = phase,
                                .chunks_are_tensors = are_chunks_tensors(optimizer)}};
  carve_element_counts(&of.folds);
  for (uint32_t i = 0; i < TALWEG_BETWEEN_COUNT; ++i) {
    const uint64_t arrays = talweg_count_arrays(&of.folds, i, of.folds.kernels->reduction_count);
    talweg_gpu_carve(program, arrays * talweg_length_between(&of.folds, i) * sizeof(double),
                     &of.folds.arrays[i]);
  }
  for (uint32_t i = 0; i < TALWEG_STAGE_COUNT; ++i) add_stage(&of, i);
}
