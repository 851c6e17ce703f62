#include "tests/gpu/folded_optimizer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "runtime/memory/matrix_view.h"
#include "runtime/memory/state_layout.h"

namespace talweg::gpu {

namespace {

constexpr std::uint32_t kRun = 0, kStopped = 1;
constexpr double kUntouched = 12345.5;

void require(talweg_status status, const talweg_error& error) {
  if (status != TALWEG_OK) throw std::runtime_error(error.message);
}

const char* name_of(std::uint32_t kernel) {
  switch (kernel) {
    case TALWEG_GPU_FOLD_RUNS:
      return "talweg_gpu_fold_runs";
    case TALWEG_GPU_FOLD_MEMBERS:
      return "talweg_gpu_fold_members";
    case TALWEG_GPU_FOLD_COLUMNS:
      return "talweg_gpu_fold_columns";
    default:
      throw std::runtime_error("a kernel that folds nothing");
  }
}

std::unique_ptr<void, decltype(&std::free)> allocate(std::size_t bytes) {
  constexpr std::size_t kAlignment = TALWEG_STATE_ALIGNMENT;
  const std::size_t rounded = (bytes / kAlignment + 1) * kAlignment;
  std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(kAlignment, rounded),
                                                     std::free);
  std::memset(memory.get(), 0, rounded);
  return memory;
}

std::uint64_t number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

}  // namespace

FoldedOptimizer::FoldedOptimizer(const talweg_image& image, const std::vector<Shaped>& tensors,
                                 std::uint32_t group_count)
    : image_(image),
      tensor_count_(static_cast<std::uint32_t>(tensors.size())),
      group_count_(group_count) {
  std::vector<talweg_tensor> described(tensors.size());
  std::vector<std::string> names(tensors.size());
  std::uintptr_t address = std::uintptr_t{1} << 44;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    names[t] = "w" + std::to_string(t);
    described[t].name = names[t].c_str();
    described[t].shape = tensors[t].shape.data();
    described[t].rank = static_cast<std::uint32_t>(tensors[t].shape.size());
    described[t].group = tensors[t].group;
    described[t].param = reinterpret_cast<void*>(address);
    std::uint64_t elements = 1;
    for (const std::uint64_t size : tensors[t].shape) elements *= size;
    address += (elements * sizeof(double) / 64 + 1) * 64;
  }
  talweg_optimizer_spec spec{};
  spec.image = &image;
  spec.tensors = described.data();
  spec.tensor_count = tensor_count_;
  spec.group_count = group_count;
  spec.thread_count = 1;
  talweg_optimizer_sizes sizes{};
  talweg_error error{};
  require(talweg_measure(&spec, &sizes, &error), error);
  control_ = allocate(sizes.control_bytes);
  state_ = allocate(sizes.state_bytes);
  require(talweg_create(&spec, control_.get(), state_.get(), &optimizer_, &error), error);
  tables_ = tables_of(optimizer_);
  std::memset(tables_.takes_part, 1, tensor_count_);
  for (const number_table& table :
       {tables_.reduced, tables_.tensor_reduced, tables_.matrix_reduced})
    std::fill_n(table.numbers, table.count, kUntouched);
}

void FoldedOptimizer::fill(Values kind, std::uint32_t seed) {
  for (const number_table& table : tables_.partials) {
    const auto values = make_values(table.count, kind, ++seed);
    if (!values.empty()) std::memcpy(table.numbers, values.data(), table.count * sizeof(double));
  }
}

void FoldedOptimizer::choose(std::uint32_t seed, bool choose_domains) {
  std::mt19937 random(seed);
  for (std::uint32_t t = 0; t < tensor_count_; ++t) {
    tables_.takes_part[t] = random() % 4 > 0;
    for (std::uint32_t d = 0; choose_domains && d < image_.domain_count; ++d)
      tables_.in_domain[t * image_.domain_count + d] = random() % 3 > 0;
  }
}

std::vector<double> FoldedOptimizer::control() const {
  std::vector<double> words((tables_.control_bytes + 7) / 8);
  std::memcpy(words.data(), control_.get(), tables_.control_bytes);
  return words;
}

