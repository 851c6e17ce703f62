/* Creation and end of an optimizer. Its control memory holds our struct, what a step hands on, and
 * then the core's. */
#include <string.h>

#include "runtime/memory/state_layout.h"
#ifndef TALWEG_HOST_ONLY
#include "runtime/gpu/optimizer.h"
#endif
#include "runtime/standalone/internal.h"
#include "runtime/standalone/libc.h"

/* A tensor of the interface is one of the core. */
#define SAME(field)                                                                            \
  _Static_assert(offsetof(talweg_lib_tensor, field) == offsetof(talweg_tensor, field) &&       \
                     sizeof((talweg_lib_tensor){0}.field) == sizeof((talweg_tensor){0}.field), \
                 #field)
SAME(name);
SAME(shape);
SAME(strides);
SAME(tags);
SAME(storage);
SAME(param);
SAME(rank);
SAME(tag_count);
SAME(group);
SAME(device);
SAME(split);
SAME(split_at);
SAME(split_to);
_Static_assert(sizeof(talweg_lib_tensor) == sizeof(talweg_tensor), "talweg_lib_tensor");
_Static_assert(sizeof(talweg_lib_error) == sizeof(talweg_error), "talweg_lib_error");
_Static_assert((int)TALWEG_LIB_SPLIT_BY_RULE == TALWEG_SPLIT_NONE &&
                   (int)TALWEG_LIB_SPLIT_FIRST_REST == TALWEG_SPLIT_FIRST_REST &&
                   (int)TALWEG_LIB_SPLIT_LAST_TWO == TALWEG_SPLIT_LAST_TWO &&
                   (int)TALWEG_LIB_SPLIT_TWO_LARGEST == TALWEG_SPLIT_TWO_LARGEST &&
                   (int)TALWEG_LIB_SPLIT_AT == TALWEG_SPLIT_AT &&
                   (int)TALWEG_LIB_SPLIT_PAIR == TALWEG_SPLIT_PAIR,
               "talweg_lib_split");

/* Widest first. */
size_t talweg_lib_front_bytes(const talweg_image* image) {
  const size_t each = 4 * sizeof(void*) + sizeof(double) + sizeof(uint8_t);
  const size_t bytes = sizeof(talweg_lib_optimizer) + sizeof(double) + image->input_count * each;
  return (bytes + TALWEG_CONTROL_ALIGNMENT - 1) / TALWEG_CONTROL_ALIGNMENT *
         TALWEG_CONTROL_ALIGNMENT;
}

talweg_lib_status talweg_lib_read_spec(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                       const talweg_lib_variant** variant,
                                       talweg_optimizer_spec* core, talweg_lib_error* error) {
  if (!spec) return fail_null(error, "the spec");
  if (spec->interface_version == 0)
    return fail(error, TALWEG_LIB_BAD_ARGUMENT, "the spec says no interface_version");
  if (spec->interface_version > TALWEG_LIB_INTERFACE) {
    fail(error, TALWEG_LIB_NEWER_INTERFACE, "the spec is of interface version ");
    talweg_put_count(core_error(error), spec->interface_version);
    talweg_put(core_error(error), "; this library has version ");
    talweg_put_count(core_error(error), TALWEG_LIB_INTERFACE);
    return TALWEG_LIB_NEWER_INTERFACE;
  }
  const talweg_lib_status status = talweg_lib_choose(rule, variant, error);
  if (status != TALWEG_LIB_OK) return status;
  *core = (talweg_optimizer_spec){
      .image = (*variant)->image,
      .tensors = (const talweg_tensor*)spec->tensors,
      .tensor_count = spec->tensor_count,
      .group_count = spec->group_count ? spec->group_count : 1,
      .parallel_for = spec->parallel_for,
      .parallel_context = spec->parallel_context,
      .thread_count = spec->thread_count ? spec->thread_count : 1,
  };
  return TALWEG_LIB_OK;
}

char talweg_lib_identity;

talweg_lib_status talweg_lib_refuse_foreign(const talweg_lib_optimizer* optimizer,
                                            talweg_lib_error* error) {
  if (!optimizer) return fail_null(error, "the optimizer");
  return fail(error, TALWEG_LIB_BAD_ARGUMENT,
              "the optimizer is of another library, whose own functions are for it");
}

/* To a multiple, as aligned_alloc wants it. */
static uint64_t round_up(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

talweg_lib_status talweg_lib_measure(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                     talweg_lib_sizes* sizes, talweg_lib_error* error) {
  const talweg_lib_variant* variant;
  talweg_optimizer_spec core;
  talweg_optimizer_sizes measured;
  if (!sizes) return fail_null(error, "the place for the sizes");
  talweg_lib_status status = talweg_lib_read_spec(rule, spec, &variant, &core, error);
  if (status == TALWEG_LIB_OK)
    status = from_core(talweg_measure(&core, &measured, core_error(error)));
  if (status != TALWEG_LIB_OK) return status;
  *sizes = (talweg_lib_sizes){
      .control_bytes =
          round_up(talweg_lib_front_bytes(core.image) + (uint64_t)measured.control_bytes,
                   TALWEG_CONTROL_ALIGNMENT),
      .control_alignment = TALWEG_CONTROL_ALIGNMENT,
      .state_bytes = round_up(measured.state_bytes, TALWEG_STATE_ALIGNMENT),
      .state_alignment = TALWEG_STATE_ALIGNMENT,
  };
  return TALWEG_LIB_OK;
}

void talweg_lib_carve_inputs(talweg_lib_optimizer* optimizer) {
  const size_t count = optimizer->image->input_count;
  unsigned char* next = (unsigned char*)(optimizer + 1);
  next += (sizeof(double) - (uintptr_t)next % sizeof(double)) % sizeof(double);
  optimizer->model_inputs = (double*)next;
  optimizer->element_inputs = (const void* const**)(optimizer->model_inputs + count);
  optimizer->line_inputs = optimizer->element_inputs + count;
  optimizer->group_inputs = (const double**)(optimizer->line_inputs + count);
  optimizer->tensor_inputs = optimizer->group_inputs + count;
  optimizer->given = (uint8_t*)(optimizer->tensor_inputs + count);
  memset(optimizer->element_inputs, 0, 4 * count * sizeof(void*));
  memset(optimizer->given, 0, count);
}

/* In memory that was checked. */
static talweg_lib_status create_at(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                   void* control_memory, void* state_memory,
                                   talweg_lib_optimizer** result, talweg_lib_error* error) {
  const talweg_lib_variant* variant;
  talweg_optimizer_spec core;
  talweg_lib_status status = talweg_lib_read_spec(rule, spec, &variant, &core, error);
  if (status != TALWEG_LIB_OK) return status;
  talweg_lib_optimizer made = {
      .library = &talweg_lib_identity, .rule = rule, .variant = variant, .image = variant->image};
  unsigned char* core_memory = (unsigned char*)control_memory + talweg_lib_front_bytes(made.image);
  status =
      from_core(talweg_create(&core, core_memory, state_memory, &made.core, core_error(error)));
  if (status != TALWEG_LIB_OK) return status;
  *result = control_memory;
  **result = made;
  talweg_lib_carve_inputs(*result);
  return TALWEG_LIB_OK;
}

talweg_lib_status talweg_lib_create_in(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                       void* control_memory, void* state_memory,
                                       talweg_lib_optimizer** result, talweg_lib_error* error) {
  talweg_lib_sizes sizes;
  if (!result) return fail_null(error, "the place for the optimizer");
  talweg_lib_status status = talweg_lib_measure(rule, spec, &sizes, error);
  if (status == TALWEG_LIB_OK)
    status = talweg_lib_check_given(rule, spec, &sizes, control_memory, state_memory, error);
  if (status != TALWEG_LIB_OK) return status;
  return create_at(rule, spec, control_memory, state_memory, result, error);
}

enum { HUGE_PAGE = 2 << 20, HUGE_BLOCK = 4 * HUGE_PAGE };

/* malloc aligned to a power of two; `allocation` is what is to be freed. Large blocks are asked to
 * lie in huge pages: translating addresses cost AdamW on 64M parameters 2 % of its time. */
static void* allocate(uint64_t bytes, uint64_t alignment, void** allocation) {
  *allocation = 0;
  if (bytes > SIZE_MAX / 2) return 0;
#if defined(__linux__)
  if (bytes >= HUGE_BLOCK && alignment < HUGE_PAGE) alignment = HUGE_PAGE;
#endif
  *allocation = malloc((size_t)(bytes + alignment));
  if (!*allocation) return 0;
  const uintptr_t address = (uintptr_t)*allocation;
  void* block = (void*)((address + alignment - 1) / alignment * alignment);
#if defined(__linux__)
  /* Advice: where the system declines it the block is as good. */
  if (bytes >= HUGE_BLOCK) (void)madvise(block, (size_t)bytes, MADVISE_HUGE_PAGES);
#endif
  return block;
}

talweg_lib_status talweg_lib_create(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                    talweg_lib_optimizer** result, talweg_lib_error* error) {
  talweg_lib_sizes sizes;
  if (!result) return fail_null(error, "the place for the optimizer");
  talweg_lib_status status = talweg_lib_measure(rule, spec, &sizes, error);
  if (status != TALWEG_LIB_OK) return status;
  void *control_allocation, *state_allocation;
  void* control = allocate(sizes.control_bytes, sizes.control_alignment, &control_allocation);
  void* states = allocate(sizes.state_bytes, sizes.state_alignment, &state_allocation);
  if (control && states)
    status = create_at(rule, spec, control, states, result, error);
  else
    status = fail(error, TALWEG_LIB_NO_MEMORY, "there is not enough memory for the optimizer");
  if (status != TALWEG_LIB_OK) {
    free(control_allocation);
    free(state_allocation);
    return status;
  }
  (*result)->control_allocation = control_allocation;
  (*result)->state_allocation = state_allocation;
  return TALWEG_LIB_OK;
}

void talweg_lib_destroy(talweg_lib_optimizer* optimizer) {
  if (!is_own(optimizer)) return;
#ifndef TALWEG_HOST_ONLY
  if (optimizer->gpu) {
    talweg_gpu_destroy(optimizer->core);
    free(optimizer->control_allocation);
    return;
  }
#endif
  talweg_abandon(optimizer->core);
  if (talweg_swapped_view(optimizer->core) != TALWEG_NO_VIEW) talweg_swap_out(optimizer->core, 0);
  void* states = optimizer->state_allocation;
  void* control = optimizer->control_allocation;
  free(states);
  free(control);
}

talweg_lib_status talweg_lib_reset(talweg_lib_optimizer* optimizer, talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  return from_core(talweg_reset(optimizer->core, core_error(error)));
}
