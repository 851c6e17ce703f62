// Hypers of one use of a rule: kinds and ranges, defaults, and what the pipeline gives them.
#include <fmt/format.h>

#include <cmath>

#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

Span PipelineChecker::span_in(const LoadedModule& module, syntax::ExprId id) const {
  return id.valid() ? (*module.tree)[id].span : Span{};
}

TypedHyper PipelineChecker::typed_hyper(const RuleInstance& instance,
                                        const syntax::HyperDecl& decl) {
  const auto conflict = [&](bool both, std::string_view one, std::string_view other) {
    if (both)
      reporter_.report(DiagnosticKind::ConflictingHyperKinds, decl.name.span, decl.name.text, one,
                       other);
  };
  conflict(decl.is_const && decl.is_model, "`const`", "`model`");
  conflict(decl.is_bool && decl.range.has_value(), "`bool`", "a range");
  conflict(!decl.choices.empty() && (decl.is_int || decl.is_bool), "choices", "`int` or `bool`");
  if (!decl.choices.empty() && !decl.is_const)
    reporter_.report(DiagnosticKind::ChoicesNeedConst, decl.name.span, decl.name.text)
        .help(fmt::format("write `hyper const {} = ...`", decl.name.text));
  TypedHyper hyper;
  hyper.name = decl.name.text;
  hyper.stage = instance.label;
  hyper.doc = decl.doc;
  hyper.span = decl.name.span;
  hyper.kind = decl.is_int ? HyperKind::Int : decl.is_bool ? HyperKind::Bool : HyperKind::Number;
  hyper.rate = decl.is_const || !decl.choices.empty() ? Rate::Const
               : decl.is_model                        ? Rate::Model
                                                      : Rate::Group;
  for (const syntax::Name& choice : decl.choices) hyper.choices.push_back(choice.text);
  if (decl.is_bool) hyper.range = {0, 1, true, true};
  return hyper;
}

void PipelineChecker::add_hyper(RuleInstance& instance, const syntax::HyperDecl& decl,
                                const Use& use, const syntax::Argument* argument) {
  TypedHyper hyper = typed_hyper(instance, decl);
  hyper.value_span = argument ? span_in(*use.around->module, argument->value)
                              : span_in(*instance.module, decl.default_value);
  if (decl.range) hyper.range_span = decl.range->span;
  set_range(instance, decl, hyper);
  const std::size_t index = instance.hypers.size();
  HyperMember& member = instance.hypers.emplace_back();
  member.decl = &decl;
  member.index = static_cast<std::uint32_t>(builder_.rule.hypers.size());
  builder_.rule.hypers.push_back(std::move(hyper));
  add_member(instance, decl.name, Member::Sort::Hyper, index, decl.is_const || decl.is_model);
  if (argument)
    take_argument(instance, index, use, *argument);
  else
    take_default(instance, index, true);
  instance.hypers[index].is_computed = true;
}

void PipelineChecker::set_range(RuleInstance& instance, const syntax::HyperDecl& decl,
                                TypedHyper& hyper) {
  if (!decl.range || decl.is_bool) return;
  Frame frame{.module = instance.module, .place = Place::Constant, .rule = &instance};
  const Value low = checker_.constant_in(frame, decl.range->low, "an end of a range");
  const Value high = checker_.constant_in(frame, decl.range->high, "an end of a range");
  const bool known = checker_.expect_kind(low, Kind::Number, "an end of a range") &
                     checker_.expect_kind(high, Kind::Number, "an end of a range");
  if (!known) return;
  const types::Interval range = {*low.constant, *high.constant, decl.range->low_closed,
                                 decl.range->high_closed};
  if (range.low < range.high || range.contains(range.low))
    hyper.range = range;
  else
    reporter_.report(DiagnosticKind::EmptyRange, decl.range->span, types::to_text(range));
}

void PipelineChecker::take_default(RuleInstance& instance, std::size_t index, bool is_value) {
  HyperMember& hyper = instance.hypers[index];
  const syntax::ExprId id = hyper.decl->default_value;
  Frame now{.module = instance.module, .place = Place::Constant, .rule = &instance};
  if (!hyper.decl->choices.empty()) return take_choice(instance, index, now, id);
  if (builder_.rule.hypers[hyper.index].rate == Rate::Const)
    return take_constant(hyper, checker_.constant_in(now, id, "a default"));
  Frame frame{.module = instance.module, .place = Place::Default, .rule = &instance};
  const Value value = checker_.value_in(frame, id);
  if (!value.known) return;
  if (value.is_list() || value.constant) return take_constant(hyper, value);
  now.at_defaults = true;
  const Value at_defaults = checker_.constant_in(now, id, "a default");
  if (at_defaults.known) take_constant(hyper, at_defaults);
  if (is_value) follow(hyper, value);
}

