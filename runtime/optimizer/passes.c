/* Runs work over the chunk table, and over all tensors, on all threads.
 *
 * A pass is split into contiguous parts of about equal work. Which thread runs a part never changes
 * a result: chunks do not share what they write, and neither do tensors. Returning from one
 * parallel_for is the barrier before what comes next. */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"

/* What a chunk costs besides its elements, in elements: many tensors are tiny. */
#define CHUNK_OVERHEAD_ELEMENTS 64u
/* Up to here waking a thread costs more than it saves. */
#define SERIAL_ELEMENTS 32768u
/* From here on tensor functions, which compute a few numbers for each, are worth it. */
#define MANY_TENSORS 4096u

typedef struct part_run {
  talweg_optimizer* optimizer;
  talweg_chunk_task task;
  void* argument;
} part_run;

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

typedef struct tensor_run {
  const talweg_kernels* kernels;
  talweg_tensor_function function;
  const talweg_pass_args* args;
  uint32_t parts;
} tensor_run;

static void run_tensor_part(void* argument, uint32_t part) {
  const tensor_run* run = argument;
  const uint64_t count = run->args->tensor_count;
  const uint32_t begin = (uint32_t)(count * part / run->parts);
  const uint32_t end = (uint32_t)(count * (part + (uint64_t)1) / run->parts);
  const talweg_float_mode mode = talweg_enter_float_mode();
  run->function(run->kernels->self, run->args, begin, end);
  talweg_leave_float_mode(mode);
}

void talweg_run_tensors(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                        talweg_tensor_function function, const talweg_pass_args* args) {
  const uint32_t tensors = optimizer->spec.tensor_count;
  if (tensors == 0) return;
  const int is_serial = tensors < MANY_TENSORS || !optimizer->spec.parallel_for;
  tensor_run run = {kernels, function, args, is_serial ? 1 : optimizer->spec.thread_count};
  if (run.parts == 1)
    run_tensor_part(&run, 0);
  else
    optimizer->spec.parallel_for(optimizer->spec.parallel_context, run.parts, run_tensor_part,
                                 &run);
}
