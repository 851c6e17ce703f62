/* Lays everything out in one block of memory, and copies there what the caller may drop.
 *
 * The layout is written once: the same walk measures (with no memory) and carves (with it). */
#include <string.h>

#include "runtime/memory/chunk_table.h"
#include "runtime/memory/dtype.h"
#include "runtime/optimizer/internal.h"

typedef struct arena {
  unsigned char* base; /* null: only measures */
  uint64_t used;
  int is_full; /* asked for more than can be addressed */
} arena;

/* Room for `count` objects of `bytes` bytes (a power of two up to 8, or a multiple of 8). Starts on
 * a cache line if it fills one, so that tables which threads read do not share lines with what a
 * step writes. */
static void* carve(arena* memory, uint64_t count, uint64_t bytes) {
  const uint64_t limit = (uint64_t)PTRDIFF_MAX - 2 * TALWEG_CONTROL_ALIGNMENT;
  if (memory->is_full || memory->used > limit || count > (limit - memory->used) / bytes) {
    memory->is_full = 1;
    return 0;
  }
  const uint64_t alignment =
      count * bytes < TALWEG_CONTROL_ALIGNMENT ? 8 : TALWEG_CONTROL_ALIGNMENT;
  const uint64_t start = (memory->used + alignment - 1) / alignment * alignment;
  memory->used = start + count * bytes;
  return memory->base ? memory->base + start : 0;
}

