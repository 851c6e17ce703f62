// Runs PTX text on the host, strictly: what it does not know it refuses, naming the line.
#pragma once

#include <memory>
#include <string>

#include "tests/gpu/executor.h"

namespace talweg::gpu {

class PtxInterpreter : public Executor {
 public:
  /// Throws Fault where the text holds a directive, an instruction, a modifier or a form of an
  /// operand that is not known, or one that is not exact (.ftz, .approx). Module variables in
  /// global memory are blocks of `memory`, which must outlive this.
  PtxInterpreter(std::string ptx, DeviceMemory& memory);
  ~PtxInterpreter() override;

  /// Throws std::invalid_argument for a launch that no driver would take: an unknown kernel, a
  /// wrong number of arguments, a block that .maxntid or .reqntid excludes.
  void launch(std::string_view kernel, Dim grid, Dim block,
              std::span<const std::uint64_t> arguments) override;
  [[nodiscard]] std::vector<std::string> kernels() const override;

  /// More in one thread end it with a Fault.
  void set_most_instructions(std::uint64_t count);
  /// Of all launches.
  [[nodiscard]] std::uint64_t executed_instructions() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace talweg::gpu
