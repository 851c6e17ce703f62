/* Creation: checks a spec, lays everything out in one block of memory, copies what the caller may
 * drop.
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

static uint32_t count_element_states(const talweg_image* image) {
  uint32_t count = 0;
  for (uint32_t s = 0; s < image->state_count; ++s)
    count += image->states[s].rate == TALWEG_RATE_ELEMENT;
  return count;
}

/* Slots serve the step, and views in between. */
static uint64_t most_model_slots(const talweg_image* image) {
  uint64_t most = image->model_slot_count;
  for (uint32_t v = 0; v < image->view_count; ++v)
    if (image->views[v].kernels.model_slot_count > most)
      most = image->views[v].kernels.model_slot_count;
  return most;
}

static uint64_t most_group_slots(const talweg_image* image) {
  uint64_t most = image->group_slot_count;
  for (uint32_t v = 0; v < image->view_count; ++v)
    if (image->views[v].kernels.group_slot_count > most)
      most = image->views[v].kernels.group_slot_count;
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
  optimizer->inputs = carve(memory, image->input_count, sizeof(double));
  optimizer->given = carve(memory, image->input_count, 1);
  optimizer->model_slots = carve(memory, most_model_slots(image), sizeof(talweg_slot));
  optimizer->group_slots = carve(memory, groups * most_group_slots(image), sizeof(talweg_slot));
  optimizer->initial_slots =
      carve(memory, talweg_initial_slot_count(image, image->state_count, (uint32_t)groups),
            sizeof(talweg_slot));
  optimizer->args = carve(memory, rows, sizeof(talweg_scalar_args));
  optimizer->group_has_tensor = carve(memory, groups, 1);
}

static void carve_tensors(talweg_optimizer* optimizer, arena* memory) {
  const uint64_t tensors = optimizer->spec.tensor_count;
  optimizer->tensors = carve(memory, tensors, sizeof(talweg_tensor));
  optimizer->element_counts = carve(memory, tensors, sizeof(uint64_t));
  optimizer->state_offsets =
      carve(memory, tensors * count_element_states(optimizer->image), sizeof(uint64_t));
  optimizer->tensor_routes = carve(memory, tensors, sizeof(uint32_t));
  optimizer->tensor_facts = carve(memory, tensors * optimizer->image->fact_count, sizeof(double));
  optimizer->input_present = carve(memory, tensors * optimizer->image->input_count, 1);
  optimizer->tensor_groups = carve(memory, tensors, sizeof(uint32_t));
  optimizer->begun = carve(memory, (tensors + 1) * optimizer->image->state_count, sizeof(double));
  optimizer->takes_part = carve(memory, tensors, 1);
  optimizer->view_routes = carve(memory, tensors, sizeof(uint32_t));
  optimizer->param_offsets = carve(memory, tensors, sizeof(uint64_t));
  optimizer->order = carve(memory, tensors, sizeof(uint32_t));
  optimizer->pointers = carve(memory, tensors * optimizer->image->stream_count, sizeof(void*));
  optimizer->chunks = carve(memory, optimizer->chunk_count, sizeof(talweg_chunk));
  optimizer->part_begins =
      carve(memory, (uint64_t)optimizer->spec.thread_count + 1, sizeof(uint32_t));
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

static talweg_status check_spec(const talweg_optimizer_spec* spec, talweg_error* error) {
  const talweg_status status = talweg_check_image(spec->image, error);
  if (status != TALWEG_OK) return status;
  if (spec->group_count == 0 || spec->group_count == UINT32_MAX)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "an optimizer has from 1 to 4294967294 groups");
  if (spec->thread_count == 0 || spec->thread_count > TALWEG_MAX_THREADS)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "an optimizer has from 1 to 1024 threads");
  if (spec->tensor_count > 0 && !spec->tensors)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the tensors are null");
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    const talweg_status checked = talweg_check_tensor(spec, t, error);
    if (checked != TALWEG_OK) return checked;
  }
  return TALWEG_OK;
}

static int is_kept(const talweg_image* image, const talweg_tensor* tensor, uint32_t state) {
  if (!image->place) return 1;
  talweg_placed placed;
  talweg_place(image, tensor, &placed);
  return placed.state_present[state];
}

/* Lays out the element states that tensors keep, and notes where unless `offsets` is null. 0 if
 * they could not be addressed, else 1. */
