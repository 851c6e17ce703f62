/* A model of three tensors and an optimizer of it, for tests of single calls: what a call is to end
 * with, and that a refused one has changed nothing. Include it behind "samples.h". */
#ifndef TALWEG_TESTS_STANDALONE_SMALL_MODEL_H
#define TALWEG_TESTS_STANDALONE_SMALL_MODEL_H

#include "guarded.h"
#include "scenario.h"

enum { ELEMENT = sizeof(samples_element), MODEL_TENSORS = 3 };
static const uint64_t model_shapes[MODEL_TENSORS][2] = {{37, 0}, {4, 5}, {0, 3}};
static const uint32_t model_ranks[MODEL_TENSORS] = {1, 2, 2};
static const size_t model_counts[MODEL_TENSORS] = {37, 20, 0};
static const char* const model_names[MODEL_TENSORS] = {"w0", "w1", "w2"};

typedef struct model {
  samples_tensor tensors[MODEL_TENSORS];
  samples_spec spec;
  guarded params[MODEL_TENSORS], gradients[MODEL_TENSORS];
  samples_element* gradient_table[MODEL_TENSORS];
  samples_optimizer* optimizer; /* may be null */
} model;

static samples_error error;

#define FAIL(...)                                   \
  do {                                              \
    fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
    fprintf(stderr, __VA_ARGS__);                   \
    fprintf(stderr, "\n");                          \
    exit(1);                                        \
  } while (0)
#define REQUIRE(condition)                            \
  do {                                                \
    if (!(condition)) FAIL("not so: %s", #condition); \
  } while (0)
/* The call must be OK. */
#define GOOD(call)                                                                \
  do {                                                                            \
    const samples_status good_status = (call);                                    \
    if (good_status != SAMPLES_OK)                                                \
      FAIL("%s: %s: %s", #call, samples_status_text(good_status), error.message); \
  } while (0)
/* The call must end with that status, say so in `error` with those words, and change nothing of the
 * model. */
#define REFUSED(of, status_wanted, words, call)                                          \
  do {                                                                                   \
    const uint64_t hash_before = model_hash(of);                                         \
    memset(&error, 0x77, sizeof error);                                                  \
    const samples_status status_got = (call);                                            \
    if (status_got != (status_wanted))                                                   \
      FAIL("%s: %s, not \"%s\"", #call, samples_status_text(status_got), words);         \
    if (error.status != status_got || !memchr(error.message, 0, sizeof error.message) || \
        !strstr(error.message, words))                                                   \
      FAIL("%s: says \"%.511s\", not \"%s\"", #call, error.message, words);              \
    if (getenv("SHOW_MESSAGES"))                                                         \
      printf("%s: %s\n", samples_status_text(status_got), error.message);                \
    if (model_hash(of) != hash_before) FAIL("%s: changed something", #call);             \
  } while (0)

static inline void model_gradients(model* m, unsigned step) {
  for (unsigned t = 0; t < MODEL_TENSORS; ++t)
    scenario_fill(m->gradients[t].data, ELEMENT, scenario_seed(1, step, t), model_counts[t]);
}

/* A spec of it; no optimizer yet. */
static inline void model_init(model* m) {
  memset(m, 0, sizeof *m);
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) {
    m->params[t] = guarded_make(model_counts[t] * ELEMENT, ELEMENT);
    m->gradients[t] = guarded_make(model_counts[t] * ELEMENT, ELEMENT);
    scenario_fill(m->params[t].data, ELEMENT, scenario_seed(0, 0, t), model_counts[t]);
    m->gradient_table[t] = (samples_element*)m->gradients[t].data;
    m->tensors[t].name = model_names[t];
    m->tensors[t].shape = model_shapes[t];
    m->tensors[t].rank = model_ranks[t];
    m->tensors[t].group = t % 2;
    m->tensors[t].param = (samples_element*)m->params[t].data;
  }
  model_gradients(m, 1);
  m->spec.interface_version = SAMPLES_INTERFACE;
  m->spec.tensors = m->tensors;
  m->spec.tensor_count = MODEL_TENSORS;
  m->spec.group_count = 2;
}

/* Of parameters, gradients, all states and counters, the hypers of group 1, and who waits. */
static inline uint64_t model_hash(const model* m) {
  uint64_t hash = 0;
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) {
    guarded_check(&m->params[t], "parameter");
    guarded_check(&m->gradients[t], "gradient");
    hash = hash * 31 + scenario_hash(m->params[t].data, ELEMENT, model_counts[t]);
    hash = hash * 31 + scenario_hash(m->gradients[t].data, ELEMENT, model_counts[t]);
  }
  if (!m->optimizer) return hash;
  samples_state state;
  memset(&state, 0, sizeof state);
  while (samples_next_state(m->optimizer, &state))
    hash = hash * 31 + scenario_hash(state.data, state.element_bytes, state.elements);
  double lr = 0;
  samples_get_hyper(m->optimizer, "lr", 1, &lr, NULL);
  hash = hash * 31 + scenario_hash(&lr, 8, 1);
  return hash * 31 + (uint64_t)samples_is_waiting(m->optimizer);
}

static inline void model_free(model* m) {
  samples_destroy(m->optimizer);
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) {
    guarded_free(&m->params[t], "parameter");
    guarded_free(&m->gradients[t], "gradient");
  }
}

#endif
