// Stacks that a thread of the host switches between. The caller's stack is the scheduler: it
// resumes a fiber, which runs until it leaves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace talweg::gpu::simulator {

class Fibers {
 public:
  using Body = void (*)(void* argument);

  Fibers() = default;
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;
  ~Fibers();

  /// Makes stacks for `count` fibers; those that exist stay.
  void reserve(std::size_t count);
  /// The fiber's next resume() calls body(argument). What it did before is forgotten. The body ends
  /// by finish(), it never returns.
  void start(std::size_t fiber, Body body, void* argument);
  /// Runs the fiber until it leaves.
  void resume(std::size_t fiber);
  /// Called on the fiber's stack: goes back to resume().
  void leave(std::size_t fiber);
  /// The same for the last time: the fiber is only started again.
  [[noreturn]] void finish(std::size_t fiber);

  [[nodiscard]] std::uintptr_t stack_begin(std::size_t fiber) const;
  static constexpr std::size_t kStackBytes = std::size_t{128} * 1024;

 private:
  struct Fiber {
    Fibers* owner;
    void* memory;  // a page that nobody may touch, then the stack
    void* position;
    void* sanitizer_state;
    Body body;
    void* argument;
  };
  static void run(void* fiber);
  void switch_to_scheduler(Fiber& fiber, bool for_good);

  std::vector<Fiber> fibers_;
  void* scheduler_ = nullptr;
  // For the address sanitizer.
  [[maybe_unused]] void* scheduler_sanitizer_state_ = nullptr;
  [[maybe_unused]] const void* scheduler_stack_ = nullptr;
  [[maybe_unused]] std::size_t scheduler_stack_bytes_ = 0;
};

}  // namespace talweg::gpu::simulator
