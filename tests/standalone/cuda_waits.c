/* After a capture a step may run at any time that the host does not know of. What reads or writes
 * all states waits for the device once, however many tensors there are, and finds what the last
 * replay has left. */
#include "cuda_pair.h"
#include "gpu.h"

enum { FEW = 2, MANY = 20, ELEMENTS = 12 };

/* How often the host waited for the device. */
typedef struct waits {
  int saved_bytes, save, iteration, load;
} waits;

typedef struct pair {
  const talweg_rule* rule;
  uint32_t count, seed;
  talweg_cuda_stream stream, other; /* of the optimizer; of replays, which it is not told of */
  char names[MANY][8];
  float params[MANY][ELEMENTS], gradients[MANY][ELEMENTS];
  talweg_cuda_address params_there[MANY], gradients_there[MANY];
  talweg_tensor here[MANY], there[MANY];
  void *pointers[MANY], *pointers_there[MANY];
  talweg_optimizer *host, *device;
  fake_cuda_graph_exec step;
} pair;

static int count_waits(void) {
  int count = 0;
  for (size_t i = 0; i < fake_cuda_log_lines(); ++i)
    count += strstr(fake_cuda_log_line(i), "Synchronize(") != NULL;
  return count;
}

static void draw_gradients(pair* p) {
  for (uint32_t t = 0; t < p->count; ++t) {
    for (int i = 0; i < ELEMENTS; ++i) {
      p->seed = p->seed * 1664525u + 1013904223u;
      p->gradients[t][i] = (float)(p->seed >> 8) / (float)(1 << 24) - 0.5f;
    }
    device_write(p->gradients_there[t], p->gradients[t], sizeof p->gradients[t]);
  }
}

static void describe(pair* p) {
  static const uint64_t shape[] = {3, 4};
  for (uint32_t t = 0; t < p->count; ++t) {
    snprintf(p->names[t], sizeof p->names[t], "w%u", t);
    for (int i = 0; i < ELEMENTS; ++i) p->params[t][i] = 0.25f * (float)(t + 1);
    p->params_there[t] = device_make(sizeof p->params[t]);
    p->gradients_there[t] = device_make(sizeof p->gradients[t]);
    device_write(p->params_there[t], p->params[t], sizeof p->params[t]);
    p->here[t].name = p->names[t];
    p->here[t].shape = shape;
    p->here[t].rank = 2;
    p->here[t].param = p->params[t];
    p->there[t] = p->here[t];
    p->there[t].param = device_pointer(p->params_there[t]);
    p->pointers[t] = p->gradients[t];
    p->pointers_there[t] = device_pointer(p->gradients_there[t]);
  }
}

/* Where one step was made and the next one captured. */
static void begin(pair* p, const talweg_rule* rule, uint32_t count) {
  memset(p, 0, sizeof *p);
  p->rule = rule;
  p->count = count;
  REQUIRE(cuStreamCreate(&p->stream, TALWEG_CUDA_STREAM_NON_BLOCKING) == 0);
  REQUIRE(cuStreamCreate(&p->other, TALWEG_CUDA_STREAM_NON_BLOCKING) == 0);
  describe(p);
  talweg_spec spec = {
      .interface_version = TALWEG_INTERFACE, .tensor_count = count, .tensors = p->here};
  const talweg_cuda cuda = {NULL, p->stream, NULL};
  REQUIRE(!rule->functions->create(rule, &spec, &p->host, &error));
  spec.tensors = p->there;
  REQUIRE(!rule->functions->cuda_create(rule, &spec, &cuda, &p->device, &error));
  draw_gradients(p);
  REQUIRE(!rule->functions->step(p->host, p->pointers, NULL, NULL, &error));
  REQUIRE(!rule->functions->step(p->device, p->pointers_there, NULL, NULL, &error));
  REQUIRE(!rule->functions->cuda_wait(p->device, NULL, &error));
  REQUIRE(!rule->functions->cuda_send_hypers(p->device, &error));
  fake_cuda_graph graph;
  REQUIRE(cuStreamBeginCapture_v2(p->stream, 0) == 0);
  REQUIRE(!rule->functions->step(p->device, p->pointers_there, NULL, NULL, &error));
  REQUIRE(cuStreamEndCapture(p->stream, &graph) == 0);
  REQUIRE(cuGraphInstantiateWithFlags(&p->step, graph, 0) == 0 && cuGraphDestroy(graph) == 0);
}

