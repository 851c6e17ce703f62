/* Inputs that are numbers, read from the memory of a pretended device: of a library that was built,
 * or (COMPILED, of the rules in that file) of libtalweg. */
#include "cuda_pair.h"

#ifdef COMPILED
#include "talweg/talweg.h"

static const talweg_rule* rule_of(const char* expression) {
  const talweg_rule* rule = NULL;
  const talweg_options options = {.interface_version = TALWEG_INTERFACE, .file = COMPILED};
  REQUIRE(!talweg_compile(expression, &options, &rule, NULL, &error));
  return rule;
}
#define RULE(name, expression) rule_of(expression)
#else
#include "gpu.h"
#define RULE(name, expression) gpu_##name##_rule()
#endif

enum { GROUPS = 2, INPUTS = 4 }; /* loss, boost, factor and noise */

/* What the rule Noise reads. */
typedef struct given {
  double loss, boost[GROUPS], factor[TENSORS];
  float loss_float, boost_floats[GROUPS], factor_floats[TENSORS];
  float noise[TENSORS][MOST_ELEMENTS];
  talweg_cuda_address noise_there[TENSORS];
  const void *noise_pointers[TENSORS], *noise_pointers_there[TENSORS];
} given;

/* Numbers that a float has too. */
static void given_fill(given* g, model* m) {
  fill(m, g->noise, g->noise_there);
  g->loss = g->loss_float = next_value(m);
  for (int i = 0; i < GROUPS; ++i) g->boost[i] = g->boost_floats[i] = next_value(m);
  for (int t = 0; t < TENSORS; ++t) g->factor[t] = g->factor_floats[t] = next_value(m);
}

static void given_make(given* g) {
  memset(g, 0, sizeof *g);
  for (int t = 0; t < TENSORS; ++t) {
    g->noise_there[t] = device_make(elements_of(t) * sizeof(float));
    g->noise_pointers[t] = g->noise[t];
    g->noise_pointers_there[t] = device_pointer(g->noise_there[t]);
  }
}

static void given_end(given* g) {
  for (int t = 0; t < TENSORS; ++t) REQUIRE(cuMemFree_v2(g->noise_there[t]) == 0);
}

/* The inputs of the host, and of a device whose numbers are `numbers_there` of the host's. */
static void given_point(const given* g, const given* numbers_there, const void* here[INPUTS],
                        const void* there[INPUTS]) {
  here[0] = &g->loss;
  here[1] = g->boost;
  here[2] = g->factor;
  here[3] = g->noise_pointers;
  there[0] = numbers_there ? &numbers_there->loss : NULL;
  there[1] = numbers_there ? numbers_there->boost : NULL;
  there[2] = numbers_there ? numbers_there->factor : NULL;
  there[3] = g->noise_pointers_there;
}

/* A step of both, where the device is given `numbers_there` for numbers. */
static void step_both(model* m, given* g, const given* numbers_there) {
  const void *inputs[INPUTS], *inputs_there[INPUTS];
  void *here[TENSORS], *there[TENSORS];
  fill(m, m->gradients, m->gradients_there);
  gradient_pointers(m, here, there);
  given_point(g, numbers_there, inputs, inputs_there);
  REQUIRE(!m->rule->functions->step(m->host, here, inputs, NULL, &error));
  REQUIRE(!m->rule->functions->step(m->device, there, inputs_there, NULL, &error));
}

static talweg_status set_input(const model* m, const char* name, talweg_cuda_address numbers,
                               uint32_t bytes_each) {
  return m->rule->functions->cuda_set_input(m->device, name, device_pointer(numbers), bytes_each,
                                            &error);
}

static int refused(const model* m, const char* name, talweg_cuda_address numbers,
                   uint32_t bytes_each, talweg_status status, const char* text) {
  return set_input(m, name, numbers, bytes_each) == status && strstr(error.message, text) != NULL;
}

