/* Spans: phases in a row that wait for nothing but values of their own tensor.
 *
 * What a small tensor's first pass has read is still in cache when its next pass reads it again,
 * so small tensors run through all phases of a span one after the other, in blocks of consecutive
 * ones. Large tensors, which would not stay in cache, and are worth all threads, run phase by
 * phase. Only the order of work differs: tensors share nothing that these phases write. */
#include "runtime/optimizer/internal.h"

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
    if (step->reductions[r].phase == phase && step->reductions[r].rate != TALWEG_RATE_TENSOR)
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
  return image->split == TALWEG_SPLIT_NONE && phase != step->end_phase &&
         !functions->model_scalars && !functions->group_scalars && !functions->says_regrad &&
         !step->phases[phase - 1].says_regrad && !waits_for_more(step, phase) &&
         !binds(image, phase);
}

int talweg_has_spans(const talweg_image* image) {
  for (uint32_t phase = 1; phase < image->step.phase_count; ++phase)
    if (joins(image, phase)) return 1;
  return 0;
}

void talweg_find_spans(talweg_optimizer* optimizer) {
  const uint32_t phases = optimizer->image->step.phase_count;
  for (uint32_t phase = phases; phase > 0; --phase)
    optimizer->span_ends[phase - 1] =
        phase < phases && joins(optimizer->image, phase) ? optimizer->span_ends[phase] : phase;
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
  for (uint32_t t = 0; t < tensors; ++t) {
    if (!optimizer->takes_part[t]) continue;
    if (talweg_is_large(optimizer, t))
      optimizer->large_tensors[optimizer->large_count++] = t;
    else
      add_to_blocks(optimizer, t, most_work);
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

/* All that a phase does for tensors [begin, end) before its pass. */
static void prepare_tensors(const span_run* run, const talweg_pass_args* args, uint32_t begin,
                            uint32_t end) {
  talweg_optimizer* optimizer = run->optimizer;
  const talweg_kernels* step = &optimizer->image->step;
  const uint32_t phase = (uint32_t)args->phase;
  /* What the first phase reduces was folded before its functions of model and groups. */
  if (phase > run->begin) talweg_fold_tensors(optimizer, phase, begin, end);
  if (step->phases[phase].tensor_scalars)
    step->phases[phase].tensor_scalars(step->self, args, begin, end);
}

/* The first phase of the span that reads elements. */
static uint32_t first_pass(const span_run* run) {
  const talweg_phase* phases = run->optimizer->image->step.phases;
  uint32_t phase = run->begin;
  while (phase < run->end && !phases[phase].pass) ++phase;
  return phase;
}

static void run_pass(const span_run* run, const talweg_pass_args* args, uint32_t begin,
                     uint32_t end) {
  const talweg_kernels* step = &run->optimizer->image->step;
  const uint32_t phase = (uint32_t)args->phase;
  if (!step->phases[phase].pass || begin == end) return;
  if (run->optimizer->progress.begins && phase == first_pass(run))
    talweg_begin_chunks(run->optimizer, begin, end);
  step->phases[phase].pass(step->self, args, begin, end);
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
    for (args.phase = run->begin; args.phase < run->end; ++args.phase) {
      /* What a later pass reads was read or written just now. */
      args.round_elements = args.phase == first ? all : block->work;
      prepare_tensors(run, &args, block->tensor_begin, block->tensor_end);
      run_pass(run, &args, optimizer->first_chunks[block->tensor_begin],
               optimizer->first_chunks[block->tensor_end]);
    }
  }
}

typedef struct chunk_range {
  uint32_t begin, end;
} chunk_range;

/* The chunks of a large tensor that are in [begin, end). */
static chunk_range shared_chunks(const talweg_optimizer* optimizer, uint32_t large, uint32_t begin,
                                 uint32_t end) {
  const uint32_t* chunks = optimizer->first_chunks + optimizer->large_tensors[large];
  const chunk_range range = {chunks[0] > begin ? chunks[0] : begin,
                             chunks[1] < end ? chunks[1] : end};
  return range.begin < range.end ? range : (chunk_range){begin, begin};
}

static void run_large_chunks(void* argument, uint32_t begin, uint32_t end) {
  const span_run* run = argument;
  const talweg_optimizer* optimizer = run->optimizer;
  talweg_pass_args args = optimizer->pass_args;
  for (uint32_t i = 0; i < optimizer->large_count; ++i) {
    const chunk_range range = shared_chunks(optimizer, i, begin, end);
    args.round_elements += (uint64_t)(range.end - range.begin) * TALWEG_CHUNK_ELEMENTS;
  }
  for (uint32_t i = 0; i < optimizer->large_count; ++i) {
    const chunk_range range = shared_chunks(optimizer, i, begin, end);
    run_pass(run, &args, range.begin, range.end);
  }
}

static void run_large(span_run* run) {
  talweg_optimizer* optimizer = run->optimizer;
  talweg_pass_args* args = &optimizer->pass_args;
  for (args->phase = run->begin; args->phase < run->end; ++args->phase) {
    for (uint32_t i = 0; i < optimizer->large_count; ++i)
      prepare_tensors(run, args, optimizer->large_tensors[i], optimizer->large_tensors[i] + 1);
    talweg_for_table(optimizer, TALWEG_LARGE_CHUNKS, run_large_chunks, run);
  }
}

void talweg_run_span(talweg_optimizer* optimizer, uint32_t begin, uint32_t end) {
  span_run run = {.optimizer = optimizer, .begin = begin, .end = end};
  talweg_for_table(optimizer, TALWEG_BLOCKS, run_blocks, &run);
  if (optimizer->large_count > 0) run_large(&run);
  if (first_pass(&run) < end) optimizer->progress.begins = 0;
}
