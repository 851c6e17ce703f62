// Reductions, `sum(x) per model`: where they may stand, what they may reduce to which rate, and
// which of them would help where a value differs too often.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/checker.h"
#include "compiler/sema/names.h"

namespace talweg::sema {

using base::DiagnosticKind;
using builtins::Reduction;

namespace {

/// The rates that a reduction can give.
constexpr Rate kTargets[] = {Rate::Model,  Rate::Group, Rate::Tensor,
                             Rate::Matrix, Rate::Row,   Rate::Col};

bool is_target(Rate rate) { return std::ranges::find(kTargets, rate) != std::end(kTargets); }

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const Rate rate : kTargets) names.emplace_back(types::to_text(rate));
  return names;
}

std::vector<std::string> reduction_names() {
  std::vector<std::string> names;
  for (const builtins::ReductionInfo& row : builtins::reduction_table())
    names.emplace_back(row.name);
  return names;
}

}  // namespace

const Frame& Checker::origin() const {
  const Frame* frame = frame_;
  while (frame->place == Place::Function && frame->caller) frame = frame->caller;
  return *frame;
}

/// The text of a place on one line, or nothing where it is too long to be repeated.
std::optional<std::string> Checker::short_text(Span span) const {
  constexpr std::size_t kLongest = 40;
  std::string text;
  for (const char c : modules_.sources.text(span)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_blank)
      text += c;
    else if (!text.empty() && text.back() != ' ')
      text += ' ';
    if (text.size() > kLongest) return std::nullopt;
  }
  if (text.empty() || text.find("//") != std::string::npos) return std::nullopt;
  return text;
}

/// The reduction that stands before `per`.
std::optional<Reduction> Checker::reduction_of(const syntax::PerExpr& n) const {
  const auto* call =
      n.operand.valid() ? std::get_if<syntax::CallExpr>(&tree()[n.operand].node) : nullptr;
  if (!call || call->callee.parts.size() != 1) return std::nullopt;
  return builtins::reduction_from_name(call->callee.parts.front().text);
}

Value Checker::node(Span span, const syntax::PerExpr& n) {
  const std::optional<Reduction> function = reduction_of(n);
  if (!function) return no_reduction(span, n);
  const auto& call = std::get<syntax::CallExpr>(tree()[n.operand].node);
  const std::optional<std::vector<Value>> operands = reduction_operands(call, *function, n.rate);
  const std::optional<Rate> target = reduction_rate(n.rate);
  if (!target || !may_reduce_here(span) || !operands) return unknown(span);
  Rate over = Rate::Const;
  ReduceNode reduce{*function, over, {}};
  for (const Value& operand : *operands) {
    if (!operand.is_scalar()) return unknown(span);
    over = types::join(over, operand.type.rate);
    reduce.operands.push_back(operand.id);
  }
  reduce.over = over;
  const Span what = operands->front().span.to(operands->back().span);
  if (!is_faster(what, over, *target) || !guards_allow(span, *target)) return unknown(span);
  const Kind kind = builtins::info(*function).gives_truth ? Kind::Bool : Kind::Number;
  return emit({kind, *target}, span, std::move(reduce), std::nullopt);
}

/// `per` stands behind something that is no call of a reduction.
Value Checker::no_reduction(Span span, const syntax::PerExpr& n) {
  if (!n.operand.valid()) return unknown(span);
  const syntax::Expr& operand = tree()[n.operand];
  const std::string rate =
      std::ranges::count(target_names(), n.rate.text) > 0 ? n.rate.text : std::string("tensor");
  const std::string text = short_text(operand.span).value_or("x");
  const auto* call = std::get_if<syntax::CallExpr>(&operand.node);
  bool is_reported = false;
  const bool is_unknown = call && call->callee.parts.size() == 1 &&
                          !is_language_function(call->callee.text()) &&
                          !modules_.find(*frame_->module, call->callee, is_reported);
  if (is_reported) return unknown(span);
  if (is_unknown) {
    check_arguments_only(call->arguments);
    auto report =
        reporter_.report(DiagnosticKind::UnknownFunction, call->callee.span, call->callee.text());
    if (!suggest(report, reporter_, call->callee.text(), reduction_names()))
      report.help(fmt::format("`per` follows one of {}", fmt::join(reduction_names(), ", ")));
    return unknown(span);
  }
  const Value value = expression(n.operand);
  const auto* inner = std::get_if<syntax::PerExpr>(&operand.node);
  if (reporter_.stopped() || (inner && !reduction_of(*inner))) return unknown(span);  // it was said
  const bool is_truth = value.is_scalar() && value.type.kind == Kind::Bool;
  reporter_.report(DiagnosticKind::NotAReduction, operand.span, n.rate.text)
      .help(inner
                ? fmt::format("reduce one after the other: `sum({}) per {}`", text, rate)
                : fmt::format("say how: `{1}({0}) per {2}`; reductions are {3}", text,
                              is_truth ? "any" : "mean", rate, fmt::join(reduction_names(), ", ")));
  return unknown(span);
}