static int place_states(const talweg_optimizer_spec* spec, talweg_state_layout* layout,
                        uint64_t* offsets) {
  const talweg_image* image = spec->image;
  memset(layout, 0, sizeof *layout);
  layout->element_bytes = talweg_dtype_bytes(image->compute_dtype);
  for (uint32_t s = 0; s < image->state_count; ++s) {
    if (image->states[s].rate != TALWEG_RATE_ELEMENT) continue;
    talweg_begin_region(layout);
    for (uint32_t t = 0; t < spec->tensor_count; ++t) {
      uint64_t offset = NOT_KEPT;
      if (is_kept(image, &spec->tensors[t], s) &&
          !talweg_place_tensor(layout, talweg_element_count(&spec->tensors[t]), &offset))
        return 0;
      if (offsets) *offsets++ = offset;
    }
  }
  return 1;
}

/* Everything but contents: sizes of the tables, then their addresses. The spec was checked. */
static talweg_status lay_out(const talweg_optimizer_spec* spec, talweg_optimizer* optimizer,
                             arena* memory, talweg_error* error) {
  memset(optimizer, 0, sizeof *optimizer);
  optimizer->spec = *spec;
  optimizer->image = spec->image;
  optimizer->row_count = spec->group_count + 1;
  optimizer->element_bytes = talweg_dtype_bytes(spec->image->compute_dtype);
  for (uint32_t t = 0; t < spec->tensor_count; ++t)
    if (!talweg_count_chunks(talweg_element_count(&spec->tensors[t]), &optimizer->chunk_count))
      return talweg_fail(error, TALWEG_TOO_LARGE,
                         "the tensors have more elements than memory can hold");
  if (!place_states(spec, &optimizer->layout, 0))
    return talweg_fail(error, TALWEG_TOO_LARGE, "the states are larger than memory can hold");
  carve(memory, 1, sizeof *optimizer);
  carve_rows(optimizer, memory);
  carve_tensors(optimizer, memory);
  for (uint32_t t = 0; t < spec->tensor_count; ++t) {
    talweg_tensor scratch = spec->tensors[t];
    copy_tensor(&scratch, spec->image->stream_count, memory);
    if (memory->base) optimizer->tensors[t] = scratch;
  }
  if (memory->is_full)
    return talweg_fail(error, TALWEG_TOO_LARGE, "the tables are larger than memory can hold");
  optimizer->spec.tensors = optimizer->tensors;
  return TALWEG_OK;
}

static void place_tensor(talweg_optimizer* optimizer, uint32_t t) {
  const talweg_image* image = optimizer->image;
  talweg_placed placed;
  talweg_place(image, &optimizer->tensors[t], &placed);
  optimizer->tensor_routes[t] = placed.route;
  for (size_t i = 0; i < image->fact_count; ++i)
    optimizer->tensor_facts[t * image->fact_count + i] = placed.facts[i];
  for (size_t i = 0; i < image->input_count; ++i)
    optimizer->input_present[t * image->input_count + i] =
        image->place ? placed.input_present[i] : 1;
}

/* Tensor tables: counts, places in memory, chunks. */
static void fill_tensors(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  talweg_state_layout layout;
  place_states(&optimizer->spec, &layout, optimizer->state_offsets);
  talweg_chunk* next_chunk = optimizer->chunks;
  uint64_t param_end = 0;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
    const talweg_tensor* tensor = &optimizer->tensors[t];
    optimizer->element_counts[t] = talweg_element_count(tensor);
    optimizer->param_offsets[t] = param_end;
    param_end += (optimizer->element_counts[t] * optimizer->element_bytes + 63) / 64 * 64;
    optimizer->tensor_groups[t] = tensor->group;
    optimizer->group_has_tensor[tensor->group] = 1;
    optimizer->takes_part[t] = 0;
    place_tensor(optimizer, t);
    next_chunk = talweg_fill_chunks(optimizer->element_counts[t], t, next_chunk);
    void** streams = optimizer->pointers + (size_t)t * image->stream_count;
    memset(streams, 0, image->stream_count * sizeof(void*));
    streams[TALWEG_STREAM_PARAM] = tensor->param;
    for (uint32_t s = 0; s < image->state_count; ++s)
      if (!talweg_is_scalar_rate(image->states[s].rate))
        streams[image->states[s].stream] = talweg_element_state(optimizer, s, t);
  }
}