static void test_refusals(void) {
  const talweg_rule* rule = RULE(noise, "Noise");
  model m;
  given g;
  model_make(&m, rule);
  given_make(&g);
  const talweg_cuda_address there = device_make(8 * sizeof(double));
  REQUIRE(refused(&m, NULL, there, 8, TALWEG_BAD_ARGUMENT, "the name is null"));
  REQUIRE(refused(&m, "los", there, 8, TALWEG_UNKNOWN_NAME,
                  "no input `los`; the rule has loss, boost, factor, noise"));
  REQUIRE(refused(&m, "noise", there, 4, TALWEG_BAD_ARGUMENT, "input"));
  REQUIRE(refused(&m, "loss", there, 2, TALWEG_BAD_ARGUMENT, "bytes_each"));
  REQUIRE(refused(&m, "loss", there + 4, 8, TALWEG_BAD_ARGUMENT, "aligned"));
  REQUIRE(refused(&m, "loss", there + 2, 4, TALWEG_BAD_ARGUMENT, "aligned"));
  REQUIRE(rule->functions->cuda_set_input(m.host, "loss", NULL, 8, &error) == TALWEG_BAD_ARGUMENT);
  REQUIRE(strstr(error.message, "not on a GPU"));
  for (int i = 0; i < 2; ++i) {
    given_fill(&g, &m);
    step_both(&m, &g, &g);
    model_compare(&m);
  }
  REQUIRE(cuMemFree_v2(there) == 0);
  given_end(&g);
  model_end(&m);
  rule->functions->release(rule);
}

/* Where the numbers of Noise are on the device: floats or doubles. */
typedef struct numbers {
  talweg_cuda_address loss, boost, factor;
  uint32_t bytes_each;
} numbers;

static numbers numbers_make(uint32_t bytes_each) {
  const numbers made = {device_make(sizeof(double)), device_make(GROUPS * sizeof(double)),
                        device_make(TENSORS * sizeof(double)), bytes_each};
  return made;
}

static void numbers_end(const numbers* n) {
  REQUIRE(cuMemFree_v2(n->loss) == 0 && cuMemFree_v2(n->boost) == 0);
  REQUIRE(cuMemFree_v2(n->factor) == 0);
}

static void numbers_set(const model* m, const numbers* n) {
  REQUIRE(!set_input(m, "loss", n->loss, n->bytes_each));
  REQUIRE(!set_input(m, "boost", n->boost, n->bytes_each));
  REQUIRE(!set_input(m, "factor", n->factor, n->bytes_each));
}

static void put(const model* m, talweg_cuda_address to, const void* from, size_t bytes) {
  REQUIRE(cuMemcpyHtoDAsync_v2(to, from, bytes, m->stream) == 0);
}

/* In the stream, in whose order steps read them. */
static void numbers_put(const model* m, const numbers* n, const given* g) {
  const int is_float = n->bytes_each == sizeof(float);
  put(m, n->loss, is_float ? (const void*)&g->loss_float : &g->loss, n->bytes_each);
  put(m, n->boost, is_float ? (const void*)g->boost_floats : g->boost, GROUPS * n->bytes_each);
  put(m, n->factor, is_float ? (const void*)g->factor_floats : g->factor, TENSORS * n->bytes_each);
}

static void test_values(void) {
  const talweg_rule* rule = RULE(noise, "Noise");
  model m;
  given g, other;
  model_make(&m, rule);
  given_make(&g);
  given_make(&other);
  const numbers floats = numbers_make(sizeof(float)), doubles = numbers_make(sizeof(double));
  for (int i = 0; i < 6; ++i) {
    const numbers* n = i < 3 ? &floats : &doubles;
    given_fill(&g, &m);
    given_fill(&other, &m); /* what steps are given is not looked at */
    numbers_put(&m, n, &g);
    numbers_set(&m, n);
    step_both(&m, &g, i % 2 == 0 ? &other : NULL);
    model_compare(&m);
  }
  /* One of them is taken back. */
  given_fill(&g, &m);
  numbers_put(&m, &doubles, &g);
  REQUIRE(!set_input(&m, "boost", 0, 0));
  other.loss = 0;
  memcpy(other.boost, g.boost, sizeof g.boost);
  step_both(&m, &g, &other);
  model_compare(&m);
  void *here[TENSORS], *there[TENSORS];
  const void *inputs[INPUTS], *inputs_there[INPUTS];
  gradient_pointers(&m, here, there);
  given_point(&g, NULL, inputs, inputs_there);
  REQUIRE(!rule->functions->step(m.device, there, inputs_there, NULL, &error));
  REQUIRE(rule->functions->cuda_wait(m.device, NULL, &error) == TALWEG_MISSING_INPUT);
  REQUIRE(strstr(error.message, "`boost`"));
  numbers_set(&m, &doubles);
  step_both(&m, &g, NULL);
  model_compare(&m);
  numbers_end(&floats);
  numbers_end(&doubles);
  given_end(&g);
  given_end(&other);
  model_end(&m);
  rule->functions->release(rule);
}

