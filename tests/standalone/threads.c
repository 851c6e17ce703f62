/* The pool of a library: every task runs once, whatever the numbers of tasks and threads; and more
 * tasks than a model has parts. */
#include <pthread.h>

#include "samples.h"
#include "small_model.h"

enum { MOST_TASKS = 40 };
typedef struct tally {
  pthread_mutex_t mutex;
  unsigned runs[MOST_TASKS];
} tally;

static void count(void* argument, uint32_t index) {
  tally* of = argument;
  pthread_mutex_lock(&of->mutex);
  of->runs[index] += 1;
  pthread_mutex_unlock(&of->mutex);
}

static void run_all(samples_pool* pool, uint32_t threads) {
  REQUIRE(samples_pool_threads(pool) == threads);
  for (uint32_t tasks = 0; tasks <= MOST_TASKS; tasks += 1 + tasks / 3) {
    tally of = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 0; i < 20; ++i) samples_pool_run(pool, tasks, count, &of);
    for (uint32_t i = 0; i < MOST_TASKS; ++i) REQUIRE(of.runs[i] == (i < tasks ? 20 : 0));
  }
}

/* Steps with `thread_count` tasks in the pool leave what steps without one leave. */
static void same_bits(samples_pool* pool, uint32_t thread_count) {
  model alone, together;
  model_init(&alone);
  model_init(&together);
  together.spec.thread_count = thread_count;
  together.spec.parallel_for = samples_pool_run;
  together.spec.parallel_context = pool;
  GOOD(samples_averaged_create(&alone.spec, &alone.optimizer, &error));
  GOOD(samples_averaged_create(&together.spec, &together.optimizer, &error));
  for (unsigned step = 1; step <= 3; ++step) {
    model_gradients(&alone, step);
    model_gradients(&together, step);
    GOOD(samples_averaged_step(alone.optimizer, alone.gradient_table, NULL, &error));
    GOOD(samples_averaged_step(together.optimizer, together.gradient_table, NULL, &error));
    REQUIRE(model_hash(&alone) == model_hash(&together));
  }
  model_free(&alone);
  model_free(&together);
}

int main(void) {
  static const uint32_t threads[] = {0, 1, 2, 3, 8};
  for (size_t i = 0; i < sizeof threads / sizeof *threads; ++i) {
    samples_pool* pool = samples_pool_create(threads[i]);
    REQUIRE(pool);
    run_all(pool, threads[i] ? threads[i] : 1);
    same_bits(pool, 1);
    same_bits(pool, 5);
    same_bits(pool, 1024);
    samples_pool_destroy(pool);
  }
  run_all(NULL, 1); /* none: the calling thread */
  same_bits(NULL, 5);
  samples_pool_destroy(NULL);
  return 0;
}
