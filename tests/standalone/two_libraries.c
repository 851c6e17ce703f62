/* Two libraries of the same rule in one program, and a third of many rules: each its own. */
#include <stdio.h>
#include <string.h>

#include "first.h"
#include "samples.h"
#include "second.h"

enum { COUNT = 1000 };
static float params[2][COUNT], gradient[COUNT], moments[2][COUNT];

#define REQUIRE(condition)                                                    \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      return 1;                                                               \
    }                                                                         \
  } while (0)

/* Creates one of a library and takes three steps with it. */
#define TRAIN(library, LIBRARY, rule, values)                                        \
  do {                                                                               \
    library##_tensor tensor;                                                         \
    library##_spec spec;                                                             \
    library##_optimizer* optimizer = NULL;                                           \
    library##_error error;                                                           \
    float* table[1] = {gradient};                                                    \
    const uint64_t shape[1] = {COUNT};                                               \
    memset(&tensor, 0, sizeof tensor);                                               \
    memset(&spec, 0, sizeof spec);                                                   \
    tensor.name = "w";                                                               \
    tensor.shape = shape;                                                            \
    tensor.rank = 1;                                                                 \
    tensor.param = values;                                                           \
    spec.interface_version = LIBRARY##_INTERFACE;                                    \
    spec.tensors = &tensor;                                                          \
    spec.tensor_count = 1;                                                           \
    REQUIRE(rule##_create(&spec, &optimizer, &error) == LIBRARY##_OK);               \
    REQUIRE(library##_set_hyper(optimizer, "lr", 0, 0.125, &error) == LIBRARY##_OK); \
    for (int i = 0; i < 3; ++i)                                                      \
      REQUIRE(rule##_step(optimizer, table, NULL, &error) == LIBRARY##_OK);          \
    library##_destroy(optimizer);                                                    \
  } while (0)

int main(void) {
  static float other[COUNT];
  for (int i = 0; i < COUNT; ++i) {
    params[0][i] = params[1][i] = other[i] = (float)i / 64;
    gradient[i] = (float)(i % 7) - 3;
  }
  TRAIN(first, FIRST, first, params[0]);
  TRAIN(second, SECOND, second, params[1]);
  TRAIN(samples, SAMPLES, samples_adamw, other);
  REQUIRE(memcmp(params[0], params[1], sizeof other) == 0);
  REQUIRE(memcmp(params[0], other, sizeof other) == 0);
  REQUIRE(params[0][0] != 0);
  REQUIRE(first_step_flat(params[0], gradient, moments[0], moments[1], COUNT, 1, NULL, NULL) == 0);
  REQUIRE(strstr(first_describe(), "first") && strstr(second_describe(), "second"));
  return 0;
}
