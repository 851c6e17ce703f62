/* Lays everything out in one block of memory, and copies there what the caller may drop.
 *
 * The layout is written once: the same walk measures (with no memory) and carves (with it). */
#include <string.h>

#include "runtime/memory/chunk_table.h"
#include "runtime/memory/dtype.h"
#include "runtime/optimizer/internal.h"

static void* copy_bytes(talweg_arena* memory, const void* source, uint64_t count, uint64_t bytes) {
  void* copy = talweg_carve(memory, count, bytes);
  if (copy && count > 0) memcpy(copy, source, (size_t)(count * bytes));
  return copy;
}

static uint32_t count_states(const talweg_image* image, uint32_t rate) {
  uint32_t count = 0;
  for (uint32_t s = 0; s < image->state_count; ++s) count += image->states[s].rate == rate;
  return count;
}

static uint32_t count_inputs(const talweg_image* image, uint32_t rate) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < image->input_count; ++i) count += image->inputs[i].rate == rate;
  return count;
}

/* Rows are [row][columns]; no column still needs an address. */
static void carve_rows(talweg_optimizer* optimizer, talweg_arena* memory) {
  const talweg_image* image = optimizer->image;
  const uint64_t rows = optimizer->row_count;
  const uint64_t groups = optimizer->spec.group_count;
  optimizer->hypers = talweg_carve(memory, groups * image->hyper_count, sizeof(double));
  optimizer->scalar_states = talweg_carve(memory, rows * image->state_count, sizeof(double));
  optimizer->states_before = talweg_carve(memory, rows * image->state_count, sizeof(double));
  optimizer->states_after = talweg_carve(memory, rows * image->state_count, sizeof(double));
  optimizer->initial_states = talweg_carve(memory, rows * image->state_count, sizeof(double));
  optimizer->bound = talweg_carve(memory, rows * image->hyper_count, sizeof(double));
  optimizer->last_bound = talweg_carve(memory, rows * image->hyper_count, sizeof(double));
  optimizer->needed = talweg_carve(memory, rows * image->input_count, 1);
  optimizer->view_needed = talweg_carve(memory, image->input_count, 1);
  optimizer->kept = talweg_carve(memory, image->state_count, 1);
  optimizer->unbound = talweg_carve(memory, rows * image->hyper_count, 1);
  optimizer->inputs = talweg_carve(
      memory, (optimizer->input_columns > 0 ? rows : 1) * image->input_count, sizeof(double));
  optimizer->given = talweg_carve(memory, image->input_count, 1);
  const talweg_widths* widths = &optimizer->widths;
  optimizer->model_slots = talweg_carve(memory, widths->model_slots, sizeof(talweg_slot));
  optimizer->group_slots = talweg_carve(memory, groups * widths->group_slots, sizeof(talweg_slot));
  optimizer->tensor_slots = talweg_carve(
      memory, optimizer->spec.tensor_count * widths->tensor_slots, sizeof(talweg_slot));
  optimizer->args = talweg_carve(memory, rows, sizeof(talweg_scalar_args));
  optimizer->group_has_tensor = talweg_carve(memory, groups, 1);
}

static void carve_tensors(talweg_optimizer* optimizer, talweg_arena* memory) {
  const talweg_image* image = optimizer->image;
  const uint64_t tensors = optimizer->spec.tensor_count;
  optimizer->tensors = talweg_carve(memory, tensors, sizeof(talweg_tensor));
  optimizer->element_counts = talweg_carve(memory, tensors, sizeof(uint64_t));
  optimizer->state_offsets = talweg_carve(
      memory, tensors * ((uint64_t)count_states(image, TALWEG_RATE_ELEMENT) + image->scratch_count),
      sizeof(uint64_t));
  optimizer->tensor_routes = talweg_carve(memory, tensors, sizeof(uint32_t));
  optimizer->tensor_facts = talweg_carve(memory, tensors * image->fact_count, sizeof(double));
  optimizer->input_present = talweg_carve(memory, tensors * image->input_count, 1);
  optimizer->in_domain = talweg_carve(memory, tensors * image->domain_count, 1);
  optimizer->tensor_groups = talweg_carve(memory, tensors, sizeof(uint32_t));
  optimizer->begun = talweg_carve(memory, (tensors + 1) * image->state_count, sizeof(double));
  optimizer->takes_part = talweg_carve(memory, tensors, 1);
  const uint64_t beside = image->view_count > 0 || image->initial_kernels ? tensors : 0;
  optimizer->took_part = talweg_carve(memory, beside, 1);
  optimizer->beside_pointers = talweg_carve(memory, beside * image->stream_count, sizeof(void*));
  optimizer->beside_routes = talweg_carve(memory, beside, sizeof(uint32_t));
  optimizer->beside_domains = talweg_carve(memory, beside * image->domain_count, 1);
  optimizer->param_offsets = talweg_carve(memory, tensors, sizeof(uint64_t));
  optimizer->by_address = talweg_carve(memory, tensors, sizeof(uint32_t));
  optimizer->param_begins = talweg_carve(memory, tensors, sizeof(uintptr_t));
  optimizer->pointers = talweg_carve(memory, tensors * image->stream_count, sizeof(void*));
  optimizer->chunks = talweg_carve(memory, optimizer->chunk_count, sizeof(talweg_chunk));
  optimizer->first_chunks = talweg_carve(memory, tensors + 1, sizeof(uint32_t));
  const uint64_t blocks = talweg_has_spans(image) ? tensors : 0;
  optimizer->blocks = talweg_carve(memory, blocks, sizeof(talweg_block));
  optimizer->large_tensors = talweg_carve(memory, blocks, sizeof(uint32_t));
  optimizer->span_ends = talweg_carve(memory, image->step.phase_count, sizeof(uint32_t));
  optimizer->part_begins = talweg_carve(
      memory,
      TALWEG_SHARED_REACH_COUNT * TALWEG_TABLE_COUNT * ((uint64_t)optimizer->spec.thread_count + 1),
      sizeof(uint32_t));
}