/* A step of both; on the device it has not run when this returns. */
static void replay(pair* p) {
  REQUIRE(cuStreamSynchronize(p->stream) == 0 && cuStreamSynchronize(p->other) == 0);
  draw_gradients(p);
  REQUIRE(!p->rule->functions->step(p->host, p->pointers, NULL, NULL, &error));
  REQUIRE(cuGraphLaunch(p->step, p->other) == 0);
}

static void end(pair* p) {
  REQUIRE(cuGraphExecDestroy(p->step) == 0);
  p->rule->functions->destroy(p->host);
  p->rule->functions->destroy(p->device);
  for (uint32_t t = 0; t < p->count; ++t)
    REQUIRE(cuMemFree_v2(p->params_there[t]) == 0 && cuMemFree_v2(p->gradients_there[t]) == 0);
  REQUIRE(cuStreamDestroy_v2(p->stream) == 0 && cuStreamDestroy_v2(p->other) == 0);
}

/* What is saved is what the host's optimizer saves, and is put into `buffer`. */
static int save(pair* p, unsigned char* buffer, uint64_t bytes) {
  unsigned char* expected = malloc(bytes);
  REQUIRE(expected);
  const int before = count_waits();
  REQUIRE(!p->rule->functions->save(p->device, buffer, bytes, &error));
  const int waited = count_waits() - before;
  REQUIRE(!p->rule->functions->save(p->host, expected, bytes, &error));
  REQUIRE(memcmp(buffer, expected, bytes) == 0);
  free(expected);
  return waited;
}

static int compare_states(pair* p) {
  talweg_state here, there;
  memset(&here, 0, sizeof here);
  memset(&there, 0, sizeof there);
  const int before = count_waits();
  int reads = 0; /* ours, of what is on the device */
  while (p->rule->functions->next_state(p->host, &here)) {
    const size_t bytes = (size_t)(here.elements * here.element_bytes);
    REQUIRE(p->rule->functions->next_state(p->device, &there));
    REQUIRE(strcmp(here.name, there.name) == 0 && there.elements == here.elements);
    if (there.on_device)
      same_elements(here.data, (talweg_cuda_address)(uintptr_t)there.data, bytes);
    else
      REQUIRE(memcmp(here.data, there.data, bytes) == 0);
    reads += there.on_device && bytes > 0;
  }
  REQUIRE(!p->rule->functions->next_state(p->device, &there));
  return count_waits() - before - reads;
}

static waits count_all(const talweg_rule* rule, uint32_t count) {
  static pair p;
  waits w;
  begin(&p, rule, count);
  replay(&p);
  int before = count_waits();
  const uint64_t bytes = rule->functions->saved_bytes(p.device);
  w.saved_bytes = count_waits() - before;
  unsigned char *first = malloc(bytes), *last = malloc(bytes);
  REQUIRE(first && last);
  w.save = save(&p, first, bytes);
  replay(&p);
  replay(&p);
  w.iteration = compare_states(&p);
  replay(&p);
  REQUIRE(!rule->functions->load(p.host, first, bytes, &error));
  before = count_waits();
  REQUIRE(!rule->functions->load(p.device, first, bytes, &error));
  w.load = count_waits() - before;
  memset(first, 0x5a, bytes); /* no copy of it is still to be made */
  REQUIRE(!rule->functions->cuda_send_hypers(p.device, &error));
  replay(&p);
  REQUIRE(rule->functions->steps(p.device) == 3);
  replay(&p);
  REQUIRE(rule->functions->calls(p.device) == 4);
  save(&p, last, bytes);
  free(first);
  free(last);
  end(&p);
  return w;
}

int main(void) {
  const talweg_rule* const rules[] = {gpu_train_rule(), gpu_lines_rule(), gpu_norms_rule()};
  fake_cuda_reset(1);
  enter_device(0);
  for (size_t i = 0; i < sizeof rules / sizeof *rules; ++i) {
    const waits few = count_all(rules[i], FEW), many = count_all(rules[i], MANY);
    printf("%s: saved_bytes %d, save %d, iteration %d, load %d; with %d tensors %d, %d, %d, %d\n",
           rules[i]->name, few.saved_bytes, few.save, few.iteration, few.load, MANY,
           many.saved_bytes, many.save, many.iteration, many.load);
    REQUIRE(few.save > 0 && few.iteration > 0 && few.load > 0);
    REQUIRE(memcmp(&few, &many, sizeof few) == 0);
  }
  REQUIRE(fake_cuda_count("allocations") == 0 && fake_cuda_count("pinned") == 0);
  puts("ok");
  return 0;
}
