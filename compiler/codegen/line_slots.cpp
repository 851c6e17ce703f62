#include "compiler/codegen/line_slots.h"

#include "compiler/codegen/abi_access.h"

namespace talweg::codegen {

namespace {

ComputeType stored_type(const Emission& emission, ir::ValueType type) {
  return type == ir::ValueType::Array ? emission.compute : ComputeType::F64;
}

llvm::Value* address_of(const Emission& emission, llvm::Value* start, llvm::Value* number,
                        ComputeType stored) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  return ir.CreateGEP(Lanes(ir, 1).number_type(stored), start, number);
}

llvm::Align alignment_of(ComputeType stored) {
  return llvm::Align(static_cast<std::uint64_t>(types::size_bytes(stored)));
}

}  // namespace

LineSlots load_line_slots(llvm::IRBuilder<>& ir, llvm::Value* pass_args, plan::Level level) {
  const bool of_rows = level == plan::Level::Row;
  return {load_pointer(ir, pass_args,
                       of_rows ? TALWEG_FIELD(talweg_pass_args, row_slots)
                               : TALWEG_FIELD(talweg_pass_args, col_slots)),
          load_field(ir, ir.getInt64Ty(), pass_args,
                     of_rows ? TALWEG_FIELD(talweg_pass_args, row_count)
                             : TALWEG_FIELD(talweg_pass_args, col_count))};
}

llvm::Value* emit_slot_start(llvm::IRBuilder<>& ir, const LineSlots& slots, std::size_t slot) {
  return emit_partial_start(ir, slots.slots, slots.count, slot);
}

llvm::Value* emit_partial_start(llvm::IRBuilder<>& ir, llvm::Value* partials, llvm::Value* count,
                                std::size_t partial) {
  return ir.CreateGEP(ir.getInt64Ty(), partials, ir.CreateMul(count, ir.getInt64(partial)));
}

llvm::Value* emit_line_load(const Emission& emission, llvm::Value* start, llvm::Value* number,
                            ir::ValueType type, llvm::Value* mask) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  const ComputeType stored = stored_type(emission, type);
  llvm::Type* loaded = emission.lanes.number_type(stored);
  llvm::Value* address = address_of(emission, start, number, stored);
  llvm::Value* value =
      mask == nullptr
          ? static_cast<llvm::Value*>(ir.CreateAlignedLoad(loaded, address, alignment_of(stored)))
          : ir.CreateMaskedLoad(loaded, address, alignment_of(stored), mask,
                                llvm::Constant::getNullValue(loaded));
  if (type != ir::ValueType::Bool) return value;
  return ir.CreateFCmpUNE(value, emission.lanes.number(stored, 0));
}

void emit_line_store(const Emission& emission, llvm::Value* start, llvm::Value* number,
                     ir::ValueType type, llvm::Value* value) {
  llvm::IRBuilder<>& ir = emission.lanes.builder();
  const ComputeType stored = stored_type(emission, type);
  if (type == ir::ValueType::Bool)
    value = ir.CreateUIToFP(value, emission.lanes.number_type(stored));
  ir.CreateAlignedStore(value, address_of(emission, start, number, stored), alignment_of(stored));
}

}  // namespace talweg::codegen
