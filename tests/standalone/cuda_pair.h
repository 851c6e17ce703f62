/* One rule on the host and on a pretended device (tests/gpu/fake_driver), side by side: the same
 * tensors, the same gradients, and a look at all that both have, which must be the same bits. By
 * the rule's table of functions, so that it serves rules of built libraries and compiled ones. */
#ifndef TALWEG_TESTS_STANDALONE_CUDA_PAIR_H
#define TALWEG_TESTS_STANDALONE_CUDA_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talweg/interface.h"
#include "tests/gpu/fake_driver/fake_cuda.h"

#define REQUIRE(condition)                                                                      \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      fprintf(stderr, "%s:%d: not so: %s\n  last error: %s\n  fault: %s\n", __FILE__, __LINE__, \
              #condition, error.message, fake_cuda_fault());                                    \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

static talweg_error error;

enum { TENSORS = 4, MOST_ELEMENTS = 40 };
static const uint64_t shapes[TENSORS][2] = {{5, 7}, {11, 0}, {0, 3}, {1, 40}};
static const uint32_t ranks[TENSORS] = {2, 1, 2, 2};

static inline size_t elements_of(int tensor) {
  size_t count = 1;
  for (uint32_t i = 0; i < ranks[tensor]; ++i) count *= (size_t)shapes[tensor][i];
  return count;
}

/* Memory of the current context's device. */
static inline talweg_cuda_address device_make(size_t bytes) {
  talweg_cuda_address made = 0;
  REQUIRE(cuMemAlloc_v2(&made, bytes ? bytes : 1) == 0);
  return made;
}
static inline void device_write(talweg_cuda_address to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  REQUIRE(cuMemcpyHtoDAsync_v2(to, from, bytes, NULL) == 0);
  REQUIRE(cuStreamSynchronize(NULL) == 0);
}
static inline void device_read(void* to, talweg_cuda_address from, size_t bytes) {
  if (bytes == 0) return;
  REQUIRE(cuMemcpyDtoHAsync_v2(to, from, bytes, NULL) == 0);
  REQUIRE(cuStreamSynchronize(NULL) == 0);
}
/* As pointers, which programs in C have of them. */
static inline void* device_pointer(talweg_cuda_address address) {
  return (void*)(uintptr_t)address;
}

typedef struct model {
  const talweg_rule* rule;
  talweg_cuda_stream stream;
  float params[TENSORS][MOST_ELEMENTS], gradients[TENSORS][MOST_ELEMENTS];
  talweg_cuda_address params_there[TENSORS], gradients_there[TENSORS];
  talweg_tensor here[TENSORS], there[TENSORS];
  talweg_spec spec, spec_there;
  talweg_optimizer *host, *device;
  uint32_t seed;
} model;

/* Between -1 and 1. */
static inline float next_value(model* m) {
  m->seed = m->seed * 1664525u + 1013904223u;
  return (float)((int32_t)(m->seed >> 8) - (1 << 23)) / (float)(1 << 23);
}

static inline void fill(model* m, float values[TENSORS][MOST_ELEMENTS],
                        const talweg_cuda_address* there) {
  for (int t = 0; t < TENSORS; ++t) {
    for (size_t i = 0; i < elements_of(t); ++i) values[t][i] = next_value(m);
    device_write(there[t], values[t], elements_of(t) * sizeof(float));
  }
}

/* In the context and a stream of its own that are current; without the device's optimizer. */
static inline void model_describe(model* m, const talweg_rule* rule) {
  static const char* const names[TENSORS] = {"w", "b", "none", "row"};
  memset(m, 0, sizeof *m);
  m->rule = rule;
  m->seed = 7;
  REQUIRE(cuStreamCreate(&m->stream, TALWEG_CUDA_STREAM_NON_BLOCKING) == 0);
  for (int t = 0; t < TENSORS; ++t) {
    m->params_there[t] = device_make(elements_of(t) * sizeof(float));
    m->gradients_there[t] = device_make(elements_of(t) * sizeof(float));
    m->here[t].name = names[t];
    m->here[t].shape = shapes[t];
    m->here[t].rank = ranks[t];
    m->here[t].group = (uint32_t)t % 2;
    m->here[t].param = m->params[t];
    m->there[t] = m->here[t];
    m->there[t].param = device_pointer(m->params_there[t]);
  }
  fill(m, m->params, m->params_there);
  m->spec.interface_version = TALWEG_INTERFACE;
  m->spec.tensor_count = TENSORS;
  m->spec.group_count = 2;
  m->spec_there = m->spec;
  m->spec.tensors = m->here;
  m->spec_there.tensors = m->there;
  REQUIRE(!rule->functions->create(rule, &m->spec, &m->host, &error));
}

