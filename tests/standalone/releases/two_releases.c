/* Libraries of one rule by two releases of talweg: two_releases VERSION VERSION, that of `now` and
 * the later one of `next`. Each says its own version, serves its own specs and older ones, and
 * computes the same bits as the other, with both at work at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "next.h"
#include "now.h"

enum { COUNT = 40000, STEPS = 4 };
static float params[2][COUNT], gradient[COUNT];
static const uint64_t shape[1] = {COUNT};

#define REQUIRE(condition)                                                    \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)
/* The call must be OK; statuses of both have the same values. */
#define GOOD(call, error)                                                             \
  do {                                                                                \
    if ((call) != 0) {                                                                \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, (error).message); \
      exit(1);                                                                        \
    }                                                                                 \
  } while (0)

/* A spec of one tensor with a pool of the library's own. */
#define DESCRIBE(library, LIBRARY, values)                                                      \
  library##_tensor library##_one = {.name = "w", .shape = shape, .rank = 1, .param = (values)}; \
  library##_pool* library##_threads = library##_pool_create(2);                                 \
  library##_spec library##_described = {.interface_version = LIBRARY##_INTERFACE,               \
                                        .tensors = &library##_one,                              \
                                        .tensor_count = 1,                                      \
                                        .thread_count = 2,                                      \
                                        .parallel_for = library##_pool_run,                     \
                                        .parallel_context = library##_threads};                 \
  library##_optimizer* library##_made = NULL;                                                   \
  library##_error library##_why;                                                                \
  REQUIRE(library##_threads)

static void make_gradient(int step) {
  for (int i = 0; i < COUNT; ++i) gradient[i] = (float)((i * 31 + step * 7) % 17 - 8) / 4;
}

static void check_versions(char** versions) {
  REQUIRE(strcmp(now_version(), versions[0]) == 0);
  REQUIRE(strcmp(next_version(), versions[1]) == 0);
  REQUIRE(strcmp(now_version(), next_version()) != 0);
  REQUIRE(now_interface_version() == NOW_INTERFACE && next_interface_version() == NEXT_INTERFACE);
  REQUIRE(NEXT_INTERFACE == NOW_INTERFACE + 1);
  REQUIRE(sizeof(next_spec) > sizeof(now_spec));
  REQUIRE(strstr(now_describe(), versions[0]) && strstr(next_describe(), versions[1]));
}

/* A program that was compiled with the later header and finds the older library. */
static void check_newer_spec(void) {
  DESCRIBE(next, NEXT, params[0]);
  now_error why;
  now_sizes sizes;
  now_optimizer* made = NULL;
  const now_spec* spec = (const now_spec*)&next_described;
  REQUIRE(now_create(spec, &made, &why) == NOW_NEWER_INTERFACE && !made);
  REQUIRE(strcmp(why.message, "the spec is of interface version 2; this library has version 1") ==
          0);
  REQUIRE(now_measure(spec, &sizes, NULL) == NOW_NEWER_INTERFACE);
  (void)next_made;
  (void)next_why;
  next_pool_destroy(next_threads);
}

/* One that was compiled with the older header and finds the later library; then all is as before.
 */
static void check_older_spec(void) {
  DESCRIBE(now, NOW, params[0]);
  next_error why;
  next_optimizer* made = NULL;
  next_sizes sizes;
  now_sizes own_sizes;
  const next_spec* spec = (const next_spec*)&now_described;
  GOOD(next_measure(spec, &sizes, &why), why);
  GOOD(now_measure(&now_described, &own_sizes, &now_why), now_why);
  REQUIRE(sizes.control_bytes > own_sizes.control_bytes); /* it is another inside */
  GOOD(next_create(spec, &made, &why), why);
  GOOD(now_create(&now_described, &now_made, &now_why), now_why);
  next_destroy(made);
  now_destroy(now_made);
  now_pool_destroy(now_threads);
}

static void check_together(void) {
  DESCRIBE(now, NOW, params[0]);
  DESCRIBE(next, NEXT, params[1]);
  for (int i = 0; i < COUNT; ++i) params[0][i] = params[1][i] = (float)(i % 100) / 16;
  GOOD(now_create(&now_described, &now_made, &now_why), now_why);
  GOOD(next_create(&next_described, &next_made, &next_why), next_why);
  float* gradients[] = {gradient};
  for (int step = 1; step <= STEPS; ++step) {
    make_gradient(step);
    GOOD(now_step(now_made, gradients, NULL, &now_why), now_why);
    GOOD(next_step(next_made, gradients, NULL, &next_why), next_why);
    REQUIRE(memcmp(params[0], params[1], sizeof gradient) == 0);
  }
  REQUIRE(params[0][1] != 1.0f / 16);

  /* What one saves the other loads: it is the same rule. */
  const uint64_t bytes = now_saved_bytes(now_made);
  void* saved = malloc(bytes);
  REQUIRE(saved && bytes == next_saved_bytes(next_made));
  GOOD(now_save(now_made, saved, bytes, &now_why), now_why);
  GOOD(next_reset(next_made, &next_why), next_why);
  GOOD(next_load(next_made, saved, bytes, &next_why), next_why);
  free(saved);
  make_gradient(STEPS + 1);
  GOOD(next_step(next_made, gradients, NULL, &next_why), next_why);
  GOOD(now_step(now_made, gradients, NULL, &now_why), now_why);
  REQUIRE(memcmp(params[0], params[1], sizeof gradient) == 0);
  REQUIRE(now_steps(now_made) == STEPS + 1 && next_steps(next_made) == STEPS + 1);
  now_destroy(now_made);
  next_destroy(next_made);
  now_pool_destroy(now_threads);
  next_pool_destroy(next_threads);
}

int main(int count, char** versions) {
  REQUIRE(count == 3);
  check_versions(versions + 1);
  check_newer_spec();
  check_older_spec();
  check_together();
  return 0;
}
