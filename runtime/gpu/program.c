/* See program.h. */
#include "runtime/gpu/program.h"

void* talweg_gpu_carve(talweg_gpu_program* program, uint64_t bytes, uint64_t* there) {
  const uint64_t begin = (program->table_bytes + 15) / 16 * 16;
  program->table_bytes = begin + bytes;
  *there = program->tables_there ? program->tables_there + begin : 0;
  return program->tables ? program->tables + begin : NULL;
}

uint64_t talweg_gpu_there(const talweg_gpu_program* program, const void* here) {
  if (!here) return 0;
  return program->control_there +
         (uint64_t)((const unsigned char*)here - (const unsigned char*)program->control);
}

void talweg_gpu_add_launch(talweg_gpu_program* program, const talweg_gpu_launch* launch) {
  if (program->launches) program->launches[program->launch_count] = *launch;
  program->launch_count += 1;
}
