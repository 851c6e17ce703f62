// Functions of an image get no name when they are called, so each kernel has a C function of its
// own, out of a fixed number of them.
#include "tests/gpu/kernel_program.h"

#include <array>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "compiler/driver/fill_image.h"
#include "compiler/driver/generate.h"
#include "compiler/driver/image_tables.h"
#include "compiler/driver/linked_code.h"
#include "compiler/passes/pass.h"
#include "runtime/memory/gpu_units.h"

namespace talweg::gpu {

namespace {

std::mutex launching;

struct Kernel {
  Executor* executor = nullptr;  // null: this place is free
  std::string name;

  void launch(Dim grid, Dim block, const void* args, std::uint64_t begin, std::uint64_t end,
              const void* extra) const {
    const std::uint32_t stop = 0;
    const auto number = [](const void* pointer) {
      return reinterpret_cast<std::uint64_t>(pointer);
    };
    const std::array arguments{number(args), begin, end, number(extra), number(&stop)};
    // Images may be called by several threads; an executor may not.
    const std::lock_guard lock(launching);
    executor->launch(name, grid, block, arguments);
  }
};

constexpr std::size_t kPlaces = 512;
std::array<Kernel, kPlaces> kernels;

constexpr std::uint32_t kThreads = 64;  // of a block, where a thread does one row

template <std::size_t Place>
struct Caller {
  static void row(void*, const talweg_scalar_args* args) {
    kernels[Place].launch({}, {TALWEG_GPU_WARP}, args, 0, 1, nullptr);
  }
  static void range(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    if (begin == end) return;
    kernels[Place].launch({(end - begin + kThreads - 1) / kThreads}, {kThreads}, args, begin, end,
                          nullptr);
  }
  static void lines(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    if (begin == end) return;
    kernels[Place].launch({(end - begin + 1) / 2}, {TALWEG_GPU_THREADS}, args, begin, end, nullptr);
  }
  static void pass(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    std::vector<talweg_gpu_unit> units(end - begin);
    units.resize(talweg_fill_gpu_units(args->chunks, begin, end, units.data()));
    if (units.empty()) return;
    // Fewer blocks than units, where there are some: blocks must go on to the next.
    const auto blocks = static_cast<std::uint32_t>((units.size() + 1) / 2);
    kernels[Place].launch({blocks}, {TALWEG_GPU_THREADS}, args, 0, units.size(), units.data());
  }
};

struct Callers {
  void *row, *range, *lines, *pass;
};

template <std::size_t... Places>
constexpr std::array<Callers, kPlaces> callers_of(std::index_sequence<Places...>) {
  return {Callers{reinterpret_cast<void*>(&Caller<Places>::row),
                  reinterpret_cast<void*>(&Caller<Places>::range),
                  reinterpret_cast<void*>(&Caller<Places>::lines),
                  reinterpret_cast<void*>(&Caller<Places>::pass)}...};
}
const std::array<Callers, kPlaces> callers = callers_of(std::make_index_sequence<kPlaces>());

bool has(const std::string& symbol, std::string_view part) {
  return symbol.find(part) != std::string::npos;
}

class KernelProgram final : public driver::Program {
 public:
  KernelProgram(const ir::Graph& graph, types::ComputeType compute, const targets::Target& target,
                const ExecutorOfPlan& make_executor)
      : tables_(graph, compute, std::string(target.name())) {
    memory_.allow_everything();
    const plan::Plan plan = plan::make_plan(passes::run_passes(graph), compute);
    executor_ = make_executor(plan, target, memory_);
    // Tensors are placed by the processor.
    const targets::Target& host = *targets::find_target("scalar");
    auto code = driver::LinkedCode::link(driver::generate(plan, host, targets::CodeKind::Object));
    if (!code) throw std::runtime_error(code.failure().message);
    host_code_ = std::make_unique<driver::LinkedCode>(std::move(*code));
    const auto find = [&](const std::string& symbol) -> support::Result<void*> {
      if (symbol.ends_with("place")) return host_code_->find(symbol);
      return caller(symbol);
    };
    const support::Status status = driver::fill_image(tables_, plan, find);
    if (!status) throw std::runtime_error(status.failure().message);
  }
  KernelProgram(const KernelProgram&) = delete;
  KernelProgram& operator=(const KernelProgram&) = delete;
  ~KernelProgram() override {
    for (const std::size_t place : places_) kernels[place] = {};
  }

  [[nodiscard]] const talweg_image& image() const override { return tables_.image(); }

 private:
  void* caller(const std::string& symbol) {
    std::size_t place = 0;
    while (kernels[place].executor != nullptr) {
      if (++place == kPlaces) throw std::length_error("too many kernels at once");
    }
    kernels[place] = {executor_.get(), symbol};
    places_.push_back(place);
    if (has(symbol, "pass_")) return callers[place].pass;
    if (has(symbol, "lines_")) return callers[place].lines;
    const bool is_row =
        has(symbol, "model_") || has(symbol, "group_") || has(symbol, "initial_states");
    return is_row ? callers[place].row : callers[place].range;
  }

  DeviceMemory memory_;
  driver::ImageTables tables_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<driver::LinkedCode> host_code_;
  std::vector<std::size_t> places_;
};

}  // namespace

std::shared_ptr<driver::Program> make_kernel_program(const ir::Graph& graph,
                                                     types::ComputeType compute,
                                                     const targets::Target& target,
                                                     const ExecutorOfPlan& make_executor) {
  return std::make_shared<KernelProgram>(graph, compute, target, make_executor);
}

}  // namespace talweg::gpu
