/* Runs the image's passes over the chunk table, one after the other, each on all threads.
 *
 * A pass is split into contiguous parts of about equal work. Which thread runs a part never changes
 * a result: chunks do not share what they write. Returning from one parallel_for is the barrier
 * before the next pass; scalar code between passes, and the folding of partial sums, belong there.
 */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"

/* What a chunk costs besides its elements, in elements: many tensors are tiny. */
#define CHUNK_OVERHEAD_ELEMENTS 64u
/* Up to here waking a thread costs more than it saves. */
#define SERIAL_ELEMENTS 32768u

typedef struct part_run {
  talweg_optimizer* optimizer;
  talweg_chunk_task task;
  void* argument;
} part_run;

typedef struct pass_run {
  talweg_optimizer* optimizer;
  talweg_pass_args args;
  uint32_t pass;
} pass_run;

static uint64_t work_of(const talweg_optimizer* optimizer, const talweg_chunk* chunk) {
  return optimizer->takes_part[chunk->tensor_index]
             ? (uint64_t)chunk->element_count + CHUNK_OVERHEAD_ELEMENTS
             : 0;
}

static void split_into_parts(talweg_optimizer* optimizer) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < optimizer->chunk_count; ++i)
    total += work_of(optimizer, &optimizer->chunks[i]);
  const int is_serial = total <= SERIAL_ELEMENTS || !optimizer->spec.parallel_for;
  const uint32_t parts = is_serial ? 1 : optimizer->spec.thread_count;
  uint64_t done = 0;
  uint32_t chunk = 0;
  for (uint32_t part = 0; part < parts; ++part) {
    const uint64_t goal = total / parts * part + total % parts * part / parts;
    while (done < goal) done += work_of(optimizer, &optimizer->chunks[chunk++]);
    optimizer->part_begins[part] = chunk;
  }
  optimizer->part_begins[parts] = optimizer->chunk_count;
  optimizer->part_count = parts;
}

static void run_part(void* argument, uint32_t part) {
  const part_run* run = argument;
  const uint32_t begin = run->optimizer->part_begins[part];
  const uint32_t end = run->optimizer->part_begins[part + 1];
  if (begin == end) return;
  const talweg_float_mode mode = talweg_enter_float_mode();
  run->task(run->argument, begin, end);
  talweg_leave_float_mode(mode);
}

void talweg_for_chunks(talweg_optimizer* optimizer, talweg_chunk_task task, void* argument) {
  if (optimizer->part_count == 0) split_into_parts(optimizer);
  part_run run = {.optimizer = optimizer, .task = task, .argument = argument};
  if (optimizer->part_count == 1)
    run_part(&run, 0);
  else
    optimizer->spec.parallel_for(optimizer->spec.parallel_context, optimizer->part_count, run_part,
                                 &run);
}

static void run_pass(void* argument, uint32_t begin, uint32_t end) {
  const pass_run* run = argument;
  const talweg_image* image = run->optimizer->image;
  if (run->pass == 0 && run->optimizer->begins_some)
    talweg_begin_chunks(run->optimizer, begin, end);
  image->passes[run->pass].run(image->self, &run->args, begin, end);
}

talweg_pass_args talweg_args_of_passes(const talweg_optimizer* optimizer) {
  return (talweg_pass_args){.chunks = optimizer->chunks,
                            .pointers = optimizer->pointers,
                            .tensor_groups = optimizer->tensor_groups,
                            .model_slots = optimizer->model_slots,
                            .group_slots = optimizer->group_slots,
                            .group_args = optimizer->args + 1,
                            .tensor_routes = optimizer->tensor_routes,
                            .tensor_facts = optimizer->tensor_facts};
}

void talweg_run_passes(talweg_optimizer* optimizer) {
  pass_run run = {.optimizer = optimizer, .args = talweg_args_of_passes(optimizer), .pass = 0};
  for (; run.pass < optimizer->image->pass_count; ++run.pass)
    talweg_for_chunks(optimizer, run_pass, &run);
}
