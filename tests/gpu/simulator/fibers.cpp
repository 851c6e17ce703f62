// Switching stacks; see fibers.h. On x86-64 by hand: swapcontext() makes two system calls a switch.
// Neither touches the floating-point modes: all fibers have those of the thread.
#include "tests/gpu/simulator/fibers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <utility>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace talweg::gpu::simulator {

namespace {

std::size_t guard_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

#if defined(__x86_64__)

// position: where the six registers that a call keeps, and the address to go on at, lie.
extern "C" void talweg_simulator_switch(void** save, void* position);
extern "C" void talweg_simulator_enter();
asm(R"(
.text
.globl talweg_simulator_switch
.hidden talweg_simulator_switch
.type talweg_simulator_switch, @function
talweg_simulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size talweg_simulator_switch, .-talweg_simulator_switch
.globl talweg_simulator_enter
.hidden talweg_simulator_enter
.type talweg_simulator_enter, @function
talweg_simulator_enter:
  movq %r12, %rdi
  callq *%r13
  ud2
.size talweg_simulator_enter, .-talweg_simulator_enter
)");

namespace {

void switch_stacks(void** save, void* position) { talweg_simulator_switch(save, position); }

void* first_position(std::uintptr_t /*stack_begin*/, std::uintptr_t stack_end, Fibers::Body body,
                     void* argument) {
  auto* top = reinterpret_cast<void**>(stack_end) - 2;  // keeps calls aligned to 16 bytes
  *--top = reinterpret_cast<void*>(&talweg_simulator_enter);
  *--top = nullptr;                        // rbp
  *--top = nullptr;                        // rbx
  *--top = argument;                       // r12
  *--top = reinterpret_cast<void*>(body);  // r13
  *--top = nullptr;                        // r14
  *--top = nullptr;                        // r15
  return top;
}

}  // namespace

#else

namespace {

// A position is a context that lies on its own stack; the start of a stack holds its first one.
struct FirstContext {
  ucontext_t context;
  Fibers::Body body;
  void* argument;
};

void enter(unsigned high, unsigned low) {
  const auto address = (static_cast<std::uintptr_t>(high) << 32u) | low;
  const auto* first = reinterpret_cast<FirstContext*>(address);
  first->body(first->argument);
  std::abort();
}

void switch_stacks(void** save, void* position) {
  ucontext_t here;
  *save = &here;
  ::swapcontext(&here, static_cast<ucontext_t*>(position));
}

void* first_position(std::uintptr_t stack_begin, std::uintptr_t stack_end, Fibers::Body body,
                     void* argument) {
  auto* first = new (reinterpret_cast<void*>((stack_end - sizeof(FirstContext)) / 64 * 64))
      FirstContext{{}, body, argument};
  ::getcontext(&first->context);
  first->context.uc_stack.ss_sp = reinterpret_cast<void*>(stack_begin);
  first->context.uc_stack.ss_size = reinterpret_cast<std::uintptr_t>(first) - stack_begin;
  first->context.uc_link = nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(first);
  ::makecontext(&first->context, reinterpret_cast<void (*)()>(&enter), 2,
                static_cast<unsigned>(address >> 32u), static_cast<unsigned>(address));
  return &first->context;
}

}  // namespace

#endif

Fibers::~Fibers() {
  for (const Fiber& fiber : fibers_) ::munmap(fiber.memory, guard_bytes() + kStackBytes);
}

void Fibers::reserve(std::size_t count) {
  while (fibers_.size() < count) {
    void* memory = ::mmap(nullptr, guard_bytes() + kStackBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    if (::mprotect(memory, guard_bytes(), PROT_NONE) != 0) {
      ::munmap(memory, guard_bytes() + kStackBytes);
      throw std::bad_alloc();
    }
    fibers_.push_back({this, memory, nullptr, nullptr, nullptr, nullptr});
  }
}

std::uintptr_t Fibers::stack_begin(std::size_t fiber) const {
  return reinterpret_cast<std::uintptr_t>(fibers_[fiber].memory) + guard_bytes();
}

void Fibers::start(std::size_t fiber, Body body, void* argument) {
  const std::uintptr_t begin = stack_begin(fiber);
#if defined(__SANITIZE_ADDRESS__)
  // Frames that were left for good did not clean up behind them.
  __asan_unpoison_memory_region(reinterpret_cast<void*>(begin), kStackBytes);
#endif
  Fiber& started = fibers_[fiber];
  started.body = body;
  started.argument = argument;
  // Not all at the same place of a page: they would push each other out of the cache.
  const std::size_t shift = fiber % 16 * 256;
  started.position = first_position(begin, begin + kStackBytes - shift, &Fibers::run, &started);
  started.sanitizer_state = nullptr;
}

void Fibers::run(void* fiber) {
  const auto* self = static_cast<const Fiber*>(fiber);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &self->owner->scheduler_stack_,
                                  &self->owner->scheduler_stack_bytes_);
#endif
  self->body(self->argument);
  std::abort();  // a body ends by finish()
}

void Fibers::resume(std::size_t fiber) {
  Fiber& to = fibers_[fiber];
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&scheduler_sanitizer_state_,
                                 reinterpret_cast<void*>(stack_begin(fiber)), kStackBytes);
#endif
  switch_stacks(&scheduler_, to.position);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(scheduler_sanitizer_state_, nullptr, nullptr);
#endif
}

void Fibers::switch_to_scheduler(Fiber& fiber, [[maybe_unused]] bool for_good) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fiber.sanitizer_state, scheduler_stack_,
                                 scheduler_stack_bytes_);
#endif
  switch_stacks(&fiber.position, scheduler_);
}

void Fibers::leave(std::size_t fiber) {
  switch_to_scheduler(fibers_[fiber], false);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fibers_[fiber].sanitizer_state, &scheduler_stack_,
                                  &scheduler_stack_bytes_);
#endif
}

void Fibers::finish(std::size_t fiber) {
  switch_to_scheduler(fibers_[fiber], true);
  std::abort();  // a fiber that ended was resumed
}

}  // namespace talweg::gpu::simulator
