/* A C program for WebAssembly: steps by an optimizer in memory of its own, by one in memory of
 * malloc and without one. */
#include "../one_tensor.h"
#include "adamw.h"

#define COUNT 301
static float stepped[COUNT], other[COUNT], flat[COUNT], gradient[COUNT], m[COUNT], v[COUNT];
static float wide[1 << 20];
static _Alignas(4096) unsigned char control[1 << 16], states[1 << 16];

static void fill(float* numbers, uint32_t seed) {
  for (uint32_t i = 0; i < COUNT; ++i) {
    seed = seed * 1664525u + 1013904223u;
    numbers[i] = (float)(int32_t)seed / 4294967296.0f;
  }
}

/* The line at which something is wrong, 0 for nowhere. */
int run(void) {
  const uint64_t shape[] = {7, 43};
  adamw_tensor tensor = {0};
  adamw_spec spec = {0};
  DESCRIBE_ONE_TENSOR(&spec, ADAMW_INTERFACE, &tensor, shape, stepped);
  adamw_sizes sizes;
  adamw_error error;
  adamw_optimizer *optimizer, *allocated;
  fill(stepped, 1);
  fill(other, 1);
  fill(flat, 1);
  if (adamw_measure(&spec, &sizes, &error)) return __LINE__;
  if (sizes.control_bytes > sizeof control || sizes.state_bytes > sizeof states) return __LINE__;
  if (adamw_create_in(&spec, control, states, &optimizer, &error)) return __LINE__;
  tensor.param = other;
  if (adamw_create(&spec, &allocated, &error)) return __LINE__;
  adamw_hypers hypers = adamw_defaults();
  hypers.lr = 0.01;
  if (adamw_set_hypers(optimizer, 0, &hypers, &error)) return __LINE__;
  if (adamw_set_hypers(allocated, 0, &hypers, &error)) return __LINE__;
  hypers.lr = -1;
  if (adamw_set_hypers(optimizer, 0, &hypers, &error) != ADAMW_OUT_OF_RANGE) return __LINE__;
  hypers.lr = 0.01;
  for (uint32_t t = 1; t <= 50; ++t) {
    fill(gradient, 100 + t);
    float* gradients[] = {gradient};
    if (adamw_step(optimizer, gradients, 0, &error)) return __LINE__;
    if (adamw_step(allocated, gradients, 0, &error)) return __LINE__;
    if (adamw_step_flat(flat, gradient, m, v, COUNT, t, &hypers, &error)) return __LINE__;
  }
  if (adamw_steps(optimizer) != 50) return __LINE__;
  for (uint32_t i = 0; i < COUNT; ++i)
    if (!(stepped[i] == flat[i] && other[i] == flat[i])) return __LINE__;
  float start[COUNT];
  fill(start, 1);
  for (uint32_t i = 0; i < COUNT; ++i)
    if (stepped[i] == start[i]) return __LINE__;
  /* Large states take the memory that they are, not some to lie in huge pages, of which there are
   * none. */
  const uint64_t wide_shape[] = {1 << 20};
  tensor.shape = wide_shape;
  tensor.rank = 1;
  tensor.param = wide;
  if (adamw_measure(&spec, &sizes, &error) || sizes.state_bytes < 8 << 20) return __LINE__;
  const uint64_t before = __builtin_wasm_memory_size(0);
  adamw_optimizer* large_one;
  if (adamw_create(&spec, &large_one, &error)) return __LINE__;
  const uint64_t grown = 65536 * (__builtin_wasm_memory_size(0) - before);
  if (grown > sizes.state_bytes + sizes.control_bytes + (1 << 18)) return __LINE__;
  adamw_destroy(large_one);
  /* More than 32 bits can say is refused, not cut off. */
  const uint64_t huge[] = {1ull << 31, 1ull << 20};
  tensor.shape = huge;
  if (adamw_measure(&spec, &sizes, &error) != ADAMW_TOO_LARGE) return __LINE__;
  const uint64_t large[] = {1ull << 30};
  tensor.shape = large;
  tensor.rank = 1;
  if (adamw_measure(&spec, &sizes, &error) != ADAMW_TOO_LARGE) return __LINE__;
  adamw_destroy(optimizer);
  adamw_destroy(allocated);
  return 0;
}
