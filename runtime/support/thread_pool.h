// A persistent pool of threads for kernels: one dispatch costs about a microsecond while threads
// are warm.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/abi/talweg_abi.h"

namespace talweg::support {

class ThreadPool {
 public:
  /// `threads` counts the calling thread: 1 starts none. At most 1024.
  explicit ThreadPool(std::uint32_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] std::uint32_t threads() const;
  /// As talweg_parallel_for. Not reentrant; one caller at a time.
  void run(std::uint32_t task_count, void (*task)(void*, std::uint32_t), void* argument);
  /// `run` in the form of the ABI; the context is the pool.
  static talweg_parallel_for function();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::support
