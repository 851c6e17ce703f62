// Calls: functions of the language, and functions of modules, which are inlined.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/builtins/op.h"
#include "compiler/sema/checker.h"
#include "compiler/sema/names.h"

namespace talweg::sema {

using base::DiagnosticKind;
using builtins::Op;

Value Checker::node(Span span, const syntax::CallExpr& call) {
  if (call.callee.parts.size() == 1) {
    const std::string& name = call.callee.parts.front().text;
    if (is_language_function(name)) return builtin_call(span, call, name);
  }
  bool reported = false;
  const std::optional<Found> found = modules_.find(*frame_->module, call.callee, reported);
  if (!found) {
    if (!reported) unknown_function(call.callee);
    check_arguments_only(call.arguments);
    return unknown(span);
  }
  if (const auto* fn = found->as<syntax::FnDecl>()) return inline_call(span, call, *found, *fn);
  reporter_.report(DiagnosticKind::NotAFunction, call.callee.span, call.callee.text(),
                   sort_of(found->decl));
  check_arguments_only(call.arguments);
  return unknown(span);
}

bool Checker::is_language_function(std::string_view name) {
  return name == "clip" || name == "clamp" || name == "given" || name == "named" ||
         name == "tagged" || name == "previous" || later_function(name) != LaterFeature::None ||
         builtins::function_from_name(name) || builtins::reduction_from_name(name);
}

Value Checker::builtin_call(Span span, const syntax::CallExpr& call, std::string_view name) {
  if (name == "clip" || name == "clamp") return clip_call(span, call);
  if (name == "given") return given_call(span, call);
  if (name == "previous") return previous_call(span, call);
  if (name == "named") return fact_call(span, call, types::FactKind::Named);
  if (name == "tagged") return fact_call(span, call, types::FactKind::Tagged);
  if (const auto op = builtins::function_from_name(name)) return operation_call(span, *op, call);
  check_arguments_only(call.arguments);
  if (builtins::reduction_from_name(name)) return reduction_without_rate(span, call);
  return later_call(call.callee.span, name);
}

Value Checker::later_call(Span span, std::string_view name) {
  switch (later_function(name)) {
    case LaterFeature::None:
      TALWEG_UNREACHABLE("a function of this version refused");
    case LaterFeature::Matrix:
      reporter_.report(DiagnosticKind::MatricesLater, span, fmt::format("the function `{}`", name));
      break;
    case LaterFeature::Random:
      reporter_.report(DiagnosticKind::RandomLater, span, name);
      break;
  }
  return unknown(span);
}

void Checker::check_arguments_only(const std::vector<syntax::Argument>& arguments) {
  for (const syntax::Argument& argument : arguments) expression(argument.value);
}

/// The values of arguments given by position, as many as asked for; nothing after an error.
std::optional<std::vector<Value>> Checker::positional(const syntax::CallExpr& call,
                                                      std::size_t least, std::size_t most) {
  std::vector<Value> values;
  bool fits = true;
  for (const syntax::Argument& argument : call.arguments) {
    values.push_back(expression(argument.value));
    if (!argument.name) continue;
    reporter_.report(DiagnosticKind::UnnamedParameters, argument.name->span, call.callee.text());
    fits = false;
  }
  if (values.size() < least || values.size() > most) {
    const std::string wanted = least == most
                                   ? fmt::format("{} argument{}", least, least == 1 ? "" : "s")
                                   : fmt::format("at least {} arguments", least);
    reporter_.report(DiagnosticKind::WrongArgumentCount, call.callee.span,
                     fmt::format("`{}`", call.callee.text()), wanted, values.size());
    fits = false;
  }
  for (const Value& value : values)
    if (!expect_kind(value, Kind::Number, fmt::format("an argument of `{}`", call.callee.text())))
      fits = false;
  if (!fits) return std::nullopt;
  return values;
}

/// `min` and `max` take any number of arguments from two on: max(a, b, c) is max(max(a, b), c).
Value Checker::operation_call(Span span, Op op, const syntax::CallExpr& call) {
  const auto arity = static_cast<std::size_t>(builtins::info(op).arity);
  const bool folds = op == Op::Min || op == Op::Max;
  constexpr std::size_t kMostOperands = 64;
  if (folds && call.arguments.size() == 1) {
    check_arguments_only(call.arguments);
    return reduction_without_rate(span, call);
  }
  auto operands = positional(call, arity, folds ? kMostOperands : arity);
  if (!operands) return unknown(span);
  if (op == Op::Pow && operands->back().constant)
    operands->back() =
        builder_.constant(Kind::Number, *operands->back().constant, operands->back().span);
  if (!folds) return apply(op, span, *operands);
  Value value = operands->front();
  for (std::size_t i = 1; i < operands->size(); ++i)
    value = apply(op, span, {value, (*operands)[i]});
  return value;
}

/// clip(x, lo, hi) is min(max(x, lo), hi).
Value Checker::clip_call(Span span, const syntax::CallExpr& call) {
  const auto operands = positional(call, 3, 3);
  if (!operands) return unknown(span);
  const Value& low = (*operands)[1];
  const Value& high = (*operands)[2];
  if (low.constant && high.constant && *low.constant > *high.constant)
    reporter_.report(DiagnosticKind::EmptyRange, low.span.to(high.span),
                     fmt::format("[{}, {}]", types::number_text(*low.constant),
                                 types::number_text(*high.constant)));
  return apply(Op::Min, span, {apply(Op::Max, span, {(*operands)[0], low}), high});
}

Value Checker::given_call(Span span, const syntax::CallExpr& call) {
  if (frame_->place == Place::View || (frame_->place == Place::Initial && frame_->rule))
    return not_available("given", span);
  const syntax::NameExpr* name = nullptr;
  if (call.arguments.size() == 1 && call.arguments[0].value.valid() && !call.arguments[0].name)
    name = std::get_if<syntax::NameExpr>(&tree()[call.arguments[0].value].node);
  if (name && name->path.parts.size() == 1 && frame_->rule && frame_->place != Place::Constant &&
      frame_->place != Place::Default && frame_->place != Place::Initial &&
      !is_decided_early(frame_->place)) {
    const auto found = frame_->rule->members.find(name->path.parts[0].text);
    if (found != frame_->rule->members.end() && found->second.sort == Member::Sort::Input) {
      InputMember& input = frame_->rule->inputs[found->second.index];
      input.is_read = true;
      if (discarding_ == 0) builder_.input_is_kept[input.index] = true;
      if (types::is_of_matrices(builder_.rule.inputs[input.index].rate)) note_matrix_use(span);
      return load({SymbolKind::Given, input.index}, {Kind::Bool, Rate::Model}, span);
    }
  }
  auto report = reporter_.report(DiagnosticKind::GivenNeedsInput, span);
  if (name && frame_->rule) {
    std::vector<std::string> inputs;
    for (const InputMember& input : frame_->rule->inputs) inputs.push_back(input.decl->name.text);
    suggest(report, reporter_, name->path.text(), inputs);
  }
  return unknown(span);
}

Value Checker::unknown_function(const syntax::Path& path) {
  const std::string text = path.text();
  const bool is_local = path.parts.size() == 1 && find_local(text);
  const bool is_member =
      path.parts.size() == 1 && frame_->rule && frame_->rule->members.contains(text);
  if (is_local || is_member || is_reserved_in_rules(text)) {
    reporter_.report(DiagnosticKind::NotAFunction, path.span, text, "a value")
        .help(fmt::format("a product is written with `*`: `{} * (...)`", text));
    return unknown(path.span);
  }
  auto report = reporter_.report(DiagnosticKind::UnknownFunction, path.span, text);
  if (!reporter_.keeps_more()) return unknown(path.span);
  std::vector<std::string> names = language_functions();
  for (const std::string& name : modules_.visible_names(*frame_->module)) names.push_back(name);
  if (text == "log10") report.help("write `log2(x) / log2(10)`");
  if (text == "where") report.help("write `if c then a else b`");
  if (text == "square" || text == "sqr") report.help("write `x^2`");
  if (text == "zeros_like" || text == "zeros" || text == "ones_like" || text == "ones")
    report.help("write `0` or `1`: a number stands for each value there is");
  if (text == "range") report.help("write the bounds, both included: `for i in 1..3 { }`");
  const std::string& last = path.parts.back().text;
  if (path.parts.size() > 1 && is_language_function(last))
    report.help(
        fmt::format("functions of the language are called by their name alone: `{}(x)`", last));
  else
    suggest(report, reporter_, text, names);
  return unknown(path.span);
}

void Checker::report_recursion(const syntax::FnDecl& fn, Span span) {
  const auto first = std::ranges::find(calls_, &fn);
  const bool is_new = std::none_of(first, calls_.end(), [&](const auto* called) {
    return modules_.in_circles.contains(called);
  });
  modules_.in_circles.insert(first, calls_.end());
  if (!is_new) {
    reporter_.fail();
    return;
  }
  std::string circle;
  for (auto it = first; it != calls_.end(); ++it) circle += (*it)->name.text + " -> ";
  reporter_.report(DiagnosticKind::RecursiveFunction, span, circle + fn.name.text)
      .label(fn.name.span, "defined here")
      .help("repeat by `for i in 1..5 { }`, whose bounds are constants");
}

void Checker::bind_parameter(Frame& frame, const syntax::Parameter& parameter, const Value& value,
                             std::vector<TypedStmt>& statements) {
  LocalName local{.sort = LocalName::Sort::Parameter, .value = value, .span = {}};
  if (value.is_scalar() && !value.constant) {
    local.local = builder_.add_local(parameter.name.text, parameter.name.span, value.id);
    statements.push_back({value.span, TypedAssign{{SymbolKind::Local, local.local}, value.id}});
  }
  with_frame(frame, [&] { declare(parameter.name, std::move(local)); });
}

/// Reports the parameters that have neither argument nor default.
bool Checker::lacks_arguments(const syntax::CallExpr& call, const syntax::FnDecl& fn,
                              const std::vector<const syntax::Argument*>& arguments) {
  bool lacks = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] || fn.parameters[i].default_value) continue;
    const std::string callee = fmt::format("function `{}`", call.callee.text());
    const syntax::Name& name = fn.parameters[i].name;
    reporter_.report(DiagnosticKind::MissingArgument, call.callee.span, callee, name.text)
        .label(name.span, "it has no default");
    lacks = true;
  }
  return lacks;
}

