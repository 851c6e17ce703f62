// The kernels of runtime/gpu/device over memory of a pretended device, for tests.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/gpu/fold_runs.h"
#include "tests/gpu/executor.h"

namespace talweg::gpu {

/// How they are run.
enum class FoldExecutor { Simulator, SimulatorReordered, Ptx };

/// The PTX text of the kernels for a target of the registry.
std::string fold_kernels_text(const std::string& target);

/// Of the kernels, over a memory.
std::unique_ptr<Executor> make_fold_executor(FoldExecutor kind, DeviceMemory& memory);

/// A table that `add` fills: called twice, to count and to write.
template <class Table, class Run>
struct FilledTable {
  Table table{};
  std::vector<std::vector<Run>> levels;

  template <class Add>
  explicit FilledTable(const Add& add) {
    Table counted{};
    add(counted);
    for (std::uint32_t level = 0; level < TALWEG_FOLD_LEVELS; ++level) {
      levels.emplace_back(counted.counts[level]);
      table.runs[level] = levels.back().data();
    }
    add(table);
  }
};
using RunTable = FilledTable<talweg_run_table, talweg_fold_run>;
using ColumnTable = FilledTable<talweg_column_table, talweg_column_run>;

class FoldDevice {
 public:
  explicit FoldDevice(FoldExecutor executor);

  /// A block of exactly these values.
  template <class T>
  T* copy(const std::vector<T>& values) {
    auto* block = static_cast<T*>(memory_.allocate(values.size() * sizeof(T)));
    if (!values.empty()) std::memcpy(block, values.data(), values.size() * sizeof(T));
    return block;
  }
  double* doubles(std::size_t count) {
    return static_cast<double*>(memory_.allocate(count * sizeof(double)));
  }

  // Of tensors, as the tables say.
  std::vector<std::uint8_t> takes_part, in_domain;
  std::vector<std::uint32_t> tensor_groups;
  std::uint32_t domain_count = 0;
  std::uint32_t stop = 0;

  /// Runs all levels of a table, `kernel` the first of them; gives each fold its scratch.
  void run(const RunTable& table, std::vector<talweg_gpu_fold> folds, const std::string& kernel);
  void run(const ColumnTable& table, std::vector<talweg_gpu_fold> folds);

 private:
  template <class Run>
  void launch(const std::vector<Run>& runs, std::vector<talweg_gpu_fold> folds,
              const std::string& kernel);

  DeviceMemory memory_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace talweg::gpu
