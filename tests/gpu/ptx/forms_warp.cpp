// Barriers, shuffles and votes stop a thread; the block lets it go on (block.cpp, warp.cpp).
#include "tests/gpu/ptx/forms.h"
#include "tests/gpu/ptx/warp.h"

namespace talweg::gpu::ptx {

namespace {

template <State state>
const Instruction* wait(Thread& thread, const Instruction* i) {
  thread.state = state;
  thread.waiting = i;
  thread.next = i + 1;
  return nullptr;
}

const Instruction* go_on(Thread&, const Instruction* i) { return i + 1; }

void add_warp(Forms& forms, const std::string& opcode, WarpOperation operation,
              std::vector<Type> operands) {
  Form form{.run = wait<State::AtWarp>, .operands = std::move(operands)};
  form.detail = static_cast<std::int64_t>(operation);
  form.takes_pair = opcode.starts_with("shfl");
  form.has_result = operation != WarpOperation::Synchronize;
  forms.add(opcode, std::move(form));
}

}  // namespace

void add_warp_forms(Forms& forms) {
  using enum WarpOperation;
  const Type b{'b', 32}, u{'u', 32}, s{'s', 32}, p{'p', 1};
  add_warp(forms, "shfl.sync.up.b32", ShuffleUp, {b, b, b, b, b});
  add_warp(forms, "shfl.sync.down.b32", ShuffleDown, {b, b, b, b, b});
  add_warp(forms, "shfl.sync.bfly.b32", ShuffleButterfly, {b, b, b, b, b});
  add_warp(forms, "shfl.sync.idx.b32", ShuffleIndex, {b, b, b, b, b});
  add_warp(forms, "vote.sync.all.pred", VoteAll, {p, p, b});
  add_warp(forms, "vote.sync.any.pred", VoteAny, {p, p, b});
  add_warp(forms, "vote.sync.uni.pred", VoteUniform, {p, p, b});
  add_warp(forms, "vote.sync.ballot.b32", VoteBallot, {b, p, b});
  add_warp(forms, "redux.sync.add.s32", ReduceAdd, {s, s, b});
  add_warp(forms, "redux.sync.add.u32", ReduceAdd, {u, u, b});
  add_warp(forms, "redux.sync.min.s32", ReduceMinSigned, {s, s, b});
  add_warp(forms, "redux.sync.max.s32", ReduceMaxSigned, {s, s, b});
  add_warp(forms, "redux.sync.min.u32", ReduceMin, {u, u, b});
  add_warp(forms, "redux.sync.max.u32", ReduceMax, {u, u, b});
  add_warp(forms, "redux.sync.and.b32", ReduceAnd, {b, b, b});
  add_warp(forms, "redux.sync.or.b32", ReduceOr, {b, b, b});
  add_warp(forms, "redux.sync.xor.b32", ReduceXor, {b, b, b});
  add_warp(forms, "bar.warp.sync", Synchronize, {b});
  add_warp(forms, "activemask.b32", ActiveMask, {b});

  // The detail says whether the threads of a warp must stand at the same one.
  for (const char* opcode :
       {"bar.sync", "barrier.sync.aligned", "bar.cta.sync", "barrier.cta.sync.aligned"})
    forms.add(opcode,
              {.run = wait<State::AtBarrier>, .operands = {u}, .detail = 1, .has_result = false});
  for (const char* opcode : {"barrier.sync", "barrier.cta.sync"})
    forms.add(opcode,
              {.run = wait<State::AtBarrier>, .operands = {u}, .detail = 0, .has_result = false});

  // Threads take turns, so that every access is seen at once by all.
  for (const char* opcode : {"membar.cta", "membar.gl", "membar.sys"})
    forms.add(opcode, {.run = go_on, .has_result = false});
  for (const std::string kind : {"sc", "acq_rel", "acquire", "release"})
    for (const std::string scope : {"cta", "gpu", "sys"})
      forms.add("fence." + kind + "." + scope, {.run = go_on, .has_result = false});
}

}  // namespace talweg::gpu::ptx
