/* The tables of an optimizer as the device sees them. Control memory has a copy there, byte for
 * byte; what points into it is written anew here, with addresses of the copy. */
#include <string.h>

#include "runtime/gpu/internal.h"
#include "runtime/memory/gpu_units.h"

/* The copy of a pointer into control memory. */
#define THERE(pointer) ((void*)(uintptr_t)talweg_gpu_there(program, pointer))

/* A copy of what is not in control memory. */
static uint64_t put(talweg_gpu_program* program, const void* data, uint64_t bytes) {
  uint64_t there;
  void* here = talweg_gpu_carve(program, bytes, &there);
  if (here && bytes > 0) memcpy(here, data, (size_t)bytes);
  return there;
}

/* Of lines [0, count) one each, from chunks of many. */
static uint64_t put_lines(talweg_gpu_program* program, const talweg_line_chunk* chunks,
                          uint32_t chunk_count, uint64_t count, int is_matrix) {
  uint64_t there;
  talweg_line_chunk* lines = talweg_gpu_carve(program, count * sizeof *lines, &there);
  for (uint32_t i = 0; lines && i < chunk_count; ++i)
    for (uint32_t k = 0; k < chunks[i].count; ++k) {
      talweg_line_chunk line = chunks[i];
      line.first += k;
      line.matrix = is_matrix ? line.first : line.matrix;
      line.count = 1;
      lines[line.first] = line;
    }
  return there;
}

static void write_rows(talweg_gpu* gpu, talweg_gpu_program* program) {
  talweg_optimizer* core = gpu->core;
  talweg_show_rows(core, core->states_after);
  talweg_scalar_args* rows =
      talweg_gpu_carve(program, core->row_count * sizeof *rows, &gpu->places.args);
  for (uint32_t row = 0; rows && row < core->row_count; ++row) {
    const talweg_scalar_args* args = &core->args[row];
    rows[row] = (talweg_scalar_args){
        .hypers = THERE(args->hypers),
        .states = THERE(args->states),
        .inputs = THERE(args->inputs),
        .given = THERE(args->given),
        .new_states = THERE(args->new_states),
        .bound = THERE(args->bound),
        .model_slots = THERE(args->model_slots),
        .group_slots = row > 0 ? THERE(args->group_slots) : NULL,
        .needed = THERE(args->needed),
        .outcome = THERE(args->outcome),
        .kept = THERE(args->kept),
        .unbound = THERE(args->unbound),
        .regrad = THERE(args->regrad),
        .reduced = THERE(args->reduced),
        .partials = row > 0 ? THERE(args->partials) : NULL,
    };
  }
}

/* Rows and columns that callers give: copies of what control memory has for them, to which those go
 * that are given from now on. */
static uint64_t put_line_inputs(const talweg_optimizer* core, talweg_gpu_program* program) {
  uint64_t there;
  if (!core->lines.inputs) return 0;
  void** inputs = talweg_gpu_carve(program, core->image->input_count * sizeof(void*), &there);
  for (uint32_t i = 0; inputs && i < core->image->input_count; ++i)
    inputs[i] = core->lines.inputs[i] = THERE(core->lines.inputs[i]);
  return there;
}

static void put_pass_args(talweg_gpu* gpu, talweg_gpu_program* program, uint32_t phase,
                          uint64_t line_inputs) {
  const talweg_pass_args* from = &gpu->core->pass_args;
  talweg_pass_args args = *from;
#define MOVE(member) args.member = THERE(from->member)
  MOVE(chunks);
  MOVE(pointers);
  MOVE(tensor_groups);
  MOVE(model_slots);
  MOVE(group_slots);
  MOVE(tensor_routes);
  MOVE(tensor_facts);
  MOVE(tensor_slots);
  MOVE(tensor_states);
  MOVE(new_tensor_states);
  MOVE(tensor_inputs);
  MOVE(tensor_reduced);
  MOVE(tensor_partials);
  MOVE(chunk_partials);
  MOVE(views);
  MOVE(row_blocks);
  MOVE(matrix_slots);
  MOVE(matrix_states);
  MOVE(new_matrix_states);
  MOVE(matrix_reduced);
  MOVE(matrix_partials);
  MOVE(row_slots);
  MOVE(col_slots);
  MOVE(line_states);
  MOVE(row_partials);
  MOVE(col_partials);
  MOVE(block_partials);
  MOVE(matrix_inputs);
#undef MOVE
  args.group_args = (const talweg_scalar_args*)(uintptr_t)gpu->places.args + 1;
  args.matrix_chunks = (const talweg_line_chunk*)(uintptr_t)gpu->places.matrices;
  args.row_chunks = (const talweg_line_chunk*)(uintptr_t)gpu->places.rows;
  args.col_chunks = (const talweg_line_chunk*)(uintptr_t)gpu->places.cols;
  args.line_inputs = (const void* const*)(uintptr_t)line_inputs;
  args.phase = phase;
  args.round_elements = 0;
  const uint64_t there = put(program, &args, sizeof args);
  if (phase == 0) gpu->places.pass_args = there;
}

