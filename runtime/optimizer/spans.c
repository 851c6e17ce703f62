/* Spans: phases in a row that wait for nothing but values of their own tensor, its matrices, rows
 * and columns.
 *
 * What a small tensor's first pass has read is still in cache when its next pass reads it again,
 * so small tensors run through all phases of a span one after the other, in blocks of consecutive
 * ones. Large tensors, which would not stay in cache, and are worth all threads, run phase by
 * phase. Only the order of work differs: tensors share nothing that these phases write. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

/* What a tensor in a block may touch, so that it stays in the second-level cache. */
#define TENSOR_BYTES (512u << 10)
/* Up to here tensors are joined to one block: tiny ones then stay in the first-level cache. */
#define BLOCK_BYTES (32u << 10)
/* So many blocks for each thread can be divided among them evenly. */
#define BLOCKS_PER_THREAD 8u

typedef struct span_run {
  talweg_optimizer* optimizer;
  uint32_t begin, end; /* phases */
} span_run;

static int waits_for_more(const talweg_kernels* step, uint32_t phase) {
  for (uint32_t r = 0; r < step->reduction_count; ++r)
    if (step->reductions[r].phase == phase && step->reductions[r].rate < TALWEG_RATE_TENSOR)
      return 1;
  return 0;
}

static int binds(const talweg_image* image, uint32_t phase) {
  for (uint32_t h = 0; h < image->hyper_count; ++h)
    if (image->hypers[h].bound && image->hypers[h].bound_phase == phase) return 1;
  return 0;
}

/* Whether nothing between this phase and the one before is of more than one tensor. */
static int joins(const talweg_image* image, uint32_t phase) {
  const talweg_kernels* step = &image->step;
  const talweg_phase* functions = &step->phases[phase];
  return phase != step->end_phase && !functions->model_scalars && !functions->group_scalars &&
         !functions->says_regrad && !step->phases[phase - 1].says_regrad &&
         !waits_for_more(step, phase) && !binds(image, phase);
}

int talweg_has_spans(const talweg_image* image) {
  for (uint32_t phase = 1; phase < image->step.phase_count; ++phase)
    if (joins(image, phase)) return 1;
  return 0;
}

void talweg_find_spans(talweg_optimizer* optimizer) {
  const uint32_t phases = optimizer->image->step.phase_count;
  const int is_device = talweg_device_of(optimizer) != 0; /* there a pass is over all tensors */
  for (uint32_t phase = phases; phase > 0; --phase)
    optimizer->span_ends[phase - 1] = !is_device && phase < phases && joins(optimizer->image, phase)
                                          ? optimizer->span_ends[phase]
                                          : phase;
}

int talweg_is_large(const talweg_optimizer* optimizer, uint32_t tensor) {
  return optimizer->element_counts[tensor] > optimizer->block_elements;
}

static uint64_t lesser(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Adds a tensor to the last block, or begins the next one with it. */
static void add_to_blocks(talweg_optimizer* optimizer, uint32_t tensor, uint64_t most_work) {
  const uint64_t work = talweg_work_of_tensor(optimizer, tensor);
  if (optimizer->block_count > 0) {
    talweg_block* last = &optimizer->blocks[optimizer->block_count - 1];
    if (last->tensor_end == tensor && last->work + work <= most_work) {
      last->tensor_end = tensor + 1;
      last->work += work;
      return;
    }
  }
  optimizer->blocks[optimizer->block_count++] =
      (talweg_block){.work = work, .tensor_begin = tensor, .tensor_end = tensor + 1};
}

/* A tensor of one chunk is small on any number of threads, since chunks are not divided; a longer
 * one, only where that leaves work for all threads. */
static void make_blocks(talweg_optimizer* optimizer) {
  const uint32_t tensors = optimizer->spec.tensor_count;
  const uint64_t threads = optimizer->spec.parallel_for ? optimizer->spec.thread_count : 1;
  uint64_t total = 0;
  for (uint32_t t = 0; t < tensors; ++t) total += talweg_work_of_tensor(optimizer, t);
  const uint64_t share = total / threads;
  const uint64_t bytes = (uint64_t)optimizer->image->stream_count * optimizer->element_bytes;
  optimizer->block_elements =
      lesser(TENSOR_BYTES / bytes, share < TALWEG_CHUNK_ELEMENTS ? TALWEG_CHUNK_ELEMENTS : share);
  const uint64_t most_work = lesser(BLOCK_BYTES / bytes, share / BLOCKS_PER_THREAD);
  optimizer->block_count = optimizer->large_count = 0;
  optimizer->large_work = 0;
  for (uint32_t t = 0; t < tensors; ++t) {
    if (!optimizer->takes_part[t]) continue;
    if (!talweg_is_large(optimizer, t)) {
      add_to_blocks(optimizer, t, most_work);
      continue;
    }
    optimizer->large_tensors[optimizer->large_count++] = t;
    optimizer->large_work += talweg_work_of_tensor(optimizer, t);
  }
  optimizer->blocks_are_made = 1;
}

uint32_t talweg_span_from(talweg_optimizer* optimizer, uint32_t phase) {
  const uint32_t end = optimizer->span_ends[phase];
  /* A skipped call runs what it must, and stops where it may. */
  if (end == phase + 1 || optimizer->outcome == TALWEG_SKIPPED) return phase;
  if (!optimizer->blocks_are_made) make_blocks(optimizer);
  return optimizer->block_count > 0 ? end : phase;
}

/* The first phase of the span that reads elements. */
static uint32_t first_reader(const span_run* run) {
  const talweg_phase* phases = run->optimizer->image->step.phases;
  uint32_t phase = run->begin;
  while (phase < run->end && !phases[phase].pass && !phases[phase].lines) ++phase;
  return phase;
}

/* The first phase of the span with a pass over chunks. */
static uint32_t first_pass(const span_run* run) {
  const talweg_phase* phases = run->optimizer->image->step.phases;
  uint32_t phase = run->begin;
  while (phase < run->end && !phases[phase].pass) ++phase;
  return phase;
}

typedef struct phase_run {
  talweg_optimizer* optimizer;
  const talweg_phase* phase;
  const talweg_pass_args* args;
} phase_run;

static void run_tensor_function(void* argument, uint32_t begin, uint32_t end) {
  const phase_run* run = argument;
  run->phase->tensor_scalars(run->optimizer->image->step.self, run->args, begin, end);
}

static void run_pass(void* argument, uint32_t begin, uint32_t end) {
  const phase_run* run = argument;
  run->phase->pass(run->optimizer->image->step.self, run->args, begin, end);
}

static void begin_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_begin_chunks(argument, begin, end);
}

