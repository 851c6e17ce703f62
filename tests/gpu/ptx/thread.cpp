#include "tests/gpu/ptx/thread.h"

#include <algorithm>

namespace talweg::gpu::ptx {

namespace {

constexpr std::size_t kMostFrames = 1000;
// Between local variables, so that running past the end of one is noticed.
constexpr std::uint64_t kGap = 64;

std::string text_of(Dim dim) {
  return "(" + std::to_string(dim.x) + ", " + std::to_string(dim.y) + ", " + std::to_string(dim.z) +
         ")";
}

}  // namespace

void Thread::start(const Code& entry, std::span<const std::uint64_t> arguments) {
  frames.clear();
  regions.clear();
  state = State::Ready;
  carry = false;
  executed = 0;
  waiting = nullptr;
  enter(entry, nullptr, nullptr);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    std::memcpy(parameters + entry.parameters[i].place, &arguments[i], sizeof arguments[i]);
  next = entry.instructions.data();
}

void Thread::point_at_frame() {
  r = stack.data() + frames.back().base;
  parameters = reinterpret_cast<std::byte*>(r + frames.back().code->parameter_slot());
}

void Thread::enter(const Code& code, const Instruction* back, const Call* call) {
  if (frames.size() >= kMostFrames) stop(*this, back - 1, "calls are nested too deeply");
  std::size_t base = 0;
  if (!frames.empty()) base = frames.back().base + frames.back().code->frame_slots();
  const std::size_t end = base + code.frame_slots();
  if (stack.size() < end) stack.resize(std::max(end, stack.size() * 2));
  frames.push_back({&code, back, call, base, regions.size()});
  point_at_frame();
  std::fill(r, r + code.register_count, kUnwritten);
  std::copy(code.constants.begin(), code.constants.end(), r + code.register_count);
  std::memset(parameters, 0xCD, code.parameter_bytes);
  for (const LocalVariable& variable : code.locals) {
    std::uint64_t begin = (regions.empty() ? 0 : regions.back().end) + kGap;
    begin = (begin + variable.alignment - 1) / variable.alignment * variable.alignment;
    regions.push_back({begin, begin + variable.bytes});
    if (local.size() < regions.back().end) local.resize(regions.back().end);
    std::memset(local.data() + begin, 0xCD, variable.bytes);
  }
}

const Instruction* Thread::leave() {
  const Frame left = frames.back();
  if (left.back == nullptr) {
    state = State::Ended;
    return nullptr;
  }
  const std::byte* const from = parameters;
  regions.resize(left.first_region);
  frames.pop_back();
  point_at_frame();
  for (std::size_t i = 0; i < left.code->results.size(); ++i)
    std::memcpy(parameters + left.call->results[i].place, from + left.code->results[i].place,
                left.code->results[i].bytes);
  return left.back;
}

void stop(const Thread& thread, const Instruction* at, const std::string& why) {
  const Launch& launch = *thread.launch;
  std::string text = "kernel " + launch.kernel + ", block " + text_of(thread.block) + ", thread " +
                     text_of(thread.index) + ": " + why;
  if (at != nullptr)
    text += ": PTX line " + std::to_string(at->line) + ": " +
            std::string(launch.program.text->line(at->line));
  throw Fault(text);
}

}  // namespace talweg::gpu::ptx
