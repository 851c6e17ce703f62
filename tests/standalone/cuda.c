/* Rules on a pretended device by the C interface: of a library that was built, or (COMPILED) of
 * libtalweg. */
#include "cuda_pair.h"

#ifdef COMPILED
#include "talweg/talweg.h"

static const talweg_rule* rule_of(const char* expression) {
  const talweg_rule* rule = NULL;
  REQUIRE(!talweg_compile(expression, NULL, &rule, NULL, &error));
  return rule;
}
#define RULE(name, expression) rule_of(expression)
#else
#include "gpu.h"
#define RULE(name, expression) gpu_##name##_rule()
#endif

static const talweg_rule* train(void) { return RULE(train, "ClipByGlobalNorm(1) | AdamW | Ema"); }

static void check_steps(const talweg_rule* rule, int has_states_there) {
  model m;
  model_make(&m, rule);
  for (int i = 0; i < 4; ++i) {
    while (model_step(&m, NULL) == TALWEG_REGRAD) REQUIRE(rule->functions->is_waiting(m.device));
    REQUIRE((model_compare(&m) > 0) == has_states_there);
  }
  REQUIRE(rule->functions->steps(m.device) == 4);
  REQUIRE(strcmp(rule->functions->cpu(m.device), "nvptx-sm90") == 0);
  model_end(&m);
  rule->functions->release(rule);
}

static void test_steps(void) {
  check_steps(train(), 1);
  check_steps(RULE(lines, "Adafactor"), 1);
  check_steps(RULE(sharp, "SAM | SGD(lr = 0.1)"), 0);
}

static void test_inputs(void) {
  const talweg_rule* rule = RULE(polyak, "PolyakStep");
  model m;
  model_make(&m, rule);
  for (int i = 1; i < 4; ++i) {
    const double loss = 0.5 * i;
    const void* inputs[] = {&loss};
    model_step(&m, inputs);
    model_compare(&m);
  }
  void *here[TENSORS], *there[TENSORS];
  gradient_pointers(&m, here, there);
  /* The device finds it. */
  REQUIRE(!rule->functions->step(m.device, there, NULL, NULL, &error));
  REQUIRE(rule->functions->cuda_wait(m.device, NULL, &error) == TALWEG_MISSING_INPUT);
  REQUIRE(strstr(error.message, "`loss`"));
  model_compare(&m);
  model_end(&m);
  rule->functions->release(rule);
}

static void set_both(model* m, const char* name, uint32_t group, double value) {
  REQUIRE(!m->rule->functions->set_hyper(m->host, name, group, value, &error));
  REQUIRE(!m->rule->functions->set_hyper(m->device, name, group, value, &error));
}

static void test_hypers(void) {
  model m;
  model_make(&m, train());
  for (int i = 0; i < 4; ++i) {
    set_both(&m, "lr", 1, 0.1 / (i + 1));
    set_both(&m, "weight_decay", TALWEG_ALL_GROUPS, 0.01 * i);
    model_step(&m, NULL);
    model_compare(&m);
    double value = 0;
    REQUIRE(!m.rule->functions->get_hyper(m.device, "lr", 1, &value, &error));
    REQUIRE(value == (double)(0.1 / (i + 1)));
  }
  REQUIRE(m.rule->functions->set_hyper(m.device, "beta1", 0, 2, &error) == TALWEG_OUT_OF_RANGE);
  REQUIRE(m.rule->functions->set_hyper(m.device, "speed", 0, 2, &error) == TALWEG_UNKNOWN_NAME);
  model_step(&m, NULL);
  model_compare(&m);
  model_end(&m);
  m.rule->functions->release(m.rule);
}