Value Checker::inline_call(Span span, const syntax::CallExpr& call, const Found& found,
                           const syntax::FnDecl& fn) {
  if (std::ranges::find(calls_, &fn) != calls_.end()) {
    report_recursion(fn, span);
    check_arguments_only(call.arguments);
    return unknown(span);
  }
  std::vector<std::string> parameters;
  for (const syntax::Parameter& parameter : fn.parameters)
    parameters.push_back(parameter.name.text);
  const auto arguments = match_arguments(
      *frame_, {fmt::format("function `{}`", call.callee.text()), "parameter", call.callee.span},
      parameters, call.arguments);
  std::vector<Value> values;
  for (const syntax::Argument& argument : call.arguments)
    values.push_back(expression(argument.value));
  if (!arguments || lacks_arguments(call, fn, *arguments)) return unknown(span);

  Frame frame{.module = found.module, .place = Place::Function, .function = &fn, .caller = frame_};
  std::vector<TypedStmt> body;
  const bool is_outermost = calls_.empty();
  if (is_outermost) reporter_.set_call_site(span);
  calls_.push_back(&fn);
  for (std::size_t i = 0; i < values.size(); ++i) {  // in the order in which they were written
    const auto place = std::ranges::find(*arguments, &call.arguments[i]) - arguments->begin();
    bind_parameter(frame, fn.parameters[static_cast<std::size_t>(place)], values[i], body);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (!(*arguments)[i])
      bind_parameter(frame, fn.parameters[i], value_in(frame, *fn.parameters[i].default_value),
                     body);
  const Value value = with_frame(frame, [&] { return arm(fn.body, body); });
  calls_.pop_back();
  if (is_outermost) reporter_.set_call_site(std::nullopt);
  if (value.is_scalar() && value.constant)
    return builder_.constant(value.type.kind, *value.constant, span);
  return block_value(span, std::move(body), value);
}

void Checker::function_alone(LoadedModule& module, const syntax::FnDecl& fn) {
  Frame frame{.module = &module, .place = Place::Function, .function = &fn, .is_watched = true};
  calls_.push_back(&fn);
  discard([&] {
    std::vector<TypedStmt> body;
    bool has_default = false;
    for (const syntax::Parameter& parameter : fn.parameters) {
      if (parameter.default_value) value_in(frame, *parameter.default_value);
      if (has_default && !parameter.default_value)
        reporter_.report(DiagnosticKind::DefaultBeforeRequired, parameter.name.span,
                         parameter.name.text);
      has_default = has_default || parameter.default_value.has_value();
      bind_parameter(frame, parameter, {}, body);
    }
    with_frame(frame, [&] { arm(fn.body, body); });
  });
  calls_.pop_back();
}

}  // namespace talweg::sema
