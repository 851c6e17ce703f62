// Lanes and shares: tasks i, i + n, i + 2n, ... of a run are the share of lane i of n. Lane 0 is
// the caller, every other lane has a thread of its own, so a task of the same number keeps running
// on the same thread and finds its memory in that core's cache.
//
// A share is taken by exchanging the lane's `pending` flag, so exactly one thread runs it. The
// caller, done with its own share, takes those that nobody has begun: it never waits for a thread
// that is still asleep, and a process forked from ours, where the threads do not exist, simply runs
// everything itself.
//
// Waiting spins for a bounded time and then sleeps on a futex (std::atomic::wait). Where there are
// more lanes than cores nobody spins: it would take the core from the thread that is waited for.
#include "runtime/support/thread_pool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace talweg::support {
namespace {

constexpr std::uint32_t kMaxThreads = 1024;
constexpr std::size_t kCacheLineBytes = 64;
// Each is one pause, 40 to 140 cycles: some 15 to 50 us in all.
constexpr std::uint32_t kSpins = 1000;

void pause_core() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

struct alignas(kCacheLineBytes) Lane {
  std::atomic<std::uint32_t> pending{0};  // 1: this lane's share of the run is there to be taken
};

struct Job {
  void (*task)(void*, std::uint32_t) = nullptr;
  void* argument = nullptr;
  std::uint32_t task_count = 0;
  std::uint32_t share_count = 0;
};

}  // namespace

struct ThreadPool::Impl {
  std::vector<Lane> lanes;
  // Written by the caller before it marks a share as pending; read after a share is taken.
  Job job;
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> wakeups{0};      // changed to wake sleepers
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> open_shares{0};  // not finished yet
  std::atomic<bool> stop{false};
  std::uint32_t spins = 0;
  pid_t owner = getpid();
  std::vector<std::thread> threads;

  explicit Impl(std::uint32_t lane_count) : lanes(lane_count) {
    const std::uint32_t cores = std::thread::hardware_concurrency();
    spins = lane_count <= cores ? kSpins : 0;
  }

  void start();
  void finish();
  void serve(std::uint32_t lane);
  void wake_all();
  bool take_and_run(std::uint32_t lane);
  void wait_until_done();
};

void ThreadPool::Impl::wake_all() {
  wakeups.fetch_add(1, std::memory_order_seq_cst);
  wakeups.notify_all();
}

/// Runs the share of `lane` if it is still to be taken.
bool ThreadPool::Impl::take_and_run(std::uint32_t lane) {
  std::atomic<std::uint32_t>& pending = lanes[lane].pending;
  if (pending.load(std::memory_order_relaxed) == 0) return false;
  if (pending.exchange(0, std::memory_order_acquire) == 0) return false;
  for (std::uint64_t i = lane; i < job.task_count; i += job.share_count)
    job.task(job.argument, static_cast<std::uint32_t>(i));
  if (open_shares.fetch_sub(1, std::memory_order_acq_rel) == 1) open_shares.notify_one();
  return true;
}

void ThreadPool::Impl::serve(std::uint32_t lane) {
  std::uint32_t idle_spins = 0;
  for (;;) {
    if (take_and_run(lane)) {
      idle_spins = 0;
    } else if (idle_spins < spins) {
      ++idle_spins;
      pause_core();
    } else {
      // Whoever marks this lane afterwards also changes `wakeups`, so the wait ends.
      const std::uint32_t seen = wakeups.load(std::memory_order_acquire);
      if (take_and_run(lane)) continue;
      if (stop.load(std::memory_order_relaxed)) return;
      wakeups.wait(seen, std::memory_order_acquire);
      idle_spins = 0;
    }
  }
}

void ThreadPool::Impl::wait_until_done() {
  std::uint32_t open = 0;
  for (std::uint32_t i = 0; i < spins; ++i) {
    if (open_shares.load(std::memory_order_acquire) == 0) return;
    pause_core();
  }
  while ((open = open_shares.load(std::memory_order_acquire)) != 0)
    open_shares.wait(open, std::memory_order_acquire);
}

void ThreadPool::Impl::start() {
  const auto thread_count = static_cast<std::uint32_t>(lanes.size()) - 1;
  threads.reserve(thread_count);
  try {
    for (std::uint32_t lane = 1; lane <= thread_count; ++lane)
      threads.emplace_back([this, lane] { serve(lane); });
  } catch (const std::system_error&) {
    // The machine has no more threads to give: the caller takes the shares of the lanes that have
    // none.
  }
}

void ThreadPool::Impl::finish() {
  stop.store(true, std::memory_order_relaxed);
  wake_all();
  for (std::thread& thread : threads) thread.join();
}

ThreadPool::ThreadPool(std::uint32_t threads)
    : impl_(std::make_unique<Impl>(std::clamp(threads, std::uint32_t{1}, kMaxThreads))) {
  impl_->start();
}

ThreadPool::~ThreadPool() {
  if (getpid() == impl_->owner)
    impl_->finish();
  else
    static_cast<void>(
        impl_.release());  // a forked child has no threads to join; it gives up the memory
}

std::uint32_t ThreadPool::threads() const {
  return static_cast<std::uint32_t>(impl_->lanes.size());
}

void ThreadPool::run(std::uint32_t task_count, void (*task)(void*, std::uint32_t), void* argument) {
  Impl& pool = *impl_;
  const std::uint32_t share_count = std::min(task_count, threads());
  if (share_count <= 1) {
    for (std::uint32_t i = 0; i < task_count; ++i) task(argument, i);
    return;
  }
  pool.job = {task, argument, task_count, share_count};
  pool.open_shares.store(share_count, std::memory_order_relaxed);
  for (std::uint32_t lane = 0; lane < share_count; ++lane)
    pool.lanes[lane].pending.store(1, std::memory_order_release);
  pool.wake_all();
  for (std::uint32_t lane = 0; lane < share_count; ++lane) pool.take_and_run(lane);
  pool.wait_until_done();
}

talweg_parallel_for ThreadPool::function() {
  return [](void* context, std::uint32_t task_count, void (*task)(void*, std::uint32_t),
            void* argument) { static_cast<ThreadPool*>(context)->run(task_count, task, argument); };
}

}  // namespace talweg::support