static void test_save_and_load(const talweg_rule* rule) {
  model m;
  model_make(&m, rule);
  for (int i = 0; i < 2; ++i) model_step(&m, NULL);
  const uint64_t bytes = rule->functions->saved_bytes(m.device);
  REQUIRE(bytes == rule->functions->saved_bytes(m.host));
  unsigned char *here = malloc(bytes), *there = malloc(bytes);
  REQUIRE(here && there);
  REQUIRE(!rule->functions->save(m.host, here, bytes, &error));
  REQUIRE(!rule->functions->save(m.device, there, bytes, &error));
  REQUIRE(memcmp(here, there, bytes) == 0);
  model_step(&m, NULL);
  /* Back to where both were, from each other's buffer. */
  REQUIRE(!rule->functions->load(m.device, here, bytes, &error));
  REQUIRE(!rule->functions->load(m.host, there, bytes, &error));
  model_compare(&m);
  there[bytes / 2] ^= 1;
  there[9] ^= 1;
  REQUIRE(rule->functions->load(m.device, there, bytes, &error) == TALWEG_BAD_DATA);
  model_step(&m, NULL);
  model_compare(&m);
  REQUIRE(!rule->functions->reset(m.host, &error) && !rule->functions->reset(m.device, &error));
  REQUIRE(rule->functions->steps(m.device) == 0);
  model_compare(&m);
  model_step(&m, NULL);
  model_compare(&m);
  free(here);
  free(there);
  model_end(&m);
  rule->functions->release(rule);
}

static void test_states(void) {
  model m;
  model_make(&m, train());
  model_step(&m, NULL);
  talweg_state state;
  REQUIRE(!m.rule->functions->find_state(m.device, "m", 0, &state, &error));
  REQUIRE(state.on_device && state.elements == 35 && state.element_bytes == 4);
  float ones[35];
  for (int i = 0; i < 35; ++i) ones[i] = 1;
  device_write((talweg_cuda_address)(uintptr_t)state.data, ones, sizeof ones);
  REQUIRE(!m.rule->functions->find_state(m.host, "m", 0, &state, &error));
  REQUIRE(!state.on_device);
  memcpy(state.data, ones, sizeof ones);
  model_step(&m, NULL);
  model_compare(&m);
  model_end(&m);
  m.rule->functions->release(m.rule);
}

static void test_views(void) {
  model m;
  model_make(&m, train());
  for (int i = 0; i < 2; ++i) model_step(&m, NULL);
  float copy[35];
  const talweg_cuda_address there = device_make(sizeof copy);
  void* to[TENSORS] = {copy, NULL, NULL, NULL};
  void* to_there[TENSORS] = {device_pointer(there), NULL, NULL, NULL};
  REQUIRE(!m.rule->functions->read_view(m.host, "averaged", to, &error));
  REQUIRE(!m.rule->functions->read_view(m.device, "averaged", to_there, &error));
  same_elements(copy, there, sizeof copy);
  const size_t bytes = (size_t)m.rule->functions->swap_bytes(m.device);
  REQUIRE(bytes == m.rule->functions->swap_bytes(m.host));
  void* own = malloc(bytes);
  const talweg_cuda_address own_there = device_make(bytes);
  REQUIRE(!m.rule->functions->swap_in(m.host, "averaged", own, &error));
  REQUIRE(!m.rule->functions->swap_in(m.device, "averaged", device_pointer(own_there), &error));
  model_compare(&m);
  same_elements(copy, m.params_there[0], sizeof copy);
  REQUIRE(m.rule->functions->reset(m.device, &error) == TALWEG_SWAPPED_IN);
  REQUIRE(!m.rule->functions->swap_out(m.host, &error));
  REQUIRE(!m.rule->functions->swap_out(m.device, &error));
  model_compare(&m);
  model_step(&m, NULL);
  model_compare(&m);
  free(own);
  REQUIRE(cuMemFree_v2(there) == 0 && cuMemFree_v2(own_there) == 0);
  model_end(&m);
  m.rule->functions->release(m.rule);
}

