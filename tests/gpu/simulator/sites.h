// Numbers for the instructions that are instrumented, so that a fault can name one: by its place in
// the module as it was given.
#pragma once

#include <llvm/ADT/DenseMap.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/gpu/simulator/memory.h"

namespace llvm {
class Instruction;
class Module;
}  // namespace llvm

namespace talweg::gpu::simulator {

class Sites {
 public:
  /// Of a module that is still as it was given.
  explicit Sites(const llvm::Module& module);

  /// An instruction may have several sites. Throws Fault where there are too many.
  std::uint32_t add(const llvm::Instruction& instruction, const AccessForm& form = {});
  [[nodiscard]] const std::vector<AccessForm>& forms() const { return forms_; }
  /// The instruction of a site, as text; `module` is another copy of the module that was given.
  [[nodiscard]] std::string text(const llvm::Module& module, std::uint32_t site) const;

 private:
  struct Place {
    std::uint32_t function = 0, instruction = 0;
  };
  llvm::DenseMap<const llvm::Instruction*, Place> places_;
  std::vector<Place> site_places_;
  std::vector<AccessForm> forms_;
};

/// A function and an instruction, for messages.
std::string instruction_text(const llvm::Instruction& instruction);

}  // namespace talweg::gpu::simulator
