#include "compiler/codegen/pass_tables.h"

#include "compiler/codegen/abi_access.h"

namespace talweg::codegen {

PassTables::PassTables(llvm::IRBuilder<>& ir, const plan::Plan& plan, llvm::Value* args)
    : ir_(ir),
      plan_(plan),
      args_(args),
      pointers_(pointer(TALWEG_FIELD(talweg_pass_args, pointers))),
      tensor_groups_(pointer(TALWEG_FIELD(talweg_pass_args, tensor_groups))),
      model_slots_(pointer(TALWEG_FIELD(talweg_pass_args, model_slots))),
      group_slots_(pointer(TALWEG_FIELD(talweg_pass_args, group_slots))),
      group_args_(pointer(TALWEG_FIELD(talweg_pass_args, group_args))),
      tensor_slots_(pointer(TALWEG_FIELD(talweg_pass_args, tensor_slots))),
      matrix_slots_(pointer(TALWEG_FIELD(talweg_pass_args, matrix_slots))),
      views_(pointer(TALWEG_FIELD(talweg_pass_args, views))),
      row_slots_(load_line_slots(ir, args, plan::Level::Row)) {}

llvm::Value* PassTables::pointer(Offset offset) const { return load_pointer(ir_, args_, offset); }

llvm::Value* PassTables::count(Offset offset) const {
  return load_field(ir_, ir_.getInt64Ty(), args_, offset);
}

llvm::Value* PassTables::row(llvm::Value* table, llvm::Value* index, std::size_t columns) const {
  return entry_address(ir_, table, index, columns * sizeof(talweg_slot));
}

llvm::Value* PassTables::streams_of(llvm::Value* tensor) const {
  auto* row = llvm::ArrayType::get(ir_.getPtrTy(), plan::stream_count(plan_));
  return ir_.CreateInBoundsGEP(row, pointers_, tensor);
}

llvm::Value* PassTables::is_left_out(llvm::Value* tensor) const {
  return ir_.CreateIsNull(load_pointer_at(ir_, streams_of(tensor), TALWEG_STREAM_GRAD));
}

ScalarSources PassTables::sources_of(llvm::Value* tensor) const {
  llvm::Value* group = ir_.CreateZExt(
      ir_.CreateLoad(ir_.getInt32Ty(),
                     entry_address(ir_, tensor_groups_, tensor, sizeof(std::uint32_t))),
      ir_.getInt64Ty());
  const auto width = [&](plan::Level level) { return plan_.slots_of(level).size(); };
  return {
      .args = entry_address(ir_, group_args_, group, bytes_here(ir_, kSizeOf<talweg_scalar_args>)),
      .model_slots = model_slots_,
      .group_slots = row(group_slots_, group, width(plan::Level::Group)),
      .tensor_slots = row(tensor_slots_, tensor, width(plan::Level::Tensor))};
}

ScalarSources PassTables::sources_of_matrix(ScalarSources sources, llvm::Value* matrix) const {
  sources.matrix_slots = row(matrix_slots_, matrix, plan_.slots_of(plan::Level::Matrix).size());
  sources.row_slots = row_slots_;
  return sources;
}

llvm::Value* PassTables::view_field(llvm::Value* tensor, std::size_t offset) const {
  return load_field(ir_, ir_.getInt64Ty(),
                    entry_address(ir_, views_, tensor, sizeof(talweg_matrix_view)), offset);
}

llvm::Value* emit_stream_start(llvm::IRBuilder<>& ir, const plan::ElementPass& pass,
                               llvm::Value* streams, std::size_t stream) {
  llvm::Value* start = load_pointer_at(ir, streams, stream);
  if (pass.streams[stream].kind != plan::StreamKind::Input) return start;
  llvm::Value* param = load_pointer_at(ir, streams, TALWEG_STREAM_PARAM);
  return ir.CreateSelect(ir.CreateIsNull(start), param, start);
}

}  // namespace talweg::codegen
