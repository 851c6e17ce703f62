// The checker's frame of work: units, limits, and walking what is not kept.
#include "compiler/sema/checker.h"

#include <fmt/format.h>

namespace talweg::sema {

using base::DiagnosticKind;

void Checker::begin_unit(std::string words, Span span) {
  unit_words_ = std::move(words);
  unit_span_ = span;
  unit_work_ = 0;
}

bool Checker::spend(Span span) {
  if (reporter_.stopped()) return false;
  ++unit_work_;
  ++total_work_;
  if (unit_work_ <= CheckLimits::kMaxRuleWork && total_work_ <= CheckLimits::kMaxTotalWork)
    return true;
  stop_at_limit(span);
  return false;
}

void Checker::stop_at_limit(Span span) {
  const bool is_unit = unit_work_ > CheckLimits::kMaxRuleWork;
  auto report = reporter_.report(DiagnosticKind::WorkLimit, unit_span_,
                                 is_unit ? unit_words_ : "all that is checked here",
                                 is_unit ? CheckLimits::kMaxRuleWork : CheckLimits::kMaxTotalWork);
  report.label(span, "the limit was met here");
  report.help("a function is inlined at every call: name its result with `let` and use it twice");
  reporter_.stop();
}

Value Checker::emit(Type type, Span span, decltype(TypedExpr::node) node,
                    std::optional<double> constant) {
  if (!expect_matrices(span, type.rate, &node)) return unknown(span);
  Value value = builder_.emit(type, span, std::move(node), constant);
  if (builder_.depth_of(value.id) <= CheckLimits::kMaxTypedDepth) return value;
  if (!reporter_.stopped())
    reporter_
        .report(DiagnosticKind::NestingLimit, span, "operations within one expression",
                CheckLimits::kMaxTypedDepth)
        .help("give names to parts of it with `let`");
  reporter_.stop();
  return unknown(span);
}

void Checker::discard(const std::function<void()>& work) {
  const RuleBuilder::Mark mark = builder_.mark();
  const Flow::Start start = flow_.enter_arm();
  std::vector<TypedStmt> dropped;
  std::vector<TypedStmt>* outer = std::exchange(out_, &dropped);
  ++discarding_;
  work();
  --discarding_;
  out_ = outer;
  flow_.unread.forgive(flow_.leave_arm(start).unread);
  builder_.cut(mark);
}

Value Checker::value_in(Frame& frame, syntax::ExprId id) {
  return with_frame(frame, [&] { return expression(id); });
}

Value Checker::constant_in(Frame& frame, syntax::ExprId id, std::string_view what) {
  Value value;
  discard([&] {
    value = value_in(frame, id);
    if (!value.is_list() && !expect_constant(value, what)) value.known = false;
  });
  value.id = {};  // what it was computed by is gone
  return value;
}

Value Checker::module_constant(const Found& found, const syntax::ConstDecl& decl, Span use) {
  ConstantCache& cache = found.module->constants;
  if (const auto known = cache.find(&decl); known != cache.end()) {
    if (known->second) return *known->second;
    reporter_.report(DiagnosticKind::CircularConstant, use, decl.name.text)
        .label(decl.name.span, "its value is being computed");
    return unknown(use);
  }
  cache[&decl] = std::nullopt;
  Frame frame{.module = found.module, .place = Place::Constant};
  const Value value = constant_in(frame, decl.value, "a `let` of a module");
  cache[&decl] = value;
  return value;
}

void Checker::block_in(Frame& frame, const syntax::StepBlock& block, std::vector<TypedStmt>& out) {
  out_ = &out;
  flow_.begin_block();
  with_frame(frame, [&] { scoped(block.body); });
  out_ = nullptr;
  const UpdateState& update = flow_.update;
  if (frame.place != Place::Step || update.on_every_path || !update.assigned) return;
  auto report = reporter_.report(DiagnosticKind::UpdateOnSomePaths, *update.assigned);
  if (update.condition)
    report.label(*update.condition, "assigned in only one of the two arms of this condition");
  report.help("assign it before the `if`, or in `else` too: `update = update` keeps what it is");
}

bool Checker::expect_kind(const Value& value, Kind kind, std::string_view what) {
  if (!value.known) return false;
  if (value.is_list()) {
    reporter_.report(DiagnosticKind::ListMisplaced, value.span, what)
        .help("a list can be walked by `for x in list { }` and given to functions");
    return false;
  }
  if (value.type.kind == kind) return true;
  const bool wants_bool = kind == Kind::Bool;
  auto report = reporter_.report(DiagnosticKind::WrongKind, value.span, what,
                                 wants_bool ? "true or false" : "a number",
                                 wants_bool ? "a number" : "true or false");
  if (wants_bool && value.constant)
    report.help("write `true` or `false`");
  else if (wants_bool)
    report.help("compare it: `x != 0`");
  else
    report.help("choose a number by it: `if c then 1 else 0`");
  return false;
}

bool Checker::expect_constant(const Value& value, std::string_view what) {
  if (!value.known) return false;
  if (value.constant) return true;
  auto report = reporter_.report(DiagnosticKind::NotConstant, value.span, what);
  blame(report, value.id, Rate::Const);
  return false;
}

void Checker::blame(base::DiagnosticBuilder& report, TypedExprId value, Rate place) {
  const TypedExpr& operand = too_fast_operand(builder_.rule, value, place);
  const auto* load = std::get_if<LoadNode>(&operand.node);
  const std::string name =
      load ? fmt::format("`{}`", symbol_name(builder_.rule, load->symbol)) : "this";
  report.label(operand.span,
               fmt::format("{} has rate {}", name, types::to_text(operand.type.rate)));
}

void Checker::note_local_read(Span declared) {
  if (const auto it = lets_.find({declared.source.index, declared.begin}); it != lets_.end())
    it->second.is_read = true;
}

void Checker::note_dropped_read(Symbol symbol) {
  const bool holds = symbol.kind == SymbolKind::State || symbol.kind == SymbolKind::Local;
  if (holds && discarding_ > 0) dropped_reads_.push_back(symbol);
}

void Checker::warn_of_unused() {
  for (const UnreadWrites::Lost& lost : flow_.unread.take_lost()) {
    const auto& declared = lost.write.declared;
    const auto let = declared ? lets_.find({declared->source.index, declared->begin}) : lets_.end();
    if (let != lets_.end() && !let->second.is_read) continue;  // said below, of the whole local
    reporter_.report(DiagnosticKind::OverwrittenUnread, lost.write.span, lost.write.name)
        .label(lost.overwritten,
               lost.is_replaced ? "the new gradient takes its place" : "assigned again here");
  }
  for (const auto& [place, let] : lets_)
    if (!let.is_read && !let.name.starts_with('_'))
      reporter_.report(DiagnosticKind::LetNeverUsed, let.span, let.name)
          .help("remove it, or begin its name with `_`");
  lets_.clear();
}

}  // namespace talweg::sema
