// Operations as instructions, each exactly as numerics demand: one rounding, no flags; see
// operations.h.
#include "compiler/codegen/operations.h"

#include <limits>

#include "compiler/base/check.h"

namespace talweg::codegen {

namespace {

using builtins::Op;
using Operands = llvm::ArrayRef<llvm::Value*>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double smallest_normal(ComputeType type) {
  return type == ComputeType::F32 ? static_cast<double>(std::numeric_limits<float>::min())
                                  : std::numeric_limits<double>::min();
}

ComputeType number_kind(const Emission& emission, ir::ValueType type) {
  return type == ir::ValueType::Array ? emission.compute : ComputeType::F64;
}

llvm::Value* emit_sign(const Lanes& lanes, ComputeType type, llvm::Value* x) {
  llvm::IRBuilder<>& ir = lanes.builder();
  llvm::Constant* zero = lanes.number(type, 0);
  llvm::Value* not_positive = ir.CreateSelect(ir.CreateFCmpOLT(x, zero), lanes.number(type, -1), x);
  return ir.CreateSelect(ir.CreateFCmpOGT(x, zero), lanes.number(type, 1), not_positive);
}

llvm::Value* emit_is_finite(const Lanes& lanes, ComputeType type, llvm::Value* x) {
  return lanes.builder().CreateFCmpOLT(lanes.abs(x), lanes.number(type, kInfinity));
}

llvm::Value* emit_is_normal(const Lanes& lanes, ComputeType type, llvm::Value* x) {
  llvm::IRBuilder<>& ir = lanes.builder();
  llvm::Value* is_large = ir.CreateFCmpOGE(lanes.abs(x), lanes.number(type, smallest_normal(type)));
  return ir.CreateAnd(is_large, emit_is_finite(lanes, type, x));
}

/// What the machine can do with vectors of this shape, or null.
const Float32Vectors* float32_vectors(const Emission& emission, ComputeType type) {
  const Float32Vectors* vectors =
      emission.helpers ? emission.helpers->machine().float32_vectors : nullptr;
  const bool fits =
      vectors && type == ComputeType::F32 && emission.lanes.width() == vectors->width();
  return fits ? vectors : nullptr;
}

/// The correctly rounded square root. Division and root share one slow unit of the processor, which
/// bounds a loop that has both; so where there is an estimate of 1/sqrt(x), the root comes from it
/// by multiplications and additions.
///
/// One step of Goldschmidt's iteration leaves an error of less than one unit in the last place, and
/// the residual x - g*g is then exact, so the last fma rounds the true root once (Markstein 1990).
/// Every float32 is tested, and every mantissa with estimates anywhere in the stated bound. Tiny
/// numbers are scaled by a power of 4 so that no residual is subnormal.
llvm::Value* emit_root(const Emission& emission, ComputeType type, llvm::Value* x) {
  const Float32Vectors* vectors = float32_vectors(emission, type);
  const Lanes& lanes = emission.lanes;
  if (!vectors || !emission.estimates_roots) return lanes.unary(llvm::Intrinsic::sqrt, x);
  llvm::IRBuilder<>& ir = lanes.builder();
  const auto fma = [&](llvm::Value* a, llvm::Value* b, llvm::Value* c) {
    return emission.helpers->emit_fma(lanes, type, a, b, c);
  };
  llvm::Value* is_tiny = ir.CreateFCmpOLT(x, lanes.number(type, 0x1p-60));
  llvm::Value* scaled = ir.CreateSelect(is_tiny, ir.CreateFMul(x, lanes.number(type, 0x1p96)), x);
  llvm::Value* half = lanes.number(type, 0.5);
  llvm::Value* y = vectors->emit_root_estimate(ir, scaled);
  llvm::Value* g = ir.CreateFMul(scaled, y);
  llvm::Value* h = ir.CreateFMul(y, half);
  llvm::Value* r = fma(ir.CreateFNeg(g), h, half);
  g = fma(g, r, g);
  h = fma(h, r, h);
  llvm::Value* root = fma(fma(ir.CreateFNeg(g), g, scaled), h, g);
  root = ir.CreateSelect(is_tiny, ir.CreateFMul(root, lanes.number(type, 0x1p-48)), root);
  return ir.CreateSelect(vectors->emit_is_own_root(ir, x), x, root);
}

llvm::Value* emit_flush(const Emission& emission, ComputeType type, llvm::Value* x) {
  const Lanes& lanes = emission.lanes;
  llvm::IRBuilder<>& ir = lanes.builder();
  const Float32Vectors* vectors = float32_vectors(emission, type);
  llvm::Value* is_small =
      vectors ? vectors->emit_is_subnormal(ir, x)
              : ir.CreateFCmpOLT(lanes.abs(x), lanes.number(type, smallest_normal(type)));
  const std::uint64_t sign_bit = type == ComputeType::F32 ? 1ull << 31 : 1ull << 63;
  llvm::Value* zero =
      lanes.from_bits(type, ir.CreateAnd(lanes.bits_of(type, x), lanes.integer(type, sign_bit)));
  return ir.CreateSelect(is_small, zero, x);
}

llvm::Value* emit_to_array(const Emission& emission, llvm::Value* scalar) {
  if (emission.compute == ComputeType::F64) return scalar;
  return emission.lanes.builder().CreateFPTrunc(scalar,
                                                emission.lanes.number_type(ComputeType::F32));
}

/// a * r with r = 1/s, where r is normal in the compute type; else a / s.
llvm::Value* emit_div_scalar(const Emission& emission, llvm::Value* a, llvm::Value* s) {
  const Lanes& lanes = emission.lanes;
  llvm::IRBuilder<>& ir = lanes.builder();
  llvm::Value* reciprocal =
      emit_to_array(emission, ir.CreateFDiv(lanes.number(ComputeType::F64, 1), s));
  llvm::Value* is_normal = emit_is_normal(lanes, emission.compute, reciprocal);
  llvm::Value* quotient = ir.CreateFDiv(a, emit_to_array(emission, s));
  return ir.CreateSelect(is_normal, ir.CreateFMul(a, reciprocal), quotient);
}

llvm::Value* emit_apply(const Emission& emission, Op op, ComputeType type, Operands x) {
  const Lanes& lanes = emission.lanes;
  llvm::IRBuilder<>& ir = lanes.builder();
  switch (op) {
    case Op::Add:
      return ir.CreateFAdd(x[0], x[1]);
    case Op::Sub:
      return ir.CreateFSub(x[0], x[1]);
    case Op::Mul:
      return ir.CreateFMul(x[0], x[1]);
    case Op::Div:
      return ir.CreateFDiv(x[0], x[1]);
    case Op::Neg:
      return ir.CreateFNeg(x[0]);
    case Op::Fma:
      return emission.helpers->emit_fma(lanes, type, x[0], x[1], x[2]);
    case Op::Sqrt:
      return emit_root(emission, type, x[0]);
    case Op::Abs:
      return lanes.abs(x[0]);
    case Op::Min:
      return ir.CreateBinaryIntrinsic(llvm::Intrinsic::minimum, x[0], x[1]);
    case Op::Max:
      return ir.CreateBinaryIntrinsic(llvm::Intrinsic::maximum, x[0], x[1]);
    case Op::Sign:
      return emit_sign(lanes, type, x[0]);
    case Op::Floor:
      return lanes.unary(llvm::Intrinsic::floor, x[0]);
    case Op::Ceil:
      return lanes.unary(llvm::Intrinsic::ceil, x[0]);
    case Op::Round:
      return lanes.unary(llvm::Intrinsic::roundeven, x[0]);
    case Op::Trunc:
      return lanes.unary(llvm::Intrinsic::trunc, x[0]);
    case Op::Mod:
    case Op::Rsqrt:
    case Op::Exp:
    case Op::Expm1:
    case Op::Log:
    case Op::Log1p:
    case Op::Log2:
    case Op::Pow:
    case Op::Sin:
    case Op::Cos:
    case Op::Tan:
    case Op::Tanh:
    case Op::Atan:
      return emission.helpers->emit_elementary(lanes, type, op, x);
    case Op::Lt:
      return ir.CreateFCmpOLT(x[0], x[1]);
    case Op::Le:
      return ir.CreateFCmpOLE(x[0], x[1]);
    case Op::Gt:
      return ir.CreateFCmpOGT(x[0], x[1]);
    case Op::Ge:
      return ir.CreateFCmpOGE(x[0], x[1]);
    case Op::Eq:
      return ir.CreateFCmpOEQ(x[0], x[1]);
    case Op::Ne:
      return ir.CreateFCmpUNE(x[0], x[1]);
    case Op::And:
      return ir.CreateAnd(x[0], x[1]);
    case Op::Or:
      return ir.CreateOr(x[0], x[1]);
    case Op::Not:
      return ir.CreateNot(x[0]);
    case Op::Select:
      return ir.CreateSelect(x[0], x[1], x[2]);
    case Op::IsFinite:
      return emit_is_finite(lanes, type, x[0]);
  }
  TALWEG_UNREACHABLE("an operation outside the enumeration");
}

}  // namespace

llvm::Type* value_type(const Emission& emission, ir::ValueType type) {
  switch (type) {
    case ir::ValueType::Scalar:
      return emission.lanes.number_type(ComputeType::F64);
    case ir::ValueType::Array:
      return emission.lanes.number_type(emission.compute);
    case ir::ValueType::Bool:
      return emission.lanes.truth_type();
  }
  TALWEG_UNREACHABLE("a value type outside the enumeration");
}

ir::ValueType operand_value_type(const ir::Graph& graph, const ir::Node& node) {
  const bool is_choice = node.kind == ir::NodeKind::Apply && node.op == Op::Select;
  return graph[node.operands[is_choice ? 1 : 0]].type;
}

llvm::Value* emit_operation(const Emission& emission, const ir::Node& node,
                            ir::ValueType operand_type, llvm::ArrayRef<llvm::Value*> operands) {
  const ComputeType type = number_kind(emission, operand_type);
  switch (node.kind) {
    case ir::NodeKind::Apply:
      return emit_apply(emission, node.op, type, operands);
    case ir::NodeKind::ToArray:
      return emit_to_array(emission, operands[0]);
    case ir::NodeKind::DivScalar:
      return emit_div_scalar(emission, operands[0], operands[1]);
    case ir::NodeKind::IsNormal:
      return emit_is_normal(emission.lanes, type, operands[0]);
    case ir::NodeKind::Flush:
      return emit_flush(emission, type, operands[0]);
    case ir::NodeKind::Spread:
      return operands[0];
    case ir::NodeKind::Constant:
    case ir::NodeKind::Param:
    case ir::NodeKind::Grad:
    case ir::NodeKind::State:
    case ir::NodeKind::Input:
    case ir::NodeKind::Given:
    case ir::NodeKind::Hyper:
    case ir::NodeKind::StepNumber:
    case ir::NodeKind::CallNumber:
    case ir::NodeKind::Fact:
    case ir::NodeKind::Reduce:
      break;
  }
  TALWEG_UNREACHABLE("a node that is given, not computed");
}

}  // namespace talweg::codegen
