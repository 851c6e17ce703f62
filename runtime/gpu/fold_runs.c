/* See fold_runs.h. */
#include "runtime/gpu/fold_runs.h"

#include "runtime/abi/talweg_gpu_abi.h"

/* Where the results of some blocks of one sequence go. */
typedef struct results {
  uint64_t place;
  uint8_t in_scratch;
} results;

/* `width`: results of a block. */
static results results_of(uint64_t* scratch, uint64_t blocks, uint64_t width, uint64_t result) {
  if (blocks == 1) return (results){.place = result};
  const results all = {.place = *scratch, .in_scratch = 1};
  *scratch += blocks * width;
  return all;
}

static void add_run(talweg_run_table* table, uint32_t level, uint64_t first, uint64_t count,
                    results to, uint32_t owner) {
  if (table->runs[level])
    table->runs[level][table->counts[level]] = (talweg_fold_run){.first = first,
                                                                 .result = to.place,
                                                                 .owner = owner,
                                                                 .count = (uint16_t)count,
                                                                 .from_scratch = level > 0,
                                                                 .to_scratch = to.in_scratch};
  table->counts[level] += 1;
}

/* A sequence whose positions before `position` and from `position` + `count` on hold the start. */
static void add_runs(talweg_run_table* table, uint32_t level, uint64_t first, uint64_t position,
                     uint64_t count, uint64_t result, uint32_t owner) {
  const uint64_t last = count > 0 ? position + count - 1 : position;
  const uint64_t blocks = last / TALWEG_FOLD_BLOCK - position / TALWEG_FOLD_BLOCK + 1;
  const results to = results_of(&table->scratch, blocks, 1, result);
  uint64_t begin = position;
  for (uint64_t b = 0; b < blocks; ++b) {
    const uint64_t room = TALWEG_FOLD_BLOCK - begin % TALWEG_FOLD_BLOCK;
    const uint64_t left = position + count - begin;
    const uint64_t some = left < room ? left : room;
    add_run(table, level, first + (begin - position), some, (results){to.place + b, to.in_scratch},
            owner);
    begin += some;
  }
  if (blocks > 1)
    add_runs(table, level + 1, to.place, position / TALWEG_FOLD_BLOCK, blocks, result, owner);
}

void talweg_add_sequence(talweg_run_table* table, uint64_t first, uint64_t count, uint64_t result,
                         uint32_t tensor) {
  add_runs(table, 0, first, 0, count, result, tensor);
}

void talweg_add_members(talweg_run_table* table, const uint32_t* members, uint32_t count,
                        uint64_t result, uint32_t group) {
  const uint32_t first = members && count > 0 ? members[0] : 0;
  const uint32_t last = count == 0 ? first : members ? members[count - 1] : count - 1;
  const uint32_t first_block = first / TALWEG_FOLD_BLOCK;
  const uint32_t blocks = last / TALWEG_FOLD_BLOCK - first_block + 1;
  const results to = results_of(&table->scratch, blocks, 1, result);
  /* Of each block only what lies between the first and the last member in it. */
  uint32_t at = 0;
  for (uint32_t b = 0; b < blocks; ++b) {
    const uint32_t begin = at;
    while (at < count && (members ? members[at] : at) / TALWEG_FOLD_BLOCK == first_block + b) ++at;
    const uint32_t from = begin == at ? 0 : members ? members[begin] : begin;
    const uint32_t span = begin == at ? 0 : (members ? members[at - 1] : at - 1) - from + 1;
    add_run(table, 0, from, span, (results){to.place + b, to.in_scratch}, group);
  }
  if (blocks > 1) add_runs(table, 1, to.place, first_block, blocks, result, TALWEG_NO_OWNER);
}

static void add_column_run(talweg_column_table* table, uint32_t level, talweg_column_run run) {
  if (table->runs[level]) table->runs[level][table->counts[level]] = run;
  table->counts[level] += 1;
}

static void add_columns(talweg_column_table* table, uint32_t level, uint64_t first, uint64_t count,
                        uint64_t columns, uint64_t result, uint32_t tensor) {
  const uint64_t blocks = count > 0 ? (count - 1) / TALWEG_FOLD_BLOCK + 1 : 1;
  const results to = results_of(&table->scratch, blocks, columns, result);
  for (uint64_t b = 0; b < blocks; ++b) {
    const uint64_t begin = b * TALWEG_FOLD_BLOCK, left = count - begin;
    for (uint64_t c = 0; c < columns; c += TALWEG_GPU_WARP)
      add_column_run(
          table, level,
          (talweg_column_run){
              .first = first + begin * columns + c,
              .result = to.place + b * columns + c,
              .stride = columns,
              .tensor = tensor,
              .columns = (uint32_t)(columns - c < TALWEG_GPU_WARP ? columns - c : TALWEG_GPU_WARP),
              .count = (uint16_t)(left < TALWEG_FOLD_BLOCK ? left : TALWEG_FOLD_BLOCK),
              .from_scratch = level > 0,
              .to_scratch = blocks > 1});
  }
  if (blocks > 1) add_columns(table, level + 1, to.place, blocks, columns, result, tensor);
}

void talweg_add_columns(talweg_column_table* table, uint64_t first, uint64_t count,
                        uint64_t columns, uint64_t result, uint32_t tensor) {
  if (columns > 0) add_columns(table, 0, first, count, columns, result, tensor);
}
