// A compiled rule as its holders see it (talweg_rule), and what keeps its code alive: it goes with
// the last of those who hold it, callers and optimizers.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "compiler/plan/plan.h"
#include "runtime/standalone/rule.h"
#include "runtime/standalone/table.h"

namespace talweg::embed {

class Rule final : public talweg_lib_table {
 public:
  Rule(const ir::Graph& graph, types::ComputeType compute,
       std::shared_ptr<driver::Program> program);
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  /// The rule behind a pointer of a caller's; null for one that was not compiled here.
  static const Rule* find(const talweg_lib_table* table);
  /// The rule that an optimizer steps; null for what was not compiled here, which is not read.
  static const Rule* of_code(const talweg_lib_rule* code);

  void hold() const { ++holders_; }
  /// Ends one hold, and with the last one the rule.
  static void release(const Rule* rule);

  [[nodiscard]] const std::string& plan_text() const;
  [[nodiscard]] const std::string& plan_json() const;

 private:
  ~Rule();
  void describe_plan() const;

  mutable std::atomic<std::uint64_t> holders_{1};
  std::shared_ptr<driver::Program> program_;
  plan::Plan plan_;
  std::string description_;
  talweg_lib_variant variant_{};
  std::vector<std::uint32_t> fields_;
  talweg_lib_rule code_{};
  mutable std::once_flag is_described_;
  mutable std::string plan_text_, plan_json_;
};

/// Writes a sentence to a caller's error, if there is one.
talweg_lib_status fail(talweg_lib_error* error, talweg_lib_status status, const std::string& text);

}  // namespace talweg::embed