/// The operands of the right number and kind; nothing after an error.
std::optional<std::vector<Value>> Checker::reduction_operands(const syntax::CallExpr& call,
                                                              Reduction function,
                                                              const syntax::Name& rate) {
  const builtins::ReductionInfo& row = builtins::info(function);
  const std::string callee = fmt::format("`{}(...) per {}`", row.name, rate.text);
  std::vector<Value> values;
  bool fits = true;
  for (const syntax::Argument& argument : call.arguments) {
    values.push_back(expression(argument.value));
    if (!argument.name) continue;
    reporter_.report(DiagnosticKind::UnnamedParameters, argument.name->span, call.callee.text());
    fits = false;
  }
  if (values.size() != static_cast<std::size_t>(row.arity)) {
    auto report = reporter_.report(
        DiagnosticKind::WrongArgumentCount, call.callee.span, callee,
        fmt::format("{} argument{}", row.arity, row.arity == 1 ? "" : "s"), values.size());
    const bool chooses = function == Reduction::Min || function == Reduction::Max;
    if (chooses && values.size() > 1) {
      const auto both = short_text(values.front().span.to(values.back().span));
      report.help(fmt::format(
          "take the {0} of these element by element, then reduce it: `{0}({0}({1})) per {2}`",
          row.name, both.value_or("a, b"), rate.text));
    }
    fits = false;
  }
  const Kind wanted = row.takes_truths ? Kind::Bool : Kind::Number;
  for (const Value& value : values)
    fits = expect_kind(value, wanted, fmt::format("an operand of `{}`", row.name)) && fits;
  if (!fits) return std::nullopt;
  return values;
}

std::optional<Rate> Checker::reduction_rate(const syntax::Name& name) {
  const std::optional<Rate> rate = types::rate_from_text(name.text);
  if (rate && is_target(*rate)) return rate;
  auto report =
      reporter_.report(DiagnosticKind::BadRate, name.span, name.text, "the result of a reduction");
  if (rate || !suggest(report, reporter_, name.text, target_names()))
    report.help(fmt::format("it is one value per {}", fmt::join(target_names(), ", ")));
  return std::nullopt;
}

bool Checker::may_reduce_here(Span span) {
  const Place place = origin().place;
  const auto refuse = [&](std::string_view help) {
    reporter_.report(DiagnosticKind::ReductionMisplaced, span, words_of(place))
        .help(std::string(help));
    return false;
  };
  switch (place) {
    case Place::Step:
    case Place::After:
    case Place::Argument:
    case Place::View:
    case Place::Initial:
    case Place::Function:  // checked by itself: who calls it is not known
      return true;
    case Place::Constant:
    case Place::Default:
      return refuse("name it by `let` in a `step` or `after`");
    case Place::When:
    case Place::Require:
      return refuse("it is decided where the optimizer is built, before any step");
  }
  return true;
}

/// True if reducing values of rate `over` gives fewer.
bool Checker::is_faster(Span span, Rate over, Rate target) {
  if (over != target && types::fits(target, over)) return true;
  const auto text = short_text(span);
  const bool is_across = !types::fits(over, target);  // rows and columns
  const std::string rate(types::to_text(over));
  auto report = reporter_.report(
      DiagnosticKind::NothingToReduce, span, text ? fmt::format("`{}`", *text) : "this value",
      over == Rate::Const ? "is a constant"
      : is_across         ? fmt::format("has one value per {}, and none of its own per {}", rate,
                                        types::to_text(target))
                          : fmt::format("has one value per {} already", rate),
      types::to_text(target));
  if (is_across)
    report.help(
        fmt::format("reduce what has one value per element, or reduce this per matrix: "
                    "`mean({}) per matrix`",
                    text.value_or("x")));
  else
    report.help(
        "for a mean, a min or a max use the value as it is; for a sum or a count over all elements "
        "multiply it by how many there are: `size` in a tensor, `sum(size) per model` in all");
  return false;
}

