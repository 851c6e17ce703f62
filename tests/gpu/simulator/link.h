// Code of a module for this machine, in this process. ORC stays behind this header.
#pragma once

#include <memory>
#include <string>

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::gpu::simulator {

class HostCode {
 public:
  /// Code for a module that was retargeted; it is used up. Throws Fault where it needs
  /// a function that is not in host_symbols(); that is found at the first find().
  explicit HostCode(llvm::Module& module);
  ~HostCode();

  [[nodiscard]] void* find(const std::string& symbol) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::gpu::simulator
