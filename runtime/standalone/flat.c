/* The step of one array without an optimizer, for rules that need no more than that: all states are
 * arrays of elements, nothing is reduced, and there is one phase. The caller keeps `t`. */
#include "runtime/memory/chunk_table.h"
#include "runtime/optimizer/float_mode.h"
#include "runtime/optimizer/internal.h"
#include "runtime/standalone/internal.h"

/* What is given to one call of a pass: a mebibyte or four of each array. */
#define BATCH_CHUNKS 64u

typedef struct flat_step {
  const talweg_image* image;
  double hypers[TALWEG_LIB_FLAT_LIMIT], bound[TALWEG_LIB_FLAT_LIMIT], states[TALWEG_LIB_FLAT_LIMIT];
  double new_states[TALWEG_LIB_FLAT_LIMIT];
  uint8_t unbound[TALWEG_LIB_FLAT_LIMIT], kept[TALWEG_LIB_FLAT_LIMIT];
  talweg_slot model_slots[TALWEG_LIB_FLAT_LIMIT], group_slots[TALWEG_LIB_FLAT_LIMIT];
  talweg_slot tensor_slots[TALWEG_LIB_FLAT_LIMIT];
  uint32_t outcome, regrad, group, route;
  talweg_scalar_args model, of_group;
  talweg_chunk chunks[BATCH_CHUNKS];
} flat_step;

static talweg_lib_status fail_stream(const talweg_image* image, uint32_t stream,
                                     talweg_lib_status status, const char* what,
                                     talweg_lib_error* error) {
  const char* name = stream == TALWEG_STREAM_PARAM ? "param" : "grad";
  for (uint32_t s = 0; s < image->state_count; ++s)
    if (image->states[s].stream == stream) name = image->states[s].name;
  fail(error, status, "array ");
  talweg_put_name(core_error(error), name);
  talweg_put(core_error(error), what);
  return status;
}

static talweg_lib_status check_streams(const talweg_image* image, void* const* streams, uint64_t n,
                                       talweg_lib_error* error) {
  const uint64_t size = image->compute_dtype == TALWEG_F32 ? 4 : 8;
  if (n > PTRDIFF_MAX / size)
    return fail(error, TALWEG_LIB_TOO_LARGE, "there cannot be so many elements");
  for (uint32_t i = 0; i < image->stream_count; ++i) {
    const uintptr_t begin = (uintptr_t)streams[i];
    if (begin == 0) {
      if (i == TALWEG_STREAM_GRAD && !image->uses_gradient) continue;
      return fail_stream(image, i, TALWEG_LIB_BAD_ARGUMENT, " is null", error);
    }
    if (begin % size != 0)
      return fail_stream(image, i, TALWEG_LIB_BAD_ARGUMENT,
                         " is not aligned to the size of an element", error);
    if (n * size > UINTPTR_MAX - begin)
      return fail_stream(image, i, TALWEG_LIB_TOO_LARGE, " goes past the end of memory", error);
    for (uint32_t k = 0; k < i; ++k) {
      const uintptr_t other = (uintptr_t)streams[k];
      if (other == 0) continue; /* a gradient that the rule does not read */
      if (other < begin + n * size && begin < other + n * size)
        return fail_stream(image, i, TALWEG_LIB_OVERLAP, " shares memory with another one", error);
    }
  }
  return TALWEG_LIB_OK;
}

static talweg_lib_status set_hypers(flat_step* step, const talweg_lib_rule* rule,
                                    const double* given, talweg_lib_error* error) {
  const talweg_image* image = step->image;
  for (uint32_t h = 0; h < image->hyper_count; ++h)
    step->hypers[h] = image->hypers[h].follows ? __builtin_nan("") : image->hypers[h].default_value;
  for (uint32_t i = 0; given && i < rule->field_count; ++i) {
    const uint32_t h = rule->fields[i];
    step->hypers[h] = given[i];
    if (image->hypers[h].follows && given[i] != given[i]) continue;
    const talweg_status status = talweg_check_hyper_value(image, h, given[i], core_error(error));
    if (status != TALWEG_OK) return from_core(status);
  }
  return TALWEG_LIB_OK;
}