/* Of rules that keep or are given values for each tensor, or reduce; else all are empty. */
static void carve_reductions(talweg_optimizer* optimizer, talweg_arena* memory) {
  const talweg_image* image = optimizer->image;
  const talweg_widths* widths = &optimizer->widths;
  const uint64_t tensors = optimizer->spec.tensor_count;
  const uint64_t groups = optimizer->spec.group_count;
  const uint64_t state_rows = optimizer->tensor_state_count > 0 ? tensors : 0;
  const uint64_t input_rows = optimizer->tensor_input_count > 0 ? tensors : 0;
  optimizer->state_present =
      talweg_carve(memory, optimizer->places_states ? tensors * image->state_count : 0, 1);
  optimizer->tensor_states = talweg_carve(memory, state_rows * image->state_count, sizeof(double));
  optimizer->tensor_before = talweg_carve(memory, state_rows * image->state_count, sizeof(double));
  optimizer->tensor_after = talweg_carve(memory, state_rows * image->state_count, sizeof(double));
  optimizer->tensor_inputs = talweg_carve(memory, input_rows * image->input_count, sizeof(double));
  optimizer->reduced =
      talweg_carve(memory, optimizer->row_count * widths->reductions, sizeof(double));
  optimizer->tensor_reduced =
      talweg_carve(memory, tensors * widths->tensor_reductions, sizeof(double));
  optimizer->group_partials = talweg_carve(memory, groups * widths->group_partials, sizeof(double));
  optimizer->tensor_partials =
      talweg_carve(memory, tensors * widths->tensor_partials, sizeof(double));
  optimizer->chunk_partials =
      talweg_carve(memory, optimizer->chunk_count * widths->chunk_partials, sizeof(double));
  optimizer->group_takes_part = talweg_carve(memory, widths->reductions > 0 ? groups : 0, 1);
  const int to_groups = widths->reduces_to_groups;
  optimizer->group_tensors = talweg_carve(memory, to_groups ? tensors : 0, sizeof(uint32_t));
  optimizer->group_begins = talweg_carve(memory, to_groups ? groups + 1 : 0, sizeof(uint32_t));
  talweg_carve_lines(optimizer, memory);
}

/* Copies what descriptors point to; `tensor` is a copy already, or scratch when measuring. */
static void copy_tensor(talweg_tensor* tensor, uint32_t stream_count, talweg_arena* memory) {
  tensor->name = copy_bytes(memory, tensor->name, strlen(tensor->name) + 1, 1);
  tensor->shape = copy_bytes(memory, tensor->shape, tensor->rank, sizeof(uint64_t));
  if (tensor->strides)
    tensor->strides = copy_bytes(memory, tensor->strides, tensor->rank, sizeof(int64_t));
  if (tensor->storage)
    tensor->storage = copy_bytes(memory, tensor->storage, stream_count, sizeof(talweg_storage));
  const char* const* tags = tensor->tags;
  const char** copies = talweg_carve(memory, tensor->tag_count, sizeof(const char*));
  for (uint32_t i = 0; i < tensor->tag_count; ++i) {
    const char* copy = copy_bytes(memory, tags[i], strlen(tags[i]) + 1, 1);
    if (copies) copies[i] = copy;
  }
  tensor->tags = copies;
}

static int is_kept(const talweg_image* image, const talweg_tensor* tensor, uint32_t state) {
  if (!image->step.place) return 1;
  talweg_placed placed;
  talweg_place(image, tensor, &placed);
  return placed.state_present[state];
}

/* Of an element state, or (`state` is UINT32_MAX) of scratch, which every tensor has. */
static int place_region(const talweg_optimizer_spec* spec, uint32_t state,
                        talweg_state_layout* layout, uint64_t* offsets) {
  talweg_begin_region(layout);
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    const talweg_tensor* tensor = &spec->tensors[t];
    uint64_t offset = NOT_KEPT;
    if ((state == UINT32_MAX || is_kept(spec->image, tensor, state)) &&
        !talweg_place_tensor(layout, talweg_element_count(tensor), &offset))
      return 0;
    if (offsets) offsets[t] = offset;
  }
  return 1;
}

