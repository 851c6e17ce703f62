/* Threads that wait for loops. One caller at a time. */
#ifndef POOL_H
#define POOL_H

#include <stdint.h>

typedef struct pool pool;

/* A pool in which `threads` threads work, the caller's among them; null if there can be none. */
pool* pool_create(uint32_t threads);
void pool_destroy(pool* p);

/* Runs task(argument, i) for every i below count and returns when all are done: what a library of
 * talweg asks of a parallel_for. `p` is a pool. */
void pool_run(void* p, uint32_t count, void (*task)(void* argument, uint32_t index),
              void* argument);

#endif
