// Threads that share the tasks of a step: what talweg::Options::threads starts. They sleep between
// steps, and end with the optimizer.
#ifndef TALWEG_POOL_HPP
#define TALWEG_POOL_HPP

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace talweg {

namespace detail {

class Team {
 public:
  explicit Team(unsigned threads) {
    try {
      for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {
      end();
      throw;
    }
  }
  ~Team() { end(); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  void run(std::uint32_t count, void (*task)(void*, std::uint32_t), void* argument) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      task_ = task;
      argument_ = argument;
      count_ = count;
      next_ = 0;
      busy_ = static_cast<unsigned>(workers_.size());
      ++round_;
    }
    wake_.notify_all();
    take_tasks();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void take_tasks() {
    for (std::uint32_t i = next_++; i < count_; i = next_++) task_(argument_, i);
  }

  void work() {
    std::uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return ends_ || round_ != seen; });
      if (ends_) return;
      seen = round_;
      lock.unlock();
      take_tasks();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void end() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::uint64_t round_ = 0;  // the mutex guards what is not atomic
  unsigned busy_ = 0;
  bool ends_ = false;
  void (*task_)(void*, std::uint32_t) = nullptr;
  void* argument_ = nullptr;
  std::uint32_t count_ = 0;
  std::atomic<std::uint32_t> next_{0};
  std::vector<std::thread> workers_;
};

}  // namespace detail

class Pool {
 public:
  /// The thread that calls run() is one of them.
  explicit Pool(unsigned threads)
      : process_(getpid()), team_(std::make_unique<detail::Team>(threads)) {}
  /// The threads of a process do not exist in one that was forked from it: there is none to wait
  /// for, and what they slept on cannot be taken down, so it is left.
  ~Pool() {
    if (getpid() != process_) (void)team_.release();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A talweg_parallel_for whose context is a Pool. One caller at a time; allocates nothing. In a
  /// process that was forked off, the calling thread does all.
  static void run(void* context, std::uint32_t count, void (*task)(void*, std::uint32_t),
                  void* argument) {
    Pool& pool = *static_cast<Pool*>(context);
    if (getpid() == pool.process_) {
      pool.team_->run(count, task, argument);
      return;
    }
    for (std::uint32_t i = 0; i < count; ++i) task(argument, i);
  }

 private:
  pid_t process_;
  std::unique_ptr<detail::Team> team_;
};

}  // namespace talweg

#endif