/* Numbers of the states of a rate. */
static const uint32_t* put_states(const talweg_image* image, talweg_gpu_program* program,
                                  uint32_t rate) {
  uint64_t there;
  uint32_t* numbers = talweg_gpu_carve(program, image->state_count * sizeof(uint32_t), &there);
  uint32_t count = 0;
  for (uint32_t s = 0; numbers && s < image->state_count; ++s)
    if (image->states[s].rate == rate) numbers[count++] = s;
  return (const uint32_t*)(uintptr_t)there;
}

static const uint8_t* put_models_states(const talweg_image* image, talweg_gpu_program* program) {
  uint64_t there;
  uint8_t* flags = talweg_gpu_carve(program, image->state_count, &there);
  for (uint32_t s = 0; flags && s < image->state_count; ++s)
    flags[s] = image->states[s].rate == TALWEG_RATE_MODEL;
  return (const uint8_t*)(uintptr_t)there;
}

static void write_step(talweg_gpu* gpu, talweg_gpu_program* program) {
  const talweg_optimizer* core = gpu->core;
  const talweg_image* image = core->image;
  uint64_t first_missing;
  talweg_gpu_carve(program, TALWEG_GPU_WARPS * sizeof(double), &first_missing);
  const talweg_gpu_step step = {
      .progress = (talweg_gpu_progress*)(uintptr_t)gpu->places.progress,
      .report = (talweg_gpu_report*)&gpu->front->report,
      .hypers = (const talweg_hyper_info*)(uintptr_t)put(
          program, image->hypers, image->hyper_count * sizeof *image->hypers),
      .is_of_model = put_models_states(image, program),
      .group_has_tensor = THERE(core->group_has_tensor),
      .takes_part = THERE(core->takes_part),
      .state_present = THERE(core->state_present),
      .args = (talweg_scalar_args*)(uintptr_t)gpu->places.args,
      .outcome = THERE(&core->outcome),
      .counters = THERE(&core->counters),
      .scalar_states = THERE(core->scalar_states),
      .states_before = THERE(core->states_before),
      .states_after = THERE(core->states_after),
      .bound = THERE(core->bound),
      .last_bound = THERE(core->last_bound),
      .unbound = THERE(core->unbound),
      .kept = THERE(core->kept),
      .needed = THERE(core->needed),
      .inputs = (const talweg_input_info*)(uintptr_t)put(
          program, image->inputs, image->input_count * sizeof *image->inputs),
      .given = THERE(core->given),
      .lines_given = THERE(core->lines.input_given),
      .input_present = THERE(core->input_present),
      .row_inputs = THERE(core->inputs),
      .tensor_inputs = THERE(core->tensor_inputs),
      .element_counts = THERE(core->element_counts),
      .tensor_groups = THERE(core->tensor_groups),
      .first_missing = (double*)(uintptr_t)first_missing,
      .tensor_states = THERE(core->tensor_states),
      .tensor_before = THERE(core->tensor_before),
      .tensor_after = THERE(core->tensor_after),
      .matrix_states = THERE(core->lines.matrix_states),
      .matrix_before = THERE(core->lines.matrix_before),
      .matrix_after = THERE(core->lines.matrix_after),
      .matrix_state_numbers = put_states(image, program, TALWEG_RATE_MATRIX),
      .tensor_state_numbers = put_states(image, program, TALWEG_RATE_TENSOR),
      .matrices = (const talweg_line_chunk*)(uintptr_t)gpu->places.matrices,
      .chunks = THERE(core->chunks),
      .pointers = THERE(core->pointers),
      .row_count = core->row_count,
      .tensor_count = core->spec.tensor_count,
      .matrix_count = core->lines.counts.matrices,
      .chunk_count = core->chunk_count,
      .hyper_count = image->hyper_count,
      .state_count = image->state_count,
      .input_count = image->input_count,
      .input_columns = core->input_columns,
      .stream_count = image->stream_count,
      .tensor_state_count = core->tensor_state_count,
      .matrix_state_count = core->lines.matrix_state_count,
      .is_float = image->compute_dtype == TALWEG_F32,
  };
  gpu->places.step = put(program, &step, sizeof step);
}

void talweg_gpu_write_tables(talweg_gpu* gpu, talweg_gpu_program* program) {
  const talweg_optimizer* core = gpu->core;
  const talweg_lines* lines = &core->lines;
  talweg_gpu_places* places = &gpu->places;
  const talweg_gpu_progress progress = {0};
  places->progress = put(program, &progress, sizeof progress);
  program->stop = places->progress + offsetof(talweg_gpu_progress, stop);
  places->matrices = put_lines(program, lines->matrix_chunks, lines->counts.matrix_chunks,
                               lines->counts.matrices, 1);
  places->rows =
      put_lines(program, lines->row_chunks, lines->counts.row_chunks, lines->counts.rows, 0);
  places->cols =
      put_lines(program, lines->col_chunks, lines->counts.col_chunks, lines->counts.cols, 0);
  places->unit_count = talweg_fill_gpu_units(core->chunks, 0, core->chunk_count, NULL);
  talweg_gpu_unit* units =
      talweg_gpu_carve(program, places->unit_count * sizeof *units, &places->units);
  if (units) talweg_fill_gpu_units(core->chunks, 0, core->chunk_count, units);
  write_rows(gpu, program);
  write_step(gpu, program);
  const uint64_t line_inputs = put_line_inputs(core, program);
  for (uint32_t phase = 0; phase < core->image->step.phase_count; ++phase)
    put_pass_args(gpu, program, phase, line_inputs);
}
