#include "tests/gpu/ptx/block.h"

#include <algorithm>

#include "tests/gpu/ptx/warp.h"

namespace talweg::gpu::ptx {

namespace {

constexpr std::size_t kLanes = 32;
// A thread that waits for another one in a loop lets that one have its turn.
constexpr std::uint64_t kTurn = 1 << 16;

}  // namespace

BlockRunner::BlockRunner(Launch& launch, const Code& entry, std::uint64_t most_instructions)
    : entry_(entry), most_instructions_(most_instructions) {
  const Dim size = launch.block;
  threads_.resize(std::size_t{size.x} * size.y * size.z);
  for (std::uint32_t i = 0; i < threads_.size(); ++i) {
    Thread& thread = threads_[i];
    thread.launch = &launch;
    thread.number = i;
    thread.index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
  }
}

void BlockRunner::run(Dim block, std::span<const std::uint64_t> arguments) {
  threads_.front().launch->memory.clear_shared();
  for (Thread& thread : threads_) {
    thread.block = block;
    thread.start(entry_, arguments);
  }
  const std::size_t warps = (threads_.size() + kLanes - 1) / kLanes;
  for (;;) {
    bool moved = false;
    for (std::size_t i = 0; i < warps; ++i) moved |= run_warp(warp(i));
    if (moved) continue;
    if (std::ranges::all_of(threads_, [](const Thread& t) { return t.state == State::Ended; }))
      break;
    if (!resolve_barrier()) stop_divergent();
  }
  for (const Thread& thread : threads_) executed_ += thread.executed;
}

std::span<Thread> BlockRunner::warp(std::size_t number) {
  return std::span(threads_).subspan(number * kLanes,
                                     std::min(kLanes, threads_.size() - number * kLanes));
}

void BlockRunner::run_thread(Thread& thread) {
  const Instruction* i = thread.next;
  std::uint64_t left = kTurn;
  for (; left > 0; --left) {
    if (i->guard != Instruction::kAlways && (thread.r[i->guard >> 1] & 1) == (i->guard & 1U)) {
      ++i;
      continue;
    }
    i = i->run(thread, i);
    if (i == nullptr) break;
  }
  if (i != nullptr) thread.next = i;
  thread.executed += kTurn - left + (i == nullptr ? 1 : 0);
  if (thread.executed > most_instructions_)
    stop(thread, i, "has not ended after " + std::to_string(thread.executed) + " instructions");
}

/// Whether a thread of it ran.
bool BlockRunner::run_warp(std::span<Thread> warp) {
  bool moved = false;
  for (;;) {
    bool has_turn_left = false;
    for (Thread& thread : warp) {
      if (thread.state != State::Ready) continue;
      moved = true;
      run_thread(thread);
      has_turn_left |= thread.state == State::Ready;
    }
    if (has_turn_left) return true;
    if (!resolve_warp(warp) && !resolve_active_mask(warp)) return moved;
  }
}

std::uint32_t BlockRunner::barrier_of(const Thread& thread) const {
  const auto number = static_cast<std::uint32_t>(thread.r[thread.waiting->s[2]]);
  if (number > 15) stop(thread, thread.waiting, "barrier " + std::to_string(number));
  return number;
}

/// Lets all threads go on if all stand at one barrier.
bool BlockRunner::resolve_barrier() {
  if (threads_.front().state != State::AtBarrier) return false;
  const std::uint32_t number = barrier_of(threads_.front());
  const Thread* leader = nullptr;  // of the warp
  for (const Thread& thread : threads_) {
    if (thread.state != State::AtBarrier || barrier_of(thread) != number) return false;
    if (thread.lane() == 0) leader = &thread;
    const bool is_aligned = thread.waiting->detail != 0 || leader->waiting->detail != 0;
    if (is_aligned && thread.waiting != leader->waiting)
      stop(thread, thread.waiting,
           "divergent barrier: the first lane of its warp is at line " +
               std::to_string(leader->waiting->line));
  }
  for (Thread& thread : threads_) thread.state = State::Ready;
  return true;
}

void BlockRunner::stop_divergent() const {
  const auto waits = [](const Thread& t) { return t.state != State::Ended; };
  const Thread& thread = *std::ranges::find_if(threads_, waits);
  for (const Thread& other : threads_) {
    if (other.waiting == thread.waiting && other.state == thread.state) continue;
    const std::string where = other.state == State::Ended
                                  ? "has ended"
                                  : "waits at line " + std::to_string(other.waiting->line);
    stop(thread, thread.waiting,
         "waits for ever: thread " + std::to_string(other.number) + " of its block " + where);
  }
  stop(thread, thread.waiting, "waits for ever");
}

}  // namespace talweg::gpu::ptx