FoldedOptimizer::Launched FoldedOptimizer::launch(std::uint32_t phase, FoldExecutor executor,
                                                  std::uint32_t stop) {
  DeviceMemory memory;
  const auto runs = make_fold_executor(executor, memory);
  const std::vector<double> before = control();
  Launched result{before, 0};
  const std::size_t bytes = before.size() * sizeof(double);
  auto* there = static_cast<double*>(memory.allocate(bytes));
  std::memcpy(there, before.data(), bytes);
  auto* stop_there = static_cast<std::uint32_t*>(memory.allocate(sizeof stop));
  *stop_there = stop;
  talweg_gpu_program program{};
  program.control = control_.get();
  program.control_there = number(there);
  program.stop = number(stop_there);
  talweg_gpu_program counted = program;
  add_folds_of_phase(&counted, optimizer_, phase);
  // Neither scratch nor what is kept between stages has to be zero.
  std::vector<talweg_gpu_launch> launches(counted.launch_count);
  std::vector<unsigned char> tables(counted.table_bytes, 0xAB);
  auto* tables_there = memory.allocate(tables.size());
  program.launches = launches.data();
  program.tables = tables.data();
  program.tables_there = number(tables_there);
  if (counted.table_bytes > 0) add_folds_of_phase(&program, optimizer_, phase);
  REQUIRE(program.launch_count == counted.launch_count);
  REQUIRE(program.table_bytes == counted.table_bytes);
  if (!tables.empty()) std::memcpy(tables_there, tables.data(), tables.size());
  for (const talweg_gpu_launch& launch : launches) {
    REQUIRE(launch.parameter_count == 2);
    const std::vector<std::uint64_t> parameters(launch.parameters, launch.parameters + 2);
    runs->launch(name_of(launch.kernel), {launch.blocks, launch.blocks_y, 1},
                 {launch.threads, 1, 1}, parameters);
  }
  result.launches = counted.launch_count;
  std::memcpy(result.control.data(), there, bytes);
  return result;
}

/// The host's control memory with what the host folds in it, and nothing else that it does: it has
/// tables of its own beside these.
std::vector<double> FoldedOptimizer::expect(std::uint32_t phase,
                                            std::vector<std::uint8_t>& means_nothing) {
  std::vector<double> expected = control();
  means_nothing.assign(expected.size(), 0);
  const std::vector<double> before = expected;
  fold_phase_on_host(optimizer_, phase);
  const auto* start = static_cast<const double*>(control_.get());
  const auto take = [&](const number_table& table, std::uint64_t index, bool has_meaning) {
    const auto word = static_cast<std::size_t>(table.numbers + index - start);
    expected[word] = table.numbers[index];
    means_nothing[word] = !has_meaning;
  };
  for (std::uint64_t i = 0; i < tables_.columns.count; ++i) take(tables_.columns, i, true);
  const talweg_kernels& step = image_.step;
  const std::uint64_t reductions = step.reduction_count;
  for (std::uint32_t r = 0; r < reductions; ++r) {
    const talweg_reduction_info& info = step.reductions[r];
    if (info.phase != phase) continue;
    for (std::uint64_t row = 0; row <= group_count_; ++row)
      if (info.rate == TALWEG_RATE_MODEL || (info.rate == TALWEG_RATE_GROUP && row > 0))
        take(tables_.reduced, row * reductions + r, true);
    for (std::uint64_t t = 0; t < tensor_count_; ++t) {
      const bool has_meaning = tables_.takes_part[t] != 0;
      if (info.rate == TALWEG_RATE_TENSOR)
        take(tables_.tensor_reduced, t * reductions + r, has_meaning);
      if (info.rate != TALWEG_RATE_MATRIX) continue;
      const talweg_matrix_view& view = tables_.views[t];
      for (std::uint64_t m = 0; m < talweg_count_matrices(&view); ++m)
        take(tables_.matrix_reduced, (view.first_matrix + m) * reductions + r, has_meaning);
    }
  }
  std::memcpy(control_.get(), before.data(), tables_.control_bytes);
  return expected;
}

std::uint32_t FoldedOptimizer::check_phase(std::uint32_t phase, FoldExecutor executor) {
  const Launched launched = launch(phase, executor, kRun);
  std::vector<std::uint8_t> means_nothing;
  const std::vector<double> expected = expect(phase, means_nothing);
  std::size_t first = 0;
  while (first < expected.size() &&
         (means_nothing[first] || same_bits(launched.control[first], expected[first])))
    ++first;
  if (first < expected.size()) {
    const auto* word = static_cast<const double*>(control_.get()) + first;
    INFO("phase " << phase << ": " << launched.control[first] << ", not " << expected[first]
                  << "; from `reduced` on " << word - tables_.reduced.numbers
                  << ", from `tensor_reduced` " << word - tables_.tensor_reduced.numbers);
    FAIL("the device differs from the host");
  }
  return launched.launches;
}

void FoldedOptimizer::check_stop(std::uint32_t phase) {
  const Launched launched = launch(phase, FoldExecutor::Simulator, kStopped);
  REQUIRE(launched.launches > 0);
  const std::vector<double> before = control();
  REQUIRE(std::memcmp(launched.control.data(), before.data(), before.size() * sizeof(double)) == 0);
}

}  // namespace talweg::gpu
