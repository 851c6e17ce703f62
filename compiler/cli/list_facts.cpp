// Values are shown as they were written: `lr * 2`, not the number it is by default.
#include "compiler/cli/list_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "compiler/syntax/print.h"

namespace talweg::cli {

namespace {

using sema::TypedExprId;
using sema::TypedHyper;
using sema::TypedRule;
using sema::TypedState;

std::string joined_kind(std::initializer_list<std::pair<bool, std::string_view>> words) {
  std::string result;
  for (const auto& [is_so, word] : words)
    if (is_so) result.append(result.empty() ? "" : " ").append(word);
  return result;
}

/// A piece of a text on one line, without its comments.
std::string one_line(std::string_view text) {
  std::string result;
  bool in_quotes = false;
  bool blank = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!in_quotes && text.substr(i, 2) == "//") i = std::min(text.find('\n', i), text.size() - 1);
    const char c = text[i];
    if (!in_quotes && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
      blank = true;
      continue;
    }
    if (c == '"') in_quotes = !in_quotes;
    if (blank && !result.empty()) result += ' ';
    blank = false;
    result += c;
  }
  return result;
}

class Gatherer {
 public:
  Gatherer(const ListEntry& entry, const driver::FrontEnd& front_end, const base::Sources& sources)
      : entry_(entry), front_end_(front_end), rule_(front_end.rule), sources_(sources) {}

  RuleFacts run() {
    add_hypers();
    add_states();
    for (const sema::TypedInput& input : rule_.inputs)
      facts_.inputs.push_back(
          {input.public_name, std::string(types::to_text(input.rate)), input.doc});
    for (const sema::TypedView& view : rule_.views)
      facts_.views.push_back(
          {view.public_name, written(view.value_span), where(view.condition), view.doc});
    add_memory();
    return std::move(facts_);
  }

 private:
  /// A rule with blocks of its own: its const hypers can be set where it is used.
  [[nodiscard]] bool is_plain() const {
    return entry_.rule != nullptr && entry_.rule->pipelines.empty() && entry_.rule->arms.empty();
  }

  [[nodiscard]] std::string written(base::Span span) const {
    return span.end > span.begin ? one_line(sources_.text(span)) : std::string();
  }

  /// A condition over arms: of the conditions that were written, joined by `and` and `not`.
  [[nodiscard]] std::string condition_text(TypedExprId id) const {
    const sema::TypedExpr& expr = rule_[id];
    const auto* apply = std::get_if<sema::ApplyNode>(&expr.node);
    if (apply == nullptr) return written(expr.span);
    const auto operand = [&](std::size_t i, std::initializer_list<builtins::Op> looser) {
      const auto* inner = std::get_if<sema::ApplyNode>(&rule_[apply->operands[i]].node);
      const std::string text = condition_text(apply->operands[i]);
      const bool wraps = inner != nullptr && std::ranges::find(looser, inner->op) != looser.end();
      return wraps ? "(" + text + ")" : text;
    };
    using builtins::Op;
    if (apply->op == Op::And) return operand(0, {Op::Or}) + " and " + operand(1, {Op::Or});
    if (apply->op == Op::Or) return operand(0, {}) + " or " + operand(1, {});
    if (apply->op == Op::Not) return "not " + operand(0, {Op::And, Op::Or});
    return written(expr.span);
  }

  [[nodiscard]] std::string where(const std::optional<TypedExprId>& condition) const {
    return condition ? condition_text(*condition) : std::string();
  }

  /// What a const hyper is, in a stage that is given it.
  [[nodiscard]] std::string fixed_value(const TypedHyper& hyper) const {
    if (hyper.kind == sema::HyperKind::Bool) return hyper.default_value != 0 ? "true" : "false";
    if (!hyper.choices.empty())
      return hyper.choices.at(static_cast<std::size_t>(hyper.default_value));
    if (hyper.list.empty()) {
      const std::string text = written(hyper.value_span);
      const bool is_number = !text.empty() && text[0] != 'e' &&
                             text.find_first_not_of("0123456789.e-_") == std::string::npos;
      return is_number ? text : types::number_text(hyper.default_value);
    }
    std::vector<std::string> items;
    for (const double item : hyper.list) items.push_back(types::number_text(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }

  void add_hypers() {
    for (const TypedHyper& hyper : rule_.hypers) {
      const bool is_const = hyper.rate == types::Rate::Const;
      const bool is_own = hyper.stage.empty() || is_plain();
      HyperRow row{hyper.public_name,
                   written(hyper.value_span),
                   written(hyper.range_span),
                   joined_kind({{is_const, "const"},
                                {hyper.rate == types::Rate::Model, "model"},
                                {hyper.kind == sema::HyperKind::Int, "int"},
                                {hyper.kind == sema::HyperKind::Bool, "bool"}}),
                   hyper.doc,
                   hyper.bound};
      if (!hyper.choices.empty())
        row.limits = fmt::format("{{{}}}", fmt::join(hyper.choices, ", "));
      const bool is_fixed = hyper.bound || (is_const && !is_own);
      if (is_fixed && !hyper.bound) row.value = fixed_value(hyper);
      (is_fixed ? facts_.fixed : facts_.hypers).push_back(std::move(row));
    }
  }

  void add_states() {
    for (const TypedState& state : rule_.states) {
      const std::string initial = written(state.initial_span);
      if (!is_plain())
        facts_.states.push_back({state.public_name, std::string(types::to_text(state.rate)),
                                 initial.empty() ? "0" : initial, where(state.condition), true,
                                 state.doc});
      if (state.rate != types::Rate::Element)
        ++facts_.scalars[std::string(types::to_text(state.rate))];
    }
    if (!is_plain()) return;
    // All that are declared, also those that do not exist by default.
    const syntax::Module& module = *entry_.module;
    for (const syntax::StateDecl& state : entry_.rule->states) {
      const bool exists = std::ranges::any_of(
          rule_.states, [&](const TypedState& kept) { return kept.name == state.name.text; });
      facts_.states.push_back({state.name.text, state.rate ? state.rate->text : "element",
                               state.initial ? syntax::print(module, *state.initial) : "0", "",
                               exists, state.doc});
    }
  }

  void add_memory() {
    const ir::Graph graph = passes::run_passes(front_end_.graph);
    const plan::Plan plan = plan::make_plan(graph, types::ComputeType::F32);
    facts_.bytes_float32 = plan.state_bytes_per_element;
    facts_.bytes_float64 = plan::make_plan(graph, types::ComputeType::F64).state_bytes_per_element;
    const auto routes = plan::state_bytes_by_route(plan);
    facts_.depends_on_tensor = std::ranges::min(routes) != std::ranges::max(routes);
  }

  const ListEntry& entry_;
  const driver::FrontEnd& front_end_;
  const TypedRule& rule_;
  const base::Sources& sources_;
  RuleFacts facts_;
};

}  // namespace

RuleFacts facts_of(const ListEntry& entry, const driver::FrontEnd& front_end,
                   const base::Sources& sources) {
  return Gatherer(entry, front_end, sources).run();
}

}  // namespace talweg::cli