static inline talweg_cuda cuda_of(const model* m) {
  const talweg_cuda cuda = {NULL, m->stream, NULL};
  return cuda;
}

static inline void model_make(model* m, const talweg_rule* rule) {
  model_describe(m, rule);
  const talweg_cuda cuda = cuda_of(m);
  REQUIRE(!rule->functions->cuda_create(rule, &m->spec_there, &cuda, &m->device, &error));
}

static inline void model_end(model* m) {
  m->rule->functions->destroy(m->host);
  m->rule->functions->destroy(m->device);
  m->host = m->device = NULL;
  for (int t = 0; t < TENSORS; ++t) {
    REQUIRE(cuMemFree_v2(m->params_there[t]) == 0);
    REQUIRE(cuMemFree_v2(m->gradients_there[t]) == 0);
  }
  REQUIRE(cuStreamDestroy_v2(m->stream) == 0);
}

static inline void gradient_pointers(const model* m, void* here[TENSORS], void* there[TENSORS]) {
  for (int t = 0; t < TENSORS; ++t) {
    here[t] = (void*)m->gradients[t];
    there[t] = device_pointer(m->gradients_there[t]);
  }
}

/* One call of the step of both, with new gradients and the same inputs of the host. */
static inline talweg_outcome model_step(model* m, const void* const* inputs) {
  void *here[TENSORS], *there[TENSORS];
  talweg_outcome outcome = TALWEG_COMPLETED, outcome_there = TALWEG_COMPLETED;
  fill(m, m->gradients, m->gradients_there);
  gradient_pointers(m, here, there);
  REQUIRE(!m->rule->functions->step(m->host, here, inputs, &outcome, &error));
  REQUIRE(!m->rule->functions->step(m->device, there, inputs, &outcome_there, &error));
  if (outcome_there != TALWEG_REGRAD)
    REQUIRE(!m->rule->functions->cuda_wait(m->device, &outcome_there, &error));
  REQUIRE(outcome == outcome_there);
  return outcome;
}

static inline void same_elements(const void* here, talweg_cuda_address there, size_t bytes) {
  unsigned char copy[MOST_ELEMENTS * sizeof(double)];
  REQUIRE(bytes <= sizeof copy);
  device_read(copy, there, bytes);
  REQUIRE(bytes == 0 || memcmp(here, copy, bytes) == 0);
}

/* Parameters, states and counters are the same bits. How many states there are on the device. */
static inline int model_compare(model* m) {
  talweg_state here, there;
  int count = 0;
  memset(&here, 0, sizeof here);
  memset(&there, 0, sizeof there);
  REQUIRE(!m->rule->functions->cuda_wait(m->device, NULL, &error));
  for (int t = 0; t < TENSORS; ++t)
    same_elements(m->params[t], m->params_there[t], elements_of(t) * sizeof(float));
  while (m->rule->functions->next_state(m->host, &here)) {
    REQUIRE(m->rule->functions->next_state(m->device, &there));
    REQUIRE(strcmp(here.name, there.name) == 0 && here.kind == there.kind);
    REQUIRE(here.elements == there.elements && here.element_bytes == there.element_bytes);
    REQUIRE(!here.on_device);
    const size_t bytes = (size_t)(here.elements * here.element_bytes);
    if (there.on_device)
      same_elements(here.data, (talweg_cuda_address)(uintptr_t)there.data, bytes);
    else if (bytes > 0)
      REQUIRE(memcmp(here.data, there.data, bytes) == 0);
    count += (int)there.on_device;
  }
  REQUIRE(!m->rule->functions->next_state(m->device, &there));
  return count;
}

/* A context of a device, current until the end of the program or the next reset. */
static inline talweg_cuda_context enter_device(int number) {
  talweg_cuda_context context = NULL;
  REQUIRE(cuInit(0) == 0);
  REQUIRE(cuDevicePrimaryCtxRetain(&context, number) == 0);
  REQUIRE(cuCtxSetCurrent(context) == 0);
  return context;
}

#endif