/* Steps in a graph read gradients, hypers and counters where they are when it is replayed. */
static void test_graphs(void) {
  model m;
  model_make(&m, train());
  void *here[TENSORS], *there[TENSORS];
  gradient_pointers(&m, here, there);
  fake_cuda_graph graph;
  fake_cuda_graph_exec exec;
  /* The average begins in the first step, which the host leads. */
  REQUIRE(cuStreamBeginCapture_v2(m.stream, 0) == 0);
  REQUIRE(m.rule->functions->step(m.device, there, NULL, NULL, &error) == TALWEG_NOT_SERVED);
  REQUIRE(strstr(error.message, "cannot be captured"));
  REQUIRE(cuStreamEndCapture(m.stream, &graph) == 0 && cuGraphDestroy(graph) == 0);
  model_step(&m, NULL);
  REQUIRE(!m.rule->functions->cuda_send_hypers(m.device, &error));
  REQUIRE(cuStreamBeginCapture_v2(m.stream, 0) == 0);
  REQUIRE(!m.rule->functions->step(m.device, there, NULL, NULL, &error));
  REQUIRE(cuStreamEndCapture(m.stream, &graph) == 0);
  REQUIRE(cuGraphInstantiateWithFlags(&exec, graph, 0) == 0);
  for (int i = 0; i < 3; ++i) {
    set_both(&m, "lr", TALWEG_ALL_GROUPS, 0.1 / (i + 1));
    REQUIRE(!m.rule->functions->cuda_send_hypers(m.device, &error));
    fill(&m, m.gradients, m.gradients_there);
    REQUIRE(!m.rule->functions->step(m.host, here, NULL, NULL, &error));
    REQUIRE(cuGraphLaunch(exec, m.stream) == 0);
    model_compare(&m);
  }
  REQUIRE(m.rule->functions->steps(m.device) == 4);
  REQUIRE(cuGraphExecDestroy(exec) == 0 && cuGraphDestroy(graph) == 0);
  model_step(&m, NULL);
  model_compare(&m);
  model_end(&m);
  m.rule->functions->release(m.rule);
}

/* What GradScaler does: gradients are multiplied by 1 / scale; a step with an infinity is left out.
 */
static void test_scaling(void) {
  model m;
  model_make(&m, train());
  const talweg_cuda_address numbers = device_make(2 * sizeof(float));
  float found_and_scale[2] = {0, 8};
  device_write(numbers, found_and_scale, sizeof found_and_scale);
  const float* found = device_pointer(numbers);
  REQUIRE(!m.rule->functions->cuda_set_scaling(m.device, found, found + 1, &error));
  void *here[TENSORS], *there[TENSORS];
  gradient_pointers(&m, here, there);
  for (int i = 0; i < 4; ++i) {
    fill(&m, m.gradients, m.gradients_there);
    found_and_scale[0] = i == 2; /* by the stream of the optimizer: steps see it in its order */
    REQUIRE(cuMemcpyHtoDAsync_v2(numbers, found_and_scale, sizeof(float), m.stream) == 0);
    REQUIRE(!m.rule->functions->step(m.device, there, NULL, NULL, &error));
    REQUIRE(!m.rule->functions->cuda_wait(m.device, NULL, &error));
    for (int t = 0; t < TENSORS; ++t)
      for (size_t k = 0; k < elements_of(t); ++k) m.gradients[t][k] *= 0.125f;
    if (i != 2) REQUIRE(!m.rule->functions->step(m.host, here, NULL, NULL, &error));
    model_compare(&m);
  }
  REQUIRE(m.rule->functions->steps(m.device) == 3);
  REQUIRE(!m.rule->functions->cuda_set_scaling(m.device, NULL, NULL, &error));
  model_step(&m, NULL);
  model_compare(&m);
  REQUIRE(cuMemFree_v2(numbers) == 0);
  model_end(&m);
  m.rule->functions->release(m.rule);
}

static void test_streams_and_memory(void) {
  model m;
  model_describe(&m, train());
  talweg_sizes sizes;
  REQUIRE(!m.rule->functions->measure(m.rule, &m.spec_there, &sizes, &error));
  /* The driver aligns to less. */
  const uint64_t alignment = sizes.state_alignment;
  const talweg_cuda_address block = device_make((size_t)(sizes.state_bytes + alignment));
  const talweg_cuda_address states = (block + alignment - 1) / alignment * alignment;
  talweg_cuda cuda = cuda_of(&m);
  cuda.state_memory = device_pointer(states);
  REQUIRE(!m.rule->functions->cuda_create(m.rule, &m.spec_there, &cuda, &m.device, &error));
  talweg_state state;
  REQUIRE(!m.rule->functions->find_state(m.device, "m", 0, &state, &error));
  const uintptr_t place = (uintptr_t)state.data;
  REQUIRE(place >= states && place < states + sizes.state_bytes);
  model_step(&m, NULL);
  talweg_cuda_stream other;
  REQUIRE(cuStreamCreate(&other, TALWEG_CUDA_STREAM_NON_BLOCKING) == 0);
  REQUIRE(!m.rule->functions->cuda_set_stream(m.device, other, &error));
  model_step(&m, NULL);
  REQUIRE(!m.rule->functions->cuda_set_stream(m.device, NULL, &error));
  model_step(&m, NULL);
  model_compare(&m);
  REQUIRE(m.rule->functions->cuda_set_stream(m.host, other, &error) == TALWEG_BAD_ARGUMENT);
  REQUIRE(strstr(error.message, "not on a GPU"));
  REQUIRE(m.rule->functions->cuda_wait(m.host, NULL, &error) == TALWEG_BAD_ARGUMENT);
  REQUIRE(m.rule->functions->cuda_send_hypers(m.host, &error) == TALWEG_BAD_ARGUMENT);
  REQUIRE(m.rule->functions->cuda_set_scaling(m.host, NULL, NULL, &error) == TALWEG_BAD_ARGUMENT);
  model_end(&m);
  REQUIRE(cuStreamDestroy_v2(other) == 0 && cuMemFree_v2(block) == 0);
  m.rule->functions->release(m.rule);
}

