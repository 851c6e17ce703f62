// A compiled rule as its holders see it (talweg_rule), and what keeps its code alive: it goes with
// the last of those who hold it, callers and optimizers.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "compiler/plan/plan.h"
#include "compiler/targets/target.h"
#include "runtime/standalone/rule.h"
#include "runtime/standalone/table.h"

namespace talweg::embed {

class Rule final : public talweg_lib_table {
 public:
  Rule(const ir::Graph& graph, driver::CompileOptions options,
       std::shared_ptr<driver::Program> program);
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  /// The rule behind a pointer of a caller's; null for one that was not compiled here.
  static const Rule* find(const talweg_lib_table* table);
  /// The rule that an optimizer steps; null for what was not compiled here, which is not read.
  static const Rule* of_code(const talweg_lib_rule* code);

  /// Its kernels of a target for GPUs, compiled when they are first asked for. Null where `error`
  /// says why there are none.
  const talweg_lib_gpu_code* gpu_code(const targets::Target& target, talweg_lib_status* status,
                                      talweg_lib_error* error) const;

  void hold() const { ++holders_; }
  /// Ends one hold, and with the last one the rule.
  static void release(const Rule* rule);

  [[nodiscard]] const std::string& plan_text() const;
  [[nodiscard]] const std::string& plan_json() const;

 private:
  /// The same text for as long as the rule lives.
  struct GpuCode {
    std::string isa, ptx;
    talweg_lib_gpu_code code{};
  };

  ~Rule();
  void describe_plan() const;

  mutable std::atomic<std::uint64_t> holders_{1};
  ir::Graph graph_;  // before optimisation
  driver::CompileOptions options_;
  std::shared_ptr<driver::Program> program_;
  plan::Plan plan_;
  std::string description_;
  talweg_lib_variant variant_{};
  std::vector<std::uint32_t> fields_;
  talweg_lib_rule code_{};
  mutable std::map<std::uint32_t, GpuCode> gpu_codes_;  // by architecture; under compiler_mutex()
  mutable std::once_flag is_described_;
  mutable std::string plan_text_, plan_json_;
};

/// The compiler is run by one thread at a time.
std::mutex& compiler_mutex();

/// Writes a sentence to a caller's error, if there is one.
talweg_lib_status fail(talweg_lib_error* error, talweg_lib_status status, const std::string& text);

}  // namespace talweg::embed