/* What the image's functions are shown of each row. */
static void fill_rows(talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (size_t row = 0; row < optimizer->row_count; ++row) {
    const size_t group = row == MODEL_ROW ? 0 : row - 1;
    optimizer->args[row] = (talweg_scalar_args){
        .hypers = optimizer->hypers + group * image->hyper_count,
        .states = optimizer->states_before + row * image->state_count,
        .inputs = optimizer->inputs,
        .given = optimizer->given,
        .new_states = optimizer->states_after + row * image->state_count,
        .bound = optimizer->bound + row * image->hyper_count,
        .model_slots = optimizer->model_slots,
        .needed = optimizer->needed + row * image->input_count,
        .kept = optimizer->kept,
        .unbound = optimizer->unbound + row * image->hyper_count,
    };
    for (uint32_t h = 0; h < image->hyper_count; ++h)
      optimizer->hypers[group * image->hyper_count + h] =
          image->hypers[h].follows ? __builtin_nan("") : image->hypers[h].default_value;
  }
  for (uint32_t i = 0; i < image->input_count; ++i) optimizer->inputs[i] = 0;
}

/* A default (or a pipeline's argument) may leave its range where it is rounded to the compute type.
 */
static talweg_status check_defaults(const talweg_image* image, talweg_error* error) {
  for (uint32_t h = 0; h < image->hyper_count; ++h) {
    if (image->hypers[h].bound) continue;
    const talweg_status status =
        talweg_check_hyper_value(image, h, image->hypers[h].default_value, error);
    if (status == TALWEG_OK) continue;
    talweg_put(error, " (its value in the rule)");
    return status;
  }
  return TALWEG_OK;
}

talweg_status talweg_measure(const talweg_optimizer_spec* spec, talweg_optimizer_sizes* sizes,
                             talweg_error* error) {
  talweg_optimizer optimizer;
  arena memory = {0};
  talweg_status status = check_spec(spec, error);
  if (status == TALWEG_OK) status = lay_out(spec, &optimizer, &memory, error);
  if (status != TALWEG_OK) return status;
  sizes->control_bytes = (size_t)memory.used;
  sizes->state_bytes = (size_t)optimizer.layout.block_bytes;
  return TALWEG_OK;
}

talweg_status talweg_create(const talweg_optimizer_spec* spec, void* control_memory,
                            void* state_memory, talweg_optimizer** result, talweg_error* error) {
  talweg_optimizer optimizer;
  arena memory = {.base = control_memory};
  talweg_status status = check_spec(spec, error);
  if (status == TALWEG_OK) status = check_defaults(spec->image, error);
  if (status != TALWEG_OK) return status;
  if (!control_memory || (uintptr_t)control_memory % TALWEG_CONTROL_ALIGNMENT != 0)
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the control memory is null or not aligned");
  status = lay_out(spec, &optimizer, &memory, error);
  if (status != TALWEG_OK) return status;
  if (optimizer.layout.block_bytes > 0 &&
      (!state_memory || (uintptr_t)state_memory % TALWEG_STATE_ALIGNMENT != 0))
    return talweg_fail(error, TALWEG_BAD_ARGUMENT, "the state memory is null or not aligned");
  status = talweg_check_apart(&optimizer.spec, optimizer.order, error);
  if (status != TALWEG_OK) return status;
  optimizer.state_memory = state_memory;
  optimizer.swapped_view = TALWEG_NO_VIEW;
  memset(optimizer.group_has_tensor, 0, spec->group_count);
  fill_tensors(&optimizer);
  fill_rows(&optimizer);
  talweg_reset_states(&optimizer);
  *result = control_memory;
  **result = optimizer;
  return TALWEG_OK;
}

talweg_status talweg_reset(talweg_optimizer* optimizer, talweg_error* error) {
  const talweg_status status = talweg_refuse_swapped(optimizer, "a reset", error);
  if (status == TALWEG_OK) talweg_reset_states(optimizer);
  return status;
}

talweg_counters* talweg_get_counters(talweg_optimizer* optimizer) { return &optimizer->counters; }

double* talweg_scalar_state(talweg_optimizer* optimizer, uint32_t state, uint32_t group) {
  const talweg_image* image = optimizer->image;
  const size_t row = image->states[state].rate == TALWEG_RATE_MODEL ? MODEL_ROW : (size_t)group + 1;
  return &optimizer->scalar_states[row * image->state_count + state];
}

void* talweg_element_state(talweg_optimizer* optimizer, uint32_t state, uint32_t tensor) {
  if (optimizer->element_counts[tensor] == 0) return 0;
  size_t region = 0;
  for (uint32_t s = 0; s < state; ++s)
    region += optimizer->image->states[s].rate == TALWEG_RATE_ELEMENT;
  const uint64_t offset = optimizer->state_offsets[region * optimizer->spec.tensor_count + tensor];
  return offset == NOT_KEPT ? 0 : optimizer->state_memory + offset;
}
