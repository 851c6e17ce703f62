// Declarations of one use of a rule: its names, states and inputs.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/names.h"
#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

void PipelineChecker::declare_members(RuleInstance& instance, const Use& use) {
  const syntax::RuleDecl& decl = *instance.decl;
  std::vector<const syntax::Argument*> given(decl.hypers.size(), nullptr);
  if (use.stage && use.stage->has_arguments) {
    std::vector<std::string> names;
    for (const syntax::HyperDecl& hyper : decl.hypers) names.push_back(hyper.name.text);
    Frame frame{.module = use.around->module, .place = Place::Argument, .rule = use.around};
    const std::string callee = fmt::format("rule `{}`", use.stage->rule.text());
    const auto matched = checker_.match_arguments(frame, {callee, "hyper", use.stage->rule.span},
                                                  names, use.stage->arguments);
    if (matched) {
      given = *matched;
    } else {
      for (const syntax::Argument& argument : use.stage->arguments)
        checker_.value_in(frame, argument.value);
    }
  }
  for (std::size_t i = 0; i < decl.hypers.size(); ++i)
    add_hyper(instance, decl.hypers[i], use, given[i]);
  for (std::size_t i = 0; i < decl.hypers.size(); ++i)
    if (given[i]) note_given(instance, i, use, *given[i]);
  for (const syntax::InputDecl& input : decl.inputs) add_input(instance, input);
  for (const syntax::StateDecl& state : decl.states) add_state(instance, state);
  for (std::size_t i = 0; i < decl.views.size(); ++i)
    add_member(instance, decl.views[i].name, Member::Sort::View, i, false);
}

/// What is wrong inside the rule may be the fault of the constants that it is given.
void PipelineChecker::note_given(const RuleInstance& instance, std::size_t index, const Use& use,
                                 const syntax::Argument& argument) {
  const HyperMember& hyper = instance.hypers[index];
  if (builder_.rule.hypers[hyper.index].rate != Rate::Const || !argument.value.valid()) return;
  const Span value = span_in(*use.around->module, argument.value);
  reporter_.add_given({argument.name ? argument.name->span.to(value) : value,
                       fmt::format("`{}` is given here", hyper.decl->name.text)});
}

namespace {

/// What declares one.
std::string_view word_of(Member::Sort sort) {
  switch (sort) {
    case Member::Sort::Hyper:
      return "hyper";
    case Member::Sort::State:
      return "state";
    case Member::Sort::Input:
      return "input";
    case Member::Sort::View:
      break;
  }
  return "view";
}

}  // namespace

void PipelineChecker::add_member(RuleInstance& instance, const syntax::Name& name,
                                 Member::Sort sort, std::size_t index, bool has_rate) {
  if (is_reserved_in_rules(name.text)) {
    reporter_.report(DiagnosticKind::ReservedName, name.span, name.text);
    return;
  }
  if (const auto rate = types::rate_from_text(name.text); rate && sort != Member::Sort::View) {
    const bool may_have = sort != Member::Sort::Hyper || types::fits(*rate, Rate::Group);
    if (!has_rate && may_have && (*rate != Rate::Const || sort == Member::Sort::Hyper))
      reporter_.report(DiagnosticKind::RateWithoutName, name.span, word_of(sort), name.text)
          .help(fmt::format("write its name behind the rate: `{1} {0} my_{1}`", name.text,
                            word_of(sort)));
    else
      reporter_.report(DiagnosticKind::ReservedName, name.span, name.text)
          .help(fmt::format("it is a rate; choose another name, `{}_` say", name.text));
  }
  const auto [place, is_new] = instance.members.emplace(
      name.text, Member{sort, static_cast<std::uint32_t>(index), name.span});
  if (!is_new)
    reporter_.report(DiagnosticKind::NameTaken, name.span, name.text)
        .label(place->second.span, "first defined here");
}

namespace {

/// Of states and inputs.
const std::vector<std::string> kMemberRates = {"model", "group", "tensor", "matrix",
                                               "row",   "col",   "element"};

}  // namespace

