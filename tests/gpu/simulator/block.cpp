#include "tests/gpu/simulator/block.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <utility>

namespace talweg::gpu::simulator {

namespace {

/// Atomic accesses without a barrier or an end: the thread waits for another, which cannot run.
constexpr std::uint32_t kMostAtomics = 1u << 22u;

}  // namespace

void Block::begin_launch(Dim grid, Dim block, std::uint64_t order_seed) {
  const std::uint32_t count = block.x * block.y * block.z;
  fibers_.reserve(count);
  threads_.assign(count, Thread{});
  warps_.assign((count + kWarpSize - 1) / kWarpSize, Warp{});
  for (std::uint32_t i = 0; i < count; ++i) {
    auto& registers = threads_[i].registers;
    const std::uint32_t lane = i % kWarpSize;
    registers = {i % block.x,
                 i / block.x % block.y,
                 i / block.x / block.y,
                 block.x,
                 block.y,
                 block.z,
                 0,
                 0,
                 0,
                 grid.x,
                 grid.y,
                 grid.z};
    registers[kLaneid] = lane;
    registers[kWarpid] = i / kWarpSize;
    registers[kNwarpid] = static_cast<std::uint32_t>(warps_.size());
    registers[kLanemaskEq] = 1u << lane;
    registers[kLanemaskLt] = (1u << lane) - 1;
    registers[kLanemaskLe] = registers[kLanemaskLt] | registers[kLanemaskEq];
    registers[kLanemaskGe] = ~registers[kLanemaskLt];
    registers[kLanemaskGt] = ~registers[kLanemaskLe];
    threads_[i].number = i;
  }
  warp_order_.resize(warps_.size());
  lane_order_.resize(kWarpSize);
  std::iota(warp_order_.begin(), warp_order_.end(), 0u);
  std::iota(lane_order_.begin(), lane_order_.end(), 0u);
  if (order_seed == 0) return;
  std::mt19937_64 random(order_seed);
  std::shuffle(warp_order_.begin(), warp_order_.end(), random);
  std::shuffle(lane_order_.begin(), lane_order_.end(), random);
}

std::optional<BlockFault> Block::run(void (*entry)(const std::uint64_t*),
                                     const std::uint64_t* arguments, Dim place) {
  entry_ = entry;
  arguments_ = arguments;
  ended_ = 0;
  fault_.reset();
  for (Barrier& barrier : barriers_) barrier.waiting.clear();
  for (Warp& warp : warps_) warp = Warp{};
  if (const auto lanes = static_cast<std::uint32_t>(threads_.size() % kWarpSize); lanes != 0)
    warps_.back().ended = ~((1u << lanes) - 1);
  for (Thread& thread : threads_) {
    thread.registers[kCtaid] = place.x;
    thread.registers[kCtaid + 1] = place.y;
    thread.registers[kCtaid + 2] = place.z;
    thread.state = Thread::State::Ready;
    fibers_.start(thread.number, &Block::run_thread, this);
  }
  while (ended_ < threads_.size()) {
    bool somebody_ran = false;
    for (const std::uint32_t warp : warp_order_) {
      somebody_ran = run_warp(warp) || somebody_ran;
      if (fault_) break;
    }
    if (!somebody_ran && !fault_) fault_ = nobody_can_run();
    if (fault_) break;
  }
  current_ = nullptr;
  return std::exchange(fault_, std::nullopt);
}

void Block::run_thread(void* block) {
  auto* self = static_cast<Block*>(block);
  self->entry_(self->arguments_);
  self->end_thread();
  self->fibers_.finish(self->current_->number);
}

/// Runs the warp's threads until all of them wait or have ended.
bool Block::run_warp(std::uint32_t warp) {
  const std::uint32_t first = warp * kWarpSize;
  bool somebody_ran = false;
  for (bool again = true; again;) {
    again = false;
    for (const std::uint32_t lane : lane_order_) {
      if (first + lane >= threads_.size()) continue;
      Thread& thread = threads_[first + lane];
      if (thread.state != Thread::State::Ready) continue;
      current_ = &thread;
      thread.atomics = 0;
      fibers_.resume(thread.number);
      if (fault_) return true;
      again = true;
    }
    somebody_ran = somebody_ran || again;
  }
  return somebody_ran;
}

void Block::stop(std::string cause, Site site) { blame(*current_, std::move(cause), site); }

void Block::blame(const Thread& thread, std::string cause, Site site) {
  if (!fault_) fault_.emplace();
  fault_->cause = std::move(cause);
  fault_->thread = thread.number;
  fault_->site = site;
  fibers_.finish(current_->number);
}

void Block::wait() {
  const std::uint32_t number = current_->number;
  fibers_.leave(number);
}

void Block::end_thread() {
  current_->state = Thread::State::Ended;
  current_->site = kNoSite;
  ++ended_;
  const std::uint32_t number = current_->number / kWarpSize;
  Warp& warp = warps_[number];
  warp.ended |= 1u << (current_->number % kWarpSize);
  for (std::size_t i = warp.groups.size(); i-- > 0;) complete_if_all_here(number, i);
}

// ---- Memory ----

void Block::access(const void* pointer, std::uint64_t bytes, Site site) {
  const AccessForm& form = (*forms_)[site];
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (bytes == 0) return;
  if ((form.kind == AccessKind::AtomicRead || form.kind == AccessKind::AtomicWrite) &&
      ++current_->atomics > kMostAtomics)
    stop("waits in a loop for what another thread would do", site);
  if ((address & (form.alignment - 1)) != 0)
    stop("accesses an address that is not a multiple of " + std::to_string(form.alignment), site);
  const std::uintptr_t offset = address - fibers_.stack_begin(current_->number);
  if (offset < Fibers::kStackBytes && bytes <= Fibers::kStackBytes - offset &&
      (form.spaces & kLocal) != 0)
    return;
  PastAccess now;
  now.stamp = order_.stamp(current_->number);
  now.thread = current_->number & (kMostThreads - 1);
  now.kind = static_cast<std::uint32_t>(form.kind);
  now.site = site & (kMostSites - 1);
  std::optional<AccessFault> fault = memory_.access(address, bytes, form, now);
  if (!fault) return;
  fault_.emplace().earlier = fault->earlier;
  stop(std::move(fault->text), site);
}

std::uint8_t Block::space_of(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (address - fibers_.stack_begin(current_->number) < Fibers::kStackBytes) return kLocal;
  return memory_.space_of(address);
}

// ---- Barriers of the block ----

void Block::wait_at_barrier(std::uint32_t number, std::uint32_t count, bool is_aligned, Site site) {
  const auto all = static_cast<std::uint32_t>(threads_.size());
  if (number >= barriers_.size()) stop("names a barrier above 15", site);
  if (count == kAllThreads)
    count = all;
  else if (count == 0 || count > all || count % kWarpSize != 0)
    stop("waits for " + std::to_string(count) + " threads", site);
  Barrier& barrier = barriers_[number];
  if (barrier.waiting.empty()) {
    barrier.count = count;
    barrier.is_aligned = is_aligned;
  }
  if (barrier.count != count || barrier.is_aligned != is_aligned)
    stop("waits at a barrier where others wait for another number of threads, or otherwise", site);
  barrier.waiting.push_back(current_->number);
  current_->state = Thread::State::AtBarrier;
  current_->site = site;
  if (barrier.waiting.size() == count)
    complete(barrier, site);
  else
    wait();
}

void Block::complete(Barrier& barrier, Site site) {
  if (barrier.is_aligned) check_whole_warps(barrier, site);
  if (barrier.waiting.size() == threads_.size())
    order_.meet_all();
  else
    order_.meet(barrier.waiting, false);
  for (const std::uint32_t thread : barrier.waiting) threads_[thread].state = Thread::State::Ready;
  barrier.waiting.clear();
}

/// All threads of a warp execute the same aligned barrier.
void Block::check_whole_warps(const Barrier& barrier, Site site) {
  std::array<std::uint32_t, kMostThreads / kWarpSize> lanes{};
  std::array<std::uint32_t, kMostThreads / kWarpSize> first{};
  for (const std::uint32_t thread : barrier.waiting) {
    const std::uint32_t warp = thread / kWarpSize;
    if (lanes[warp] == 0) first[warp] = thread;
    lanes[warp] |= 1u << (thread % kWarpSize);
    if (threads_[thread].site == threads_[first[warp]].site) continue;
    fault_.emplace().other_thread = first[warp];
    fault_->other_site = threads_[first[warp]].site;
    blame(threads_[thread], "is at another barrier instruction than the rest of its warp",
          threads_[thread].site);
  }
  for (std::uint32_t warp = 0; warp < warps_.size(); ++warp)
    if (lanes[warp] != 0 && (lanes[warp] | warps_[warp].ended) != ~0u)
      stop("is at a barrier that only a part of warp " + std::to_string(warp) + " has reached",
           site);
}

// ---- Warps ----

std::uint64_t Block::in_warp(WarpOperation operation, std::uint32_t mask, WarpOperands operands,
                             Site site) {
  const std::uint32_t number = current_->number / kWarpSize;
  const std::uint32_t lane = 1u << (current_->number % kWarpSize);
  if ((mask & lane) == 0) stop("is not among the lanes of its own mask", site);
  Warp& warp = warps_[number];
  current_->operands = operands;
  current_->state = Thread::State::InWarp;
  current_->site = site;
  auto group = std::find_if(warp.groups.begin(), warp.groups.end(), [&](const Group& other) {
    return other.operation == operation && other.mask == mask;
  });
  if (group == warp.groups.end()) group = warp.groups.insert(group, {operation, mask, 0});
  group->arrived |= lane;
  Thread* const self = current_;
  if (!complete_if_all_here(number, static_cast<std::size_t>(group - warp.groups.begin()))) wait();
  return self->result;
}

/// Threads that have ended are not waited for, but by barriers.
bool Block::complete_if_all_here(std::uint32_t number, std::size_t index) {
  Warp& warp = warps_[number];
  const Group group = warp.groups[index];
  const bool is_barrier = group.operation == WarpOperation::Barrier;
  if (group.arrived != (is_barrier ? group.mask : group.mask & ~warp.ended)) return false;
  warp.groups.erase(warp.groups.begin() + static_cast<std::ptrdiff_t>(index));
  std::array<WarpOperands, kWarpSize> operands;
  std::array<std::uint32_t, kWarpSize> members;
  std::uint32_t count = 0;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane) {
    if (((group.arrived >> lane) & 1u) == 0) continue;
    members[count++] = number * kWarpSize + lane;
    operands[lane] = threads_[number * kWarpSize + lane].operands;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Thread& thread = threads_[members[i]];
    thread.result = warp_result(group.operation, operands, group.arrived, members[i] % kWarpSize);
    thread.state = Thread::State::Ready;
  }
  if (is_barrier) order_.meet({members.data(), count}, true);
  return true;
}

BlockFault Block::nobody_can_run() const {
  BlockFault fault;
  const auto waiting = std::find_if(threads_.begin(), threads_.end(), [](const Thread& thread) {
    return thread.state != Thread::State::Ended;
  });
  const auto other = std::find_if(threads_.begin(), threads_.end(), [&](const Thread& thread) {
    return thread.state != waiting->state || thread.site != waiting->site;
  });
  fault.cause = "waits for threads that do not come (" +
                std::to_string(std::count_if(threads_.begin(), threads_.end(),
                                             [&](const Thread& thread) {
                                               return thread.state == waiting->state &&
                                                      thread.site == waiting->site;
                                             })) +
                " of " + std::to_string(threads_.size()) + " wait here, " + std::to_string(ended_) +
                " have ended)";
  fault.thread = waiting->number;
  fault.site = waiting->site;
  if (other != threads_.end()) {
    fault.other_thread = other->number;
    fault.other_site = other->site;
  }
  return fault;
}

}  // namespace talweg::gpu::simulator
