// WebAssembly; see wasm.h. Its arithmetic is IEEE 754 with subnormals and round to nearest, and has
// no other modes. It has no fma: the relaxed one may or may not round between product and sum, as
// the machine below likes, so an exact one is computed (compiler/codegen/exact_fma.h).
#include "compiler/targets/wasm.h"

#include <array>

#include "compiler/targets/machine_code.h"
#include "compiler/targets/only_modes.h"

namespace talweg::targets {

namespace {

class WasmTarget final : public Target {
 public:
  [[nodiscard]] std::string_view name() const override { return "wasm32"; }
  [[nodiscard]] const codegen::MachineShape& shape() const override { return shape_; }
  [[nodiscard]] const codegen::FloatModes& modes() const override { return modes_; }
  [[nodiscard]] bool runs_here() const override { return false; }
  [[nodiscard]] std::string processor() const override { return "generic"; }
  void prepare(llvm::Module& module) const override { prepare_module(module, machine()); }
  std::string generate(llvm::Module& module, CodeKind kind) const override {
    return generate_code(module, machine(), kind);
  }

 private:
  [[nodiscard]] Processor machine() const {
    return {"wasm32-unknown-unknown", processor(), "+simd128"};
  }

  codegen::MachineShape shape_{.vector_bits = 128};
  OnlyModes modes_;
};

}  // namespace

std::span<const Target* const> wasm_targets() {
  static const WasmTarget wasm32;
  static const std::array<const Target*, 1> all{&wasm32};
  return all;
}

}  // namespace talweg::targets