/* Steps in a graph read them where they are, as they are when it is replayed. */
static void test_graph(void) {
  const talweg_rule* rule = RULE(noise, "Noise");
  model m;
  given g;
  model_make(&m, rule);
  given_make(&g);
  const numbers n = numbers_make(sizeof(float));
  numbers_set(&m, &n);
  for (int i = 0; i < 2; ++i) {
    given_fill(&g, &m);
    numbers_put(&m, &n, &g);
    step_both(&m, &g, NULL);
    model_compare(&m);
  }
  void *here[TENSORS], *there[TENSORS];
  const void *inputs[INPUTS], *inputs_there[INPUTS];
  gradient_pointers(&m, here, there);
  given_point(&g, NULL, inputs, inputs_there);
  fake_cuda_graph graph;
  fake_cuda_graph_exec exec;
  REQUIRE(cuStreamBeginCapture_v2(m.stream, 0) == 0);
  REQUIRE(!rule->functions->step(m.device, there, inputs_there, NULL, &error));
  REQUIRE(cuStreamEndCapture(m.stream, &graph) == 0);
  REQUIRE(cuGraphInstantiateWithFlags(&exec, graph, 0) == 0);
  for (int i = 0; i < 3; ++i) {
    fill(&m, m.gradients, m.gradients_there);
    given_fill(&g, &m);
    numbers_put(&m, &n, &g);
    REQUIRE(!rule->functions->step(m.host, here, inputs, NULL, &error));
    REQUIRE(cuGraphLaunch(exec, m.stream) == 0);
    model_compare(&m);
  }
  REQUIRE(rule->functions->steps(m.device) == 5);
  REQUIRE(cuGraphExecDestroy(exec) == 0 && cuGraphDestroy(graph) == 0);
  numbers_end(&n);
  given_end(&g);
  model_end(&m);
  rule->functions->release(rule);
}

/* A rule that has no inputs says so, and one that waits for a gradient reads what it has read. */
static void test_others(void) {
  model m;
  model_make(&m, RULE(sharp, "SAM | SGD(lr = 0.1)"));
  REQUIRE(refused(&m, "loss", 0, 8, TALWEG_UNKNOWN_NAME, "the rule has none"));
  model_end(&m);
  m.rule->functions->release(m.rule);
  model_make(&m, RULE(waits, "SAM | PolyakStep"));
  const double loss = 0.5;
  const void* inputs[] = {&loss};
  for (int i = 0; i < 2; ++i) {
    REQUIRE(model_step(&m, inputs) == TALWEG_REGRAD);
    REQUIRE(refused(&m, "loss", 0, 8, TALWEG_WAITING, "waits for another gradient"));
    REQUIRE(model_step(&m, inputs) == TALWEG_COMPLETED);
    model_compare(&m);
  }
  model_end(&m);
  m.rule->functions->release(m.rule);
}

int main(void) {
  fake_cuda_reset(1);
  fake_cuda_set_device(0, "Pretended H200", 9, 0, 4, (size_t)1 << 30);
  enter_device(0);
  test_refusals();
  test_others();
  test_values();
  test_graph();
  REQUIRE(fake_cuda_count("allocations") == 0 && fake_cuda_count("pinned") == 0);
  REQUIRE(fake_cuda_count("streams") == 0);
  puts("ok");
  return 0;
}
