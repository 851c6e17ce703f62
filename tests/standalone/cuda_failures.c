/* What a library for GPUs does where the driver fails: a failure at every call of it while an
 * optimizer is made, stepped and ended, no memory, the wrong context, an old device. Each is said
 * by the driver's name of it, and leaves nothing behind. */
#include "cuda_pair.h"
#include "gpu.h"

enum { UNKNOWN_ERROR = 999 };

/* What the driver has on loan. */
typedef struct loans {
  size_t allocations, bytes, pinned, modules, streams, events, contexts;
} loans;

static loans count_loans(void) {
  const loans now = {
      .allocations = fake_cuda_count("allocations"),
      .bytes = fake_cuda_count("bytes"),
      .pinned = fake_cuda_count("pinned"),
      .modules = fake_cuda_count("modules"),
      .streams = fake_cuda_count("streams"),
      .events = fake_cuda_count("events"),
      .contexts = fake_cuda_count("contexts"),
  };
  return now;
}

/* What the driver has on loan but for bytes. */
static size_t sum_of(const loans* l) {
  return l->allocations + l->pinned + l->modules + l->streams + l->events + l->contexts;
}

/* Nothing was kept that was not there before, but for `more` of any kind. */
static void require_same(const loans* before, size_t more, int call) {
  const loans now = count_loans();
  if (memcmp(before, &now, sizeof now) == 0) return;
  if (more > 0 && sum_of(&now) <= sum_of(before) + more) return;
  fprintf(stderr,
          "call %d (%s): allocations %zu to %zu, bytes %zu to %zu, pinned %zu to %zu, modules %zu "
          "to %zu, "
          "streams %zu to %zu, events %zu to %zu, contexts %zu to %zu\n",
          call, error.message, before->allocations, now.allocations, before->bytes, now.bytes,
          before->pinned, now.pinned, before->modules, now.modules, before->streams, now.streams,
          before->events, now.events, before->contexts, now.contexts);
  exit(1);
}

/* A model on the host and its memory on the device; for each try the same. */
static model m;
static void *gradients[TENSORS], *gradients_here[TENSORS];
static int copies_failed;

/* Saves and loads. Where a copy has failed, no other one comes into our memory later. */
static talweg_status save_and_load(talweg_optimizer* made) {
  static unsigned char saved[1 << 14], untouched[sizeof saved];
  const talweg_functions* functions = m.rule->functions;
  const uint64_t bytes = functions->saved_bytes(made);
  REQUIRE(bytes <= sizeof saved);
  talweg_status status = functions->save(made, saved, bytes, &error);
  if (status == TALWEG_OK) status = functions->load(made, saved, bytes, &error);
  if (status == TALWEG_OK || !strstr(error.message, "cuMemcpyAsync")) return status;
  memset(saved, 0x5a, sizeof saved);
  memset(untouched, 0x5a, sizeof untouched);
  REQUIRE(cuStreamSynchronize(m.stream) == 0);
  REQUIRE(memcmp(saved, untouched, sizeof saved) == 0);
  ++copies_failed;
  return status;
}

/* Makes, steps and ends an optimizer where the n-th call from now fails; 1 if there is such a call.
 */
static int fails_at(int n) {
  const loans before = count_loans();
  const talweg_cuda cuda = cuda_of(&m);
  const talweg_functions* functions = m.rule->functions;
  float params[MOST_ELEMENTS];
  talweg_optimizer* made = NULL;
  error.message[0] = 0;
  fake_cuda_fail(NULL, n, UNKNOWN_ERROR);
  talweg_status status = functions->cuda_create(m.rule, &m.spec_there, &cuda, &made, &error);
  REQUIRE((status == TALWEG_OK) == (made != NULL));
  if (status != TALWEG_OK) require_same(&before, 0, n);
  for (int i = 0; status == TALWEG_OK && i < 3; ++i)
    status = functions->step(made, gradients, NULL, NULL, &error);
  if (status == TALWEG_OK) status = functions->cuda_wait(made, NULL, &error);
  if (status == TALWEG_OK) status = save_and_load(made);
  /* It has no error to tell. */
  const int is_silent = status == TALWEG_OK && functions->steps(made) != 3;
  if (is_silent) status = TALWEG_DEVICE_FAILED;
  if (status == TALWEG_OK) status = functions->reset(made, &error);
  if (status != TALWEG_OK) {
    REQUIRE(status == TALWEG_DEVICE_FAILED);
    REQUIRE(is_silent || strstr(error.message, "CUDA_ERROR_UNKNOWN"));
  }
  /* What a call fails to give back stays on loan. */
  const int fails_in_the_end = fake_cuda_failure_is_due();
  functions->destroy(made);
  const int was_due = !fake_cuda_failure_is_due();
  fake_cuda_fail(NULL, 1 << 30, 0); /* none is due in what follows */
  require_same(&before, fails_in_the_end && was_due ? 1 : 0, n);
  device_read(params, m.params_there[0], elements_of(0) * sizeof(float));
  if (!made) REQUIRE(memcmp(params, m.params[0], elements_of(0) * sizeof(float)) == 0);
  for (int t = 0; t < TENSORS; ++t)
    device_write(m.params_there[t], m.params[t], elements_of(t) * sizeof(float));
  return was_due;
}

static void test_every_call(void) {
  int n = 1;
  while (fails_at(n)) ++n;
  printf("%d calls\n", n - 1);
  REQUIRE(n > 30 && copies_failed > 5);
}

