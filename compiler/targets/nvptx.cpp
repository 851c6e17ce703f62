// NVPTX; see nvptx.h. Its arithmetic is IEEE 754 with subnormals and round to nearest where nothing
// else is asked for, and has no modes.
#include "compiler/targets/nvptx.h"

#include <array>

#include "compiler/targets/machine_code.h"
#include "compiler/targets/only_modes.h"

namespace talweg::targets {

namespace {

class NvptxTarget final : public Target {
 public:
  /// `ptx`: the oldest version of the language that knows the processor.
  NvptxTarget(std::string_view name, std::string_view processor, std::string_view ptx)
      : name_(name), processor_(processor), ptx_(ptx) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] const codegen::MachineShape& shape() const override { return shape_; }
  [[nodiscard]] const codegen::FloatModes& modes() const override { return modes_; }
  [[nodiscard]] bool runs_here() const override { return false; }
  [[nodiscard]] std::string processor() const override { return std::string(processor_); }
  void prepare(llvm::Module& module) const override { prepare_module(module, machine()); }
  std::string generate(llvm::Module& module, CodeKind /*PTX is text*/) const override {
    return generate_code(module, machine(), CodeKind::Assembly);
  }

 private:
  [[nodiscard]] Processor machine() const {
    return {"nvptx64-nvidia-cuda", processor(), std::string(ptx_)};
  }

  std::string_view name_, processor_, ptx_;
  codegen::MachineShape shape_{.has_fma = true, .is_gpu = true};
  OnlyModes modes_;
};

}  // namespace

std::span<const Target* const> nvptx_targets() {
  static const NvptxTarget sm80("nvptx-sm80", "sm_80", "+ptx70");
  static const NvptxTarget sm90("nvptx-sm90", "sm_90", "+ptx78");
  static const NvptxTarget sm100("nvptx-sm100", "sm_100", "+ptx86");
  static const std::array<const Target*, 3> all{&sm80, &sm90, &sm100};
  return all;
}

std::uint32_t gpu_architecture(const Target& target) {
  const std::string name = target.processor();
  std::uint32_t number = 0;
  for (const char digit : name.substr(name.find('_') + 1))
    number = 10 * number + static_cast<std::uint32_t>(digit - '0');
  return number;
}

const Target* find_gpu_target(std::uint32_t architecture) {
  const Target* newest = nullptr;
  for (const Target* target : nvptx_targets())
    if (gpu_architecture(*target) <= architecture) newest = target;
  return newest;
}

}  // namespace talweg::targets
