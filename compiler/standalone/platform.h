// What libraries are generated for: a kind of machine and system, with variants of the kernels for
// processors of different abilities, one of which is chosen where the library runs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/targets/machine_code.h"
#include "compiler/targets/target.h"

namespace talweg::standalone {

struct Variant {
  const targets::Target* target;
  std::uint32_t level;  // as runtime/standalone/cpu.c tells processors apart
};

/// What libraries of a platform are when they are linked.
enum class Binary : std::uint8_t {
  SharedObject,  // libNAME.so
  WasmModule,    // NAME.wasm, which imports nothing
};

struct Platform {
  std::string_view name;          // "x86-64"
  targets::Processor processor;   // the least that it may be: of all code but kernels
  std::vector<Variant> variants;  // the best first
  Binary binary;
  std::string_view linker_emulation;  // as linkers name it: "elf_x86_64"; empty for modules
  std::string_view cmake_pattern;     // what CMake calls such processors, as a regular expression
  std::string_view runtime;           // bitcode of runtime/standalone
  std::string_view cuda_runtime;      // with optimizers on GPUs; empty: none
  std::string_view pool;              // of its threads; empty: none
};

std::span<const Platform> platforms();
/// The one that this program was built for.
const Platform& host_platform();
/// Null for an unknown name.
const Platform* find_platform(std::string_view name);

/// Code for GPUs that a library has beside that of a platform.
struct GpuFamily {
  std::string_view name;                        // "nvptx"
  std::vector<const targets::Target*> targets;  // the newest last
};
/// All of a vendor's GPUs, then those of each architecture and newer ones.
std::span<const GpuFamily> gpu_families();
/// Null for an unknown name.
const GpuFamily* find_gpu_family(std::string_view name);

}  // namespace talweg::standalone