void Checker::suggest_model_rate(base::DiagnosticBuilder& report, TypedExprId value) {
  const TypedRule& rule = builder_.rule;
  const TypedExpr* operand = &too_fast_operand(rule, value, Rate::Model);
  const LoadNode* load = std::get_if<LoadNode>(&operand->node);
  while (load && load->symbol.kind == SymbolKind::Local) {
    const std::optional<TypedExprId> named = builder_.named_value(load->symbol.index);
    if (!named) break;
    operand = &too_fast_operand(rule, *named, Rate::Model);
    load = std::get_if<LoadNode>(&operand->node);
  }
  const auto declared = [&](std::string_view word, std::string_view kind) {
    report.help(fmt::format("declare it one for all groups: `{} model {}{}`", word, kind,
                            symbol_name(rule, load->symbol)));
  };
  if (load && load->symbol.kind == SymbolKind::Hyper) {
    const HyperKind kind = rule.hypers[load->symbol.index].kind;
    return declared("hyper", kind == HyperKind::Int    ? "int "
                             : kind == HyperKind::Bool ? "bool "
                                                       : "");
  }
  if (load && load->symbol.kind == SymbolKind::State) return declared("state", "");
  if (load && load->symbol.kind == SymbolKind::Input) return declared("input", "");
  constexpr std::string_view kEnd = "per group";
  const bool is_reduction = std::holds_alternative<ReduceNode>(operand->node);
  std::string text = is_reduction ? short_text(operand->span).value_or("") : "";
  if (!text.ends_with(kEnd)) text = "mean(x) per group";
  text.replace(text.size() - kEnd.size(), kEnd.size(), "per model");
  report.help(is_reduction ? fmt::format("reduce to one value for all groups: `{}`", text)
                           : "make what it is computed from one for all groups: hypers and states "
                             "declared `model`, reductions `per model`");
}

/// A reduction called without `per`, perhaps with the arguments that other libraries have.
Value Checker::reduction_without_rate(Span span, const syntax::CallExpr& call) {
  const std::string name = call.callee.text();
  std::string text = short_text(span).value_or(fmt::format("{}(x)", name));
  const auto dimension = std::ranges::find_if(
      call.arguments, [](const syntax::Argument& argument) { return argument.name.has_value(); });
  if (dimension != call.arguments.end())
    text = fmt::format("{}({})", name,
                       dimension == call.arguments.begin()
                           ? "x"
                           : short_text(tree()[call.arguments.front().value].span).value_or("x"));
  auto report = reporter_.report(DiagnosticKind::ReductionWithoutRate, span, name);
  if (dimension == call.arguments.end())
    report.help(fmt::format("write `{} per tensor`, or `per group` or `per model`", text));
  else
    report.help(
        fmt::format("what it gives a value for is said behind it, not by `{1}`: `{0} per tensor`, "
                    "or `per row` or `per col` of a matrix",
                    text, dimension->name->text));
  return unknown(span);
}

/// Adds the reductions that would do where `value` is to be one per `place`.
void Checker::suggest_reduction(base::DiagnosticBuilder& report, TypedExprId value, Rate place) {
  const TypedExpr& operand = too_fast_whole(builder_.rule, value, place);
  place = types::meet(operand.type.rate, place);  // of a value per row, per matrix for one per col
  if (!is_target(place)) return;
  const std::string text = short_text(operand.span).value_or("x");
  const std::string_view rate = types::to_text(place);
  const bool is_truth = operand.type.kind == Kind::Bool;
  report.help(
      fmt::format("a reduction makes one value of many: `{1}({0}) per {3}`, say, or "
                  "`{2}({0}) per {3}`",
                  text, is_truth ? "any" : "mean", is_truth ? "all" : "norm", rate));
}

}  // namespace talweg::sema
