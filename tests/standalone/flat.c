/* The step of one array without an optimizer: the bits of the optimizer's, and its own mistakes. */
#include <math.h>

#include "samples.h"
#include "small_model.h"

enum { LARGEST = 70001 };

/* Fifty steps of n elements by both ways; hypers of the caller's or the defaults. */
static void same_bits(uint64_t n, const samples_adamw_hypers* hypers) {
  const size_t bytes = (size_t)n * ELEMENT;
  guarded param = guarded_make(bytes, ELEMENT), flat = guarded_make(bytes, ELEMENT);
  guarded m = guarded_make(bytes, ELEMENT), v = guarded_make(bytes, ELEMENT);
  guarded grad = guarded_make(bytes, ELEMENT);
  samples_tensor tensor = {0};
  samples_spec spec = {0};
  samples_optimizer* optimizer = NULL;
  tensor.name = "w";
  tensor.shape = &n;
  tensor.rank = 1;
  tensor.param = (samples_element*)param.data;
  spec.interface_version = SAMPLES_INTERFACE;
  spec.tensor_count = 1;
  spec.tensors = &tensor;
  scenario_fill(param.data, ELEMENT, scenario_seed(0, 0, 0), n);
  memcpy(flat.data, param.data, bytes);
  memset(m.data, 0, bytes);
  memset(v.data, 0, bytes);
  GOOD(samples_adamw_create(&spec, &optimizer, &error));
  if (hypers) GOOD(samples_adamw_set_hypers(optimizer, SAMPLES_ALL_GROUPS, hypers, &error));
  for (uint64_t t = 1; t <= (n > 10000 ? 2 : 50); ++t) {
    samples_element* gradient = (samples_element*)grad.data;
    samples_state state;
    scenario_fill(grad.data, ELEMENT, scenario_seed(1, (unsigned)t, 0), n);
    GOOD(samples_adamw_step(optimizer, &gradient, NULL, &error));
    GOOD(samples_adamw_step_flat((samples_element*)flat.data, gradient, (samples_element*)m.data,
                                 (samples_element*)v.data, n, t, hypers, &error));
    REQUIRE(memcmp(param.data, flat.data, bytes) == 0);
    GOOD(samples_find_state(optimizer, "m", 0, &state, &error));
    REQUIRE(n == 0 || memcmp(m.data, state.data, bytes) == 0);
    GOOD(samples_find_state(optimizer, "v", 0, &state, &error));
    REQUIRE(n == 0 || memcmp(v.data, state.data, bytes) == 0);
  }
  samples_destroy(optimizer);
  guarded_free(&param, "param");
  guarded_free(&flat, "flat param");
  guarded_free(&m, "m");
  guarded_free(&v, "v");
  guarded_free(&grad, "grad");
}

static void mistakes(void) {
  model none;
  memset(&none, 0, sizeof none);
  model_init(&none);
  samples_element* p = (samples_element*)none.params[0].data;
  samples_element* g = (samples_element*)none.gradients[0].data;
  samples_element m[37] = {0}, v[37] = {0};
#define FLAT(status, words, param, grad, m, v, n, t, hypers) \
  REFUSED(&none, status, words, samples_adamw_step_flat(param, grad, m, v, n, t, hypers, &error))
  FLAT(SAMPLES_BAD_ARGUMENT, "array `param` is null", NULL, g, m, v, 37, 1, NULL);
  FLAT(SAMPLES_BAD_ARGUMENT, "array `grad` is null", p, NULL, m, v, 37, 1, NULL);
  FLAT(SAMPLES_BAD_ARGUMENT, "array `m` is null", p, g, NULL, v, 37, 1, NULL);
  FLAT(SAMPLES_BAD_ARGUMENT, "array `v` is null", p, g, m, NULL, 37, 1, NULL);
  FLAT(SAMPLES_BAD_ARGUMENT, "array `m` is not aligned", p, g, (samples_element*)((char*)m + 1), v,
       36, 1, NULL);
  FLAT(SAMPLES_OVERLAP, "array `v` shares memory", p, g, m, m, 37, 1, NULL);
  FLAT(SAMPLES_OVERLAP, "array `grad` shares memory", p, p + 36, m, v, 37, 1, NULL);
  FLAT(SAMPLES_BAD_ARGUMENT, "t is the number of the step, from 1 to 2^53", p, g, m, v, 37, 0, NULL);
  FLAT(SAMPLES_BAD_ARGUMENT, "t is the number of the step", p, g, m, v, 37, UINT64_MAX, NULL);
  FLAT(SAMPLES_TOO_LARGE, "so many elements", p, g, m, v, UINT64_MAX, 1, NULL);
  FLAT(SAMPLES_TOO_LARGE, "so many elements", p, g, m, v, SIZE_MAX / ELEMENT, 1, NULL);
  FLAT(SAMPLES_TOO_LARGE, "array `m` goes past the end of memory", p, g,
       (samples_element*)(UINTPTR_MAX - 63), v, 37, 1, NULL);
  samples_adamw_hypers hypers = samples_adamw_defaults();
  hypers.beta1 = 1;
  FLAT(SAMPLES_OUT_OF_RANGE, "hyper `beta1`", p, g, m, v, 37, 1, &hypers);
  FLAT(SAMPLES_OUT_OF_RANGE, "hyper `beta1`", NULL, NULL, NULL, NULL, 0, 1, &hypers);
  hypers.beta1 = NAN;
  FLAT(SAMPLES_OUT_OF_RANGE, "hyper `beta1`", p, g, m, v, 37, 1, &hypers);
  for (int i = 0; i < 37; ++i) REQUIRE(m[i] == 0 && v[i] == 0);
  REQUIRE(samples_adamw_step_flat(p, g, m, m, 37, 1, NULL, NULL) == SAMPLES_OVERLAP);
  /* Nothing of nothing. */
  GOOD(samples_adamw_step_flat(NULL, NULL, NULL, NULL, 0, 1, NULL, &error));
  /* Exactly one element, between others. */
  const samples_element before = p[6], after = p[8];
  GOOD(samples_adamw_step_flat(p + 7, g + 7, m + 7, v + 7, 1, 1, NULL, &error));
  REQUIRE(p[6] == before && p[8] == after && m[6] == 0 && m[8] == 0 && m[7] != 0);
  /* The last float64 that counts steps. */
  GOOD(samples_adamw_step_flat(p, g, m, v, 37, (uint64_t)1 << 53, NULL, &error));
  model_free(&none);
}

int main(void) {
  static const uint64_t sizes[] = {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 63, 65, 127, 1001};
  samples_adamw_hypers hypers = samples_adamw_defaults();
  hypers.lr = 0.03;
  hypers.beta2 = 0.9;
  hypers.weight_decay = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
    same_bits(sizes[i], i % 2 ? &hypers : NULL);
  same_bits(LARGEST, NULL);
  same_bits((uint64_t)16384 * 64, &hypers); /* as much as one call of a pass is given */
  same_bits((uint64_t)16384 * 64 + 1, NULL);
  mistakes();
  return 0;
}
