/* The image of a device: the host's, with functions of a module in place of its own. */
#include <string.h>

#include "runtime/gpu/internal.h"
#include "runtime/optimizer/arena.h"
#include "runtime/optimizer/message.h"

static const char* const runtime_kernels[TALWEG_GPU_KERNEL_COUNT] = {
    [TALWEG_GPU_FOLD_RUNS] = "talweg_gpu_fold_runs",
    [TALWEG_GPU_FOLD_MEMBERS] = "talweg_gpu_fold_members",
    [TALWEG_GPU_FOLD_COLUMNS] = "talweg_gpu_fold_columns",
    [TALWEG_GPU_BEGIN] = "talweg_gpu_begin",
    [TALWEG_GPU_CHECK] = "talweg_gpu_check",
    [TALWEG_GPU_COMMIT] = "talweg_gpu_commit",
    [TALWEG_GPU_FILL] = "talweg_gpu_fill",
    [TALWEG_GPU_UNSCALE] = "talweg_gpu_unscale",
    [TALWEG_GPU_READ_NUMBERS] = "talweg_gpu_read_numbers",
    [TALWEG_GPU_CHECK_INPUTS] = "talweg_gpu_check_inputs",
};

typedef struct finding {
  talweg_gpu* gpu;
  talweg_gpu_function* functions; /* null: to count */
  uint32_t count;
  int32_t result;
  talweg_cuda_error error;
} finding;

/* The number, from 1 on, of the kernel `name`. */
static uintptr_t find(finding* to, const char* name, uint32_t lines) {
  if (to->functions && to->result == TALWEG_CUDA_OK) {
    talweg_gpu_function* function = &to->functions[to->count];
    function->lines = lines;
    to->result = talweg_cuda_find(&function->handle, to->gpu->module, name, &to->error);
    /* A driver may load code when it is first asked for, which a capture does not allow. */
    talweg_cuda_usage usage;
    if (to->result == TALWEG_CUDA_OK)
      to->result = talweg_cuda_function_usage(function->handle, &usage, &to->error);
  }
  return ++to->count;
}

static void append(char* text, size_t room, const char* more) {
  const size_t length = strlen(text), added = strlen(more);
  if (length + added < room) memcpy(text + length, more, added + 1);
}

static void append_number(char* text, size_t room, uint32_t number) {
  char digits[11];
  char* at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  append(text, room, at);
}

enum { NAME_BYTES = 80 };

/* `talweg_view_2_row_scalars_0` of the prefix `talweg_view_2_`. */
static uintptr_t find_part(finding* to, const char* prefix, const char* part, uint32_t phase,
                           uint32_t lines) {
  char name[NAME_BYTES] = "";
  append(name, sizeof name, prefix);
  append(name, sizeof name, part);
  append_number(name, sizeof name, phase);
  return find(to, name, lines);
}

/* `there` and `phases` are null while counting. */
static void copy_kernels(finding* to, const char* prefix, const talweg_kernels* from,
                         talweg_kernels* there, talweg_phase* phases) {
  for (uint32_t p = 0; p < from->phase_count; ++p) {
    const talweg_phase* phase = &from->phases[p];
    talweg_phase ours = *phase;
#define FIND(member, type, part, lines) \
  if (phase->member) ours.member = (type)find_part(to, prefix, part, p, lines)
    FIND(model_scalars, talweg_scalar_function, "model_scalars_", TALWEG_GPU_NO_LINES);
    FIND(group_scalars, talweg_scalar_function, "group_scalars_", TALWEG_GPU_NO_LINES);
    FIND(tensor_scalars, talweg_tensor_function, "tensor_scalars_", TALWEG_GPU_NO_LINES);
    FIND(matrix_scalars, talweg_line_function, "matrix_scalars_", TALWEG_GPU_MATRICES);
    FIND(row_scalars, talweg_line_function, "row_scalars_", TALWEG_GPU_ROWS);
    FIND(col_scalars, talweg_line_function, "col_scalars_", TALWEG_GPU_COLS);
    FIND(lines, talweg_line_function, "lines_", TALWEG_GPU_NO_LINES);
    FIND(pass, talweg_pass_function, "pass_", TALWEG_GPU_NO_LINES);
#undef FIND
    if (phases) phases[p] = ours;
  }
  if (!there) return;
  *there = *from;
  there->phases = phases;
}

/* `talweg_view_2_` */
static void make_prefix(char* prefix, size_t room, const char* kind, uint32_t number) {
  prefix[0] = 0;
  append(prefix, room, kind);
  append_number(prefix, room, number);
  append(prefix, room, "_");
}

static talweg_phase* carve_phases(talweg_arena* memory, const talweg_kernels* kernels) {
  return talweg_carve(memory, kernels->phase_count, sizeof(talweg_phase));
}

static int is_made(const talweg_image* image, uint32_t state) {
  return image->states[state].initial == TALWEG_INITIAL_KERNELS;
}

/* Finds all functions, and writes the image, where there is memory for either. */
static void copy_image(finding* to, const talweg_image* from, talweg_arena* memory) {
  talweg_image* image = &to->gpu->image;
  char prefix[NAME_BYTES];
  for (uint32_t k = 0; k < TALWEG_GPU_KERNEL_COUNT; ++k)
    find(to, runtime_kernels[k], TALWEG_GPU_NO_LINES);
  *image = *from;
  copy_kernels(to, "talweg_", &from->step, &image->step, carve_phases(memory, &from->step));
  if (from->initial_states)
    image->initial_states =
        (talweg_scalar_function)find(to, "talweg_initial_states", TALWEG_GPU_NO_LINES);
  talweg_view_info* views = talweg_carve(memory, from->view_count, sizeof(talweg_view_info));
  for (uint32_t v = 0; v < from->view_count; ++v) {
    make_prefix(prefix, sizeof prefix, "talweg_view_", v);
    if (views) views[v] = from->views[v];
    copy_kernels(to, prefix, &from->views[v].kernels, views ? &views[v].kernels : NULL,
                 carve_phases(memory, &from->views[v].kernels));
  }
  image->views = views;
  if (!from->initial_kernels) return;
  talweg_kernels* initial = talweg_carve(memory, from->state_count, sizeof(talweg_kernels));
  for (uint32_t s = 0; s < from->state_count; ++s) {
    if (!is_made(from, s)) continue;
    make_prefix(prefix, sizeof prefix, "talweg_initial_", s);
    copy_kernels(to, prefix, &from->initial_kernels[s], initial ? &initial[s] : NULL,
                 carve_phases(memory, &from->initial_kernels[s]));
  }
  image->initial_kernels = initial;
}

talweg_status talweg_gpu_make_image(talweg_gpu* gpu, const talweg_image* from,
                                    talweg_error* error) {
  talweg_arena memory = {0};
  finding counting = {.gpu = gpu};
  copy_image(&counting, from, &memory);
  gpu->image_memory = malloc((size_t)memory.used + 1);
  gpu->functions = malloc(counting.count * sizeof *gpu->functions);
  if (!gpu->image_memory || !gpu->functions)
    return talweg_fail(error, TALWEG_TOO_LARGE, "there is not enough memory for the optimizer");
  gpu->function_count = counting.count;
  memory = (talweg_arena){.base = gpu->image_memory};
  finding to = {.gpu = gpu, .functions = gpu->functions};
  copy_image(&to, from, &memory);
  if (to.result != TALWEG_CUDA_OK) return talweg_gpu_put_failure(&to.error, error);
  gpu->image.isa = "cuda";
  return TALWEG_OK;
}
