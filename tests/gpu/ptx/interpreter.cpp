#include "tests/gpu/ptx/interpreter.h"

#include "compiler/driver/default_modes.h"
#include "tests/gpu/ptx/block.h"
#include "tests/gpu/ptx/build_program.h"

namespace talweg::gpu {

using ptx::Code;
using ptx::Dimensions;

namespace {

/// Module variables, given back even if the text is refused halfway.
struct Blocks {
  explicit Blocks(DeviceMemory& given) : memory(given) {}
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() {
    for (void* start : starts) memory.free(start);
  }
  DeviceMemory& memory;
  std::vector<void*> starts;
};

std::uint64_t threads_of(Dim dim) { return std::uint64_t{dim.x} * dim.y * dim.z; }
std::uint64_t threads_of(Dimensions d) { return std::uint64_t{d.x} * d.y * d.z; }

void check_launch(const Code& code, Dim grid, Dim block, std::size_t arguments) {
  const auto refuse = [&](const std::string& what) {
    throw std::invalid_argument("kernel " + code.name + ": " + what);
  };
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) refuse("a grid without blocks");
  if (grid.x > INT32_MAX || grid.y > 65535 || grid.z > 65535) refuse("a grid of too many blocks");
  if (threads_of(block) == 0 || block.x > 1024 || block.y > 1024 || block.z > 64 ||
      threads_of(block) > 1024)
    refuse("a block of no threads, or of more than 1024");
  if (code.prototype.parameters.size() != arguments)
    refuse(std::to_string(code.prototype.parameters.size()) + " arguments expected");
  if (code.most_threads.x != 0 && threads_of(block) > threads_of(code.most_threads))
    refuse("a block larger than .maxntid");
  const Dimensions& required = code.required_threads;
  if (required.x != 0 && (required.x != block.x || required.y != block.y || required.z != block.z))
    refuse("a block other than .reqntid");
}

}  // namespace

struct PtxInterpreter::State {
  State(std::string text, DeviceMemory& given)
      : blocks(given),
        program(ptx::build_program(std::move(text), given, blocks.starts)),
        memory(given, program) {}

  Blocks blocks;
  ptx::Program program;
  ptx::Memory memory;
  std::uint64_t most_instructions = std::uint64_t{1} << 32;
  std::uint64_t executed = 0;
};

PtxInterpreter::PtxInterpreter(std::string ptx, DeviceMemory& memory)
    : state_(std::make_unique<State>(std::move(ptx), memory)) {}
PtxInterpreter::~PtxInterpreter() = default;

void PtxInterpreter::launch(std::string_view kernel, Dim grid, Dim block,
                            std::span<const std::uint64_t> arguments) {
  const auto found = state_->program.by_name.find(kernel);
  if (found == state_->program.by_name.end() || !found->second->is_entry ||
      !found->second->is_defined)
    throw std::invalid_argument("no kernel " + std::string(kernel));
  const Code& code = *found->second;
  check_launch(code, grid, block, arguments.size());
  state_->memory.forget();
  const driver::DefaultModes modes;  // those of the caller's thread mean nothing to a GPU
  ptx::Launch launch{state_->program, state_->memory, std::string(kernel), grid, block};
  ptx::BlockRunner runner(launch, code, state_->most_instructions);
  for (std::uint32_t z = 0; z < grid.z; ++z)
    for (std::uint32_t y = 0; y < grid.y; ++y)
      for (std::uint32_t x = 0; x < grid.x; ++x) runner.run({x, y, z}, arguments);
  state_->executed += runner.executed();
}

std::vector<std::string> PtxInterpreter::kernels() const {
  std::vector<std::string> names;
  for (const auto& [name, code] : state_->program.by_name)
    if (code->is_entry && code->is_defined) names.push_back(name);
  return names;
}

void PtxInterpreter::set_most_instructions(std::uint64_t count) {
  state_->most_instructions = count;
}

std::uint64_t PtxInterpreter::executed_instructions() const { return state_->executed; }

}  // namespace talweg::gpu
