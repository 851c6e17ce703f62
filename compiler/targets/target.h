// A machine that rules are compiled for. A target decides where work runs (vectors, tails, modes of
// the floating-point unit), never what is computed: codegen emits the same operations for all, and
// all give the same bits.
//
// To add one: implement Target, add a row in registry.cpp. Nothing outside this folder names a
// target.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "compiler/codegen/machine.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::targets {

enum class CodeKind : std::uint8_t { Object, Assembly };

class Target {
 public:
  virtual ~Target() = default;

  /// As it is named on the command line and in images: "x86-64-v4".
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual const codegen::MachineShape& shape() const = 0;
  [[nodiscard]] virtual const codegen::FloatModes& modes() const = 0;
  /// True if this processor and its operating system can run the target's code.
  [[nodiscard]] virtual bool runs_here() const = 0;
  /// The processor whose instructions its code uses, as LLVM names it: "x86-64-v4".
  [[nodiscard]] virtual std::string processor() const = 0;
  /// Sets what emission relies on: triple and data layout.
  virtual void prepare(llvm::Module& module) const = 0;
  /// Object or assembly of a module that was prepared and filled; the module is used up. A
  /// relocatable object for any address, that refers to no symbol outside.
  virtual std::string generate(llvm::Module& module, CodeKind kind) const = 0;
};

/// All targets, the best last.
std::span<const Target* const> all_targets();
/// Null for an unknown name.
const Target* find_target(std::string_view name);
/// The best target that runs here; null on a machine that none of them runs on.
const Target* host_target();
/// The release of LLVM that generates code, "22.1.8".
std::string_view generator_version();

}  // namespace talweg::targets
