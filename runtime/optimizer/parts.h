/* Work over the tables of chunks and lines, in parts that threads share. */
#ifndef TALWEG_OPTIMIZER_PARTS_H
#define TALWEG_OPTIMIZER_PARTS_H

#include "runtime/optimizer/step.h"

/* What work is split over. Columns are one table, but differ in work where they are folded. */
typedef enum talweg_table {
  TALWEG_CHUNKS = 0,
  TALWEG_MATRICES,
  TALWEG_ROWS,
  TALWEG_COLS,
  TALWEG_COL_FOLDS,
  TALWEG_ROW_BLOCKS,
  TALWEG_BLOCKS, /* of small tensors (spans.c); these know no scope */
  TALWEG_TABLE_COUNT
} talweg_table;

/* For which tensors work is done, and by whom. */
typedef enum talweg_reach {
  TALWEG_ALL_TENSORS = 0, /* threads share it */
  TALWEG_LARGE_TENSORS,   /* those that take part and are in no block; threads share it */
  TALWEG_SOME_TENSORS,    /* the calling thread does it all */
  TALWEG_SHARED_REACH_COUNT = TALWEG_SOME_TENSORS
} talweg_reach;

typedef struct talweg_scope {
  talweg_reach reach;
  uint32_t tensor_begin, tensor_end; /* of SOME */
} talweg_scope;

typedef struct talweg_range {
  uint32_t begin, end;
} talweg_range;

/* tables.c: how many entries a table has; where those of tensors [begin, end) are. Not of blocks
 * where tensors are asked for. */
uint32_t talweg_length_of(const talweg_optimizer* optimizer, talweg_table table);
talweg_range talweg_entries_of(const talweg_optimizer* optimizer, talweg_table table,
                               uint32_t tensor_begin, uint32_t tensor_end);
/* In elements, or values of about that cost: of an entry, 0 where its tensor does not take part, or
 * is not within reach; of all that is run over a tensor. */
uint64_t talweg_work_of(const talweg_optimizer* optimizer, talweg_reach reach, talweg_table table,
                        uint32_t entry);
uint64_t talweg_work_of_tensor(const talweg_optimizer* optimizer, uint32_t tensor);

/* passes.c: runs `task` on parts of a table, at once where there are threads, each in the
 * language's floating-point mode. Parts are of equal work for the tensors that take part. */
typedef void (*talweg_part_task)(void* argument, uint32_t begin, uint32_t end);
void talweg_for_table(talweg_optimizer* optimizer, talweg_table table, talweg_part_task task,
                      void* argument);
void talweg_for_chunks(talweg_optimizer* optimizer, talweg_part_task task, void* argument);
/* The same for those entries only that a scope has in a table. */
void talweg_for_scope(talweg_optimizer* optimizer, const talweg_scope* scope, talweg_table table,
                      talweg_part_task task, void* argument);
/* On the calling thread: the tensors of a scope that is not ALL, in ranges. */
void talweg_for_tensors(const talweg_optimizer* optimizer, const talweg_scope* scope,
                        talweg_part_task task, void* argument);
/* Wherever other tensors take part than before. */
void talweg_forget_parts(talweg_optimizer* optimizer);
/* Runs a tensor function for all tensors. */
void talweg_run_tensors(talweg_optimizer* optimizer, const talweg_kernels* kernels,
                        talweg_tensor_function function, const talweg_pass_args* args);

#endif
