#include "compiler/codegen/row_block.h"

namespace talweg::codegen {

std::vector<llvm::Value*> RowBlock::starts_at(llvm::IRBuilder<>& ir, const plan::Plan& plan,
                                              const plan::ElementPass& pass,
                                              llvm::Value* element) const {
  const auto size = static_cast<std::uint64_t>(types::size_bytes(plan.compute));
  llvm::Value* offset = ir.CreateMul(element, ir.getInt64(size));
  std::vector<llvm::Value*> starts;
  for (std::size_t i = 0; i < pass.streams.size(); ++i)
    starts.push_back(
        pass.streams[i].is_read
            ? ir.CreateGEP(ir.getInt8Ty(), emit_stream_start(ir, pass, streams, i), offset)
            : nullptr);
  return starts;
}

}  // namespace talweg::codegen
