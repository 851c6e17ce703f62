// A typed rule as text. Numbers stand as they are; every other expression is followed by its rate.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compiler/base/check.h"
#include "compiler/sema/rule_builder.h"

namespace talweg::sema {

namespace {

using builtins::Op;

/// The symbol between two operands, or empty for an operation that is written as a call.
std::string_view infix(Op op) {
  static const std::map<Op, std::string_view> kSymbols = {
      {Op::Add, "+"}, {Op::Sub, "-"}, {Op::Mul, "*"},   {Op::Div, "/"}, {Op::Mod, "%"},
      {Op::Pow, "^"}, {Op::Lt, "<"},  {Op::Le, "<="},   {Op::Gt, ">"},  {Op::Ge, ">="},
      {Op::Eq, "=="}, {Op::Ne, "!="}, {Op::And, "and"}, {Op::Or, "or"},
  };
  const auto found = kSymbols.find(op);
  return found == kSymbols.end() ? std::string_view() : found->second;
}

class Printer {
 public:
  explicit Printer(const TypedRule& rule) : rule_(rule) {
    std::map<std::string, int> seen;
    for (const TypedLocal& local : rule.locals) {
      const int n = ++seen[local.name];
      local_names_.push_back(n == 1 ? local.name : fmt::format("{}#{}", local.name, n));
    }
  }

  std::string text() {
    line(0, "rule {}", rule_.name);
    if (rule_.split) line(1, "matrix ({})", types::to_text(*rule_.split));
    for (const TypedHyper& hyper : rule_.hypers) print(hyper);
    for (const TypedState& state : rule_.states)
      line(1, "state {}: {}{}{}", state.public_name, types::to_text(state.rate),
           state.is_previous ? " of the last step" : "",
           state.initial ? " = " + expr(*state.initial) : "");
    for (const TypedInput& input : rule_.inputs)
      line(1, "input {}: {}", input.public_name, types::to_text(input.rate));
    for (const TypedRequirement& requirement : rule_.requirements)
      line(1, "require {}{}", expr(requirement.condition),
           requirement.stage_condition ? " when " + expr(*requirement.stage_condition) : "");
    for (const TypedStage& stage : rule_.stages) print(stage);
    if (rule_.subtracts_update) line(1, "param -= update");
    for (const TypedView& view : rule_.views) {
      line(1, "view {} = {}", view.public_name, expr(view.value));
      if (view.condition) line(2, "when {}", expr(*view.condition));
      for (const TypedBinding& binding : view.bindings)
        line(2, "bind {} = {}", rule_.hypers[binding.hyper].public_name, expr(binding.value));
    }
    return std::move(text_);
  }

 private:
  template <class... Args>
  void line(int depth, fmt::format_string<Args...> format, Args&&... args) {
    text_ += std::string(static_cast<std::size_t>(2 * depth), ' ') +
             fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  void print(const TypedHyper& hyper) {
    const std::string_view kind = hyper.kind == HyperKind::Bool  ? "bool"
                                  : hyper.kind == HyperKind::Int ? "int"
                                                                 : "number";
    std::string value = types::number_text(hyper.default_value);
    if (hyper.kind == HyperKind::Bool) value = hyper.default_value != 0 ? "true" : "false";
    if (!hyper.choices.empty())
      value = hyper.choices[static_cast<std::size_t>(hyper.default_value)];
    if (!hyper.list.empty()) value = list(hyper.list);
    std::string range;
    if (hyper.range != types::Interval{} && hyper.kind != HyperKind::Bool)
      range = " in " + types::to_text(hyper.range);
    if (hyper.bound) value = "bound";
    if (hyper.follows) value += " at defaults, else what it follows";
    line(1, "hyper {}: {} {} = {}{}", hyper.public_name, types::to_text(hyper.rate), kind, value,
         range);
  }

  static std::string list(const std::vector<double>& values) {
    std::string text = "[";
    for (const double value : values)
      text += (text.size() > 1 ? ", " : "") + types::number_text(value);
    return text + "]";
  }

  void print(const TypedStage& stage) {
    line(1, "stage {} = {}{}", stage.label, stage.rule,
         stage.condition ? " when " + expr(*stage.condition) : "");
    for (const TypedBinding& binding : stage.bindings)
      line(2, "bind {} = {}", rule_.hypers[binding.hyper].public_name, expr(binding.value));
    if (!stage.step.empty()) line(2, "step");
    statements(stage.step, 3);
    if (!stage.after.empty()) line(2, "after");
    statements(stage.after, 3);
  }

  void statements(const std::vector<TypedStmt>& body, int depth) {
    for (const TypedStmt& statement : body) {
      if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
        line(depth, "{} = {}", symbol(assign->target), expr(assign->value));
        continue;
      }
      if (const auto* exit = std::get_if<TypedExit>(&statement.node)) {
        line(depth, "{} if {}", to_text(exit->kind), expr(exit->condition));
        continue;
      }
      if (std::holds_alternative<TypedRegrad>(statement.node)) {
        line(depth, "regrad");
        continue;
      }
      const auto& branch = std::get<TypedIf>(statement.node);
      line(depth, "if {}", expr(branch.condition));
      statements(branch.then_body, depth + 1);
      if (!branch.else_body.empty()) line(depth, "else");
      statements(branch.else_body, depth + 1);
    }
  }