static void show_scalars(flat_step* step, talweg_scalar_args* args, uint64_t t) {
  *args = (talweg_scalar_args){
      .step_number = (double)t,
      .call_number = (double)t,
      .hypers = step->hypers,
      .states = step->states,
      .new_states = step->new_states,
      .bound = step->bound,
      .model_slots = step->model_slots,
      .group_slots = step->group_slots,
      .outcome = &step->outcome,
      .kept = step->kept,
      .unbound = step->unbound,
      .regrad = &step->regrad,
  };
}

static talweg_lib_status run_scalars(flat_step* step, uint64_t t, talweg_lib_error* error) {
  const talweg_phase* phase = &step->image->step.phases[0];
  show_scalars(step, &step->model, t);
  show_scalars(step, &step->of_group, t);
  if (phase->model_scalars) phase->model_scalars(step->image->step.self, &step->model);
  if (phase->group_scalars) phase->group_scalars(step->image->step.self, &step->of_group);
  for (uint32_t h = 0; h < step->image->hyper_count; ++h) {
    if (!step->image->hypers[h].bound || step->unbound[h]) continue;
    const talweg_status status =
        talweg_check_hyper_value(step->image, h, step->bound[h], core_error(error));
    if (status != TALWEG_OK) return from_core(status);
  }
  return TALWEG_LIB_OK;
}

/* Chunks of elements [begin, n), as many as there is room for. */
static uint32_t next_chunks(flat_step* step, uint64_t begin, uint64_t n) {
  uint32_t count = 0;
  for (; count < BATCH_CHUNKS && begin < n; ++count, begin += TALWEG_CHUNK_ELEMENTS) {
    const uint64_t left = n - begin;
    step->chunks[count] = (talweg_chunk){
        .first_element = begin,
        .element_count = (uint32_t)(left < TALWEG_CHUNK_ELEMENTS ? left : TALWEG_CHUNK_ELEMENTS)};
  }
  return count;
}

static void run_pass(flat_step* step, void* const* streams, uint64_t n) {
  const talweg_kernels* kernels = &step->image->step;
  const talweg_phase* phase = &kernels->phases[0];
  const talweg_pass_args args = {
      .chunks = step->chunks,
      .pointers = streams,
      .tensor_groups = &step->group,
      .model_slots = step->model_slots,
      .group_slots = step->group_slots,
      .group_args = &step->of_group,
      .tensor_routes = &step->route,
      .tensor_slots = step->tensor_slots,
      .tensor_states = step->states,
      .new_tensor_states = step->new_states,
      .chunk_count = BATCH_CHUNKS,
      .tensor_count = 1,
      .round_elements = n,
  };
  if (phase->tensor_scalars) phase->tensor_scalars(kernels->self, &args, 0, 1);
  for (uint64_t begin = 0; phase->pass && begin < n;
       begin += (uint64_t)BATCH_CHUNKS * TALWEG_CHUNK_ELEMENTS)
    phase->pass(kernels->self, &args, 0, next_chunks(step, begin, n));
}

talweg_lib_status talweg_lib_step_flat(const talweg_lib_rule* rule, void* const* streams,
                                       uint64_t n, uint64_t t, const double* hypers,
                                       talweg_lib_error* error) {
  const talweg_lib_variant* variant;
  talweg_lib_status status = talweg_lib_choose(rule, &variant, error);
  if (status != TALWEG_LIB_OK) return status;
  if (t == 0 || t > (uint64_t)1 << 53)
    return fail(error, TALWEG_LIB_BAD_ARGUMENT, "t is the number of the step, from 1 to 2^53");
  flat_step step;
  __builtin_memset(&step, 0, offsetof(flat_step, chunks));
  step.image = variant->image;
  if (n > 0) status = check_streams(step.image, streams, n, error);
  if (status == TALWEG_LIB_OK) status = set_hypers(&step, rule, hypers, error);
  if (status != TALWEG_LIB_OK) return status;
  const talweg_float_mode mode = talweg_enter_float_mode();
  status = run_scalars(&step, t, error);
  if (status == TALWEG_LIB_OK) run_pass(&step, streams, n);
  talweg_leave_float_mode(mode);
  return status;
}
