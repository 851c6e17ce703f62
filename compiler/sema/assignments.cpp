// Assignments: what may be assigned where, and with which rate.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/sema/checker.h"
#include "compiler/sema/names.h"

namespace talweg::sema {

using base::DiagnosticKind;

/// What an assignment stores to.
struct Checker::Target {
  Symbol symbol;
  std::string name;
  Rate rate = Rate::Element;   // of all but a var, which takes the rate of its value
  LocalName* local = nullptr;  // of a var
  StateMember* state = nullptr;
  Span declared;
};

void Checker::node(Span span, const syntax::AssignStmt& s) {
  const std::optional<Target> target = target_of(s.target);
  if (!target) {
    expression(s.value);
    return;
  }
  if (s.op == syntax::AssignOp::Set) {
    const Value value = expression(s.value);
    if (frame_->is_watched && assigns_itself(s) && target->symbol.kind != SymbolKind::Update)
      reporter_.report(DiagnosticKind::AssignedToItself, span, target->name);
    store(*target, value, span);
    return;
  }
  const auto op = [&] {
    switch (s.op) {
      case syntax::AssignOp::Set:
      case syntax::AssignOp::Add:
        return syntax::BinaryOp::Add;
      case syntax::AssignOp::Sub:
        return syntax::BinaryOp::Sub;
      case syntax::AssignOp::Mul:
        return syntax::BinaryOp::Mul;
      case syntax::AssignOp::Div:
        return syntax::BinaryOp::Div;
    }
    TALWEG_UNREACHABLE("an assignment of no kind");
  }();
  const Value before = read_target(*target, s.target.span);
  const Value operand = expression(s.value);
  Value value = binary(span, op, before, operand);
  value.span = operand.span;
  store(*target, value, span);
}

/// `x = x`.
bool Checker::assigns_itself(const syntax::AssignStmt& s) const {
  const auto* name =
      s.value.valid() ? std::get_if<syntax::NameExpr>(&tree()[s.value].node) : nullptr;
  return name && name->path.text() == s.target.text();
}

Value Checker::read_target(const Target& target, Span span) {
  // `x += 1` does not make a local one that is used.
  if (target.local) return local_value(*target.local, span);
  if (target.symbol.kind == SymbolKind::Update && !flow_.update.assigned)
    flow_.read({SymbolKind::Grad, 0});
  if (target.state) target.state->is_read = true;
  return load(target.symbol, {Kind::Number, target.rate}, span);
}

std::optional<Checker::Target> Checker::target_of(const syntax::Path& path) {
  const std::string& name = path.parts.front().text;
  const auto refuse = [&](std::string_view what, std::string help) -> std::optional<Target> {
    reporter_.report(DiagnosticKind::CannotAssign, path.span, path.text(), what)
        .help(std::move(help));
    return std::nullopt;
  };
  if (path.parts.size() > 1)
    return refuse("a name of another stage or module", "a rule assigns its own names only");
  if (LocalName* local = find_local(name)) {
    switch (local->sort) {
      case LocalName::Sort::Var:
        return Target{
            {SymbolKind::Local, local->local}, name, Rate::Element, local, nullptr, local->span};
      case LocalName::Sort::Let:
        return refuse("a `let`, which names one value",
                      fmt::format("declare it by `var {} = ...` to change it", name));
      case LocalName::Sort::Parameter:
        return refuse("a parameter", fmt::format("copy it: `var my_{0} = {0}`", name));
      case LocalName::Sort::LoopVariable:
        return refuse("the variable of a `for`", fmt::format("copy it: `var my_{0} = {0}`", name));
    }
  }
  const bool in_block = frame_->place == Place::Step || frame_->place == Place::After;
  const bool is_member = frame_->rule && frame_->rule->members.contains(name);
  if (!in_block && (is_member || is_reserved_in_rules(name))) {
    not_available(name, path.span);
    return std::nullopt;
  }
  if (is_member) {
    const Member& member = frame_->rule->members.find(name)->second;
    if (member.sort == Member::Sort::Hyper)
      return refuse("a hyper, which changes between steps only",
                    "name what is computed from it by `let`, or keep a `state group`");
    if (member.sort == Member::Sort::View)
      return refuse("a view, which is computed when it is read out", "keep it in a `state`");
    if (member.sort == Member::Sort::Input)
      return refuse("an input, which the caller gives", "name what is computed from it by `let`");
    StateMember& state = frame_->rule->states[member.index];
    return Target{{SymbolKind::State, state.index},
                  name,
                  builder_.rule.states[state.index].rate,
                  nullptr,
                  &state,
                  member.span};
  }
  if (auto target = language_target(name, path.span)) return target;
  if (!is_reserved_in_rules(name)) report_unknown_target(path);
  return std::nullopt;
}

/// `param`, `grad` or `update`. Reports the other names that the language keeps.
std::optional<Checker::Target> Checker::language_target(std::string_view name, Span span) {
  if (!is_reserved_in_rules(name)) return std::nullopt;
  if (name == "param")
    return Target{{SymbolKind::Param, 0}, "param", Rate::Element, nullptr, nullptr, {}};
  if (name == "grad" || name == "update") {
    if (frame_->place == Place::After) {
      reporter_.report(DiagnosticKind::AssignedInAfter, span, name)
          .help("`after` stands behind the subtraction of `update`: assign it in `step`");
      return std::nullopt;
    }
    const SymbolKind kind = name == "grad" ? SymbolKind::Grad : SymbolKind::Update;
    return Target{{kind, 0}, std::string(name), Rate::Element, nullptr, nullptr, {}};
  }
  auto report = reporter_.report(DiagnosticKind::CannotAssign, span, name, "given by the language");
  if (name == "t" || name == "calls")
    report.help("count in a state of your own: `state model count`");
  return std::nullopt;
}

void Checker::report_unknown_target(const syntax::Path& path) {
  const std::string& name = path.parts.front().text;
  auto report = reporter_.report(DiagnosticKind::UnknownName, path.span, name);
  if (!reporter_.keeps_more()) return;
  std::vector<std::string> targets;
  for (const auto& scope : frame_->scopes)
    for (const auto& [local, value] : scope)
      if (value.sort == LocalName::Sort::Var) targets.push_back(local);
  if (frame_->rule) {
    targets.insert(targets.end(), {"param", "grad", "update"});
    for (const auto& [member, entry] : frame_->rule->members)
      if (entry.sort == Member::Sort::State) targets.push_back(member);
  }
  suggest(report, reporter_, name, targets);
  report.help(fmt::format("`let {0} = ...` names a value, `var {0} = ...` one that changes{1}",
                          name,
                          frame_->rule ? fmt::format(", `state {}` one that is kept", name) : ""));
}

/// True if a value of this rate may be stored there, under the conditions around.
bool Checker::fits_target(const Target& target, const Value& value) {
  const std::string_view place = types::to_text(target.rate);
  if (!types::fits(value.type.rate, target.rate)) {
    auto report = reporter_.report(DiagnosticKind::ValueTooFast, value.span, target.name, place,
                                   types::to_text(value.type.rate));
    blame(report, value.id, target.rate);
    if (target.state)
      report.label(target.declared, fmt::format("declared here, one value per {}", place));
    suggest_reduction(report, value.id, target.rate);
    if (target.state) {
      const Rate both = types::join(value.type.rate, target.rate);
      report.help(fmt::format(
          "or declare it `state{} {}`, which keeps one value per {}",
          both == Rate::Element ? std::string() : fmt::format(" {}", types::to_text(both)),
          target.name, types::to_text(both)));
    }
    return false;
  }
  for (const Guard& guard : guards_) {
    if (types::fits(guard.rate, target.rate)) continue;
    auto report = reporter_.report(DiagnosticKind::ConditionTooFast, guard.span, target.name, place,
                                   types::to_text(guard.rate));
    report.label(value.span, fmt::format("`{}` is assigned here", target.name));
    if (target.state)
      report.label(target.declared, fmt::format("declared here, one value per {}", place));
    if (guard.condition) suggest_reduction(report, *guard.condition, target.rate);
    return false;
  }
  return true;
}

void Checker::store(const Target& target, const Value& value, Span span) {
  if (target.state) target.state->is_assigned = true;
  note_write(target.symbol,
             {span, target.name, target.local ? std::optional(target.declared) : std::nullopt});
  if (target.local) {
    const Kind kind = flow_[target.local->var].kind;
    const bool declared_known = flow_[target.local->var].known;
    const bool known = declared_known ? expect_kind(value, kind, fmt::format("`{}`", target.name))
                                      : value.is_scalar();
    flow_.assign(target.local->var, {known, value.type.kind, value.type.rate, value.constant});
    if (known) put(span, TypedAssign{target.symbol, value.id});
    return;
  }
  if (target.symbol.kind == SymbolKind::Update) {
    flow_.update.on_every_path = true;
    flow_.update.assigned = span;
    flow_.update.condition.reset();
  }
  if (discarding_ == 0) {
    frame_->rule->changes_something = true;
    if (target.state) builder_.state_is_kept[target.symbol.index] = true;
    if (target.symbol.kind == SymbolKind::Update) builder_.rule.subtracts_update = true;
  }
  if (!expect_kind(value, Kind::Number, fmt::format("`{}`", target.name))) return;
  if (!expect_matrices(span, target.rate)) return;
  if (fits_target(target, value)) put(span, TypedAssign{target.symbol, value.id});
}

void Checker::note_write(Symbol symbol, UnreadWrites::Write write) {
  if (frame_->is_watched) flow_.wrote(symbol, std::move(write));
}

}  // namespace talweg::sema