/* Of states of rows or columns: room for those of all tensors, kept or not. */
static int place_lines(const talweg_image* image, const talweg_line_counts* lines,
                       talweg_state_layout* layout, uint64_t* offsets) {
  for (uint32_t s = 0; s < image->state_count; ++s) {
    const uint32_t rate = image->states[s].rate;
    uint64_t offset = NOT_KEPT;
    const uint64_t count = rate == TALWEG_RATE_ROW ? lines->rows : lines->cols;
    if (talweg_is_row_or_col(rate)) {
      talweg_begin_region(layout);
      if (!talweg_place_tensor(layout, count, &offset)) return 0;
      if (count == 0) offset = NOT_KEPT;
    }
    if (offsets) offsets[s] = offset;
  }
  return 1;
}

int talweg_place_states(const talweg_optimizer_spec* spec, const talweg_line_counts* lines,
                        talweg_state_places* places, uint64_t* offsets, uint64_t* line_offsets) {
  const talweg_image* image = spec->image;
  talweg_state_layout* layout = &places->layout;
  memset(layout, 0, sizeof *layout);
  layout->element_bytes = talweg_dtype_bytes(image->compute_dtype);
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (image->states[s].rate != TALWEG_RATE_ELEMENT) continue;
    if (!place_region(spec, s, layout, offsets)) return 0;
    if (offsets) offsets += spec->tensor_count;
  }
  if (!place_lines(image, lines, layout, line_offsets)) return 0;
  places->persistent_bytes = layout->block_bytes;
  for (uint32_t i = 0; i < image->scratch_count; ++i) {
    if (!place_region(spec, UINT32_MAX, layout, offsets)) return 0;
    if (offsets) offsets += spec->tensor_count;
  }
  return 1;
}

/* The spec was checked. */
talweg_status talweg_lay_out(const talweg_optimizer_spec* spec, talweg_optimizer* optimizer,
                             void* block, uint64_t* bytes, talweg_error* error) {
  const talweg_image* image = spec->image;
  talweg_arena memory = {.base = block};
  memset(optimizer, 0, sizeof *optimizer);
  optimizer->spec = *spec;
  optimizer->image = image;
  optimizer->row_count = spec->group_count + 1;
  optimizer->element_bytes = talweg_dtype_bytes(image->compute_dtype);
  optimizer->widths = talweg_find_widths(image);
  optimizer->tensor_state_count = count_states(image, TALWEG_RATE_TENSOR);
  optimizer->tensor_input_count = count_inputs(image, TALWEG_RATE_TENSOR);
  optimizer->lines.matrix_state_count = count_states(image, TALWEG_RATE_MATRIX);
  optimizer->lines.matrix_input_count = count_inputs(image, TALWEG_RATE_MATRIX);
  optimizer->lines.input_count = optimizer->lines.matrix_input_count +
                                 count_inputs(image, TALWEG_RATE_ROW) +
                                 count_inputs(image, TALWEG_RATE_COL);
  for (uint32_t s = 0; s < image->state_count; ++s)
    optimizer->places_states |=
        image->states[s].rate == TALWEG_RATE_TENSOR || talweg_is_line_rate(image->states[s].rate);
  optimizer->input_columns = count_inputs(image, TALWEG_RATE_GROUP) > 0 ? image->input_count : 0;
  for (uint32_t t = 0; t < spec->tensor_count; ++t)
    if (!talweg_count_chunks(talweg_element_count(&spec->tensors[t]), &optimizer->chunk_count))
      return talweg_fail(error, TALWEG_TOO_LARGE,
                         "the tensors have more elements than memory can hold");
  if (!talweg_count_lines(spec, &optimizer->lines.counts))
    return talweg_fail(error, TALWEG_TOO_LARGE,
                       "the tensors have more rows or columns than can be numbered");
  if (!talweg_place_states(spec, &optimizer->lines.counts, &optimizer->places, 0, 0))
    return talweg_fail(error, TALWEG_TOO_LARGE, "the states are larger than memory can hold");
  talweg_carve(&memory, 1, sizeof *optimizer);
  carve_rows(optimizer, &memory);
  carve_tensors(optimizer, &memory);
  carve_reductions(optimizer, &memory);
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    talweg_tensor scratch = spec->tensors[t];
    copy_tensor(&scratch, image->stream_count, &memory);
    if (memory.base) optimizer->tensors[t] = scratch;
  }
  if (memory.is_full)
    return talweg_fail(error, TALWEG_TOO_LARGE, "the tables are larger than memory can hold");
  optimizer->spec.tensors = optimizer->tensors;
  optimizer->control_bytes = memory.used;
  *bytes = memory.used;
  return TALWEG_OK;
}
