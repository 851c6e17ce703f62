// The rules that are measured, the models they step, and who steps them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/peers.h"
#include "compiler/driver/compile.h"
#include "runtime/device/host_memory.h"
#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/thread_pool.h"

namespace talweg::benchmarks {

struct Case {
  const char* name;
  const char* rule;
  Kernel twin, plain;
  Prepare prepare;
};
const std::vector<Case>& cases();

/// The elements of each tensor of a model.
struct Layout {
  std::string name;
  std::vector<std::size_t> sizes;
  std::size_t columns = 0;  // of each, which is a matrix then; 0: they have one dimension
  [[nodiscard]] std::size_t total() const;
};
const std::vector<Layout>& layouts();

/// Says why on stderr and ends the program.
[[noreturn]] void give_up(const std::string& why);

driver::FrontEnd analyze(const std::string& rule);
std::shared_ptr<driver::Program> compile(const std::string& rule);

/// The arrays of all tensors, end to end. Parameters and gradients lie as a framework may have
/// them, on cache lines; the peers' states like talweg's own, in huge pages and apart from one
/// another modulo a page.
class Memory {
 public:
  explicit Memory(std::size_t elements);
  float *p, *g, *m, *v;

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }  // NOLINT: of aligned_alloc
  };
  std::unique_ptr<std::byte, Free> given_;
  device::HostBlock states_;
};

/// Peers that step one after the other may share their memory: what they do to it keeps it finite.
struct PeerRun {
  Kernel kernel;
  Prepare prepare;
  const Layout& layout;
  const Memory& memory;
  support::ThreadPool* pool;
  Step at{};

  void step();

 private:
  void run(std::size_t begin, std::size_t end) const;
};

class TalwegRun {
 public:
  TalwegRun(const std::string& rule, const Layout& layout, const Memory& memory,
            const std::shared_ptr<support::ThreadPool>& pool);
  void step();

 private:
  std::vector<const void*> gradients_;
  std::optional<optimizer::Optimizer> optimizer_;
};

}  // namespace talweg::benchmarks
