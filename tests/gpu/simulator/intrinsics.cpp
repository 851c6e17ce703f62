#include "tests/gpu/simulator/intrinsics.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include <optional>
#include <vector>

namespace talweg::gpu::simulator {

namespace {

namespace nv = llvm::Intrinsic;

/// Exactly one answer on every machine, but for what a NaN carries. minnum and maxnum are not among
/// them (they may order zeros or not), nor fmuladd (it may round once or twice).
bool is_the_same_everywhere(llvm::Intrinsic::ID id) {
  switch (id) {
    case nv::abs:
    case nv::bitreverse:
    case nv::bswap:
    case nv::ceil:
    case nv::copysign:
    case nv::ctlz:
    case nv::ctpop:
    case nv::cttz:
    case nv::fabs:
    case nv::floor:
    case nv::fma:
    case nv::fptosi_sat:
    case nv::fptoui_sat:
    case nv::fshl:
    case nv::fshr:
    case nv::is_fpclass:
    case nv::maximum:
    case nv::maximumnum:
    case nv::minimum:
    case nv::minimumnum:
    case nv::nearbyint:
    case nv::rint:
    case nv::round:
    case nv::roundeven:
    case nv::sadd_sat:
    case nv::sadd_with_overflow:
    case nv::smax:
    case nv::smin:
    case nv::smul_with_overflow:
    case nv::sqrt:
    case nv::ssub_sat:
    case nv::ssub_with_overflow:
    case nv::trunc:
    case nv::uadd_sat:
    case nv::uadd_with_overflow:
    case nv::umax:
    case nv::umin:
    case nv::umul_with_overflow:
    case nv::usub_sat:
    case nv::usub_with_overflow:
    case nv::vector_reduce_add:
    case nv::vector_reduce_and:
    case nv::vector_reduce_or:
    case nv::vector_reduce_xor:
      return true;
    // Accesses to memory, which instrument.cpp looks after.
    case nv::memcpy:
    case nv::memcpy_inline:
    case nv::memmove:
    case nv::memset:
    case nv::memset_inline:
      return true;
    // Nothing happens.
    case nv::assume:
    case nv::expect:
    case nv::experimental_noalias_scope_decl:
    case nv::lifetime_end:
    case nv::lifetime_start:
    case nv::donothing:
      return true;
    default:
      return false;
  }
}

std::optional<std::uint32_t> special_register(llvm::Intrinsic::ID id) {
  switch (id) {
    case nv::nvvm_read_ptx_sreg_tid_x:
      return kTid;
    case nv::nvvm_read_ptx_sreg_tid_y:
      return kTid + 1;
    case nv::nvvm_read_ptx_sreg_tid_z:
      return kTid + 2;
    case nv::nvvm_read_ptx_sreg_ntid_x:
      return kNtid;
    case nv::nvvm_read_ptx_sreg_ntid_y:
      return kNtid + 1;
    case nv::nvvm_read_ptx_sreg_ntid_z:
      return kNtid + 2;
    case nv::nvvm_read_ptx_sreg_ctaid_x:
      return kCtaid;
    case nv::nvvm_read_ptx_sreg_ctaid_y:
      return kCtaid + 1;
    case nv::nvvm_read_ptx_sreg_ctaid_z:
      return kCtaid + 2;
    case nv::nvvm_read_ptx_sreg_nctaid_x:
      return kNctaid;
    case nv::nvvm_read_ptx_sreg_nctaid_y:
      return kNctaid + 1;
    case nv::nvvm_read_ptx_sreg_nctaid_z:
      return kNctaid + 2;
    case nv::nvvm_read_ptx_sreg_laneid:
      return kLaneid;
    case nv::nvvm_read_ptx_sreg_warpid:
      return kWarpid;
    case nv::nvvm_read_ptx_sreg_nwarpid:
      return kNwarpid;
    case nv::nvvm_read_ptx_sreg_lanemask_eq:
      return kLanemaskEq;
    case nv::nvvm_read_ptx_sreg_lanemask_le:
      return kLanemaskLe;
    case nv::nvvm_read_ptx_sreg_lanemask_lt:
      return kLanemaskLt;
    case nv::nvvm_read_ptx_sreg_lanemask_ge:
      return kLanemaskGe;
    case nv::nvvm_read_ptx_sreg_lanemask_gt:
      return kLanemaskGt;
    default:
      return std::nullopt;
  }
}

std::optional<WarpOperation> warp_operation(llvm::Intrinsic::ID id) {
  using enum WarpOperation;
  switch (id) {
    case nv::nvvm_bar_warp_sync:
      return Barrier;
    case nv::nvvm_shfl_sync_up_i32:
    case nv::nvvm_shfl_sync_up_f32:
    case nv::nvvm_shfl_sync_up_i32p:
    case nv::nvvm_shfl_sync_up_f32p:
      return ShuffleUp;
    case nv::nvvm_shfl_sync_down_i32:
    case nv::nvvm_shfl_sync_down_f32:
    case nv::nvvm_shfl_sync_down_i32p:
    case nv::nvvm_shfl_sync_down_f32p:
      return ShuffleDown;
    case nv::nvvm_shfl_sync_bfly_i32:
    case nv::nvvm_shfl_sync_bfly_f32:
    case nv::nvvm_shfl_sync_bfly_i32p:
    case nv::nvvm_shfl_sync_bfly_f32p:
      return ShuffleButterfly;
    case nv::nvvm_shfl_sync_idx_i32:
    case nv::nvvm_shfl_sync_idx_f32:
    case nv::nvvm_shfl_sync_idx_i32p:
    case nv::nvvm_shfl_sync_idx_f32p:
      return ShuffleIndex;
    case nv::nvvm_vote_all_sync:
      return VoteAll;
    case nv::nvvm_vote_any_sync:
      return VoteAny;
    case nv::nvvm_vote_uni_sync:
      return VoteUniform;
    case nv::nvvm_vote_ballot_sync:
      return VoteBallot;
    case nv::nvvm_match_any_sync_i32:
    case nv::nvvm_match_any_sync_i64:
      return MatchAny;
    case nv::nvvm_match_all_sync_i32p:
    case nv::nvvm_match_all_sync_i64p:
      return MatchAll;
    case nv::nvvm_redux_sync_add:
      return ReduceAdd;
    case nv::nvvm_redux_sync_min:
      return ReduceMin;
    case nv::nvvm_redux_sync_max:
      return ReduceMax;
    case nv::nvvm_redux_sync_umin:
      return ReduceUnsignedMin;
    case nv::nvvm_redux_sync_umax:
      return ReduceUnsignedMax;
    case nv::nvvm_redux_sync_and:
      return ReduceAnd;
    case nv::nvvm_redux_sync_or:
      return ReduceOr;
    case nv::nvvm_redux_sync_xor:
      return ReduceXor;
    default:
      return std::nullopt;
  }
}

std::optional<std::uint8_t> space_asked_for(llvm::Intrinsic::ID id) {
  switch (id) {
    case nv::nvvm_isspacep_global:
      return kGlobal;
    case nv::nvvm_isspacep_shared:
      return kShared;
    case nv::nvvm_isspacep_const:
      return kConstant;
    case nv::nvvm_isspacep_local:
      return kLocal;
    default:
      return std::nullopt;
  }
}

bool is_fence(llvm::Intrinsic::ID id) {
  return id == nv::nvvm_membar_cta || id == nv::nvvm_membar_gl || id == nv::nvvm_membar_sys;
}

/// Bits of a result as the value, or the value and the predicate, that the instruction has.
llvm::Value* as_result(llvm::IRBuilderBase& ir, llvm::Value* bits, llvm::Type* type) {
  if (type->isVoidTy()) return nullptr;
  if (type->isIntegerTy()) return ir.CreateTrunc(bits, type);
  if (type->isFloatTy()) return ir.CreateBitCast(ir.CreateTrunc(bits, ir.getInt32Ty()), type);
  llvm::Value* predicate =
      ir.CreateTrunc(ir.CreateLShr(bits, ir.getInt64(32)), type->getStructElementType(1));
  llvm::Value* value = as_result(ir, bits, type->getStructElementType(0));
  value = ir.CreateInsertValue(llvm::PoisonValue::get(type), value, {0});
  return ir.CreateInsertValue(value, predicate, {1});
}

/// The mask comes first, but in reductions, where the value does.
llvm::Value* emit_warp_operation(llvm::IRBuilderBase& ir, llvm::IntrinsicInst& call,
                                 WarpOperation operation, Hooks& hooks, Site site) {
  const bool is_reduction = operation >= WarpOperation::ReduceAdd;
  const auto operand = [&](unsigned i) -> llvm::Value* {
    if (i >= call.arg_size()) return ir.getInt32(0);
    llvm::Value* value = call.getArgOperand(i);
    return value->getType()->isFloatTy() ? ir.CreateBitCast(value, ir.getInt32Ty()) : value;
  };
  llvm::Value* bits =
      hooks.emit_in_warp(ir, operation, operand(is_reduction ? 1 : 0),
                         operand(is_reduction ? 0 : 1), operand(2), operand(3), site);
  return as_result(ir, bits, call.getType());
}

/// False for an intrinsic that is not known.
bool replace(llvm::IntrinsicInst& call, Hooks& hooks, Sites& sites) {
  const llvm::Intrinsic::ID id = call.getIntrinsicID();
  llvm::IRBuilder<> ir(&call);
  llvm::Value* value = nullptr;
  if (const auto number = special_register(id)) {
    value = hooks.emit_register(ir, *number);
  } else if (const auto operation = warp_operation(id)) {
    value = emit_warp_operation(ir, call, *operation, hooks, sites.add(call));
  } else if (const auto space = space_asked_for(id)) {
    value = ir.CreateICmpEQ(hooks.emit_space_of(ir, call.getArgOperand(0)), ir.getInt32(*space));
  } else if (id == nv::nvvm_read_ptx_sreg_warpsize) {
    value = ir.getInt32(kWarpSize);
  } else if (id == nv::nvvm_barrier_cta_sync_aligned_all || id == nv::nvvm_barrier_cta_sync_all) {
    hooks.emit_barrier(ir, call.getArgOperand(0), ir.getInt32(kAllThreads),
                       id == nv::nvvm_barrier_cta_sync_aligned_all, sites.add(call));
  } else if (id == nv::nvvm_barrier_cta_sync_aligned_count ||
             id == nv::nvvm_barrier_cta_sync_count) {
    hooks.emit_barrier(ir, call.getArgOperand(0), call.getArgOperand(1),
                       id == nv::nvvm_barrier_cta_sync_aligned_count, sites.add(call));
  } else if (id == nv::trap) {
    hooks.emit_trap(ir, sites.add(call));
  } else if (!is_fence(id)) {
    return false;
  }
  if (value != nullptr) call.replaceAllUsesWith(value);
  call.eraseFromParent();
  return true;
}

}  // namespace

void replace_intrinsics(llvm::Module& module, Hooks& hooks, Sites& sites) {
  std::vector<llvm::IntrinsicInst*> calls;
  for (llvm::Function& function : module)
    for (llvm::Instruction& instruction : llvm::instructions(function))
      if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) calls.push_back(call);
  for (llvm::IntrinsicInst* call : calls) {
    if (is_the_same_everywhere(call->getIntrinsicID())) continue;
    const std::string name = call->getCalledFunction()->getName().str();
    if (!replace(*call, hooks, sites))
      throw Fault("the simulator does not know " + name + ", " + instruction_text(*call));
  }
}

}  // namespace talweg::gpu::simulator
