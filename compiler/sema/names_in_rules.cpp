// What a name in an expression means: a local, a member of the rule, a name of the language, a
// state of an earlier stage, a constant of a module.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/checker.h"
#include "compiler/sema/names.h"

namespace talweg::sema {

using base::DiagnosticKind;

Value Checker::name(Span span, const syntax::Path& path) {
  const std::string& first = path.parts.front().text;
  if (path.parts.size() == 1) {
    if (const LocalName* local = find_local(first)) return read_local(*local, span);
    if (auto member = rule_member(first, span)) return *member;
    if (auto value = language_name(first, span)) return *value;
  } else if (auto value = stage_name(path)) {
    return *value;
  }
  bool reported = false;
  const std::optional<Found> found = modules_.find(*frame_->module, path, reported);
  if (!found) return reported ? unknown(span) : unknown_name(path, span);
  if (const auto* constant = found->as<syntax::ConstDecl>()) {
    Value value = module_constant(*found, *constant, span);
    if (value.is_scalar()) value = builder_.constant(value.type.kind, *value.constant, span);
    value.span = span;
    return value;
  }
  auto report =
      reporter_.report(DiagnosticKind::NotAValue, span, path.text(), sort_of(found->decl));
  if (found->as<syntax::FnDecl>()) report.help(fmt::format("call it: `{}(...)`", path.text()));
  return unknown(span);
}

LocalName* Checker::find_local(std::string_view name) {
  for (auto scope = frame_->scopes.rbegin(); scope != frame_->scopes.rend(); ++scope)
    if (const auto it = scope->find(name); it != scope->end()) return &it->second;
  return nullptr;
}

Value Checker::read_local(const LocalName& local, Span span) {
  note_local_read(local.span);
  return local_value(local, span);
}

Value Checker::local_value(const LocalName& local, Span span) {
  Value value = local.value;
  if (local.sort == LocalName::Sort::Var) {
    const VarState& state = flow_[local.var];
    value = {state.known, {state.kind, state.rate}, {}, state.constant, nullptr, span};
    flow_.read({SymbolKind::Local, local.local});
  }
  value.span = span;
  if (!value.is_scalar()) return value;
  if (value.constant) return builder_.constant(value.type.kind, *value.constant, span);
  note_dropped_read({SymbolKind::Local, local.local});
  return emit(value.type, span, LoadNode{{SymbolKind::Local, local.local}}, std::nullopt);
}

Value Checker::load(Symbol symbol, Type type, Span span) {
  flow_.read(symbol);
  note_dropped_read(symbol);
  return emit(type, span, LoadNode{symbol}, std::nullopt);
}

std::optional<Value> Checker::rule_member(std::string_view name, Span span) {
  if (!frame_->rule) return std::nullopt;
  const auto found = frame_->rule->members.find(name);
  if (found == frame_->rule->members.end()) return later_hyper(name, span);
  const Member& member = found->second;
  const bool in_block = frame_->place == Place::Step || frame_->place == Place::After;
  switch (member.sort) {
    case Member::Sort::Hyper:
      return read_hyper(frame_->rule->hypers[member.index], span);
    case Member::Sort::State: {
      if (!in_block && frame_->place != Place::View) return not_available(name, span);
      StateMember& state = frame_->rule->states[member.index];
      state.is_read = true;
      if (discarding_ == 0) builder_.state_is_kept[state.index] = true;
      return load({SymbolKind::State, state.index},
                  {Kind::Number, builder_.rule.states[state.index].rate}, span);
    }
    case Member::Sort::Input: {
      if (!in_block && frame_->place != Place::Argument) return not_available(name, span);
      InputMember& input = frame_->rule->inputs[member.index];
      input.is_read = true;
      if (discarding_ == 0) builder_.input_is_kept[input.index] = true;
      return load({SymbolKind::Input, input.index},
                  {Kind::Number, builder_.rule.inputs[input.index].rate}, span);
    }
    case Member::Sort::View:
      reporter_.report(DiagnosticKind::ViewRead, span, name)
          .label(member.span, "declared here")
          .help("give what both need a name of its own: a `fn`, or a `state`");
      return unknown(span);
  }
  return std::nullopt;
}

/// A hyper that is declared after the one whose default is being computed.
std::optional<Value> Checker::later_hyper(std::string_view name, Span span) {
  const bool in_declaration = frame_->place == Place::Constant || frame_->place == Place::Default;
  if (!in_declaration || !frame_->rule->decl) return std::nullopt;
  const auto& hypers = frame_->rule->decl->hypers;
  const auto later =
      std::ranges::find_if(hypers, [&](const auto& hyper) { return hyper.name.text == name; });
  if (later == hypers.end()) return std::nullopt;
  reporter_.report(DiagnosticKind::NotAvailableHere, span, name)
      .label(later->name.span, "declared here")
      .help(frame_->place == Place::Default
                ? "a default may use hypers that are declared before it"
                : "only constants and `const` hypers that are declared before it can be used here");
  return unknown(span);
}

Value Checker::read_hyper(HyperMember& hyper, Span span) {
  hyper.is_used = true;
  const TypedHyper& typed = builder_.rule.hypers[hyper.index];
  const bool is_const = typed.rate == Rate::Const;
  const bool at_defaults = frame_->place == Place::Constant && frame_->at_defaults;
  if (at_defaults && !is_const && (hyper.is_bound || !hyper.value.known)) return unknown(span);
  if (!is_const && !at_defaults &&
      (is_decided_early(frame_->place) || frame_->place == Place::Constant))
    return not_available(typed.name, span);
  if (!hyper.is_computed) {
    reporter_.report(DiagnosticKind::NotAvailableHere, span, typed.name)
        .label(hyper.decl->name.span, "declared here")
        .help("a default may use hypers that are declared before it");
    return unknown(span);
  }
  if (!is_const && !at_defaults)
    return load({SymbolKind::Hyper, hyper.index},
                {typed.kind == HyperKind::Bool ? Kind::Bool : Kind::Number, typed.rate}, span);
  if (!hyper.decl->choices.empty()) {
    reporter_.report(DiagnosticKind::ChoiceMisplaced, span, typed.name)
        .help(fmt::format("compare it: `{} == {}`", typed.name, hyper.decl->choices.front().text));
    return unknown(span);
  }
  Value value = hyper.value;
  value.span = span;
  if (!value.is_scalar()) return value;
  return builder_.constant(value.type.kind, *value.constant, span);
}

std::optional<Value> Checker::language_name(std::string_view name, Span span) {
  if (const auto constant = language_constant(name))
    return builder_.constant(Kind::Number, *constant, span);
  const bool in_block = frame_->place == Place::Step || frame_->place == Place::After;
  const auto give = [&](bool available, SymbolKind symbol, Rate rate) -> Value {
    if (!available) return not_available(name, span);
    return load({symbol, 0}, {Kind::Number, rate}, span);
  };
  const bool in_view = frame_->place == Place::View;
  if (name == "param")
    return give(in_block || in_view || frame_->place == Place::Initial, SymbolKind::Param,
                Rate::Element);
  if (name == "grad") return give(in_block, SymbolKind::Grad, Rate::Element);
  if (name == "update") {
    if (in_block && !flow_.update.assigned) flow_.read({SymbolKind::Grad, 0});
    return give(in_block, SymbolKind::Update, Rate::Element);
  }
  const bool has_steps = in_block || frame_->place == Place::Argument;
  if (name == "t") return give(has_steps || in_view, SymbolKind::T, Rate::Model);
  if (name == "calls") return give(has_steps, SymbolKind::Calls, Rate::Model);
  using types::FactKind;
  for (const FactKind fact : {FactKind::Rank, FactKind::Size, FactKind::Rows, FactKind::Cols}) {
    if (name != types::to_text(fact)) continue;
    const bool has_tensor =
        in_block || in_view || frame_->place == Place::Initial || is_decided_early(frame_->place);
    if (!has_tensor) return not_available(name, span);
    const bool is_of_tensor = fact == FactKind::Rank || fact == FactKind::Size;
    return is_of_tensor ? load_fact({fact, {}}, span) : extent(fact, span);
  }
  return std::nullopt;
}

Value Checker::not_available(std::string_view name, Span span) {
  auto report = reporter_.report(DiagnosticKind::NotAvailableHere, span, name);
  switch (frame_->place) {
    case Place::Step:
    case Place::After:
      break;
    case Place::Function:
      report.help(
          fmt::format("a function sees its parameters only: give it a parameter `{}`", name));
      break;
    case Place::Initial:
      report.help(
          "an initial value may be any expression of constants, hypers, `param`, `rank`, `size`, "
          "`rows`, `cols` and reductions of these, not of states");
      break;
    case Place::View:
      report.help(
          "a view may use `param`, states, hypers, constants, `rank`, `size`, `rows`, `cols` and "
          "`t`, which counts the steps done");
      break;
    case Place::Constant:
      report.help("only constants and `const` hypers can be used here");
      break;
    case Place::Default:
      report.help("a default may use constants and hypers that are declared before it");
      break;
    case Place::Argument:
      report.help(
          "an argument of a stage may use hypers of the rule around it, `t`, `calls`, inputs, and "
          "model and group states of earlier named stages");
      break;
    case Place::When:
      report.help(
          "a `when` is decided where the optimizer is built: it may use `rank`, `size`, `rows`, "
          "`cols`, `named(\"...\")`, `tagged(\"...\")`, constants and const hypers");
      break;
    case Place::Require:
      report.help(
          "a `require` is decided where the optimizer is built: it may use `rank`, `size`, `rows`, "
          "`cols`, `named(\"...\")`, `tagged(\"...\")`, constants and const hypers");
      break;
  }
  return unknown(span);
}

/// `plateau.scale`, if the first part is the name of a stage or seems meant to be one.
std::optional<Value> Checker::stage_name(const syntax::Path& path) {
  if (!frame_->rule || frame_->place != Place::Argument) return std::nullopt;
  const syntax::Name& label = path.parts.front();
  for (const StageInScope& stage : frame_->rule->stages)
    if (stage.label == label.text) return stage_state(stage, path);
  std::vector<std::string> names;
  for (const syntax::Name& name : frame_->rule->stage_names) {
    if (name.text == label.text) {
      reporter_.report(DiagnosticKind::StageNotEarlier, label.span, label.text)
          .label(name.span, "it stands here in the pipeline");
      return unknown(path.span);
    }
    names.push_back(name.text);
  }
  if (frame_->module->modules.contains(label.text) || base::nearest_name(label.text, names).empty())
    return std::nullopt;
  auto report = reporter_.report(DiagnosticKind::UnknownName, label.span, label.text);
  suggest(report, reporter_, label.text, names);
  return unknown(path.span);
}

Value Checker::stage_state(const StageInScope& stage, const syntax::Path& path) {
  const syntax::Name& label = path.parts.front();
  const syntax::Name& wanted = path.parts.back();
  charge(stage.end_state - stage.first_state);
  std::vector<std::uint32_t> matches;
  std::vector<std::string> names;
  for (std::uint32_t i = stage.first_state; i < stage.end_state; ++i) {
    if (builder_.rule.states[i].is_previous) continue;
    names.push_back(builder_.rule.states[i].name);
    if (names.back() == wanted.text) matches.push_back(i);
  }
  if (!stage.is_named || path.parts.size() > 2 || matches.size() != 1) {
    auto report =
        reporter_.report(DiagnosticKind::UnknownStageState, wanted.span, label.text, wanted.text);
    if (!stage.is_named)
      report.label(stage.span, "this stage has no name")
          .help(fmt::format("name it in the pipeline: `my_{0} = ...`, then `my_{0}.{1}`",
                            label.text, wanted.text));
    else if (matches.size() > 1)
      report.help("several stages inside it have a state of this name");
    else
      suggest(report, reporter_, wanted.text, names);
    return unknown(path.span);
  }
  const TypedState& state = builder_.rule.states[matches.front()];
  if (!types::fits(state.rate, Rate::Group)) {
    const std::string_view rate = types::to_text(state.rate);
    reporter_.report(DiagnosticKind::StageStateTooFast, path.span, path.text(), rate)
        .label(state.span, "declared here")
        .help(fmt::format("keep one value of it in that stage, `state group mean_{0}` say: "
                          "`mean_{0} = mean({0}) per group`",
                          state.name));
    return unknown(path.span);
  }
  builder_.state_is_kept[matches.front()] = true;
  return load({SymbolKind::State, matches.front()},
              {Kind::Number, builder_.rule.states[matches.front()].rate}, path.span);
}

std::vector<std::string> Checker::names_in_reach() {
  std::vector<std::string> names = {"pi", "inf"};
  for (const auto& scope : frame_->scopes)
    for (const auto& [name, local] : scope) names.push_back(name);
  if (frame_->rule) {
    for (const auto& [name, member] : frame_->rule->members)
      if (member.sort != Member::Sort::View) names.push_back(name);  // read from outside only
    if (frame_->place == Place::Step || frame_->place == Place::After)
      names.insert(names.end(), {"param", "grad", "update", "t", "calls"});
    if (frame_->place == Place::View) names.insert(names.end(), {"param", "t"});
    if (frame_->place == Place::Argument) names.insert(names.end(), {"t", "calls"});
    if (frame_->place == Place::Step || frame_->place == Place::After ||
        frame_->place == Place::View || is_decided_early(frame_->place))
      names.insert(names.end(), {"rank", "size", "rows", "cols"});
  }
  for (std::string& name : modules_.visible_names(*frame_->module))
    names.push_back(std::move(name));
  return names;
}

/// In an argument: the one earlier stage that has a state of this name.
const StageInScope* Checker::stage_with_state(std::string_view name) const {
  if (!frame_->rule || frame_->place != Place::Argument) return nullptr;
  const StageInScope* found = nullptr;
  for (const StageInScope& stage : frame_->rule->stages)
    for (std::uint32_t i = stage.first_state; i < stage.end_state; ++i) {
      const TypedState& state = builder_.rule.states[i];
      if (state.is_previous || state.name != name) continue;
      if (found) return nullptr;
      found = &stage;
    }
  return found;
}

Value Checker::unknown_name(const syntax::Path& path, Span span) {
  const std::string text = path.text();
  const bool is_rule_name = path.parts.size() == 1 && is_reserved_in_rules(text);
  if (is_rule_name) return not_available(text, span);
  if (!reporter_.keeps_more()) {
    reporter_.fail();
    return unknown(span);
  }
  auto report = reporter_.report(DiagnosticKind::UnknownName, span, text);
  const StageInScope* owner = stage_with_state(path.parts.back().text);
  if (owner) {
    const std::string label = (owner->is_named ? "" : "my_") + owner->label;
    report.label(owner->span, fmt::format("this stage has a state `{}`", path.parts.back().text))
        .help(fmt::format("{}a state of an earlier stage is read by that stage's name: `{}.{}`",
                          owner->is_named ? "" : fmt::format("name the stage, `{} = ...`; ", label),
                          label, path.parts.back().text));
    return unknown(span);
  }
  if (path.parts.size() > 1) {
    report.help(
        frame_->place == Place::Argument
            ? fmt::format(
                  "to read a state of an earlier stage, name that stage: `{0} = Rule | ...`, "
                  "then `{0}.{1}`",
                  path.parts.front().text, path.parts.back().text)
            : "a dotted name is a name of an imported module, or, in an argument of a stage, a "
              "model or group state of an earlier named stage");
    return unknown(span);
  }
  if (text == "e") {
    report.help("the base of the natural logarithm is `exp(1)`");
    return unknown(span);
  }
  if (suggest(report, reporter_, text, names_in_reach())) return unknown(span);
  const bool is_function = is_reserved_for_modules(text);
  if (is_function)
    report.help(fmt::format("a function is called: `{}(...)`", text));
  else if (frame_->place == Place::Step || frame_->place == Place::After)
    report.help(
        fmt::format("`hyper {0} = 0.1` declares a number that users set, `state {0}` a value "
                    "that is kept; `let {0} = ...` before it names one",
                    text));
  return unknown(span);
}

HyperMember* Checker::choice_hyper(const syntax::Path& path) {
  if (!frame_->rule || path.parts.size() != 1 || find_local(path.parts.front().text))
    return nullptr;
  const auto found = frame_->rule->members.find(path.parts.front().text);
  if (found == frame_->rule->members.end() || found->second.sort != Member::Sort::Hyper)
    return nullptr;
  HyperMember& hyper = frame_->rule->hypers[found->second.index];
  return hyper.decl->choices.empty() ? nullptr : &hyper;
}

bool Checker::is_free(const syntax::Name& name) {
  const bool in_rule = frame_->rule != nullptr;
  if (in_rule ? is_reserved_in_rules(name.text) : is_reserved_for_parameters(name.text)) {
    reporter_.report(DiagnosticKind::ReservedName, name.span, name.text);
    return false;
  }
  Span earlier;
  if (const LocalName* local = find_local(name.text)) {
    earlier = local->span;
  } else if (in_rule && frame_->rule->members.contains(name.text)) {
    earlier = frame_->rule->members.find(name.text)->second.span;
  } else {
    return true;
  }
  reporter_.report(DiagnosticKind::NameTaken, name.span, name.text)
      .label(earlier, "first defined here");
  return false;
}

LocalName& Checker::declare(const syntax::Name& name, LocalName local) {
  is_free(name);
  local.span = name.span;
  if (frame_->is_watched &&
      (local.sort == LocalName::Sort::Let || local.sort == LocalName::Sort::Var))
    lets_.try_emplace({name.span.source.index, name.span.begin}, LetUse{name.text, name.span});
  return frame_->scopes.back().insert_or_assign(name.text, std::move(local)).first->second;
}

}  // namespace talweg::sema