static void refused(talweg_status status, const char* text) {
  const talweg_cuda cuda = cuda_of(&m);
  talweg_optimizer* made = NULL;
  const loans before = count_loans();
  const talweg_status is =
      m.rule->functions->cuda_create(m.rule, &m.spec_there, &cuda, &made, &error);
  if (is != status || !strstr(error.message, text)) {
    fprintf(stderr, "%s, not %s: %s\n", m.rule->functions->status_text(is), text, error.message);
    exit(1);
  }
  REQUIRE(!made);
  require_same(&before, 0, 0);
}

static void test_contexts(talweg_cuda_context first, talweg_cuda_context second) {
  REQUIRE(cuCtxSetCurrent(NULL) == 0);
  refused(TALWEG_BAD_ARGUMENT, "no current context");
  REQUIRE(cuCtxSetCurrent(second) == 0);
  refused(TALWEG_BAD_ARGUMENT, "device");
  REQUIRE(cuCtxSetCurrent(first) == 0);
  /* The context that is named is taken, whichever is current. */
  const talweg_cuda cuda = {first, m.stream, NULL};
  REQUIRE(cuCtxSetCurrent(second) == 0);
  talweg_optimizer* made = NULL;
  REQUIRE(!m.rule->functions->cuda_create(m.rule, &m.spec_there, &cuda, &made, &error));
  REQUIRE(!m.rule->functions->step(made, gradients, NULL, NULL, &error));
  REQUIRE(!m.rule->functions->cuda_wait(made, NULL, &error));
  m.rule->functions->destroy(made);
  talweg_cuda_context now = NULL;
  REQUIRE(cuCtxGetCurrent(&now) == 0 && now == second);
  REQUIRE(cuCtxSetCurrent(first) == 0);
}

/* With all that is of the rule: its struct of hypers, the stream of the call. */
static void test_functions_of_a_rule(void) {
  gpu_cuda cuda = {NULL, m.stream, NULL};
  gpu_optimizer *made = NULL, *host = NULL;
  gpu_error* why = (gpu_error*)&error;
  gpu_train_hypers hypers = gpu_train_defaults();
  hypers.lr = 0.125;
  model_end(&m);
  model_describe(&m, gpu_train_rule());
  cuda.stream = m.stream;
  gradient_pointers(&m, gradients_here, gradients);
  fill(&m, m.gradients, m.gradients_there);
  REQUIRE(!gpu_train_cuda_create((const gpu_spec*)&m.spec_there, &cuda, &made, why));
  host = (gpu_optimizer*)m.host;
  REQUIRE(!gpu_train_set_hypers(host, GPU_ALL_GROUPS, &hypers, why));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(!gpu_train_step(host, (gpu_element* const*)gradients_here, NULL, why));
    REQUIRE(!gpu_train_cuda_step(made, (gpu_element* const*)gradients, i == 0 ? &hypers : NULL,
                                 i == 1 ? NULL : m.stream, NULL, why));
  }
  gpu_outcome outcome = GPU_HELD;
  REQUIRE(!gpu_cuda_wait(made, &outcome, why) && outcome == GPU_COMPLETED);
  m.device = (talweg_optimizer*)made;
  REQUIRE(model_compare(&m) > 0);
  hypers.beta1 = 2;
  REQUIRE(gpu_train_cuda_step(made, (gpu_element* const*)gradients, &hypers, m.stream, NULL, why) ==
          GPU_OUT_OF_RANGE);
  REQUIRE(gpu_sharp_cuda_step(made, (gpu_element* const*)gradients, NULL, m.stream, NULL, why) ==
          GPU_BAD_ARGUMENT);
  REQUIRE(gpu_train_cuda_create(NULL, &cuda, &made, why) == GPU_BAD_ARGUMENT);
  REQUIRE(gpu_train_cuda_create((const gpu_spec*)&m.spec_there, NULL, NULL, why) ==
          GPU_BAD_ARGUMENT);
  REQUIRE(gpu_cuda_wait(NULL, NULL, why) == GPU_BAD_ARGUMENT);
  model_compare(&m);
  model_end(&m);
}

static void set_up(int major, int minor, size_t bytes) {
  gpu_destroy((gpu_optimizer*)m.host); /* what the device had goes with the reset */
  fake_cuda_reset(2);
  fake_cuda_set_version(12080);
  fake_cuda_set_device(0, "Pretended", major, minor, 4, bytes);
  fake_cuda_set_device(1, "Pretended", major, minor, 4, bytes);
  enter_device(0);
  model_describe(&m, gpu_train_rule());
  gradient_pointers(&m, gradients_here, gradients);
  fill(&m, m.gradients, m.gradients_there);
}

int main(int argc, char** argv) {
  if (argc > 1) { /* no driver: what is said of it is in the arguments */
    memset(&m, 0, sizeof m);
    m.rule = gpu_train_rule();
    m.spec_there.interface_version = TALWEG_INTERFACE;
    refused(TALWEG_DEVICE_FAILED, argv[1]);
    puts("ok");
    return 0;
  }
  set_up(7, 5, (size_t)1 << 30);
  refused(TALWEG_NOT_SERVED,
          "device 0 (Pretended) is of compute capability 7.5; the rule has code for 8.0 and newer");
  set_up(12, 0, 4096); /* runs code for 10.0 */
  refused(TALWEG_DEVICE_FAILED, "CUDA_ERROR_OUT_OF_MEMORY");
  set_up(8, 6, (size_t)1 << 30);
  test_every_call();
  set_up(8, 6, (size_t)1 << 30);
  const talweg_cuda_context first = enter_device(0), second = enter_device(1);
  REQUIRE(cuCtxSetCurrent(first) == 0);
  test_contexts(first, second);
  test_functions_of_a_rule();
  puts("ok");
  return 0;
}
