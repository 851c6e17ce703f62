#include "tests/gpu/ptx/summary.h"

#include <algorithm>
#include <optional>

#include "tests/gpu/ptx/opcode_text.h"
#include "tests/gpu/ptx/parser.h"

namespace talweg::gpu::ptx {

namespace {

bool has(const std::vector<std::string_view>& parts, std::string_view part) {
  return std::ranges::count(parts, part) != 0;
}

/// Bytes of a load or store.
std::uint32_t width_of(const std::vector<std::string_view>& parts) {
  std::uint32_t lanes = 1;
  for (const std::uint32_t count : {2U, 4U, 8U})
    if (has(parts, "v" + std::to_string(count))) lanes = count;
  return lanes * type_of(parts.back()).bytes();
}

class Reader {
 public:
  explicit Reader(const Module& module) : module_(module) {}

  Summary run(const Function& kernel) {
    summary_ = {};
    summary_.kernel = kernel.name;
    visit(kernel);
    return summary_;
  }

 private:
  void visit(const Function& function) {
    if (!function.is_defined || !summary_.functions.insert(function.name).second) return;
    for (const Statement& statement : function.body) {
      if (statement.kind == Statement::Kind::Registers)
        for (const auto& [name, count] : statement.registers)
          summary_.registers[statement.type.bits] += std::max(count, 1U);
      for (const Variable& variable : statement.variables)
        if (variable.space == Space::Local) summary_.local_bytes += variable.bytes();
      if (statement.kind == Statement::Kind::Instruction) visit(statement);
    }
  }

  void visit(const Statement& statement) {
    const auto parts = split_opcode(statement.name);
    if (flushes_subnormals(statement.name)) ++summary_.flushing;
    if (is_approximate(statement.name)) ++summary_.approximate;
    if (has(parts, "local")) ++summary_.local_accesses;
    const bool is_elsewhere =
        has(parts, "local") || has(parts, "shared") || has(parts, "param") || has(parts, "const");
    if (parts[0] == "ld" && !is_elsewhere) ++summary_.loads[width_of(parts)];
    if (parts[0] == "st" && !is_elsewhere) ++summary_.stores[width_of(parts)];
    // Calls, and functions whose addresses are taken.
    for (const Operand& operand : statement.operands) visit_named(operand.name);
    if (parts[0] != "call") return;
    const bool is_direct = std::ranges::any_of(statement.operands, [&](const Operand& operand) {
      return std::ranges::any_of(module_.functions,
                                 [&](const Function& f) { return f.name == operand.name; });
    });
    if (is_direct) return;
    for (const Variable& variable : module_.variables)
      for (const Initial& initial : variable.initial) visit_named(initial.name);
  }

  void visit_named(const std::string& name) {
    if (name.empty()) return;
    for (const Function& function : module_.functions)
      if (function.name == name && function.is_defined) visit(function);
  }

  const Module& module_;
  Summary summary_;
};

}  // namespace

std::vector<Summary> summarize(std::string ptx) {
  const Text text(std::move(ptx));
  const Module module = parse(text);
  std::vector<Summary> summaries;
  for (const Function& function : module.functions)
    if (function.is_entry && function.is_defined) summaries.push_back(Reader(module).run(function));
  std::ranges::sort(summaries, {}, &Summary::kernel);
  return summaries;
}

}  // namespace talweg::gpu::ptx
