/* Runs work over the tables of chunks and lines, and over all tensors, on all threads.
 *
 * A table is split into contiguous parts of about equal work. Which thread runs a part never
 * changes a result: chunks do not share what they write, and neither do tensors. Returning from one
 * parallel_for is the barrier before what comes next. */
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

/* Up to here waking a thread costs more than it saves. */
#define SERIAL_ELEMENTS 32768u
/* From here on tensor functions, which compute a few numbers for each, are worth it. */
#define MANY_TENSORS 4096u

typedef struct part_run {
  const uint32_t* begins;
  talweg_part_task task;
  void* argument;
} part_run;

static uint32_t* begins_of(const talweg_optimizer* optimizer, talweg_reach reach,
                           talweg_table table) {
  const size_t index = (size_t)reach * TALWEG_TABLE_COUNT + table;
  return optimizer->part_begins + index * ((size_t)optimizer->spec.thread_count + 1);
}

static void split_into_parts(talweg_optimizer* optimizer, talweg_reach reach, talweg_table table) {
  const uint32_t length = talweg_length_of(optimizer, table);
  uint32_t* begins = begins_of(optimizer, reach, table);
  uint64_t total = 0;
  for (uint32_t i = 0; i < length; ++i) total += talweg_work_of(optimizer, reach, table, i);
  const int is_serial = total <= SERIAL_ELEMENTS || !optimizer->spec.parallel_for;
  const uint32_t parts = is_serial ? 1 : optimizer->spec.thread_count;
  uint64_t done = 0;
  uint32_t next = 0;
  for (uint32_t part = 0; part < parts; ++part) {
    const uint64_t goal = total / parts * part + total % parts * part / parts;
    while (done < goal) done += talweg_work_of(optimizer, reach, table, next++);
    begins[part] = next;
  }
  begins[parts] = length;
  optimizer->part_counts[reach][table] = parts;
}

void talweg_forget_parts(talweg_optimizer* optimizer) {
  for (uint32_t reach = 0; reach < TALWEG_SHARED_REACH_COUNT; ++reach)
    for (uint32_t i = 0; i < TALWEG_TABLE_COUNT; ++i) optimizer->part_counts[reach][i] = 0;
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

static void run_parts(talweg_optimizer* optimizer, talweg_reach reach, talweg_table table,
                      talweg_part_task task, void* argument) {
  if (optimizer->part_counts[reach][table] == 0) split_into_parts(optimizer, reach, table);
  const uint32_t parts = optimizer->part_counts[reach][table];
  part_run run = {.begins = begins_of(optimizer, reach, table), .task = task, .argument = argument};
  if (parts == 1)
    run_part(&run, 0);
  else
    optimizer->spec.parallel_for(optimizer->spec.parallel_context, parts, run_part, &run);
}

void talweg_for_table(talweg_optimizer* optimizer, talweg_table table, talweg_part_task task,
                      void* argument) {
  run_parts(optimizer, TALWEG_ALL_TENSORS, table, task, argument);
}

void talweg_for_chunks(talweg_optimizer* optimizer, talweg_part_task task, void* argument) {
  talweg_for_table(optimizer, TALWEG_CHUNKS, task, argument);
}

typedef struct large_run {
  const talweg_optimizer* optimizer;
  talweg_table table;
  talweg_part_task task;
  void* argument;
} large_run;

/* What large tensors have of a part of a table. */
static void run_large_part(void* argument, uint32_t begin, uint32_t end) {
  const large_run* run = argument;
  for (uint32_t i = 0; i < run->optimizer->large_count; ++i) {
    const uint32_t tensor = run->optimizer->large_tensors[i];
    talweg_range entries = talweg_entries_of(run->optimizer, run->table, tensor, tensor + 1);
    if (entries.begin < begin) entries.begin = begin;
    if (entries.end > end) entries.end = end;
    if (entries.begin < entries.end) run->task(run->argument, entries.begin, entries.end);
  }
}

void talweg_for_scope(talweg_optimizer* optimizer, const talweg_scope* scope, talweg_table table,
                      talweg_part_task task, void* argument) {
  if (scope->reach == TALWEG_SOME_TENSORS) {
    const talweg_range entries =
        talweg_entries_of(optimizer, table, scope->tensor_begin, scope->tensor_end);
    if (entries.begin < entries.end) task(argument, entries.begin, entries.end);
  } else if (scope->reach == TALWEG_LARGE_TENSORS) {
    large_run run = {.optimizer = optimizer, .table = table, .task = task, .argument = argument};
    run_parts(optimizer, TALWEG_LARGE_TENSORS, table, run_large_part, &run);
  } else {
    talweg_for_table(optimizer, table, task, argument);
  }
}

void talweg_for_tensors(const talweg_optimizer* optimizer, const talweg_scope* scope,
                        talweg_part_task task, void* argument) {
  if (scope->reach == TALWEG_SOME_TENSORS) task(argument, scope->tensor_begin, scope->tensor_end);
  if (scope->reach == TALWEG_ALL_TENSORS) task(argument, 0, optimizer->spec.tensor_count);
  for (uint32_t i = 0; scope->reach == TALWEG_LARGE_TENSORS && i < optimizer->large_count; ++i)
    task(argument, optimizer->large_tensors[i], optimizer->large_tensors[i] + 1);
}

typedef struct tensor_run {
  const talweg_optimizer* optimizer;
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
  talweg_call_tensors(run->optimizer, run->kernels->self, run->function, run->args, begin, end);
  talweg_leave_float_mode(mode);
}

void talweg_run_tensors(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                        talweg_tensor_function function, const talweg_pass_args* args) {
  const uint32_t tensors = optimizer->spec.tensor_count;
  if (tensors == 0) return;
  const int is_serial = tensors < MANY_TENSORS || !optimizer->spec.parallel_for;
  tensor_run run = {optimizer, kernels, function, args,
                    is_serial ? 1 : optimizer->spec.thread_count};
  if (run.parts == 1)
    run_tensor_part(&run, 0);
  else
    optimizer->spec.parallel_for(optimizer->spec.parallel_context, run.parts, run_tensor_part,
                                 &run);
}
