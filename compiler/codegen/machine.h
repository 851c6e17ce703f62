// What code generation must know about a machine: the shape of its vectors and how its
// floating-point modes are kept. It decides where work runs, never what is computed: every machine
// gives the same bits.
#pragma once

#include <cstdint>

#include "compiler/types/compute_type.h"

namespace llvm {
class IRBuilderBase;
class Value;
}  // namespace llvm

namespace talweg::codegen {

/// How the elements after the last whole vector are handled.
enum class TailStyle : std::uint8_t {
  Masked,  // one more vector with masked loads and stores
  Scalar,  // one element at a time, where masked stores are slow
};

/// What a machine does with a vector of float32 that LLVM has no operation for.
class Float32Vectors {
 public:
  virtual ~Float32Vectors() = default;
  /// Lanes of the vectors it serves.
  [[nodiscard]] virtual std::uint32_t width() const = 0;
  /// 1/sqrt(x) for normal positive x, wrong by less than 2^-14 of it; NaN for negative x and NaN.
  virtual llvm::Value* emit_root_estimate(llvm::IRBuilderBase& builder, llvm::Value* x) const = 0;
  /// Truths: x is +0, -0 or +infinity.
  virtual llvm::Value* emit_is_own_root(llvm::IRBuilderBase& builder, llvm::Value* x) const = 0;
  /// Truths: x is subnormal.
  virtual llvm::Value* emit_is_subnormal(llvm::IRBuilderBase& builder, llvm::Value* x) const = 0;
};

struct MachineShape {
  std::uint32_t vector_bits = 0;  // 0: no vectors, one element at a time
  bool has_fma = false;           // else an exact fma is computed from other operations
  TailStyle tail = TailStyle::Scalar;
  std::uint32_t vector_registers = 16;
  std::uint32_t cache_line_bytes = 64;
  const Float32Vectors* float32_vectors = nullptr;  // null: nothing of the kind
  bool is_gpu = false;  // functions become kernels (runtime/abi/talweg_gpu_abi.h)

  /// Elements of `type` in one vector; a power of two.
  [[nodiscard]] std::uint32_t lanes(types::ComputeType type) const {
    const std::uint32_t bits = 8u * static_cast<std::uint32_t>(types::size_bytes(type));
    return vector_bits < bits ? 1 : vector_bits / bits;
  }
};

/// The floating-point modes of a thread: rounding, flushing of subnormals, exception masks.
class FloatModes {
 public:
  virtual ~FloatModes() = default;
  /// Emits: keep the caller's modes, then round to nearest, keep subnormals, mask exceptions. The
  /// value is what `emit_leave` needs.
  virtual llvm::Value* emit_enter(llvm::IRBuilderBase& builder) const = 0;
  /// Emits: give the caller's modes back.
  virtual void emit_leave(llvm::IRBuilderBase& builder, llvm::Value* saved) const = 0;
};

}  // namespace talweg::codegen
