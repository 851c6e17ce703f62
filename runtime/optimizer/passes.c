/* Runs work over the tables of chunks and lines, and over all tensors, on all threads.
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

/* What the function of a matrix costs, in elements. */
#define MATRIX_ELEMENTS 16u

typedef struct part_run {
  const uint32_t* begins;
  talweg_part_task task;
  void* argument;
} part_run;

static uint32_t length_of(const talweg_optimizer* optimizer, talweg_table table) {
  const talweg_line_counts* counts = &optimizer->lines.counts;
  switch (table) {
    case TALWEG_MATRICES:
      return counts->matrix_chunks;
    case TALWEG_ROWS:
      return counts->row_chunks;
    case TALWEG_COLS:
    case TALWEG_COL_FOLDS:
      return counts->col_chunks;
    case TALWEG_ROW_BLOCKS:
      return counts->row_blocks;
    case TALWEG_BLOCKS:
      return optimizer->block_count;
    default:
      return optimizer->chunk_count;
  }
}

static const talweg_line_chunk* line_chunk(const talweg_lines* lines, talweg_table table,
                                           uint32_t i) {
  if (table == TALWEG_MATRICES) return &lines->matrix_chunks[i];
  if (table == TALWEG_ROWS) return &lines->row_chunks[i];
  return table == TALWEG_ROW_BLOCKS ? &lines->row_blocks[i] : &lines->col_chunks[i];
}

/* In elements, or values of about that cost. */
static uint64_t elements_of(const talweg_lines* lines, talweg_table table,
                            const talweg_line_chunk* chunk) {
  const talweg_matrix_view* view = &lines->views[chunk->tensor_index];
  if (table == TALWEG_MATRICES) return (uint64_t)chunk->count * MATRIX_ELEMENTS;
  if (table == TALWEG_COL_FOLDS) return chunk->count * talweg_count_blocks(view);
  return table == TALWEG_ROW_BLOCKS ? chunk->count * view->cols : chunk->count;
}

uint64_t talweg_work_of_tensor(const talweg_optimizer* optimizer, uint32_t tensor) {
  const uint64_t chunks = optimizer->first_chunks[tensor + 1] - optimizer->first_chunks[tensor];
  if (!optimizer->takes_part[tensor]) return 0;
  return optimizer->element_counts[tensor] + chunks * CHUNK_OVERHEAD_ELEMENTS;
}

static uint64_t work_of(const talweg_optimizer* optimizer, talweg_table table, uint32_t i) {
  if (table == TALWEG_BLOCKS) return optimizer->blocks[i].work;
  if (table == TALWEG_CHUNKS || table == TALWEG_LARGE_CHUNKS) {
    const talweg_chunk* chunk = &optimizer->chunks[i];
    if (!optimizer->takes_part[chunk->tensor_index]) return 0;
    if (table == TALWEG_LARGE_CHUNKS && !talweg_is_large(optimizer, chunk->tensor_index)) return 0;
    return (uint64_t)chunk->element_count + CHUNK_OVERHEAD_ELEMENTS;
  }
  const talweg_line_chunk* chunk = line_chunk(&optimizer->lines, table, i);
  if (!optimizer->takes_part[chunk->tensor_index]) return 0;
  return elements_of(&optimizer->lines, table, chunk) + CHUNK_OVERHEAD_ELEMENTS;
}

static uint32_t* begins_of(const talweg_optimizer* optimizer, talweg_table table) {
  return optimizer->part_begins + table * ((size_t)optimizer->spec.thread_count + 1);
}

static void split_into_parts(talweg_optimizer* optimizer, talweg_table table) {
  const uint32_t length = length_of(optimizer, table);
  uint32_t* begins = begins_of(optimizer, table);
  uint64_t total = 0;
  for (uint32_t i = 0; i < length; ++i) total += work_of(optimizer, table, i);
  const int is_serial = total <= SERIAL_ELEMENTS || !optimizer->spec.parallel_for;
  const uint32_t parts = is_serial ? 1 : optimizer->spec.thread_count;
  uint64_t done = 0;
  uint32_t next = 0;
  for (uint32_t part = 0; part < parts; ++part) {
    const uint64_t goal = total / parts * part + total % parts * part / parts;
    while (done < goal) done += work_of(optimizer, table, next++);
    begins[part] = next;
  }
  begins[parts] = length;
  optimizer->part_counts[table] = parts;
}

void talweg_forget_parts(talweg_optimizer* optimizer) {
  for (uint32_t i = 0; i < TALWEG_TABLE_COUNT; ++i) optimizer->part_counts[i] = 0;
  optimizer->blocks_are_made = 0;
}

static void run_part(void* argument, uint32_t part) {
  const part_run* run = argument;
  const uint32_t begin = run->begins[part];
  const uint32_t end = run->begins[part + 1];
  if (begin == end) return;
  const talweg_float_mode mode = talweg_enter_float_mode();
  run->task(run->argument, begin, end);
  talweg_leave_float_mode(mode);
}

void talweg_for_table(talweg_optimizer* optimizer, talweg_table table, talweg_part_task task,
                      void* argument) {
  if (optimizer->part_counts[table] == 0) split_into_parts(optimizer, table);
  part_run run = {.begins = begins_of(optimizer, table), .task = task, .argument = argument};
  if (optimizer->part_counts[table] == 1)
    run_part(&run, 0);
  else
    optimizer->spec.parallel_for(optimizer->spec.parallel_context, optimizer->part_counts[table],
                                 run_part, &run);
}

void talweg_for_chunks(talweg_optimizer* optimizer, talweg_part_task task, void* argument) {
  talweg_for_table(optimizer, TALWEG_CHUNKS, task, argument);
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
