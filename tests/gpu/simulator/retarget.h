// Makes a module that was emitted for NVPTX one for this machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/gpu/simulator/memory.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::gpu::simulator {

struct Kernel {
  std::string name;
  std::size_t parameters = 0;
  std::uint32_t most_threads = 0;  // of a block, where the kernel says so; else 0
};

/// The names under which the code of a kernel and the initial value of a variable are found.
std::string entry_symbol(const std::string& kernel);
std::string initial_symbol(const std::string& variable);

/// Gives the module's variables places in `memory`; those that begin with a value that is not zero
/// keep it under initial_symbol().
void place_variables(llvm::Module& module, Memory& memory);

/// Kernels become functions void(const uint64_t* arguments), found under entry_symbol().
std::vector<Kernel> make_entries(llvm::Module& module);

/// Triple, data layout and attributes. Throws Fault where a type would lie in memory otherwise than
/// on a device.
void retarget(llvm::Module& module);

}  // namespace talweg::gpu::simulator
