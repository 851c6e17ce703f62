// What can be read off a kernel's text without running it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace talweg::gpu::ptx {

/// Of a kernel and all functions that it may call.
struct Summary {
  std::string kernel;
  std::set<std::string> functions;  // itself and those
  std::uint64_t local_bytes = 0;    // of variables in local memory
  std::uint32_t local_accesses = 0;
  std::map<std::uint32_t, std::uint32_t> registers;      // declared, by bits; 1: predicates
  std::map<std::uint32_t, std::uint32_t> loads, stores;  // of global or generic memory, by bytes
  std::uint32_t flushing = 0;                            // instructions with .ftz
  std::uint32_t approximate = 0;                         // .approx, ex2, ...
  [[nodiscard]] bool uses_local_memory() const { return local_bytes + local_accesses != 0; }
};

/// By the names of the kernels. Throws Fault for text that cannot be parsed; instructions need not
/// be known.
std::vector<Summary> summarize(std::string ptx);

}  // namespace talweg::gpu::ptx