Rate PipelineChecker::state_rate(const syntax::StateDecl& decl) {
  if (!decl.shape.empty()) {
    reporter_.report(DiagnosticKind::MatricesLater, decl.name.span,
                     "a state with a shape of its own");
    return Rate::Element;
  }
  if (!decl.rate) return Rate::Element;
  const std::optional<Rate> rate = types::rate_from_text(decl.rate->text);
  if (!rate || rate == Rate::Const) {
    auto report =
        reporter_.report(DiagnosticKind::BadRate, decl.rate->span, decl.rate->text, "a state");
    if (rate || !suggest(report, reporter_, decl.rate->text, kMemberRates))
      report.help(
          "a state has one value per element, `state x`, or per model, group, tensor, matrix, row "
          "or col, `state tensor x` say");
    return Rate::Element;
  }
  return *rate;
}

void PipelineChecker::add_state(RuleInstance& instance, const syntax::StateDecl& decl) {
  TypedState state;
  state.name = decl.name.text;
  state.stage = instance.label;
  state.doc = decl.doc;
  state.span = decl.name.span;
  state.rate = state_rate(decl);
  if (condition_.known) state.condition = condition_.id;
  const std::size_t index = instance.states.size();
  instance.states.push_back(
      {.decl = &decl, .index = static_cast<std::uint32_t>(builder_.rule.states.size())});
  builder_.rule.states.push_back(std::move(state));
  builder_.state_is_kept.push_back(false);
  add_member(instance, decl.name, Member::Sort::State, index, decl.rate.has_value());
}

/// Once it is known which tensors the rule serves.
void PipelineChecker::initial_values(RuleInstance& instance) {
  for (const StateMember& state : instance.states)
    if (state.decl && state.decl->initial) set_initial(instance, state);
}

/// An expression of constants, hypers, `param` and facts of the tensor, and of what these reduce
/// to.
void PipelineChecker::set_initial(RuleInstance& instance, const StateMember& member) {
  const syntax::StateDecl& decl = *member.decl;
  const Rate rate = builder_.rule.states[member.index].rate;
  Frame frame{.module = instance.module, .place = Place::Initial, .rule = &instance};
  const LowRanks around = checker_.low_ranks();
  LowRanks of_state = around;
  if (types::is_of_matrices(rate)) of_state.clear();  // other tensors do not keep it
  checker_.set_low_ranks(of_state);
  const Value value = checker_.value_in(frame, *decl.initial);
  checker_.set_low_ranks(around);
  if (!checker_.expect_kind(value, Kind::Number, "an initial value")) return;
  TypedState& state = builder_.rule.states[member.index];
  if (!types::fits(value.type.rate, rate)) {
    auto report = reporter_.report(DiagnosticKind::ValueTooFast, value.span, state.name,
                                   types::to_text(rate), types::to_text(value.type.rate));
    checker_.blame(report, value.id, rate);
    checker_.suggest_reduction(report, value.id, rate);
    return;
  }
  state.initial_span = span_in(*instance.module, *decl.initial);
  state.initial =
      value.constant ? builder_.constant(Kind::Number, *value.constant, value.span).id : value.id;
}

Rate PipelineChecker::input_rate(const syntax::InputDecl& decl) {
  if (!decl.rate) return Rate::Element;
  const std::optional<Rate> rate = types::rate_from_text(decl.rate->text);
  if (rate && *rate != Rate::Const) return *rate;
  auto report =
      reporter_.report(DiagnosticKind::BadRate, decl.rate->span, decl.rate->text, "an input");
  if (!rate) suggest(report, reporter_, decl.rate->text, kMemberRates);
  report.help(
      "an input is one number a step, `input model x`, one per group, tensor, matrix, row or "
      "column, `input tensor x` say, or one per element, `input x`");
  return Rate::Element;
}

void PipelineChecker::add_input(RuleInstance& instance, const syntax::InputDecl& decl) {
  const Rate rate = input_rate(decl);
  auto& inputs = builder_.rule.inputs;
  const auto [place, is_new] =
      inputs_.emplace(std::pair(decl.name.text, rate), static_cast<std::uint32_t>(inputs.size()));
  if (is_new) {
    inputs.push_back({decl.name.text, instance.label, {}, decl.doc, decl.name.span, rate, {}});
    builder_.input_is_kept.push_back(false);
  }
  inputs[place->second].conditions.push_back(condition_.known ? std::optional(condition_.id)
                                                              : std::nullopt);
  const std::size_t index = instance.inputs.size();
  instance.inputs.push_back({.decl = &decl, .index = place->second});
  add_member(instance, decl.name, Member::Sort::Input, index, decl.rate.has_value());
}

}  // namespace talweg::sema