/* All of a phase for the tensors of a scope. */
static void run_phase(const span_run* span, const talweg_scope* scope,
                      const talweg_pass_args* args) {
  talweg_optimizer* optimizer = span->optimizer;
  const talweg_kernels* step = &optimizer->image->step;
  const uint32_t phase = (uint32_t)args->phase;
  phase_run run = {.optimizer = optimizer, .phase = &step->phases[phase], .args = args};
  /* What the first phase reduces was folded before its functions of model and groups. */
  if (phase > span->begin) talweg_fold_scope(optimizer, scope, phase);
  if (run.phase->tensor_scalars) talweg_for_tensors(optimizer, scope, run_tensor_function, &run);
  talweg_run_scope_line_functions(optimizer, scope, step, run.phase, args);
  if (optimizer->progress.begins && phase == first_reader(span))
    talweg_for_scope(optimizer, scope, TALWEG_CHUNKS, begin_chunks, optimizer);
  talweg_run_scope_lines(optimizer, scope, step, run.phase, args);
  if (run.phase->pass) talweg_for_scope(optimizer, scope, TALWEG_CHUNKS, run_pass, &run);
}

static uint64_t work_of_blocks(const talweg_optimizer* optimizer, uint32_t begin, uint32_t end) {
  uint64_t work = 0;
  for (uint32_t i = begin; i < end; ++i) work += optimizer->blocks[i].work;
  return work;
}

static void run_blocks(void* argument, uint32_t begin, uint32_t end) {
  const span_run* run = argument;
  const talweg_optimizer* optimizer = run->optimizer;
  const uint64_t all = work_of_blocks(optimizer, begin, end);
  const uint32_t first = first_pass(run);
  talweg_pass_args args = optimizer->pass_args; /* threads are in different phases */
  for (uint32_t i = begin; i < end; ++i) {
    const talweg_block* block = &optimizer->blocks[i];
    const talweg_scope tensors = {.reach = TALWEG_SOME_TENSORS,
                                  .tensor_begin = block->tensor_begin,
                                  .tensor_end = block->tensor_end};
    for (args.phase = run->begin; args.phase < run->end; ++args.phase) {
      /* What a later pass reads was read or written just now. */
      args.round_elements = args.phase == first ? all : block->work;
      run_phase(run, &tensors, &args);
    }
  }
}

static void run_large(const span_run* run) {
  const talweg_optimizer* optimizer = run->optimizer;
  const talweg_scope large = {.reach = TALWEG_LARGE_TENSORS};
  const uint64_t threads = optimizer->spec.parallel_for ? optimizer->spec.thread_count : 1;
  talweg_pass_args args = optimizer->pass_args;
  args.round_elements = optimizer->large_work / threads;
  for (args.phase = run->begin; args.phase < run->end; ++args.phase) run_phase(run, &large, &args);
}

void talweg_run_span(talweg_optimizer* optimizer, uint32_t begin, uint32_t end) {
  span_run run = {.optimizer = optimizer, .begin = begin, .end = end};
  talweg_for_table(optimizer, TALWEG_BLOCKS, run_blocks, &run);
  if (optimizer->large_count > 0) run_large(&run);
  if (first_reader(&run) < end) optimizer->progress.begins = 0;
}
