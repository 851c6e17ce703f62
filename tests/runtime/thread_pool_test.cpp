// The runtime's pool and that of generated libraries: every task once, whatever the numbers; no
// lost wake-up; forks.
#include "runtime/support/thread_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "runtime/standalone/interface.h"

namespace talweg::support {
namespace {

/// The pool of generated libraries, as a class like the other.
class LibraryPool {
 public:
  explicit LibraryPool(std::uint32_t threads) : pool_(talweg_lib_pool_create(threads)) {}
  ~LibraryPool() { talweg_lib_pool_destroy(pool_); }
  LibraryPool(const LibraryPool&) = delete;
  LibraryPool& operator=(const LibraryPool&) = delete;

  [[nodiscard]] std::uint32_t threads() const { return talweg_lib_pool_threads(pool_); }
  void run(std::uint32_t task_count, void (*task)(void*, std::uint32_t), void* argument) {
    talweg_lib_pool_run(pool_, task_count, task, argument);
  }

 private:
  talweg_lib_pool* pool_;
};

struct Counts {
  std::vector<std::atomic<int>> runs;
  explicit Counts(std::size_t size) : runs(size) {}
  static void task(void* argument, std::uint32_t index) {
    ++static_cast<Counts*>(argument)->runs[index];
  }
  /// Tasks that did not run exactly `expected` times.
  [[nodiscard]] int wrong(int expected) const {
    int count = 0;
    for (const auto& run : runs) count += run != expected;
    return count;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("every task runs once", "", ThreadPool, LibraryPool) {
  for (const std::uint32_t threads : {1U, 2U, 3U, 8U, 40U}) {
    TestType pool(threads);
    CHECK(pool.threads() == threads);
    for (const std::uint32_t tasks : {0U, 1U, 2U, 3U, 7U, 8U, 9U, 1000U}) {
      Counts counts(tasks);
      pool.run(tasks, Counts::task, &counts);
      CHECK(counts.wrong(1) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("the number of threads is kept within its bounds", "", ThreadPool, LibraryPool) {
  CHECK(TestType(0).threads() == 1);
  CHECK(TestType(2000000).threads() == 1024);
}

TEMPLATE_TEST_CASE("many runs one after the other, awake and asleep", "", ThreadPool, LibraryPool) {
  for (const std::uint32_t threads : {2U, 3U, 8U}) {
    TestType pool(threads);
    Counts counts(threads);
    constexpr int kRuns = 3000;
    for (int i = 0; i < kRuns; ++i) {
      pool.run(threads, Counts::task, &counts);
      if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(counts.wrong(kRuns) == 0);
  }
}

TEMPLATE_TEST_CASE(
    "what tasks wrote is seen after the run, and what was written before it by tasks", "",
    ThreadPool, LibraryPool) {
  TestType pool(4);
  std::vector<std::uint64_t> values(4);  // not atomic: the thread sanitizer watches
  for (int i = 0; i < 2000; ++i) {
    pool.run(
        4,
        [](void* argument, std::uint32_t index) {
          ++(*static_cast<std::vector<std::uint64_t>*>(argument))[index];
        },
        &values);
    std::swap(values[0], values[3]);
  }
  CHECK(values == std::vector<std::uint64_t>(4, 2000));
}

TEMPLATE_TEST_CASE("different runs have different tasks", "", ThreadPool, LibraryPool) {
  TestType pool(3);
  std::atomic<int> ones{0}, tens{0};
  for (int i = 0; i < 1000; ++i) {
    pool.run(
        3, [](void* a, std::uint32_t) { ++*static_cast<std::atomic<int>*>(a); }, &ones);
    pool.run(
        5, [](void* a, std::uint32_t) { *static_cast<std::atomic<int>*>(a) += 10; }, &tens);
  }
  CHECK(ones == 3000);
  CHECK(tens == 50000);
}

TEMPLATE_TEST_CASE("tasks run on several threads at once", "", ThreadPool, LibraryPool) {
  TestType pool(2);
  struct Meeting {
    std::atomic<int> arrived{0};
  } meeting;
  // Each waits for the other: this ends only if two threads are at work.
  pool.run(
      2,
      [](void* argument, std::uint32_t) {
        auto& arrived = static_cast<Meeting*>(argument)->arrived;
        ++arrived;
        while (arrived < 2) std::this_thread::yield();
      },
      &meeting);
  CHECK(meeting.arrived == 2);
}

TEMPLATE_TEST_CASE("pools come and go under load, from several callers", "", ThreadPool,
                   LibraryPool) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&wrong] {
      for (int i = 0; i < 40; ++i) {
        TestType pool(3);
        Counts counts(10);
        const int runs = i % 4;
        for (int r = 0; r < runs; ++r) pool.run(10, Counts::task, &counts);
        wrong += counts.wrong(runs);
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("the form of the ABI") {
  ThreadPool pool(3);
  Counts counts(17);
  ThreadPool::function()(&pool, 17, Counts::task, &counts);
  CHECK(counts.wrong(1) == 0);
}

#if !defined(__SANITIZE_THREAD__)  // which does not follow threads into a forked process
TEMPLATE_TEST_CASE("a forked process runs everything itself", "", ThreadPool, LibraryPool) {
  auto pool = std::make_unique<TestType>(3);
  Counts counts(9);
  pool->run(9, Counts::task, &counts);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    pool->run(9, Counts::task, &counts);
    const bool right = counts.wrong(2) == 0;
    pool.reset();
    _exit(right ? 7 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  pool->run(9, Counts::task, &counts);
  CHECK(counts.wrong(2) == 0);
}
#endif

}  // namespace talweg::support