/// The hyper has the value of its default, an expression, until it is set.
void PipelineChecker::follow(HyperMember& hyper, const Value& value) {
  TypedHyper& typed = builder_.rule.hypers[hyper.index];
  const Kind kind = typed.kind == HyperKind::Bool ? Kind::Bool : Kind::Number;
  if (!checker_.expect_kind(value, kind, fmt::format("hyper `{}`", typed.name))) return;
  if (!fits_hyper(hyper, value)) return;
  typed.follows = true;
  bindings_.push_back({hyper.index, value.id});
  bound_hypers_[hyper.index].value = value.id;
}

void PipelineChecker::take_choice(RuleInstance& instance, std::size_t index, Frame& frame,
                                  syntax::ExprId id) {
  HyperMember& hyper = instance.hypers[index];
  if (!id.valid()) return;
  const Span span = span_in(*frame.module, id);
  const auto choice = checker_.choice_named(frame, id, *hyper.decl);
  if (!choice) {
    checker_.report_unknown_choice(span, *hyper.decl);
    return;
  }
  const auto value = static_cast<double>(*choice);
  hyper.value = {true, {Kind::Number, Rate::Const}, {}, value, nullptr, span};
  builder_.rule.hypers[hyper.index].default_value = value;
}

/// A default, or a constant argument, which is a new default.
void PipelineChecker::take_constant(HyperMember& hyper, const Value& value) {
  TypedHyper& typed = builder_.rule.hypers[hyper.index];
  if (!value.known) return;
  if (value.is_list() && typed.rate == Rate::Const && typed.kind == HyperKind::Number) {
    hyper.value = value;
    typed.list = *value.list;
    return;
  }
  const Kind kind = typed.kind == HyperKind::Bool ? Kind::Bool : Kind::Number;
  if (!value.is_list() && value.type.kind == Kind::Bool && kind == Kind::Number) {
    reporter_
        .report(DiagnosticKind::WrongKind, value.span, fmt::format("hyper `{}`", typed.name),
                "a number", "true or false")
        .label(hyper.decl->name.span, "declared here")
        .help(fmt::format("for true or false declare it `bool`: `hyper bool {}`", typed.name));
    return;
  }
  if (!checker_.expect_kind(value, kind, fmt::format("hyper `{}`", typed.name))) return;
  const double number = *value.constant;
  hyper.value = value;
  typed.default_value = number;
  if (typed.kind == HyperKind::Int && number != std::trunc(number)) {
    reporter_
        .report(DiagnosticKind::NotWhole, value.span, fmt::format("hyper `{}`", typed.name),
                types::number_text(number))
        .label(hyper.decl->name.span, "declared `int`");
  } else if (!typed.range.contains(number)) {
    auto report = reporter_.report(DiagnosticKind::OutOfRange, value.span, typed.name,
                                   types::number_text(number), types::to_text(typed.range));
    if (hyper.decl->range)
      report.label(hyper.decl->range->span, "its range");
    else if (std::isinf(number))
      report.help(fmt::format("a hyper without a range is finite; to allow it write `in {}`",
                              number > 0 ? "[0, inf]" : "[-inf, 0]"));
  }
}

void PipelineChecker::take_argument(RuleInstance& instance, std::size_t index, const Use& use,
                                    const syntax::Argument& argument) {
  HyperMember& hyper = instance.hypers[index];
  Frame frame{.module = use.around->module, .place = Place::Argument, .rule = use.around};
  if (!hyper.decl->choices.empty()) return take_choice(instance, index, frame, argument.value);
  Value value = checker_.value_in(frame, argument.value);
  if (!value.known) return;
  if (value.is_list() || value.constant) return take_constant(hyper, value);
  if (builder_.rule.hypers[hyper.index].rate == Rate::Const) {
    checker_.expect_constant(value,
                             fmt::format("hyper `{}`, which is `const`,", hyper.decl->name.text));
    return;
  }
  take_default(instance, index, false);
  bind(hyper, value);
}

bool PipelineChecker::fits_hyper(const HyperMember& hyper, const Value& value) {
  const TypedHyper& typed = builder_.rule.hypers[hyper.index];
  if (types::fits(value.type.rate, typed.rate)) return true;
  auto report = reporter_.report(DiagnosticKind::ArgumentTooFast, value.span, typed.name,
                                 types::to_text(typed.rate), types::to_text(value.type.rate));
  checker_.blame(report, value.id, typed.rate);
  report.label(hyper.decl->name.span, "declared here");
  if (value.type.rate == Rate::Group)
    checker_.suggest_model_rate(report, value.id);
  else
    checker_.suggest_reduction(report, value.id, typed.rate);
  return false;
}

void PipelineChecker::bind(HyperMember& hyper, const Value& value) {
  TypedHyper& typed = builder_.rule.hypers[hyper.index];
  hyper.is_bound = true;
  typed.bound = true;
  const Kind kind = typed.kind == HyperKind::Bool ? Kind::Bool : Kind::Number;
  if (!checker_.expect_kind(value, kind, fmt::format("hyper `{}`", typed.name))) return;
  if (!fits_hyper(hyper, value)) return;
  bindings_.push_back({hyper.index, value.id});
  bound_hypers_[hyper.index].value = value.id;
}

}  // namespace talweg::sema
