/* A small pool of threads for those who bring none of their own. In an archive it is a member of
 * its own, so that a program without it needs no threads of its system.
 *
 * Tasks i, i + n, i + 2n, ... of a run are the share of lane i of n. Lane 0 is the caller, each
 * other lane has a thread: a task of the same number stays on the same core with its memory.
 * Whoever exchanges a lane's `pending` for 0 runs its share. The caller, done with its own, takes
 * those that nobody has begun, so it never waits for a thread that still sleeps.
 *
 * Waiting spins for some microseconds, then sleeps on a futex of the system: condition variables of
 * the C library may allocate. A thread counts itself as a sleeper and looks once more before it
 * sleeps; who has work for it first says so, then looks at the count. Both in one order for all
 * threads: one of the two always sees the other. */
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/standalone/interface.h"
#include "runtime/standalone/libc.h"

enum { MOST_THREADS = 1024, CACHE_LINE = 64, SPINS = 1000 };

typedef struct lane {
  _Alignas(CACHE_LINE) atomic_uint pending;
} lane;

struct talweg_lib_pool {
  /* What is to be done; written before shares are pending, read after one is taken. */
  void (*task)(void*, uint32_t);
  void* argument;
  uint32_t task_count, share_count;
  uint32_t lane_count, thread_count; /* thread_count: of those that could be started */
  uint32_t spins;
  int owner;           /* the process */
  atomic_uint wakeups; /* changed to wake sleepers */
  atomic_uint open_shares, sleepers, caller_sleeps, stop;
  unsigned long* threads; /* [lane_count - 1] */
  lane* lanes;            /* [lane_count] */
};

typedef struct server {
  talweg_lib_pool* pool;
  uint32_t lane;
} server;

static void pause_core(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/* Sleeps while the word is `seen`, or for less. */
static void sleep_on(atomic_uint* word, uint32_t seen) {
  (void)syscall(SYSTEM_FUTEX, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}
static void wake_all(atomic_uint* word) {
  (void)syscall(SYSTEM_FUTEX, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Runs the share of a lane if it is still to be taken. */
static int take_and_run(talweg_lib_pool* pool, uint32_t index) {
  atomic_uint* pending = &pool->lanes[index].pending;
  if (!atomic_load_explicit(pending, memory_order_relaxed)) return 0;
  if (!atomic_exchange(pending, 0)) return 0;
  for (uint64_t i = index; i < pool->task_count; i += pool->share_count)
    pool->task(pool->argument, (uint32_t)i);
  if (atomic_fetch_sub(&pool->open_shares, 1) == 1 && atomic_load(&pool->caller_sleeps))
    wake_all(&pool->open_shares);
  return 1;
}

static void sleep_until_work(talweg_lib_pool* pool, uint32_t index) {
  const uint32_t seen = atomic_load(&pool->wakeups);
  atomic_fetch_add(&pool->sleepers, 1);
  if (!atomic_load(&pool->lanes[index].pending) && !atomic_load(&pool->stop))
    sleep_on(&pool->wakeups, seen);
  atomic_fetch_sub(&pool->sleepers, 1);
}

static void* serve(void* argument) {
  server self = *(const server*)argument;
  free(argument);
  for (uint32_t idle = 0;;) {
    if (take_and_run(self.pool, self.lane)) {
      idle = 0;
    } else if (atomic_load(&self.pool->stop)) {
      return NULL;
    } else if (idle < self.pool->spins) {
      ++idle;
      pause_core();
    } else {
      sleep_until_work(self.pool, self.lane);
      idle = 0;
    }
  }
}

/* Threads that the machine does not give are done without: the caller takes their shares. */
static void start(talweg_lib_pool* pool) {
  for (uint32_t i = 1; i < pool->lane_count; ++i) {
    server* self = malloc(sizeof *self);
    if (!self) return;
    *self = (server){pool, i};
    if (pthread_create(&pool->threads[i - 1], NULL, serve, self)) {
      free(self);
      return;
    }
    pool->thread_count = i;
  }
}

static void wake(talweg_lib_pool* pool) {
  if (!atomic_load(&pool->sleepers)) return;
  atomic_fetch_add(&pool->wakeups, 1);
  wake_all(&pool->wakeups);
}

static void wait_until_done(talweg_lib_pool* pool) {
  for (uint32_t i = 0; i < pool->spins; ++i) {
    if (!atomic_load_explicit(&pool->open_shares, memory_order_acquire)) return;
    pause_core();
  }
  atomic_store(&pool->caller_sleeps, 1);
  for (uint32_t open; (open = atomic_load(&pool->open_shares));) sleep_on(&pool->open_shares, open);
  atomic_store(&pool->caller_sleeps, 0);
}

talweg_lib_pool* talweg_lib_pool_create(uint32_t threads) {
  const uint32_t lanes = threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
  const size_t bytes = sizeof(talweg_lib_pool) + lanes * (sizeof(lane) + sizeof(unsigned long));
  talweg_lib_pool* pool = malloc(bytes + CACHE_LINE);
  if (!pool) return NULL;
  memset(pool, 0, bytes + CACHE_LINE);
  const uintptr_t behind = (uintptr_t)(pool + 1);
  pool->lanes = (lane*)((behind + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
  pool->threads = (unsigned long*)(pool->lanes + lanes);
  pool->lane_count = lanes;
  const long cores = sysconf(SC_NPROCESSORS_ONLN);
  /* With more threads than cores, spinning would take the core from who is waited for. */
  pool->spins = cores > 0 && lanes <= (unsigned long)cores ? SPINS : 0;
  pool->owner = getpid();
  start(pool);
  return pool;
}

uint32_t talweg_lib_pool_threads(const talweg_lib_pool* pool) {
  return pool ? pool->lane_count : 1;
}

void talweg_lib_pool_run(void* context, uint32_t task_count,
                         void (*task)(void* argument, uint32_t index), void* argument) {
  talweg_lib_pool* pool = context;
  const uint32_t threads = talweg_lib_pool_threads(pool);
  const uint32_t shares = task_count < threads ? task_count : threads;
  /* The threads of a process do not exist in one that was forked from it. */
  if (shares <= 1 || getpid() != pool->owner) {
    for (uint32_t i = 0; i < task_count; ++i) task(argument, i);
    return;
  }
  pool->task = task;
  pool->argument = argument;
  pool->task_count = task_count;
  pool->share_count = shares;
  atomic_store(&pool->open_shares, shares);
  for (uint32_t i = 0; i < shares; ++i) atomic_store(&pool->lanes[i].pending, 1);
  wake(pool);
  for (uint32_t i = 0; i < shares; ++i) take_and_run(pool, i);
  wait_until_done(pool);
}

void talweg_lib_pool_destroy(talweg_lib_pool* pool) {
  if (!pool) return;
  if (getpid() == pool->owner) {
    atomic_store(&pool->stop, 1);
    wake(pool);
    for (uint32_t i = 0; i < pool->thread_count; ++i) pthread_join(pool->threads[i], NULL);
  }
  free(pool);
}