static void test_two_devices(void) {
  const talweg_cuda_context second = enter_device(1);
  model a, b;
  model_make(&b, train());
  const talweg_cuda_context first = enter_device(0);
  model_make(&a, b.rule);
  for (int i = 0; i < 2; ++i) {
    model_step(&a, NULL);
    model_compare(&a);
    REQUIRE(cuCtxSetCurrent(second) == 0);
    model_step(&b, NULL);
    model_compare(&b);
    REQUIRE(cuCtxSetCurrent(first) == 0);
  }
  model_end(&a);
  REQUIRE(cuCtxSetCurrent(second) == 0);
  model_end(&b);
  a.rule->functions->release(a.rule);
  REQUIRE(cuCtxSetCurrent(first) == 0);
}

/* Its kernels are PTX for a processor and all newer ones. */
static void test_devices_of_all_ages(void) {
  static const struct {
    int major, minor;
    const char* isa;
  } devices[] = {{7, 5, NULL},         {8, 0, "nvptx-sm80"},   {8, 9, "nvptx-sm80"},
                 {9, 0, "nvptx-sm90"}, {10, 0, "nvptx-sm100"}, {12, 0, "nvptx-sm100"}};
  for (size_t i = 0; i < sizeof devices / sizeof *devices; ++i) {
    model m;
    fake_cuda_reset(1);
    fake_cuda_set_device(0, "Pretended", devices[i].major, devices[i].minor, 4, (size_t)1 << 30);
    fake_cuda_set_version(12080);
    enter_device(0);
    model_describe(&m, train());
    const talweg_cuda cuda = cuda_of(&m);
    const talweg_status status =
        m.rule->functions->cuda_create(m.rule, &m.spec_there, &cuda, &m.device, &error);
    if (devices[i].isa) {
      REQUIRE(!status && strcmp(m.rule->functions->cpu(m.device), devices[i].isa) == 0);
    } else {
      REQUIRE(status == TALWEG_NOT_SERVED && !m.device);
      REQUIRE(strcmp(error.message,
                     "device 0 (Pretended) is of compute capability 7.5; the rule has code for "
                     "8.0 and newer ones") == 0);
    }
    model_end(&m);
    m.rule->functions->release(m.rule);
  }
}

int main(void) {
  test_devices_of_all_ages();
  fake_cuda_reset(2);
  fake_cuda_set_device(0, "Pretended H200", 9, 0, 4, (size_t)1 << 30);
  fake_cuda_set_device(1, "Pretended H200", 9, 0, 2, (size_t)1 << 30);
  enter_device(0);
  test_steps();
  test_inputs();
  test_hypers();
  test_save_and_load(train());
  test_save_and_load(RULE(lines, "Adafactor"));
  test_states();
  test_views();
  test_graphs();
  test_scaling();
  test_streams_and_memory();
  test_two_devices();
  REQUIRE(fake_cuda_count("allocations") == 0 && fake_cuda_count("pinned") == 0);
  REQUIRE(fake_cuda_count("modules") == 0 && fake_cuda_count("events") == 0);
  REQUIRE(fake_cuda_count("streams") == 0);
  puts("ok");
  return 0;
}