  [[nodiscard]] std::string inline_statements(const std::vector<TypedStmt>& body) const {
    std::string text;
    for (const TypedStmt& statement : body) {
      if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
        text += fmt::format("{} = {}; ", symbol(assign->target), expr(assign->value));
        continue;
      }
      TALWEG_CHECK(std::holds_alternative<TypedIf>(statement.node),
                   "`skip`, `hold` or `regrad` within an expression");
      const auto& branch = std::get<TypedIf>(statement.node);
      text += fmt::format("if {} {{ {}}} ", expr(branch.condition),
                          inline_statements(branch.then_body));
      if (!branch.else_body.empty())
        text += fmt::format("else {{ {}}} ", inline_statements(branch.else_body));
    }
    return text;
  }

  [[nodiscard]] std::string symbol(Symbol symbol) const {
    switch (symbol.kind) {
      case SymbolKind::Local:
        return local_names_[symbol.index];
      case SymbolKind::Hyper:
        return rule_.hypers[symbol.index].public_name;
      case SymbolKind::State:
        return rule_.states[symbol.index].public_name;
      case SymbolKind::Input:
        return rule_.inputs[symbol.index].public_name;
      case SymbolKind::Param:
      case SymbolKind::Grad:
      case SymbolKind::Update:
      case SymbolKind::T:
      case SymbolKind::Calls:
      case SymbolKind::Given:
      case SymbolKind::Fact:
        return symbol_name(rule_, symbol);
    }
    TALWEG_UNREACHABLE("a symbol of no kind");
  }

  [[nodiscard]] std::string expr(TypedExprId id) const {
    const TypedExpr& e = rule_[id];
    if (const auto* constant = std::get_if<ConstantNode>(&e.node)) {
      if (e.type.kind == Kind::Bool) return constant->value != 0 ? "true" : "false";
      return types::number_text(constant->value);
    }
    return fmt::format("{}:{}", unrated(e), types::to_text(e.type.rate));
  }

  [[nodiscard]] std::string unrated(const TypedExpr& e) const {
    if (const auto* load = std::get_if<LoadNode>(&e.node)) return symbol(load->symbol);
    if (const auto* choose = std::get_if<ChooseNode>(&e.node))
      return fmt::format("(if {} then {} else {})", expr(choose->condition),
                         expr(choose->then_value), expr(choose->else_value));
    if (const auto* block = std::get_if<BlockNode>(&e.node))
      return fmt::format("{{ {}{} }}", inline_statements(block->statements), expr(block->value));
    if (const auto* reduce = std::get_if<ReduceNode>(&e.node))
      return fmt::format("({}({}) per {} over {})", builtins::info(reduce->function).name,
                         list(reduce->operands), types::to_text(e.type.rate),
                         types::to_text(reduce->over));
    const auto& apply = std::get<ApplyNode>(e.node);
    if (const std::string_view sign = infix(apply.op); !sign.empty())
      return fmt::format("({} {} {})", expr(apply.operands[0]), sign, expr(apply.operands[1]));
    if (apply.op == Op::Neg) return fmt::format("(-{})", expr(apply.operands[0]));
    if (apply.op == Op::Not) return fmt::format("(not {})", expr(apply.operands[0]));
    return fmt::format("{}({})", builtins::info(apply.op).name, list(apply.operands));
  }

  [[nodiscard]] std::string list(const std::vector<TypedExprId>& operands) const {
    std::string text;
    for (const TypedExprId operand : operands) text += (text.empty() ? "" : ", ") + expr(operand);
    return text;
  }

  const TypedRule& rule_;
  std::vector<std::string> local_names_;
  std::string text_;
};

}  // namespace

std::string_view to_text(ExitKind kind) { return kind == ExitKind::Skip ? "skip" : "hold"; }

std::string print(const TypedRule& rule) { return Printer(rule).text(); }

}  // namespace talweg::sema
