/* Steps under every rounding mode of the caller, and where its processor flushes subnormals: the
 * bits must be those of the usual mode, and the caller must find its own mode again. */
#include <fenv.h>
#include <float.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "modes.h"
#include "one_tensor.h"

enum { COUNT = 1000, STEPS = 20 };

typedef struct arrays {
  float w[COUNT], m[COUNT], v[COUNT], other[COUNT];
} arrays;

static float gradient[COUNT];
static arrays first;

/* Written as integers, so that the mode does not matter here: some of the numbers are subnormal. */
static void fill(float* numbers, uint32_t scale) {
  for (uint32_t i = 0; i < COUNT; ++i) {
    const uint32_t bits = (i * 2654435761u >> 9) | (i % 8 == 0 ? 0 : scale << 23) | (i % 2) << 31;
    memcpy(&numbers[i], &bits, sizeof bits);
  }
}

static modes_optimizer* create(float* w) {
  static const uint64_t shape[] = {COUNT};
  modes_tensor tensor = {0};
  modes_spec spec = {0};
  DESCRIBE_ONE_TENSOR(&spec, MODES_INTERFACE, &tensor, shape, w);
  modes_optimizer* optimizer = NULL;
  modes_error error;
  if (modes_clipped_create(&spec, &optimizer, &error)) fprintf(stderr, "%s\n", error.message);
  return optimizer;
}

/* Both ways to step, in the mode that is set. */
static int run(arrays* a) {
  memset(a, 0, sizeof *a);
  fill(a->w, 126);
  fill(a->other, 126);
  modes_element* gradients[] = {gradient};
  modes_optimizer* optimizer = create(a->other);
  int failed = !optimizer;
  for (uint64_t t = 1; !failed && t <= STEPS; ++t)
    failed = modes_plain_step_flat(a->w, gradient, a->m, a->v, COUNT, t, NULL, NULL) ||
             modes_clipped_step(optimizer, gradients, NULL, NULL);
  modes_destroy(optimizer);
  return !failed;
}

/* What a step must leave alone: not the flags of exceptions that have happened. */
static unsigned mode_now(void) {
#if defined(__x86_64__)
  return (_mm_getcsr() & 0xffc0u) | (unsigned)fegetround() << 16;
#else
  return (unsigned)fegetround();
#endif
}

static int check(const char* mode) {
  static arrays again;
  const unsigned before = mode_now();
  if (!run(&again)) return printf("%s: a call failed\n", mode), 1;
  if (memcmp(&first, &again, sizeof first) != 0) return printf("%s: other bits\n", mode), 1;
  if (mode_now() != before) return printf("%s: the mode was changed\n", mode), 1;
  return 0;
}

int main(void) {
  fill(gradient, 120);
  if (!run(&first)) return puts("a call failed"), 1;
  int faults = 0;
  fesetround(FE_UPWARD);
  faults += check("upward");
  fesetround(FE_DOWNWARD);
  faults += check("downward");
  fesetround(FE_TOWARDZERO);
  faults += check("toward zero");
  fesetround(FE_TONEAREST);
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | _MM_FLUSH_ZERO_ON | 0x40);
  faults += check("flushing");
#endif
  return faults > 0;
}
