/* See pool.h. All fields are read and written with the mutex held; it is let go while a task runs.
 * Tasks are large, so a mutex costs nothing here. */
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

struct pool {
  pthread_mutex_t mutex;
  pthread_cond_t begun, done; /* there are tasks, or an end; the last task has ended */
  void (*task)(void* argument, uint32_t index);
  void* argument;
  uint32_t next, ended, count; /* of the loop's tasks */
  int stops;
  uint32_t workers;
  pthread_t threads[];
};

/* Runs tasks until none is left to begin. */
static void take_tasks(pool* p) {
  while (p->next < p->count) {
    const uint32_t index = p->next++;
    void (*const task)(void*, uint32_t) = p->task;
    void* const argument = p->argument;
    pthread_mutex_unlock(&p->mutex);
    task(argument, index);
    pthread_mutex_lock(&p->mutex);
    if (++p->ended == p->count) pthread_cond_signal(&p->done);
  }
}

static void* work(void* of_pool) {
  pool* p = of_pool;
  pthread_mutex_lock(&p->mutex);
  while (!p->stops) {
    take_tasks(p);
    if (!p->stops) pthread_cond_wait(&p->begun, &p->mutex);
  }
  pthread_mutex_unlock(&p->mutex);
  return 0;
}

void pool_run(void* of_pool, uint32_t count, void (*task)(void* argument, uint32_t index),
              void* argument) {
  pool* p = of_pool;
  pthread_mutex_lock(&p->mutex);
  p->task = task;
  p->argument = argument;
  p->next = p->ended = 0;
  p->count = count;
  if (count > 1) pthread_cond_broadcast(&p->begun);
  take_tasks(p);
  while (p->ended < p->count) pthread_cond_wait(&p->done, &p->mutex);
  pthread_mutex_unlock(&p->mutex);
}

pool* pool_create(uint32_t threads) {
  pool* p = calloc(1, sizeof *p + threads * sizeof *p->threads);
  if (!p) return 0;
  pthread_mutex_init(&p->mutex, 0);
  pthread_cond_init(&p->begun, 0);
  pthread_cond_init(&p->done, 0);
  while (p->workers + 1 < threads) {
    if (pthread_create(&p->threads[p->workers], 0, work, p)) return pool_destroy(p), (pool*)0;
    ++p->workers;
  }
  return p;
}

void pool_destroy(pool* p) {
  if (!p) return;
  pthread_mutex_lock(&p->mutex);
  p->stops = 1;
  pthread_cond_broadcast(&p->begun);
  pthread_mutex_unlock(&p->mutex);
  for (uint32_t i = 0; i < p->workers; ++i) pthread_join(p->threads[i], 0);
  pthread_cond_destroy(&p->begun);
  pthread_cond_destroy(&p->done);
  pthread_mutex_destroy(&p->mutex);
  free(p);
}