static void* copy_bytes(arena* memory, const void* source, uint64_t count, uint64_t bytes) {
  void* copy = carve(memory, count, bytes);
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

static int has_reduction(const talweg_kernels* step, uint32_t rate) {
  for (uint32_t r = 0; r < step->reduction_count; ++r)
    if (step->reductions[r].rate == rate) return 1;
  return 0;
}

typedef struct slot_counts {
  uint64_t model, group, tensor;
} slot_counts;

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Slots serve the step, and views in between. */
static slot_counts most_slots(const talweg_image* image) {
  slot_counts most = {image->step.model_slot_count, image->step.group_slot_count,
                      image->step.tensor_slot_count};
  for (uint32_t v = 0; v < image->view_count; ++v) {
    const talweg_kernels* kernels = &image->views[v].kernels;
    most.model = larger(most.model, kernels->model_slot_count);
    most.group = larger(most.group, kernels->group_slot_count);
    most.tensor = larger(most.tensor, kernels->tensor_slot_count);
  }
  return most;
}

/* Rows are [row][columns]; no column still needs an address. */
static void carve_rows(talweg_optimizer* optimizer, arena* memory) {
  const talweg_image* image = optimizer->image;
  const uint64_t rows = optimizer->row_count;
  const uint64_t groups = optimizer->spec.group_count;
  optimizer->hypers = carve(memory, groups * image->hyper_count, sizeof(double));
  optimizer->scalar_states = carve(memory, rows * image->state_count, sizeof(double));
  optimizer->states_before = carve(memory, rows * image->state_count, sizeof(double));
  optimizer->states_after = carve(memory, rows * image->state_count, sizeof(double));
  optimizer->initial_states = carve(memory, rows * image->state_count, sizeof(double));
  optimizer->bound = carve(memory, rows * image->hyper_count, sizeof(double));
  optimizer->last_bound = carve(memory, rows * image->hyper_count, sizeof(double));
  optimizer->needed = carve(memory, rows * image->input_count, 1);
  optimizer->kept = carve(memory, image->state_count, 1);
  optimizer->unbound = carve(memory, rows * image->hyper_count, 1);
  optimizer->inputs =
      carve(memory, (optimizer->input_columns > 0 ? rows : 1) * image->input_count, sizeof(double));
  optimizer->given = carve(memory, image->input_count, 1);
  const slot_counts slots = most_slots(image);
  optimizer->model_slots = carve(memory, slots.model, sizeof(talweg_slot));
  optimizer->group_slots = carve(memory, groups * slots.group, sizeof(talweg_slot));
  optimizer->tensor_slots =
      carve(memory, optimizer->spec.tensor_count * slots.tensor, sizeof(talweg_slot));
  optimizer->initial_slots =
      carve(memory, talweg_initial_slot_count(optimizer, image->state_count), sizeof(talweg_slot));
  optimizer->args = carve(memory, rows, sizeof(talweg_scalar_args));
  optimizer->group_has_tensor = carve(memory, groups, 1);
}

static void carve_tensors(talweg_optimizer* optimizer, arena* memory) {
  const talweg_image* image = optimizer->image;
  const uint64_t tensors = optimizer->spec.tensor_count;
  optimizer->tensors = carve(memory, tensors, sizeof(talweg_tensor));
  optimizer->element_counts = carve(memory, tensors, sizeof(uint64_t));
  optimizer->state_offsets = carve(
      memory, tensors * ((uint64_t)count_states(image, TALWEG_RATE_ELEMENT) + image->scratch_count),
      sizeof(uint64_t));
  optimizer->tensor_routes = carve(memory, tensors, sizeof(uint32_t));
  optimizer->tensor_facts = carve(memory, tensors * image->fact_count, sizeof(double));
  optimizer->input_present = carve(memory, tensors * image->input_count, 1);
  optimizer->in_domain = carve(memory, tensors * image->domain_count, 1);
  optimizer->tensor_groups = carve(memory, tensors, sizeof(uint32_t));
  optimizer->begun = carve(memory, (tensors + 1) * image->state_count, sizeof(double));
  optimizer->takes_part = carve(memory, tensors, 1);
  optimizer->view_routes = carve(memory, tensors, sizeof(uint32_t));
  optimizer->param_offsets = carve(memory, tensors, sizeof(uint64_t));
  optimizer->order = carve(memory, tensors, sizeof(uint32_t));
  optimizer->pointers = carve(memory, tensors * image->stream_count, sizeof(void*));
  optimizer->chunks = carve(memory, optimizer->chunk_count, sizeof(talweg_chunk));
  optimizer->first_chunks = carve(memory, tensors + 1, sizeof(uint32_t));
  optimizer->part_begins =
      carve(memory, (uint64_t)optimizer->spec.thread_count + 1, sizeof(uint32_t));
}

/* Of rules that keep or are given values for each tensor, or reduce; else all are empty. */
static void carve_reductions(talweg_optimizer* optimizer, arena* memory) {
  const talweg_image* image = optimizer->image;
  const talweg_kernels* step = &image->step;
  const uint64_t tensors = optimizer->spec.tensor_count;
  const uint64_t groups = optimizer->spec.group_count;
  const uint64_t state_rows = optimizer->tensor_state_count > 0 ? tensors : 0;
  const uint64_t input_rows = optimizer->tensor_input_count > 0 ? tensors : 0;
  optimizer->state_present = carve(memory, state_rows * image->state_count, 1);
  optimizer->tensor_states = carve(memory, state_rows * image->state_count, sizeof(double));
  optimizer->tensor_before = carve(memory, state_rows * image->state_count, sizeof(double));
  optimizer->tensor_after = carve(memory, state_rows * image->state_count, sizeof(double));
  optimizer->tensor_inputs = carve(memory, input_rows * image->input_count, sizeof(double));
  optimizer->reduced =
      carve(memory, optimizer->row_count * (uint64_t)step->reduction_count, sizeof(double));
  const uint64_t reduced_rows = has_reduction(step, TALWEG_RATE_TENSOR) ? tensors : 0;
  optimizer->tensor_reduced = carve(memory, reduced_rows * step->reduction_count, sizeof(double));
  optimizer->group_partials = carve(memory, groups * step->group_partial_count, sizeof(double));
  optimizer->tensor_partials = carve(memory, tensors * step->tensor_partial_count, sizeof(double));
  optimizer->chunk_partials =
      carve(memory, optimizer->chunk_count * (uint64_t)step->chunk_partial_count, sizeof(double));
  optimizer->group_takes_part = carve(memory, step->reduction_count > 0 ? groups : 0, 1);
  const int to_groups = has_reduction(step, TALWEG_RATE_GROUP);
  optimizer->group_tensors = carve(memory, to_groups ? tensors : 0, sizeof(uint32_t));
  optimizer->group_begins = carve(memory, to_groups ? groups + 1 : 0, sizeof(uint32_t));
}

/* Copies what descriptors point to; `tensor` is a copy already, or scratch when measuring. */
static void copy_tensor(talweg_tensor* tensor, uint32_t stream_count, arena* memory) {
  tensor->name = copy_bytes(memory, tensor->name, strlen(tensor->name) + 1, 1);
  tensor->shape = copy_bytes(memory, tensor->shape, tensor->rank, sizeof(uint64_t));
  if (tensor->strides)
    tensor->strides = copy_bytes(memory, tensor->strides, tensor->rank, sizeof(int64_t));
  if (tensor->storage)
    tensor->storage = copy_bytes(memory, tensor->storage, stream_count, sizeof(talweg_storage));
  const char* const* tags = tensor->tags;
  const char** copies = carve(memory, tensor->tag_count, sizeof(const char*));
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

int talweg_place_states(const talweg_optimizer_spec* spec, talweg_state_layout* layout,
                        uint64_t* persistent_bytes, uint64_t* offsets) {
  const talweg_image* image = spec->image;
  memset(layout, 0, sizeof *layout);
  layout->element_bytes = talweg_dtype_bytes(image->compute_dtype);
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (image->states[s].rate != TALWEG_RATE_ELEMENT) continue;
    if (!place_region(spec, s, layout, offsets)) return 0;
    if (offsets) offsets += spec->tensor_count;
  }
  *persistent_bytes = layout->block_bytes;
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
  arena memory = {.base = block};
  memset(optimizer, 0, sizeof *optimizer);
  optimizer->spec = *spec;
  optimizer->image = image;
  optimizer->row_count = spec->group_count + 1;
  optimizer->element_bytes = talweg_dtype_bytes(image->compute_dtype);
  optimizer->tensor_state_count = count_states(image, TALWEG_RATE_TENSOR);
  optimizer->tensor_input_count = count_inputs(image, TALWEG_RATE_TENSOR);
  optimizer->input_columns = count_inputs(image, TALWEG_RATE_GROUP) > 0 ? image->input_count : 0;
  for (uint32_t t = 0; t < spec->tensor_count; ++t)
    if (!talweg_count_chunks(talweg_element_count(&spec->tensors[t]), &optimizer->chunk_count))
      return talweg_fail(error, TALWEG_TOO_LARGE,
                         "the tensors have more elements than memory can hold");
  if (!talweg_place_states(spec, &optimizer->layout, &optimizer->persistent_bytes, 0))
    return talweg_fail(error, TALWEG_TOO_LARGE, "the states are larger than memory can hold");
  carve(&memory, 1, sizeof *optimizer);
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
  *bytes = memory.used;
  return TALWEG_OK;
}
